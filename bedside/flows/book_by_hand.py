"""Book by hand: a phone booking. The same openings and the same constraint; paid by link, at the desk, or waived."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from bedside.appointments.errors import ConsentRequired, InvalidDetails
from bedside.appointments.models import Appointment, Source
from bedside.appointments.states import Status
from bedside.clinic.models import Practice, Service
from bedside.core import clock
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.flows import book, pay_manually, payment_link, promo
from bedside.flows.details import Consent, PatientDetails, location_needed
from bedside.payments.errors import ReasonNeeded, TooSoonForLink
from bedside.payments.models import Method
from bedside.schedule.search import Who

LINK = "link"
LONGEST_LINK_HOURS = 168


@dataclass(frozen=True)
class HowPaid:
    """``way``: LINK (then for ``hours``) or a `Method`'s value. ``reference``: of the money, or why it is waived."""

    way: str
    hours: int = 0
    reference: str = ""


def book_by_hand(
    *,
    service: Service,
    start: datetime,
    provider: Who,
    details: PatientDetails,
    consent: Consent,
    paid: HowPaid,
    actor: Actor,
    override_reason: str = "",
    promo_code: str = "",
    spend_credits: bool = False,
) -> Appointment:
    """Take ``start`` for a patient on the phone. With ``override_reason`` a time that isn't offered may be taken.

    One that another visit holds is never given. Raises PermissionRefused, ConsentRequired, InvalidDetails,
    ReasonNeeded, TooSoonForLink, PromoRefused, SlotTaken, NotOffered, NotLicensed (these with alternatives).
    """
    if not actor.is_staff:
        raise PermissionRefused
    if not consent.given:
        raise ConsentRequired
    if service.asks_location and not details.location:
        raise InvalidDetails(errors={"location": location_needed()})
    if paid.way == Method.WAIVED and not paid.reference.strip():
        raise ReasonNeeded
    by_hand = book.ByHand(
        actor,
        _hold_until(start, paid),
        override=bool(override_reason.strip()),
        spend_credits=spend_credits,
        reason=override_reason.strip(),
    )
    request = book.Request(
        service, start, details, consent, Source.DESK, None, promo.spelled(promo_code), by_hand=by_hand
    )
    with transaction.atomic():
        appointment, payment = book.take(request, provider)
        if appointment.status == Status.PENDING_PAYMENT and paid.way != LINK:
            pay_manually.record(payment, method=Method(paid.way), reference=paid.reference, actor=actor)
        elif appointment.status == Status.PENDING_PAYMENT:
            payment_link.send(appointment_id=appointment.pk, actor=actor)
    return appointment


def _hold_until(start: datetime, paid: HowPaid) -> datetime:
    """By link the hours that were chosen, and what the last checkout needs; never past the visit's start."""
    now, practice = clock.now(), Practice.current()
    if paid.way != LINK:
        return now + timedelta(minutes=practice.hold_minutes)
    hours = min(max(paid.hours or practice.payment_link_hours, 1), LONGEST_LINK_HOURS)
    until = min(now + timedelta(hours=hours) + payment_link.LAST_CALL, start)
    if until - payment_link.LAST_CALL < now + timedelta(minutes=5):
        raise TooSoonForLink
    return until
