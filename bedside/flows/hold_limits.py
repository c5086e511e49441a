"""How many times one patient, or one network address, may hold at once. Limits are settings."""

from __future__ import annotations

import math
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Min, Q
from django.utils.translation import ngettext

from bedside.appointments.errors import TooManyHolds
from bedside.appointments.locks import lock_contact
from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.core import crypto
from bedside.flows.details import PatientDetails


def address_key(address: str) -> bytes | None:
    """Only its keyed hash is kept."""
    return crypto.blind_index("hold-address", address) if address else None


def check(details: PatientDetails, held_from: bytes | None, now: datetime) -> None:
    """In the booking's transaction, after the patient's own hold was replaced. Raises TooManyHolds.

    One contact's bookings are counted one after the other, so that two at once don't both find room.
    """
    if not settings.HOLD_LIMITS:
        return
    email, mobile = crypto.blind_index("email", details.email), crypto.blind_index("mobile", details.mobile)
    lock_contact(email, mobile)
    by_contact = Q(patient_email_index=email) | Q(patient_mobile_index=mobile)
    by_address = Q(hold_address=held_from, hold_address__isnull=False)
    held = Appointment.objects.filter(
        by_contact | by_address, status=Status.PENDING_PAYMENT, hold_expires_at__gt=now
    ).aggregate(
        contact=Count("pk", filter=by_contact),
        address=Count("pk", filter=by_address),
        contact_end=Min("hold_expires_at", filter=by_contact),
        address_end=Min("hold_expires_at", filter=by_address),
    )
    for kind, limit in settings.HOLD_LIMITS.items():
        if held[kind] >= limit:
            raise _refusal(kind, held[f"{kind}_end"], now)


def _refusal(kind: str, first_end: datetime, now: datetime) -> TooManyHolds:
    seconds = max(1, math.ceil((first_end - now).total_seconds()))
    minutes = math.ceil(seconds / 60)
    if kind == "contact":
        said = ngettext(
            "You are holding as many times as one person can. Pay for one of them or cancel it, or try again in "
            "%(minutes)d minute: then the first of them runs out.",
            "You are holding as many times as one person can. Pay for one of them or cancel it, or try again in "
            "%(minutes)d minutes: then the first of them runs out.",
            minutes,
        )
    else:
        said = ngettext(
            "Many times are being held from your network, more than we allow at once. Please try again in %(minutes)d "
            "minute, or call us.",
            "Many times are being held from your network, more than we allow at once. Please try again in %(minutes)d "
            "minutes, or call us.",
            minutes,
        )
    return TooManyHolds(said % {"minutes": minutes}, retry_after=seconds)
