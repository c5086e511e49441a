"""Operational metrics: how booking, payment, messages and visits went in a period, by service and provider. Read only.

Each source is asked once, grouped by service and provider, and added up here: the number of queries never grows. A rate
is a share of cases; with fewer than `ENOUGH` of them it is not said at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import Case, CharField, Count, Exists, F, OuterRef, Q, Sum, Value, When

from bedside.appointments.models import Appointment, Source
from bedside.appointments.states import Status
from bedside.clinic.models import Practice
from bedside.core.models import Tally
from bedside.notifications.models import Channel, Notification
from bedside.notifications.states import NotificationStatus
from bedside.payments.models import MANUAL, EntryKind, LedgerEntry, Payment
from bedside.payments.states import PaymentStatus
from bedside.reports.listing import midnight
from bedside.reports.periods import Period

ENOUGH = 5
NO_PROCESSOR = (MANUAL, "none")
WAITS = ("wait.minutes", "wait.looked")
# A count's name, by service and provider.
Counts = dict[tuple[int, int], dict[str, int]]


@dataclass(frozen=True)
class Rate:
    """``count`` of ``of`` cases."""

    count: int
    of: int

    @property
    def percent(self) -> float | None:
        """With one decimal; None where there are too few cases to say."""
        return round(100 * self.count / self.of, 1) if self.of >= ENOUGH else None


@dataclass(frozen=True)
class Wait:
    """Hours until the next opening, on the average of all that were looked up; None where too few were."""

    minutes: int
    looked: int

    @property
    def hours(self) -> float | None:
        return round(self.minutes / self.looked / 60, 1) if self.looked >= ENOUGH else None


@dataclass(frozen=True)
class Metrics:
    """All of one scope: everything, a service, or a provider. ``counts`` are named below, in `gather`."""

    counts: dict[str, int] = field(default_factory=dict)

    def __getitem__(self, name: str) -> int:
        return self.counts.get(name, 0)

    def rate(self, count: str, *of: str) -> Rate:
        return Rate(self[count], sum(self[name] for name in of))

    @property
    def steps(self) -> tuple[int, int, int, int]:
        """Times seen, a time chosen, details given, paid."""
        return self["step.times"], self["step.details"], self["details"], self["booked"]

    @property
    def conversion(self) -> Rate:
        return Rate(self["booked"], self["step.times"])

    @property
    def payment(self) -> Rate:
        return self.rate("payment.good", "payment.good", "payment.bad")

    @property
    def email(self) -> Rate:
        return self.rate("email.out", "email.out", "email.failed")

    @property
    def sms(self) -> Rate:
        return self.rate("sms.out", "sms.out", "sms.failed")

    @property
    def refund(self) -> Rate:
        return self.rate("paid.refunded", "paid")

    @property
    def cancellation(self) -> Rate:
        return self.rate("visit.canceled", "visit.canceled", "visit.open", "visit.completed", "visit.no_show")

    @property
    def show(self) -> Rate:
        return self.rate("visit.completed", "visit.completed", "visit.no_show")

    @property
    def wait(self) -> Wait:
        return Wait(self["wait.minutes"], self["wait.looked"])


def gather(period: Period, practice: Practice) -> Counts:
    """Every count of the period by (service's id, provider's id); 0 is anybody. Six queries."""
    counts: Counts = defaultdict(lambda: defaultdict(int))
    since = midnight(period.first, practice.zone)
    until = midnight(period.last + timedelta(days=1), practice.zone)

    def put(rows: Iterable[Any], name: Callable[[dict[str, Any]], str]) -> None:
        for row in rows:
            counts[row["service_id"], row["provider_id"]][name(row)] += row["n"]

    tallies = Tally.objects.filter(day__gte=period.first, day__lte=period.last)
    put(tallies.values("service_id", "provider_id", "what").annotate(n=Sum("count")), lambda row: row["what"])

    begun = Appointment.objects.filter(
        created_at__gte=since, created_at__lt=until, source=Source.WEB, rescheduled_from=None
    ).exclude(status=Status.DRAFT)
    found = begun.values("service_id", "provider_id").annotate(n=Count("pk"), paid=Count("paid_at"))
    for row in found:
        counts[row["service_id"], row["provider_id"]]["details"] += row["n"]
        counts[row["service_id"], row["provider_id"]]["booked"] += row["paid"]

    put(_payments(since, until), lambda row: f"payment.{row['how']}")
    put(_messages(since, until), lambda row: f"{row['channel']}.{row['how']}")
    put(_visits(since, until), lambda row: f"visit.{row['how']}")
    for row in _charges(period, practice):
        counts[row["service_id"], row["provider_id"]]["paid"] += row["n"]
        counts[row["service_id"], row["provider_id"]]["paid.refunded"] += row["back"]
    return counts


def _how(words: Mapping[str, Iterable[str]]) -> Case:
    cases = [When(status__in=tuple(states), then=Value(word)) for word, states in words.items()]
    return Case(*cases, output_field=CharField())


def _payments(since: Any, until: Any) -> Iterable[Any]:
    """Payments through a processor that were begun in the period and have come to an end."""
    words = {
        "good": (PaymentStatus.SUCCEEDED, PaymentStatus.REFUNDED),
        "bad": (PaymentStatus.FAILED, PaymentStatus.EXPIRED),
    }
    found = Payment.objects.filter(created_at__gte=since, created_at__lt=until).exclude(processor__in=NO_PROCESSOR)
    found = found.exclude(status=PaymentStatus.INITIATED).annotate(
        how=_how(words), service_id=F("appointment__service_id"), provider_id=F("appointment__provider_id")
    )
    return found.order_by().values("service_id", "provider_id", "how").annotate(n=Count("pk"))


def _messages(since: Any, until: Any) -> Iterable[Any]:
    """Messages due in the period that went out or failed."""
    words = {
        "out": (NotificationStatus.SENT, NotificationStatus.DELIVERED),
        "failed": (NotificationStatus.FAILED,),
    }
    found = Notification.objects.filter(due_at__gte=since, due_at__lt=until, channel__in=Channel.values)
    found = found.exclude(status__in=[NotificationStatus.QUEUED, NotificationStatus.WITHDRAWN]).annotate(
        how=_how(words), service_id=F("appointment__service_id"), provider_id=F("appointment__provider_id")
    )
    return found.order_by().values("service_id", "provider_id", "channel", "how").annotate(n=Count("pk"))


def _visits(since: Any, until: Any) -> Iterable[Any]:
    """Paid visits that begin, or would have begun, in the period. Of one that was moved only where it is now counts."""
    words = {
        "open": (Status.PAID,),
        "completed": (Status.COMPLETED,),
        "no_show": (Status.NO_SHOW,),
        "canceled": (Status.CANCELED,),
    }
    found = Appointment.objects.filter(start__gte=since, start__lt=until, paid_at__isnull=False)
    found = found.filter(status__in=[one for states in words.values() for one in states]).annotate(how=_how(words))
    return found.order_by().values("service_id", "provider_id", "how").annotate(n=Count("pk"))


def _charges(period: Period, practice: Practice) -> Iterable[Any]:
    """Payments captured in the period, and those with money given back since. A payment goes along on a move."""
    back = LedgerEntry.objects.filter(payment=OuterRef("payment")).order_by().values("payment")
    back = back.annotate(
        left=Sum("amount_minor", filter=Q(kind__in=[EntryKind.REFUND, EntryKind.REFUND_FAILED]))
    ).filter(left__lt=0)
    lines = LedgerEntry.objects.filter(
        kind=EntryKind.CHARGE,
        currency=practice.currency,
        practice_day__gte=period.first,
        practice_day__lte=period.last,
    ).annotate(given_back=Exists(back))
    return (
        lines.order_by()
        .values("service_id", "provider_id")
        .annotate(
            n=Count("payment", distinct=True),
            back=Count("payment", distinct=True, filter=Q(given_back=True)),
        )
    )


def fold(counts: Counts, *, service_id: int | None = None, provider_id: int | None = None) -> Metrics:
    """Added up over everything, one service, one provider, or one service with one provider.

    What is looked up with each provider besides with anybody isn't added together: a wait is with anybody, or with one.
    """
    total: dict[str, int] = defaultdict(int)
    for (service, provider), found in counts.items():
        if service_id is not None and service != service_id:
            continue
        if provider_id is not None and provider != provider_id:
            continue
        for name, count in found.items():
            if name in WAITS and provider != (provider_id or 0):
                continue
            total[name] += count
    return Metrics(dict(total))
