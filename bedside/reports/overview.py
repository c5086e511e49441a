"""The sales page: a period's figures beside those of the one before, by day, by service, by provider. Read only.

Everything comes from the ledger; days are the practice days on which its lines count.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from bedside.clinic.models import Practice, Provider, Service
from bedside.core.money import Money
from bedside.payments.models import EntryKind, LedgerEntry
from bedside.reports.figures import MONEY_BACK, Figures, average, by, lines, total
from bedside.reports.periods import Period, buckets


@dataclass(frozen=True)
class Asked:
    """What the page is asked for. ``service_id`` and ``provider_id`` None: all."""

    period: Period
    before: Period
    service_id: int | None = None
    provider_id: int | None = None


@dataclass(frozen=True)
class Share:
    """One row of a table: a service, a provider, or a span of days. ``before``: the same in the period before."""

    name: str
    slug: str
    figures: Figures
    period: Period | None = None
    before: Figures | None = None


@dataclass(frozen=True)
class Compared:
    """A figure and the one before. ``change`` is in whole per cent; None where there was nothing to compare with."""

    now: int
    before: int
    currency: str = ""

    @property
    def change(self) -> int | None:
        if self.before <= 0:
            return None
        return round(100 * (self.now - self.before) / self.before)

    @property
    def said(self) -> Money | int:
        return Money(self.now, self.currency) if self.currency else self.now

    @property
    def said_before(self) -> Money | int:
        return Money(self.before, self.currency) if self.currency else self.before


class Overview:
    def __init__(self, asked: Asked, practice: Practice) -> None:
        self.asked, self.practice, self.currency = asked, practice, practice.currency

    def _lines(self, period: Period) -> QuerySet[LedgerEntry]:
        return lines(
            self.currency,
            first=period.first,
            last=period.last,
            service_id=self.asked.service_id,
            provider_id=self.asked.provider_id,
        )

    @cached_property
    def now(self) -> Figures:
        return total(self._lines(self.asked.period), self.currency)

    @cached_property
    def before(self) -> Figures:
        return total(self._lines(self.asked.before), self.currency)

    def compared(self, name: str) -> Compared:
        """``name`` of an amount (``gross``, ``net``, ...) or ``paid_count``."""
        if name == "paid_count":
            return Compared(self.now.paid_count, self.before.paid_count)
        column = f"{name}_minor"
        return Compared(getattr(self.now, column), getattr(self.before, column), self.currency)

    @cached_property
    def by_day(self) -> dict[date, Figures]:
        return by(self._lines(self.asked.period), "practice_day", self.currency)

    @cached_property
    def spans(self) -> list[Share]:
        """The bars of the chart and the rows of the table behind it, days without sales included."""
        spans = buckets(self.asked.period)
        if len(spans) == self.asked.period.length:
            empty = Figures(currency=self.currency)
            return [Share("", "", self.by_day.get(one.first, empty), one) for one in spans]
        return [Share("", "", self._together(one), one) for one in spans]

    def _together(self, span: Period) -> Figures:
        """Days added up; appointments paid on two of them are counted once each day, as the close does."""
        made = Figures(currency=self.currency)
        for day, one in self.by_day.items():
            if span.first <= day <= span.last:
                names = [name for name in Figures.__dataclass_fields__ if name != "currency"]
                made = replace(made, **{name: getattr(made, name) + getattr(one, name) for name in names})
        return made

    @cached_property
    def by_service(self) -> list[Share]:
        names = {pk: (name, slug) for pk, name, slug in Service.objects.values_list("pk", "name", "slug")}
        return self._shares("service_id", names)

    @cached_property
    def by_provider(self) -> list[Share]:
        names = {pk: (name, slug) for pk, name, slug in Provider.objects.values_list("pk", "name", "slug")}
        return self._shares("provider_id", names)

    def _shares(self, column: str, names: dict[int, tuple[str, str]]) -> list[Share]:
        """Largest net first. Who had something before and has nothing now is there as well."""
        now = by(self._lines(self.asked.period), column, self.currency)
        before = by(self._lines(self.asked.before), column, self.currency)
        empty = Figures(currency=self.currency)
        shares = [
            Share(*names.get(pk, (f"#{pk}", "")), now.get(pk, empty), before=before.get(pk, empty))
            for pk in now.keys() | before.keys()
        ]
        return sorted(shares, key=lambda share: (-share.figures.net_minor, share.name))

    @cached_property
    def by_processor(self) -> list[tuple[str, Figures]]:
        """Card payments through the processor, and what the desk took itself."""
        found = self._lines(self.asked.period).filter(kind__in=[EntryKind.CHARGE, *MONEY_BACK])
        return list(by(found, "processor", self.currency).items())


def owed_in_credits(currency: str) -> Money:
    """What the practice owes in visits now: all lines of credits, ever, with the sign turned."""
    kinds = [kind for kind in EntryKind.values if kind.startswith("credit_")]
    minor = LedgerEntry.objects.filter(currency=currency, kind__in=kinds).aggregate(all=Sum("amount_minor"))["all"]
    return Money(-(minor or 0), currency)


@dataclass(frozen=True)
class CodeUse:
    """What a promo code did in a period: visits paid with it, what it took off, and what came in and went back."""

    code: str
    uses: int
    discount: Money
    gross: Money
    refunds: Money

    @property
    def net(self) -> Money:
        return self.gross - self.refunds


def promo_codes(asked: Asked, currency: str) -> list[CodeUse]:
    """Of the lines that the page counts, those of visits booked with a code; the most used first. One query."""
    found = lines(
        currency,
        first=asked.period.first,
        last=asked.period.last,
        service_id=asked.service_id,
        provider_id=asked.provider_id,
    ).filter(appointment__promo_code__isnull=False, kind__in=[EntryKind.CHARGE, *MONEY_BACK])
    charge, back = Q(kind=EntryKind.CHARGE), Q(kind__in=MONEY_BACK)
    rows = found.values_list("appointment__promo_code__code").annotate(
        uses=Count("payment", distinct=True, filter=charge),
        # A payment has one charge.
        discount=Coalesce(Sum("payment__discount_amount", filter=charge), 0),
        gross=Coalesce(Sum("amount_minor", filter=charge), 0),
        back=-Coalesce(Sum("amount_minor", filter=back), 0),
    )
    made = [CodeUse(code, uses, *(Money(minor, currency) for minor in amounts)) for code, uses, *amounts in rows]
    return sorted(made, key=lambda one: (-one.uses, one.code))


def refunds_of(asked: Asked, currency: str) -> QuerySet[LedgerEntry]:
    """Ledger lines of money that went back, or came back from a refund that failed; newest first."""
    found = lines(
        currency,
        first=asked.period.first,
        last=asked.period.last,
        service_id=asked.service_id,
        provider_id=asked.provider_id,
    )
    return (
        found.filter(kind__in=MONEY_BACK)
        .select_related("appointment__service", "appointment__provider")
        .order_by("-practice_day", "-pk")
    )


__all__ = [
    "Asked",
    "CodeUse",
    "Compared",
    "Overview",
    "Share",
    "average",
    "owed_in_credits",
    "promo_codes",
    "refunds_of",
]
