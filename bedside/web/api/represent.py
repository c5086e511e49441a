"""Things as the API shows them. Instants are RFC 3339 with the offset of the reader's zone; money is minor units."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.clinic import policy_words
from bedside.clinic.models import Service
from bedside.clinic.policy_models import InForce
from bedside.core.audit import Actor
from bedside.core.money import Money
from bedside.flows import cancel, reschedule
from bedside.payments.models import Payment
from bedside.schedule.openings import Opening
from bedside.video.models import Meeting, MeetingStatus


def instant(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(timespec="seconds")


def alternatives(openings: Iterable[Opening], zone: ZoneInfo) -> list[dict[str, str]]:
    """As GET openings shows them."""
    return [
        {
            "start": instant(opening.start, zone),
            "end": instant(opening.end, zone),
            "provider": opening.provider.slug,
        }
        for opening in openings
    ]


def service(offered: Service, agreed: InForce) -> dict[str, Any]:
    return {
        "slug": offered.slug,
        "name": offered.name,
        "summary": offered.summary,
        "description": offered.description,
        "duration_minutes": offered.duration_minutes,
        "price": offered.price.as_dict(),
        "minimum_notice_minutes": offered.minimum_notice_minutes,
        "horizon_days": offered.horizon_days,
        "asks_location": offered.asks_location,
        "free_cancellation_hours": agreed.terms.free_hours,
        "late_cancellation_percent": agreed.terms.late_percent,
        "no_show_fee_percent": agreed.terms.no_show_fee_percent,
        "cancellation_policy": policy_words.whole(agreed.terms, agreed.words) if agreed.policy else agreed.words,
        "providers": [
            {"slug": provider.slug, "name": provider.name, "title": provider.title, "languages": provider.languages}
            for provider in offered.providers.all()
            if provider.active
        ],
    }


def booking(
    appointment: Appointment, *, payment: Payment | None = None, checkout_url: str | None = None
) -> dict[str, Any]:
    """A booking for whoever holds its token. ``join_url`` appears once it is paid and the meeting stands."""
    zone = appointment.patient_zone
    pending = appointment.hold_is_open
    payment = payment or appointment.payment
    outcome = cancel.preview(appointment, actor=Actor.patient())
    move = reschedule.preview(appointment, actor=Actor.patient())
    return {
        "token": appointment.token,
        "code": appointment.code,
        "status": appointment.status,
        "start": instant(appointment.start, zone),
        "end": instant(appointment.end, zone),
        "timezone": appointment.patient_timezone,
        "service": appointment.service.slug,
        "provider": appointment.provider.slug,
        "amount": appointment.price.as_dict(),
        "list_price": appointment.list_price.as_dict(),
        "discount_amount": Money(appointment.discount_amount, appointment.currency).as_dict(),
        "promo_code": appointment.promo_code.code if appointment.promo_code else None,
        "credit_amount": Money(payment.credit_minor if payment else 0, appointment.currency).as_dict(),
        "tax_amount": Money(appointment.tax_amount, appointment.currency).as_dict(),
        "hold_expires_at": instant(appointment.hold_expires_at, zone)
        if pending and appointment.hold_expires_at
        else None,
        "checkout_url": (checkout_url or (payment.session_url if payment else None) or None) if pending else None,
        "join_url": _join_url(appointment),
        "page_url": f"{settings.PUBLIC_URL}/visits/{appointment.token}",
        "cancellation": {
            "possible": outcome.possible,
            "free_until": instant(outcome.free_until, zone),
            "refund": outcome.refund.as_dict(),
        },
        "move": {"possible": move.possible, "until": instant(move.until, zone), "moves_left": move.moves_left},
        "payment_status": payment.status if payment else None,
        "refunded": {"minor_units": payment.refunded_minor if payment else 0, "currency": appointment.currency},
    }


def _join_url(appointment: Appointment) -> str | None:
    if appointment.status != Status.PAID:
        return None
    meeting = Meeting.objects.filter(appointment=appointment, status=MeetingStatus.READY).first()
    return meeting.join_url or None if meeting else None
