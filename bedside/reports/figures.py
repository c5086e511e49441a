"""The figures of sales, defined once: for the daily close, the sales pages and whatever else adds up the ledger.

Gross is money captured, tax included and discounts taken off. Refunds count on the day they happen, less those that
failed. Net is gross less refunds. Average order value is gross per paid appointment, half a minor unit rounded up.
Credits move no money: they are shown apart, as what the practice owes. Read only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from bedside.core.money import Money
from bedside.payments.models import EntryKind, LedgerEntry

MONEY_BACK = (EntryKind.REFUND, EntryKind.REFUND_FAILED)
SALES = (EntryKind.CHARGE, *MONEY_BACK)


@dataclass(frozen=True, slots=True)
class Figures:
    """Minor units of one currency. Refunds, fees and disputes are positive when money leaves."""

    currency: str = "USD"
    gross_minor: int = 0
    refunds_minor: int = 0
    fees_minor: int = 0
    disputes_minor: int = 0
    credits_issued_minor: int = 0
    credits_used_minor: int = 0
    tax_minor: int = 0
    paid_count: int = 0
    entries: int = 0

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.refunds_minor

    @property
    def average_minor(self) -> int:
        return average(self.gross_minor, self.paid_count)

    def __getattr__(self, name: str) -> Money:
        """``figures.gross`` is ``gross_minor`` as Money, and so for each amount."""
        if name.startswith("_") or not hasattr(type(self), f"{name}_minor"):
            raise AttributeError(name)
        return Money(getattr(self, f"{name}_minor"), self.currency)


def average(gross_minor: int, count: int) -> int:
    """Half a minor unit is rounded up; with nothing paid there is nothing to average."""
    return (2 * gross_minor + count) // (2 * count) if count else 0


def _sum(kinds: Iterable[str], column: str = "amount_minor") -> Coalesce:
    return Coalesce(Sum(column, filter=Q(kind__in=tuple(kinds))), 0)


AGGREGATES = {
    "gross_minor": _sum([EntryKind.CHARGE]),
    "refunds_minor": -_sum(MONEY_BACK),
    "fees_minor": -_sum([EntryKind.FEE]),
    "disputes_minor": -_sum([EntryKind.DISPUTE]),
    # Owing more is written as money out: a credit issued is negative.
    "credits_issued_minor": -_sum([EntryKind.CREDIT_ISSUED]),
    "credits_used_minor": _sum([EntryKind.CREDIT_USED, EntryKind.CREDIT_RETURNED]),
    "tax_minor": _sum(SALES, "tax_minor"),
    "paid_count": Count("appointment", distinct=True, filter=Q(kind=EntryKind.CHARGE)),
    "entries": Count("pk"),
}
assert set(AGGREGATES) == {field.name for field in fields(Figures)} - {"currency"}


def lines(
    currency: str,
    *,
    first: date | None = None,
    last: date | None = None,
    service_id: int | None = None,
    provider_id: int | None = None,
) -> QuerySet[LedgerEntry]:
    """Ledger lines of these practice days, both included, of one service and one provider where they are given."""
    found = LedgerEntry.objects.filter(currency=currency)
    if first:
        found = found.filter(practice_day__gte=first)
    if last:
        found = found.filter(practice_day__lte=last)
    if service_id:
        found = found.filter(service_id=service_id)
    if provider_id:
        found = found.filter(provider_id=provider_id)
    return found


def total(found: QuerySet[LedgerEntry], currency: str) -> Figures:
    return Figures(currency=currency, **found.aggregate(**AGGREGATES))


def by(found: QuerySet[LedgerEntry], column: str, currency: str) -> dict[Any, Figures]:
    """The figures of each value of a column: ``practice_day``, ``service_id``, ``provider_id``. In its order."""
    rows = found.order_by(column).values(column).annotate(**AGGREGATES)
    return {row.pop(column): Figures(currency=currency, **row) for row in rows}
