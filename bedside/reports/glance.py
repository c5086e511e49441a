"""The desk's day at a glance: what waits for somebody, each list short and counted whole. Read only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q, QuerySet

from bedside.appointments.models import Appointment
from bedside.appointments.states import HOLDS_TIME, Status
from bedside.clinic.models import Practice
from bedside.core import clock
from bedside.core.models import Alert
from bedside.notifications.models import Notification
from bedside.notifications.states import NotificationStatus
from bedside.reports import reconciliation
from bedside.reports.listing import midnight

FAILED_WITHIN = timedelta(days=3)
# The longest that anybody waits in a video room before or after the agreed time.
ROOM = timedelta(hours=12)


@dataclass(frozen=True)
class Some:
    """The first few of a list, and how long the whole is. True where there is anything."""

    shown: list[Any]
    count: int

    def __iter__(self) -> Iterator[Any]:
        return iter(self.shown)

    def __bool__(self) -> bool:
        return bool(self.count)

    @property
    def more(self) -> int:
        return self.count - len(self.shown)


@dataclass(frozen=True)
class Day:
    """How many visits the practice's day has, how many of them are still to come, and the next day's first."""

    visits: int
    ahead: int
    tomorrow: int
    tomorrow_first: datetime | None


def _some(found: QuerySet[Any], limit: int) -> Some:
    """One query where everything fits, two where it doesn't."""
    rows = list(found[: limit + 1])
    return Some(rows[:limit], len(rows) if len(rows) <= limit else found.order_by().count())


def _with_people(found: QuerySet[Appointment]) -> QuerySet[Appointment]:
    return found.select_related("service", "provider").defer("token", "cancellation_reason", "provider__mobile_number")


def day(practice: Practice) -> Day:
    now = clock.now()
    today = now.astimezone(practice.zone).date()
    since, until, then = (midnight(today + timedelta(days=n), practice.zone) for n in range(3))
    paid = Q(status=Status.PAID, start__lt=until, end__gt=now)
    found = Appointment.objects.filter(
        start__gte=since, start__lt=then, status__in=HOLDS_TIME - {Status.PENDING_PAYMENT}
    )
    return Day(
        **found.aggregate(
            visits=Count("pk", filter=Q(start__lt=until)),
            ahead=Count("pk", filter=paid),
            tomorrow=Count("pk", filter=Q(start__gte=until)),
            tomorrow_first=Min("start", filter=Q(start__gte=until)),
        )
    )


def upcoming(practice: Practice, limit: int = 20) -> Some:
    """Paid visits of the day that aren't over, those under way included; earliest first."""
    now = clock.now()
    tomorrow = midnight(now.astimezone(practice.zone).date() + timedelta(days=1), practice.zone)
    # A visit is never longer than a day: the bound lets the index of starts answer.
    found = Appointment.objects.filter(
        status=Status.PAID, start__gte=now - timedelta(days=1), start__lt=tomorrow, end__gt=now
    )
    return _some(_with_people(found).select_related("meeting").order_by("start", "pk"), limit)


def waiting(limit: int = 10) -> Some:
    """Visits whose patient is in the video room while the provider isn't; who waits longest comes first."""
    now = clock.now()
    found = Appointment.objects.filter(
        status=Status.PAID,
        start__gte=now - ROOM,
        start__lte=now + ROOM,
        meeting__patient_waiting_since__isnull=False,
        meeting__host_joined_at=None,
    )
    return _some(_with_people(found).select_related("meeting").order_by("meeting__patient_waiting_since", "pk"), limit)


def unpaid(limit: int = 6) -> Some:
    """Times that are kept for somebody who hasn't paid; what ends first comes first."""
    held = Appointment.objects.filter(status=Status.PENDING_PAYMENT, hold_expires_at__gt=clock.now())
    return _some(_with_people(held).order_by("hold_expires_at", "pk"), limit)


def unconcluded(practice: Practice) -> tuple[int, datetime | None]:
    """Visits that are over and neither completed nor missed: how many, and when the oldest began."""
    now = clock.now()
    found = Appointment.objects.filter(status=Status.PAID, end__lte=now, start__gte=now - timedelta(days=60))
    answer = found.aggregate(count=Count("pk"), oldest=Min("start"))
    return answer["count"], answer["oldest"]


def failed_messages(limit: int = 6) -> Some:
    """Messages of the last three days that failed for good, newest first."""
    since = clock.now() - FAILED_WITHIN
    failed = Notification.objects.filter(status=NotificationStatus.FAILED, created_at__gte=since)
    found = failed.select_related("appointment").defer("subject", "body", "recipient", "appointment__token")
    return _some(found.order_by("-pk"), limit)


def open_alerts(besides: Some, limit: int = 8) -> Some:
    """What a person must look at, newest first; not what the list of failed messages says already."""
    told = [f"notification:{message.pk}" for message in besides]
    return _some(Alert.objects.filter(resolved_at=None).exclude(key__in=told).order_by("-last_raised_at", "-pk"), limit)


def mismatches(limit: int = 3) -> Some:
    """Where the ledger and the processor differ."""
    shown = reconciliation.open_mismatches(limit)
    return Some(shown, reconciliation.open_count() if len(shown) == limit else len(shown))
