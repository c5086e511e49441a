"""What a practice day comes to, and the days that were closed. Read only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.db.models import Sum

from bedside.clinic.models import Provider, Service
from bedside.payments.close_models import Dimension
from bedside.payments.models import LedgerEntry
from bedside.reports.figures import Figures, by, lines, total


@dataclass(frozen=True)
class Part:
    """One service's or provider's share of a day."""

    dimension: str
    subject_id: int
    name: str
    figures: Figures


@dataclass(frozen=True)
class Day:
    """A practice day in one currency, as the ledger has it now."""

    day: date
    figures: Figures
    by_kind: dict[str, int]
    late_entries: int
    parts: list[Part]


def day_of(day: date, currency: str, zone: ZoneInfo) -> Day:
    found = lines(currency, first=day, last=day)
    kinds = found.order_by("kind").values_list("kind").annotate(Sum("amount_minor"))
    midnight = datetime.combine(day, time(0), tzinfo=zone)
    return Day(
        day=day,
        figures=total(found, currency),
        by_kind={kind: int(minor) for kind, minor in kinds},
        late_entries=found.filter(occurred_at__lt=midnight).count(),
        parts=[
            *_parts(found, Dimension.SERVICE, dict(Service.objects.values_list("pk", "name")), currency),
            *_parts(found, Dimension.PROVIDER, dict(Provider.objects.values_list("pk", "name")), currency),
        ],
    )


def _parts(found, dimension: Dimension, names: dict[int, str], currency: str) -> list[Part]:  # type: ignore[no-untyped-def]
    figures = by(found, f"{dimension}_id", currency)
    return [Part(dimension, pk, names.get(pk, f"#{pk}"), of) for pk, of in figures.items()]


def currencies_of(day: date, usual: str) -> list[str]:
    """The practice's currency first, then others that the day's lines bear."""
    others = LedgerEntry.objects.filter(practice_day=day).exclude(currency=usual).order_by("currency")
    return [usual, *others.values_list("currency", flat=True).distinct()]
