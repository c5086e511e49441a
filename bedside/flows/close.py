"""Close: fix what a practice day came to. Once closed it never changes; what becomes known later counts later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import Max, Min
from procrastinate.contrib.django import app

from bedside.clinic.models import Practice
from bedside.core import clock
from bedside.core.events import DomainEvent, publish
from bedside.core.jobs import task
from bedside.payments.close_models import CLOSE_LOCK, DailyClose, DailyCloseLine
from bedside.payments.models import LedgerEntry
from bedside.reports import closes
from bedside.reports.figures import AGGREGATES, Figures

log = structlog.get_logger(__name__)
# Webhooks of a day's last minutes are waited for; what comes still later counts on the next day.
GRACE = timedelta(hours=3)
MOST_DAYS = 800


@dataclass(frozen=True, kw_only=True)
class DayClosed(DomainEvent):
    """A practice day's figures are fixed."""

    daily_close_id: int


def due_days() -> list[date]:
    """Practice days that are over and not closed, oldest first, none left out; empty where there is no ledger yet."""
    zone = Practice.current().zone
    last_over = (clock.now() - GRACE).astimezone(zone).date() - timedelta(days=1)
    closed = DailyClose.objects.aggregate(last=Max("practice_day"))["last"]
    first = closed + timedelta(days=1) if closed else LedgerEntry.objects.aggregate(day=Min("practice_day"))["day"]
    if first is None:
        return []
    return [first + timedelta(days=n) for n in range((last_over - first).days + 1)]


def close_due() -> int:
    """Close every day that is due; returns how many. Safe to run twice, and by two at once."""
    days = due_days()[:MOST_DAYS]
    return sum(close_day(day) for day in days)


def close_day(day: date) -> bool:
    """Fix one day; False where it is closed already. Waits for ledger lines under way, and they for it."""
    practice = Practice.current()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CLOSE_LOCK])
        if DailyClose.objects.filter(practice_day__gte=day).exists():
            return False
        for currency in closes.currencies_of(day, practice.currency):
            made = _write(closes.day_of(day, currency, practice.zone), currency)
        publish(DayClosed(daily_close_id=made.pk))
    log.info("day_closed", day=day.isoformat())
    return True


def _write(day: closes.Day, currency: str) -> DailyClose:
    close = DailyClose.objects.create(
        practice_day=day.day,
        currency=currency,
        average_minor=day.figures.average_minor,
        by_kind=day.by_kind,
        late_entries=day.late_entries,
        **_columns(day.figures),
    )
    DailyCloseLine.objects.bulk_create(
        DailyCloseLine(
            close=close,
            dimension=part.dimension,
            subject_id=part.subject_id,
            name=part.name[:120],
            **_columns(part.figures),
        )
        for part in day.parts
    )
    return close


def _columns(figures: Figures) -> dict[str, Any]:
    return {name: getattr(figures, name) for name in [*AGGREGATES, "net_minor"]}


@app.periodic(cron="*/10 * * * *", periodic_id="daily-close")
@task(name="flows.close_days", queueing_lock="flows.close_days")
def close_days(timestamp: int = 0) -> None:
    """Nightly, three hours after the practice's midnight; days that were missed are caught up with."""
    close_due()
