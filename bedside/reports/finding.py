"""Jumping at the desk: patients by whole name, email or mobile number, visits by code. Read only."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.db.models import QuerySet

from bedside.appointments.models import Appointment
from bedside.appointments.states import HOLDS_TIME
from bedside.clinic.models import Practice
from bedside.core import clock
from bedside.reports.listing import Filters, appointments

MOST_PEOPLE, MOST_VISITS, LOOKED_AT = 5, 5, 60
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{2,11}")


@dataclass(frozen=True)
class Person:
    """A patient, known by the email address. ``visit`` is the next one, else the last; contact details are masked."""

    name: str
    email: str
    mobile: str
    visit: Appointment
    visits: int
    ahead: bool


def people(text: str, practice: Practice) -> list[Person]:
    """Those who bear exactly this name, email or number; who comes next is first. One query."""
    if len(text.strip()) < 3:
        return []
    found = appointments(Filters(q=text), practice).exclude(code=text.strip().upper())
    by_email: dict[bytes, list[Appointment]] = {}
    for visit in _shown(found)[:LOOKED_AT]:
        by_email.setdefault(bytes(visit.patient_email_index), []).append(visit)
    return sorted(map(_person, by_email.values()), key=lambda one: not one.ahead)[:MOST_PEOPLE]


def visits(text: str) -> list[Appointment]:
    """Visits whose code begins so; the one that is meant exactly comes first. One query."""
    code = text.strip().upper()
    if not CODE.fullmatch(code):
        return []
    found = _shown(Appointment.objects.filter(code__startswith=code, waitlist_offer__isnull=True))
    return list(found.order_by("code")[:MOST_VISITS])


def _shown(found: QuerySet[Appointment]) -> QuerySet[Appointment]:
    return found.select_related("service", "provider").defer("token", "cancellation_reason", "provider__mobile_number")


def _person(visits: list[Appointment]) -> Person:
    now = clock.now()
    ahead = [visit for visit in visits if visit.status in HOLDS_TIME and visit.end > now]
    visit = min(ahead, key=lambda one: one.start) if ahead else visits[0]
    return Person(
        name=visit.patient_name,
        email=masked_email(visit.patient_email),
        mobile=f"••• {visit.patient_mobile[-4:]}" if visit.patient_mobile else "",
        visit=visit,
        visits=len(visits),
        ahead=bool(ahead),
    )


def masked_email(address: str) -> str:
    """Enough to know it by, too little to write to: "ro•••@example.com"."""
    name, _at, domain = address.partition("@")
    return f"{name[:2]}•••@{domain}"
