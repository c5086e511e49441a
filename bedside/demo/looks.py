"""What the demo's visitors looked at, day by day, and how long they would have waited: the tallies of some weeks."""

from __future__ import annotations

import random
from datetime import date, timedelta

from django.db.models import Count
from django.db.models.functions import TruncDate

from bedside.appointments.models import Appointment
from bedside.clinic.models import Practice, Service
from bedside.core import clock, tallies
from bedside.demo.history import WEEKS
from bedside.flows import steps

# The wait is looked up each hour.
LOOKS_A_DAY = 24


def load(services: list[Service]) -> None:
    """Of three or four who see the times of a service one chooses, and nearly all who choose give their details."""
    rng = random.Random(7)  # noqa: S311  # a fixed seed
    practice = Practice.current()
    today = clock.now().astimezone(practice.zone).date()
    rows: list[tuple[date, str, int, int, int]] = []
    for (day, service_id), booked in _booked(practice).items():
        chosen = booked + rng.randint(0, 1)
        rows += [
            (day, steps.DETAILS, service_id, 0, chosen),
            (day, steps.TIMES, service_id, 0, 3 * chosen + rng.randint(0, 3)),
        ]
    for back in range(WEEKS * 7, 0, -1):
        for service in services:
            for provider in [0, *service.providers.order_by("pk").values_list("pk", flat=True)]:
                minutes = rng.randint(90, 600) if provider == 0 else rng.randint(300, 2400)
                day = today - timedelta(days=back)
                rows.append((day, steps.LOOKED, service.pk, provider, LOOKS_A_DAY))
                rows.append((day, steps.WAIT, service.pk, provider, LOOKS_A_DAY * minutes))
    tallies.add(rows)


def _booked(practice: Practice) -> dict[tuple[date, int], int]:
    """How many visits of each service were booked on each practice day."""
    day = TruncDate("created_at", tzinfo=practice.zone)
    found = Appointment.objects.order_by().annotate(day=day).values_list("day", "service_id")
    return {(day, service): n for day, service, n in found.annotate(n=Count("pk"))}
