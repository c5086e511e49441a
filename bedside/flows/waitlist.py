"""The waitlist as patients use it: join, leave, claim the time that is offered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from bedside.appointments.errors import ConsentRequired, InvalidDetails, SlotTaken
from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.clinic.models import Provider, Service
from bedside.core import audit, clock, crypto, ids, ratelimit
from bedside.core.audit import Actor
from bedside.core.errors import BedsideError, NotFound
from bedside.core.events import publish
from bedside.flows import lookup, reschedule, waitlist_offers
from bedside.flows.book import book
from bedside.flows.details import Consent, PatientDetails, consent_version
from bedside.schedule.waiting.errors import NothingToWaitFor, OfferGone
from bedside.schedule.waiting.events import WaitlistUpdated
from bedside.schedule.waiting.models import EntryStatus, OfferStatus, WaitlistEntry, WaitlistOffer
from bedside.schedule.waiting.wishes import PARTS


@dataclass(frozen=True)
class Wish:
    """Days and parts of the day in the patient's zone; nothing in ``weekdays`` or ``parts`` means any."""

    service: Service
    first_day: date
    last_day: date
    provider: Provider | None = None
    weekdays: Sequence[int] = ()
    parts: Sequence[str] = ()


@dataclass(frozen=True)
class Claimed:
    """The visit that a claim made or moved, and the page to go to: the processor's, or the visit's own."""

    appointment: Appointment
    url: str


def join(
    *,
    wish: Wish,
    details: PatientDetails,
    consent: Consent,
    appointment: Appointment | None = None,
    address: str = "",
) -> WaitlistEntry:
    """Wait for a time, at the end of the queue; asking again changes the wish and keeps the place.

    With a booked ``appointment`` only earlier times count, and claiming one moves it. Raises ConsentRequired,
    InvalidDetails (the wish doesn't fit together), NothingToWaitFor, RateLimited.
    """
    if not consent.given:
        raise ConsentRequired
    if address:
        ratelimit.hit("waitlist", address)
    _check(wish, details)
    if appointment and not (appointment.status == Status.PAID and appointment.start > clock.now()):
        raise NothingToWaitFor
    now = clock.now()
    values = {
        "provider": wish.provider,
        "appointment": appointment,
        "patient_name": details.name,
        "patient_email": details.email,
        "patient_mobile": details.mobile,
        "patient_timezone": details.timezone,
        "patient_location": details.location,
        "locale": details.locale,
        "sms_consent_text": consent.text,
        "sms_consent_at": consent.at or now,
        "sms_consent_source": consent.source,
        "sms_consent_version": consent.version or consent_version(),
        "first_day": wish.first_day,
        "last_day": wish.last_day,
        "weekdays": sorted(set(wish.weekdays)),
        "parts": [part for part in PARTS if part in wish.parts],
    }
    with transaction.atomic():
        entry, made = WaitlistEntry.objects.select_for_update().update_or_create(
            service=wish.service,
            patient_email_index=crypto.blind_index("email", details.email),
            status=EntryStatus.WAITING,
            defaults=values,
            create_defaults=values | {"token": ids.new_token(), "created_at": now},
        )
        audit.record(Actor.patient(), "waitlist.joined" if made else "waitlist.changed", entry)
        publish(WaitlistUpdated(waitlist_entry_id=entry.pk))
        waitlist_offers.look_soon(wish.provider.pk if wish.provider else None, wish.service.pk)
    return entry


def _check(wish: Wish, details: PatientDetails) -> None:
    today = clock.now().astimezone(ZoneInfo(details.timezone)).date()
    errors: dict[str, str] = {}
    if wish.last_day < wish.first_day:
        errors["last_day"] = _("The last day lies before the first.")
    elif wish.last_day < today:
        errors["last_day"] = _("That day is past.")
    elif wish.first_day > today + timedelta(days=wish.service.horizon_days):
        errors["first_day"] = _("Visits can't be booked that far ahead yet.")
    if any(day not in range(7) for day in wish.weekdays) or any(part not in PARTS for part in wish.parts):
        errors["weekdays"] = _("Choose from the list.")
    if wish.service.asks_location and not details.location:
        errors["location"] = _("Say where you will be during the visit.")
    if errors:
        raise InvalidDetails(errors=errors)


def by_token(token: str) -> WaitlistEntry:
    """What the patient's waitlist link opens. Raises NotFound."""
    entries = WaitlistEntry.objects.select_related("service", "provider", "appointment")
    entry = entries.filter(token_index=crypto.blind_index("token", token)).first()
    if entry is None:
        raise NotFound
    return entry


def leave(*, entry_id: int, actor: Actor) -> WaitlistEntry:
    """Off the list, and the open offer goes to the next. Leaving twice is leaving once."""
    with transaction.atomic():
        entry = WaitlistEntry.objects.select_for_update().get(pk=entry_id)
        if entry.status == EntryStatus.WAITING:
            waitlist_offers.end(entry, EntryStatus.LEFT, actor)
    return entry


def claim(*, offer_id: int, address: str = "") -> Claimed:
    """Take the offered time: a new booking on the usual way, or the booked visit moves there.

    The database decides as ever, so whoever was quicker elsewhere has it: OfferGone. A claim that fails for another
    reason (the processor is down, too many holds) leaves the offer open. Pressing twice is claiming once.
    """
    now = clock.now()
    grasped = WaitlistOffer.objects.filter(pk=offer_id, status=OfferStatus.OPEN, expires_at__gt=now).update(
        status=OfferStatus.CLAIMED, claimed_at=now
    )
    offer = WaitlistOffer.objects.select_related("entry__service", "entry__appointment", "provider", "taken").get(
        pk=offer_id
    )
    if not grasped:
        if offer.taken is None:
            raise OfferGone
        return Claimed(offer.taken, f"{settings.PUBLIC_URL}/visits/{offer.taken.token}")
    try:
        claimed = _move(offer) if offer.entry.appointment_id else _book(offer, address)
    except SlotTaken as error:
        waitlist_offers.settle(offer, OfferStatus.LOST)
        raise OfferGone from error
    except BedsideError:
        WaitlistOffer.objects.filter(pk=offer.pk).update(status=OfferStatus.OPEN, claimed_at=None)
        raise
    waitlist_offers.settle(offer, OfferStatus.CLAIMED, taken=claimed.appointment)
    return claimed


def _book(offer: WaitlistOffer, address: str) -> Claimed:
    entry = offer.entry
    details = PatientDetails(
        entry.patient_name,
        entry.patient_email,
        entry.patient_mobile,
        entry.patient_timezone,
        entry.locale,
        entry.patient_location,
    )
    consent = Consent(
        given=True,
        text=entry.sms_consent_text,
        source=entry.sms_consent_source,
        version=entry.sms_consent_version,
        at=entry.sms_consent_at,
    )
    key = crypto.blind_index("hold", f"waitlist:{offer.pk}")
    booking = book(
        service=entry.service,
        start=offer.start,
        provider=offer.provider,
        details=details,
        consent=consent,
        hold_key=key,
        address=address,
    )
    return Claimed(booking.appointment, booking.checkout_url)


def _move(offer: WaitlistOffer) -> Claimed:
    assert offer.entry.appointment is not None
    moved = reschedule.reschedule(
        appointment_id=lookup.latest(offer.entry.appointment).pk,  # it may have been moved since
        start=offer.start,
        provider=offer.provider,
        actor=Actor.patient(),
        reason="Waitlist: an earlier time opened.",
    )
    return Claimed(moved, f"{settings.PUBLIC_URL}/visits/{moved.token}")
