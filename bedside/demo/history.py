"""Some weeks of history, written as rows: visits that took place, were canceled or missed, with money and messages."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db import transaction

from bedside.appointments.models import Appointment, Source
from bedside.appointments.states import Status
from bedside.clinic.models import Practice, Provider, Service
from bedside.core import clock, ids
from bedside.core.models import AuditEntry
from bedside.core.money import Money
from bedside.demo.patients import draw
from bedside.demo.people import LICENSES
from bedside.flows.details import PatientDetails, consent_text
from bedside.notifications.models import Audience, Channel, Kind, Notification
from bedside.payments import ledger
from bedside.payments.models import Payment, Refund
from bedside.payments.processors.base import BalanceTransaction
from bedside.payments.states import PaymentStatus, RefundStatus
from bedside.sandbox import books
from bedside.sandbox.models import BalanceEntry, Checkout, ProcessorRefund
from bedside.schedule.models import WeeklyRule

WEEKS = 6
FILLED = 0.2
LONGEST_PREP = 5


@dataclass
class Writer:
    """Carries what every row of the history needs."""

    practice: Practice
    rng: random.Random
    taken: dict[int, datetime] = field(default_factory=dict)


def load(services: list[Service]) -> None:
    """Fill the past weeks, within each provider's hours, without overlaps. About three hundred visits."""
    writer = Writer(Practice.current(), random.Random(11))  # noqa: S311  # a fixed seed
    offers: dict[int, list[Service]] = {}
    for service in services:
        for provider in service.providers.order_by("pk"):
            offers.setdefault(provider.pk, []).append(service)
    today = clock.now().astimezone(writer.practice.zone).date()
    rules = list(WeeklyRule.objects.select_related("provider").order_by("provider_id", "start_time"))
    with transaction.atomic():
        for back in range(WEEKS * 7, 0, -1):
            day = today - timedelta(days=back)
            for rule in rules:
                if rule.weekday == day.weekday():
                    _fill(writer, rule, day, offers[rule.provider_id])


def _fill(writer: Writer, rule: WeeklyRule, day: date, offers: list[Service]) -> None:
    provider = rule.provider
    at = datetime.combine(day, rule.start_time, tzinfo=provider.zone)
    closes = datetime.combine(day, rule.end_time, tzinfo=provider.zone)
    while True:
        service = writer.rng.choice(offers)
        if at + service.duration > closes:
            return
        if writer.rng.random() < FILLED:
            _write(writer, service, provider, at)
        taken = service.duration_minutes + service.wrap_minutes + LONGEST_PREP
        at += timedelta(minutes=-(-taken // 30) * 30)


def _write(writer: Writer, service: Service, provider: Provider, start: datetime) -> None:
    rng = writer.rng
    details = draw(rng)
    booked = start - timedelta(hours=rng.randint(20, 200), minutes=rng.randint(0, 59))
    status = rng.choices([Status.COMPLETED, Status.CANCELED, Status.NO_SHOW, Status.EXPIRED], weights=[84, 8, 4, 4])[0]
    appointment = _appointment(writer, service, provider, start, booked, status, details)
    _audit(appointment, "appointment.created", booked, "patient", {"status": "pending_payment"})
    if status == Status.EXPIRED:
        _audit(appointment, "appointment.expired", booked + timedelta(minutes=35), "system", {"status": "expired"})
        return
    paid_at = booked + timedelta(minutes=rng.randint(1, 6))
    payment = _pay(appointment, paid_at)
    _audit(appointment, "appointment.paid", paid_at, "system", {"status": "paid"})
    _messages(appointment, Kind.CONFIRMATION, paid_at)
    if status == Status.CANCELED:
        _cancel(appointment, payment)
    else:
        _messages(appointment, Kind.REMINDER, start - timedelta(hours=1), variant="1h")
        _audit(appointment, f"appointment.{status}", appointment.end, "admin", {"status": status})


def _appointment(
    writer: Writer,
    service: Service,
    provider: Provider,
    start: datetime,
    booked: datetime,
    status: Status,
    details: PatientDetails,
) -> Appointment:
    return Appointment.objects.create(
        token=ids.new_token(),
        service=service,
        provider=provider,
        start=start,
        end=start + service.duration,
        blocked=Appointment.block(service, start),
        status=status,
        patient_name=details.name,
        patient_email=details.email,
        patient_mobile=details.mobile,
        patient_timezone=details.timezone,
        patient_location=LICENSES[provider.slug][0] if service.asks_location else "",
        price_minor=service.price_minor,
        currency=service.currency,
        free_cancellation_hours=service.free_cancellation_hours,
        cancellation_policy=service.cancellation_policy,
        sms_consent=True,
        sms_consent_text=consent_text(writer.practice.name),
        sms_consent_at=booked,
        sms_consent_source="web",
        sms_consent_version="2026-11",
        source=Source.WEB,
        canceled_at=start - timedelta(hours=30) if status == Status.CANCELED else None,
        canceled_by="patient" if status == Status.CANCELED else "",
        cancellation_reason="I can't make it after all." if status == Status.CANCELED else "",
        paid_at=None if status == Status.EXPIRED else booked + timedelta(minutes=4),
        created_at=booked,
        updated_at=booked,
    )


def _pay(appointment: Appointment, at: datetime) -> Payment:
    session, intent = f"cs_demo_{appointment.pk}", f"pi_demo_{appointment.pk}"
    Checkout.objects.create(
        session_id=session,
        client_reference=appointment.code,
        amount_minor=appointment.price_minor,
        currency=appointment.currency.lower(),
        description="Video visit",
        success_url="/",
        cancel_url="/",
        status="complete",
        payment_status="paid",
        intent_id=intent,
        expires_at=at + timedelta(minutes=30),
        created_at=at - timedelta(minutes=2),
        paid_at=at,
    )
    payment = Payment.objects.create(
        appointment=appointment,
        status=PaymentStatus.SUCCEEDED,
        amount_minor=appointment.price_minor,
        currency=appointment.currency,
        captured_minor=appointment.price_minor,
        processor="sandbox",
        session_id=session,
        intent_id=intent,
        created_at=at,
        succeeded_at=at,
    )
    ledger.record_charge(payment, occurred_at=at)
    _book(payment, at)
    return payment


def _book(payment: Payment, at: datetime) -> None:
    """The charge in the processor's books, and what it cost in ours."""
    fee = books.fee_of(payment.captured_minor)
    entry = BalanceEntry.objects.create(
        balance_id=f"txn_demo_{payment.pk}",
        category="charge",
        source_id=f"ch_{payment.intent_id.removeprefix('pi_')}",
        checkout=Checkout.objects.get(intent_id=payment.intent_id),
        amount_minor=payment.captured_minor,
        fee_minor=fee,
        currency=payment.currency.lower(),
        created_at=at,
    )
    amount, cost = Money(payment.captured_minor, payment.currency), Money(fee, payment.currency)
    ledger.record_fee(
        payment, BalanceTransaction(entry.balance_id, "charge", entry.source_id, amount, cost, at, payment.intent_id)
    )


def _cancel(appointment: Appointment, payment: Payment) -> None:
    at = appointment.canceled_at
    assert at is not None
    refund = Refund.objects.create(
        payment=payment,
        refund_amount=payment.captured_minor,
        status=RefundStatus.SUCCEEDED,
        reason="Canceled.",
        refund_id=f"re_demo_{payment.pk}",
        requested_by="patient",
        idempotency_key=f"cancel-{appointment.pk}",
        created_at=at,
        settled_at=at,
    )
    checkout = Checkout.objects.get(intent_id=payment.intent_id)
    ProcessorRefund.objects.create(
        refund_id=refund.refund_id,
        checkout=checkout,
        amount_minor=refund.refund_amount,
        created_at=at,
    )
    payment.status, payment.refunded_minor = PaymentStatus.REFUNDED, refund.refund_amount
    payment.save()
    ledger.record_refund(refund, occurred_at=at)
    _audit(appointment, "appointment.canceled", at, "patient", {"status": "canceled"})
    _audit(appointment, "refund.issued", at, "system", {"amount_minor": refund.refund_amount})
    _messages(appointment, Kind.CANCELED, at)


def _messages(appointment: Appointment, kind: Kind, at: datetime, variant: str = "") -> None:
    Notification.objects.bulk_create(
        Notification(
            appointment=appointment,
            kind=kind,
            variant=variant,
            audience=audience,
            channel=channel,
            idempotency_key=f"{appointment.pk}:{kind}{variant}:{audience}:{channel}:1",
            status="delivered" if channel == Channel.SMS else "sent",
            due_at=at,
            sent_at=at,
            attempts=1,
            recipient=appointment.patient_email if channel == Channel.EMAIL else appointment.patient_mobile,
            created_at=at,
        )
        for audience in (Audience.PATIENT, Audience.PROVIDER)
        for channel in (Channel.EMAIL, Channel.SMS)
    )


def _audit(appointment: Appointment, action: str, at: datetime, actor: str, after: dict[str, object]) -> None:
    AuditEntry.objects.create(
        at=at, actor_kind=actor, action=action, subject_kind="appointment", subject_id=str(appointment.pk), after=after
    )
