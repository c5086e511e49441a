"""Book: take the time, then open the processor's checkout. The database decides who gets the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from psycopg.errors import ExclusionViolation

from bedside.appointments.errors import ConsentRequired, InvalidDetails, NotLicensed, NotOffered, SlotTaken
from bedside.appointments.events import AppointmentCreated
from bedside.appointments.locks import lock_provider
from bedside.appointments.models import Appointment, Source
from bedside.appointments.states import HOLDS_TIME, Status
from bedside.clinic.models import Practice, Provider, Service
from bedside.clinic.policy_models import of_service
from bedside.core import audit, clock, ids, ratelimit, written
from bedside.core.audit import Actor
from bedside.core.events import publish
from bedside.flows import assign, checkout, credits, hold, hold_limits, pay, price, promo
from bedside.flows.details import Consent, PatientDetails, consent_version, location_needed
from bedside.payments.models import Payment
from bedside.payments.processors import processor
from bedside.schedule import openings
from bedside.schedule.licenses import is_licensed
from bedside.schedule.search import Who
from bedside.schedule.windows import up_to_minute


@dataclass(frozen=True)
class Booking:
    """A held time, what it costs, and the page where it is paid."""

    appointment: Appointment
    payment: Payment
    checkout_url: str


@dataclass(frozen=True)
class Request:
    """What is asked for: the same for every provider that is tried."""

    service: Service
    start: datetime
    details: PatientDetails
    consent: Consent
    source: str
    hold_key: bytes | None
    promo_code: str = ""
    credit_code: str = ""
    by_hand: ByHand | None = None
    held_from: bytes | None = None


@dataclass(frozen=True)
class ByHand:
    """What the desk may do and a patient may not: another hold, a time that isn't offered, credits without a code."""

    actor: Actor
    hold_until: datetime
    override: bool = False
    spend_credits: bool = False
    reason: str = ""


class _Rival(SlotTaken):
    """This provider, who was free a moment ago, no longer is."""

    def __init__(self, provider: Provider) -> None:
        super().__init__()
        self.provider_id = provider.pk


def book(
    *,
    service: Service,
    start: datetime,
    provider: Who = None,
    details: PatientDetails,
    consent: Consent,
    source: str = Source.WEB,
    hold_key: bytes | None = None,
    address: str = "",
    promo_code: str = "",
    credit_code: str = "",
) -> Booking:
    """Hold ``start`` (aware) for the patient until the practice's hold runs out, and open a checkout for it.

    ``provider`` is one, several, or None for anybody; of several the fairest free one is chosen (assign.py), and the
    next where a rival was quicker. With ``details.location`` only those who are licensed there. A hold of the same
    browser (``hold_key``) is replaced. A visit that a ``promo_code`` or a credit makes free is paid at once. Raises
    ConsentRequired, InvalidDetails (no location where the service asks), PromoRefused, CreditUnusable, SlotTaken,
    NotOffered, NotLicensed (these with alternatives), RateLimited, TooManyHolds, CheckoutUnavailable (the hold
    is released).
    """
    if not consent.given:
        raise ConsentRequired
    if service.asks_location and not details.location:
        raise InvalidDetails(errors={"location": location_needed()})
    if address:
        ratelimit.hit("book-address", address)
    ratelimit.hit("book-contact", details.mobile)
    code = promo.spelled(promo_code)
    if code:
        promo.count_try(address)
    if credit_code:
        ratelimit.hit("credit-code", address)
    held_from = hold_limits.address_key(address)
    request = Request(service, start, details, consent, source, hold_key, code, credit_code, held_from=held_from)
    appointment, payment = take(request, provider)
    return Booking(appointment, payment, _page_to_pay(appointment, payment))


def take(request: Request, provider: Who) -> tuple[Appointment, Payment]:
    """Take the time with one of them, the fairest first. Raises SlotTaken, NotOffered, NotLicensed."""
    passed_over: set[int] = set()
    while True:
        try:
            appointment, payment = _take(request, provider, passed_over)
        except _Rival as rival:
            passed_over.add(rival.provider_id)
            if not isinstance(provider, Provider):
                continue
        except SlotTaken:
            pass
        else:
            return appointment, payment
        raise _refusal(request, provider)


def _page_to_pay(appointment: Appointment, payment: Payment) -> str:
    """The processor's; the visit's own page where nothing is left to pay."""
    if appointment.status == Status.PAID:
        return f"{settings.PUBLIC_URL}/visits/{appointment.token}"
    return checkout.open_for(payment)


def _take(request: Request, wanted: Who, passed_over: set[int]) -> tuple[Appointment, Payment]:
    """One short transaction: choose, lock the provider, clear what ran out, insert. The constraint decides."""
    now = clock.now()
    with transaction.atomic():
        if isinstance(wanted, Provider):
            return _take_with(request, wanted, None, now)
        choice = assign.choose(
            service=request.service,
            start=request.start,
            among=wanted,
            now=now,
            location=request.details.location or None,
            own_hold=request.hold_key,
            passed_over=passed_over,
        )
        if choice is None:
            raise SlotTaken
        return _take_with(request, choice.provider, choice, now)


def _take_with(
    request: Request, provider: Provider, choice: assign.Choice | None, now: datetime
) -> tuple[Appointment, Payment]:
    """Raises `_Rival` where the provider is no longer free; whoever catches it has the transaction rolled back."""
    lock_provider(provider.pk)
    hold.expire_in_the_way(provider, Appointment.block(request.service, request.start), now)
    if request.hold_key:
        hold.replace_own(request.hold_key)
    if not request.by_hand:
        hold_limits.check(request.details, request.held_from, now)
    by_hand = request.by_hand
    if not _may_have(request, provider, now):
        raise _Rival(provider)
    priced = price.of(
        request.service,
        now=now,
        code=request.promo_code,
        place=request.details.location,
        patient=request.details,
        lock=True,
    )
    try:
        appointment = _insert(request, provider, now, priced)
    except IntegrityError as error:
        if isinstance(error.__cause__, ExclusionViolation):
            raise _Rival(provider) from error
        raise
    payment = credits.pay_part(
        _ask_for(appointment, priced),
        code=request.credit_code,
        without_code=bool(by_hand and by_hand.spend_credits),
        actor=by_hand.actor if by_hand else Actor.patient(),
    )
    if not payment.amount_minor:
        payment.processor = pay.FREE
        payment.save(update_fields=["processor"])
    after: dict[str, object] = {"status": str(appointment.status), "source": request.source}
    chosen = {"choice": choice.explained()} if choice else {}
    if by_hand:
        after |= {"override": by_hand.override}
    actor, reason = (by_hand.actor, by_hand.reason) if by_hand else (Actor.patient(), "")
    audit.record(actor, "appointment.created", appointment, after=after | chosen, reason=reason)
    publish(AppointmentCreated(appointment_id=appointment.pk, provider_id=provider.pk, service_id=request.service.pk))
    if not payment.amount_minor:
        pay.settle_free(appointment, payment)
    return appointment, payment


def _may_have(request: Request, provider: Provider, now: datetime) -> bool:
    """Whether the time is offered. The desk may take another one, but never with somebody who isn't licensed there."""
    location = request.details.location or None
    if request.by_hand and request.by_hand.override:
        return not location or is_licensed(provider, location, up_to_minute(request.start + request.service.duration))
    return openings.is_offered(request.service, provider, request.start, now, location=location)


def _ask_for(appointment: Appointment, priced: price.Price) -> Payment:
    due = priced.quote.due_minor
    return written.insert(
        Payment(
            appointment=appointment,
            amount_minor=due,
            currency=appointment.currency,
            discount_amount=appointment.discount_amount,
            tax_amount=appointment.tax_amount,
            processor=processor().name if due else pay.FREE,
        )
    )


def _insert(request: Request, provider: Provider, now: datetime, priced: price.Price) -> Appointment:
    service, details, consent = request.service, request.details, request.consent
    agreed = of_service(service, now)
    hold_until = now + timedelta(minutes=Practice.current().hold_minutes)
    appointment = Appointment(
        token=ids.new_token(),
        service=service,
        provider=provider,
        start=request.start,
        end=request.start + service.duration,
        blocked=Appointment.block(service, request.start),
        status=Status.PENDING_PAYMENT,
        hold_expires_at=request.by_hand.hold_until if request.by_hand else hold_until,
        hold_key=request.hold_key,
        hold_address=request.held_from,
        patient_name=details.name,
        patient_email=details.email,
        patient_mobile=details.mobile,
        patient_timezone=details.timezone,
        patient_location=details.location,
        locale=details.locale,
        currency=service.currency,
        **priced.kept(),
        policy=agreed.policy,
        free_cancellation_hours=agreed.terms.free_hours,
        cancellation_policy=agreed.words,
        sms_consent=True,
        sms_consent_text=consent.text,
        sms_consent_at=consent.at or now,
        sms_consent_source=consent.source,
        sms_consent_taken_by=request.by_hand.actor.user_id if request.by_hand else None,
        sms_consent_version=consent.version or consent_version(),
        source=request.source,
        created_at=now,
        updated_at=now,
    )
    return written.insert(appointment)


def _refusal(request: Request, wanted: Who) -> SlotTaken:
    """Taken by somebody, never offered, or by nobody who is licensed there? With the nearest times that are."""
    service, start = request.service, request.start
    location = request.details.location or None
    alternatives = openings.nearest_alternatives(service, start, wanted, location=location)
    block = Appointment.block(service, start)
    providers = [wanted] if isinstance(wanted, Provider) else list(service.providers.filter(active=True))
    if wanted is not None and not isinstance(wanted, Provider):
        providers = [one for one in providers if one in wanted]
    if location:
        until = up_to_minute(start + service.duration)
        providers = [one for one in providers if is_licensed(one, location, until)]
        if not providers:
            return NotLicensed(alternatives=alternatives)
    taken = Appointment.objects.filter(provider__in=providers, blocked__overlap=block, status__in=HOLDS_TIME).exists()
    return SlotTaken(alternatives=alternatives) if taken else NotOffered(alternatives=alternatives)
