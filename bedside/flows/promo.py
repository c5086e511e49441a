"""Promo codes while booking: whether one applies, and that it is never used more often than it may be.

A use is counted by the booking itself: one that was paid, or that is held and not run out. A hold that ends, a payment
that fails and a visit that is canceled give theirs back by being no longer counted.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime

from django.db.models import Q, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.clinic.models import Service
from bedside.clinic.prices.errors import PromoRefused
from bedside.clinic.prices.models import PromoCode
from bedside.core import crypto, flags, ratelimit
from bedside.flows.details import PatientDetails

MAX_TYPED = 80
SHAPE = re.compile(r"[A-Z0-9][A-Z0-9-]{1,31}", re.ASCII)
COUNTED = (Status.PAID, Status.COMPLETED, Status.NO_SHOW)


def spelled(typed: object) -> str:
    """What was typed, as codes are kept: capitals, no spaces. "" where nothing was typed. Raises PromoRefused."""
    if typed is None:
        return ""
    if not isinstance(typed, str) or len(typed) > MAX_TYPED:
        raise PromoRefused
    code = re.sub(r"[\s\u2010-\u2015]", _dash, unicodedata.normalize("NFKC", typed)).upper()
    if code and not SHAPE.fullmatch(code):
        raise PromoRefused
    return code


def _dash(match: re.Match[str]) -> str:
    return "" if match[0].isspace() else "-"


def count_try(address: str) -> None:
    """Codes can't be guessed without end. Outside any transaction, so that the count stays. Raises RateLimited."""
    if address:
        ratelimit.hit("promo-try", address)


def checked(
    code: str, *, service: Service, today: date, now: datetime, patient: PatientDetails | None, lock: bool
) -> PromoCode:
    """The code's row if it lowers this price for this patient (None: not known yet). Raises PromoRefused."""
    if not flags.enabled("promo-codes"):
        raise PromoRefused(_("We don't take codes at the moment. Leave it out to book at the full price."))
    rows = PromoCode.objects.select_for_update() if lock else PromoCode.objects.all()
    promo = rows.filter(code=code).first()
    if promo is None or promo.archived:
        raise PromoRefused
    _check_terms(promo, service, today)
    _check_limits(promo, now, patient)
    return promo


def _check_terms(promo: PromoCode, service: Service, today: date) -> None:
    if promo.valid_from and today < promo.valid_from:
        raise PromoRefused(_("This code can be used from %(day)s on.") % {"day": _say(promo.valid_from)})
    if promo.valid_until and today > promo.valid_until:
        raise PromoRefused(_("This code could be used until %(day)s.") % {"day": _say(promo.valid_until)})
    if promo.services.exists() and not promo.services.filter(pk=service.pk).exists():
        raise PromoRefused(_("This code is for other visits than this one."))
    if promo.currency and promo.currency != service.currency:
        raise PromoRefused(_("This code is for visits that are paid in %(currency)s.") % {"currency": promo.currency})


def _check_limits(promo: PromoCode, now: datetime, patient: PatientDetails | None) -> None:
    if promo.limit_total is not None and uses(promo, now).count() >= promo.limit_total:
        raise PromoRefused(_("This code has been used as often as it can be."))
    if promo.limit_per_patient is not None and patient is not None:
        own = Q(patient_email_index=crypto.blind_index("email", patient.email))
        own |= Q(patient_mobile_index=crypto.blind_index("mobile", patient.mobile))
        if uses(promo, now).filter(own).count() >= promo.limit_per_patient:
            raise PromoRefused(_("You have used this code as often as one person can."))


def uses(promo: PromoCode, now: datetime) -> QuerySet[Appointment]:
    """The bookings that count as a use at this moment."""
    held = Q(status=Status.PENDING_PAYMENT, hold_expires_at__gt=now)
    return Appointment.objects.filter(Q(status__in=COUNTED) | held, promo_code=promo)


def _say(day: date) -> str:
    return date_format(day, "DATE_FORMAT")
