"""Sales of what the list shows: figures and days, from the ledger and nothing else. Read only.

Everything but one provider or a search is read from `Takings`, where the ledger is added up already; one provider and a
search have few enough rows to be added up here. Both are the ledger to the cent: `tests/desk/test_totals.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce

from bedside.clinic.models import Practice
from bedside.core.money import Money
from bedside.payments.models import EntryKind, LedgerEntry
from bedside.reports.figures import MONEY_BACK, SALES, Figures, average
from bedside.reports.listing import PAYMENT, Filters, condition, id_of, services, standings
from bedside.reports.models import Takings


@dataclass(frozen=True)
class Summary:
    """Gross: money captured. Refunds count on the day they happen. Average: gross per paid appointment.

    ``days`` are those on which there was any, in order, with gross and refunds.
    """

    gross: Money
    refunds: Money
    paid_count: int
    days: dict[date, Figures] = field(default_factory=dict)

    @property
    def net(self) -> Money:
        return self.gross - self.refunds

    @property
    def average(self) -> Money:
        return Money(average(self.gross.minor_units, self.paid_count), self.gross.currency)


def summary(filters: Filters, practice: Practice) -> Summary:
    """Over the ledger lines of the appointments that the filters show.

    With payment dates, lines are counted by their own day; with visit dates, all lines of the visits in that range,
    on the visit's day.
    """
    if not filters.provider and not filters.q.strip():
        rows = _added_up(filters, practice)
    elif filters.date == PAYMENT:
        rows = _by_line(filters, practice)
    else:
        rows = _by_visit(filters, practice)
    days, paid, again = {}, 0, False
    for row in rows:
        paid += row["paid"]
        again = again or row.get("again", 1) > 0
        if row["gross"] or row["refunds"]:
            days[row["on"]] = Figures(
                currency=practice.currency, gross_minor=int(row["gross"]), refunds_minor=int(row["refunds"])
            )
    if filters.date == PAYMENT and paid and again:
        paid -= _paid_again(filters, practice)
    return Summary(
        gross=Money(sum(day.gross_minor for day in days.values()), practice.currency),
        refunds=Money(sum(day.refunds_minor for day in days.values()), practice.currency),
        paid_count=paid,
        days=days,
    )


def _added_up(filters: Filters, practice: Practice) -> Any:
    found = Takings.objects.filter(basis=filters.date, currency=practice.currency)
    found = _of_days(found, "day", filters)
    if filters.service:
        found = found.filter(service_id=id_of(filters.service, services()))
    for name in ("status", "payment_status"):
        if wanted := getattr(filters, name):
            found = found.filter(**{name: wanted})
    return (
        found.order_by("day")
        .values(on=F("day"))
        .annotate(gross=Sum("gross_minor"), refunds=Sum("refunds_minor"), paid=Sum("paid"))
    )


def _by_visit(filters: Filters, practice: Practice) -> Any:
    sold = Q(charges__gt=0) | ~Q(gross_minor=0) | ~Q(refunds_minor=0)
    return (
        standings(filters, practice)
        .filter(sold, currency=practice.currency)
        .order_by("visit_day")
        .values(on=F("visit_day"))
        .annotate(gross=Sum("gross_minor"), refunds=Sum("refunds_minor"), paid=Count("pk", filter=Q(charges__gt=0)))
    )


def _by_line(filters: Filters, practice: Practice) -> Any:
    return (
        _lines(filters, practice)
        .order_by("practice_day")
        .values(on=F("practice_day"))
        .annotate(
            gross=Coalesce(Sum("amount_minor", filter=Q(kind=EntryKind.CHARGE)), 0),
            refunds=-Coalesce(Sum("amount_minor", filter=Q(kind__in=MONEY_BACK)), 0),
            paid=Count("pk", filter=Q(kind=EntryKind.CHARGE)),
            # Of these, charges of appointments that have several: mostly none, and then nobody has to look closer.
            again=Count("pk", filter=Q(kind=EntryKind.CHARGE, appointment__standing__charges__gt=1)),
        )
    )


def _lines(filters: Filters, practice: Practice) -> Any:
    """The lines of sales by their own days, of the appointments that the filters show whatever their days."""
    found = LedgerEntry.objects.filter(currency=practice.currency, kind__in=SALES)
    found = _of_days(found, "practice_day", filters)
    return found.filter(condition(filters.without_days, practice, prefix="appointment__standing__"))


def _of_days(found: Any, name: str, filters: Filters) -> Any:
    found = found.filter(**{f"{name}__gte": filters.first}) if filters.first else found
    return found.filter(**{f"{name}__lte": filters.last}) if filters.last else found


def _paid_again(filters: Filters, practice: Practice) -> int:
    """How many of the charges are not the first of their appointment: each appointment is counted once."""
    again = _lines(filters, practice).filter(kind=EntryKind.CHARGE, appointment__standing__charges__gt=1)
    counts = again.aggregate(all=Count("pk"), once=Count("appointment", distinct=True))
    return int(counts["all"] - counts["once"])
