"""Small builders: each makes one thing with believable values, and takes what the test is about as keywords."""

from __future__ import annotations

import itertools
from datetime import datetime, time, timedelta
from typing import Any

from bedside.accounts.models import Role, User
from bedside.appointments.models import Appointment
from bedside.clinic.models import Practice, Provider, Service
from bedside.core import clock, ids
from bedside.schedule.models import OpenWindow, WeeklyRule

_number = itertools.count(1)


def make_practice(**fields: Any) -> Practice:
    values = {
        "name": "Lakeside Clinic",
        "timezone": "America/New_York",
        "phone": "+12025550100",
        "email": "hello@example.com",
    }
    practice, _ = Practice.objects.get_or_create(pk=1, defaults=values | fields)
    return practice


def make_provider(**fields: Any) -> Provider:
    """Works Monday to Sunday, 9:00 to 17:00, in New York unless told otherwise; windows are built for 90 days."""
    n = next(_number)
    make_practice()
    weekdays = fields.pop("weekdays", range(7))
    hours = fields.pop("hours", (time(9), time(17)))
    defaults = {
        "slug": f"dr-{n}",
        "name": f"Dr. Robin Example {n}",
        "title": "MD",
        "timezone": "America/New_York",
        "email": f"dr{n}@example.com",
        "mobile_number": f"+1202555{100 + n % 100:04d}",
        "languages": ["English"],
        "zoom_user_id": f"host-{n}",
    }
    provider = Provider.objects.create(**defaults | fields)
    for weekday in weekdays:
        WeeklyRule.objects.create(provider=provider, weekday=weekday, start_time=hours[0], end_time=hours[1])
    open_windows(provider, hours, weekdays)
    return provider


def open_windows(provider: Provider, hours: tuple[time, time], weekdays: Any, days: int = 90) -> None:
    """Windows made plainly, so that a test of a flow doesn't hang on the rebuild job."""
    first = clock.now().astimezone(provider.zone).date()
    for offset in range(days):
        day = first + timedelta(days=offset)
        if day.weekday() in weekdays:
            start, end = (datetime.combine(day, at, tzinfo=provider.zone) for at in hours)
            OpenWindow.objects.get_or_create(provider=provider, start=start, defaults={"end": end})


def make_service(*providers: Provider, **fields: Any) -> Service:
    n = next(_number)
    defaults = {
        "slug": f"visit-{n}",
        "name": "First visit",
        "summary": "Meet your clinician by video.",
        "duration_minutes": 30,
        "price_minor": 8500,
        "currency": "USD",
        "prep_minutes": 5,
        "wrap_minutes": 10,
        "step_minutes": 15,
        "minimum_notice_minutes": 60,
        "horizon_days": 60,
        "free_cancellation_hours": 24,
        "cancellation_policy": "Free until 24 hours before. After that the visit is charged in full.",
    }
    service = Service.objects.create(**defaults | fields)
    service.providers.set(providers or [make_provider()])
    return service


def make_appointment(service: Service | None = None, *, start: datetime | None = None, **fields: Any) -> Appointment:
    """Paid, two days from now at 10:00 provider time, unless told otherwise."""
    service = service or make_service()
    provider = fields.pop("provider", None) or service.providers.first()
    if start is None:
        day = clock.now().astimezone(provider.zone).date() + timedelta(days=2)
        start = datetime.combine(day, time(10), tzinfo=provider.zone)
    n = next(_number)
    defaults = {
        "token": ids.new_token(),
        "service": service,
        "provider": provider,
        "start": start,
        "end": start + service.duration,
        "blocked": Appointment.block(service, start),
        "status": "paid",
        "patient_name": "Robin Sample",
        "patient_email": f"robin{n}@example.com",
        "patient_mobile": "+12025550143",
        "patient_timezone": "America/New_York",
        "price_minor": service.price_minor,
        "currency": service.currency,
        "free_cancellation_hours": service.free_cancellation_hours,
        "cancellation_policy": service.cancellation_policy,
        "sms_consent": True,
        "sms_consent_text": "I agree to texts about my appointment.",
        "sms_consent_at": clock.now(),
        "sms_consent_source": "web",
        "sms_consent_version": "2026-11",
    }
    if fields.get("status") == "pending_payment":
        defaults["hold_expires_at"] = clock.now() + timedelta(minutes=35)
    if fields.get("status") == "canceled":
        defaults["canceled_at"] = clock.now()
    return Appointment.objects.create(**defaults | fields)


def make_user(role: str = Role.ADMIN, **fields: Any) -> User:
    n = next(_number)
    return User.objects.create_user(
        fields.pop("email", f"{role}{n}@example.com"),
        fields.pop("password", "correct horse battery"),
        role=role,
        **fields,
    )
