"""The daily close: fixed once, never changed, and all closes together are the ledger."""

from __future__ import annotations

import itertools
import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bedside.clinic.models import Practice
from bedside.core.models import Event
from bedside.flows import close
from bedside.payments.close_models import DailyClose, DailyCloseLine
from bedside.payments.models import LedgerEntry, Payment
from tests.factories import make_appointment, make_practice, make_provider, make_service

_number = itertools.count(1)
SIGNS = {"charge": 1, "refund": -1, "refund_failed": 1, "fee": -1, "dispute": -1, "credit_issued": -1, "credit_used": 1}


class Books:
    """Writes ledger lines for two services of two providers."""

    def __init__(self) -> None:
        self.payments = []
        for _ in range(2):
            appointment = make_appointment(make_service(make_provider(weekdays=())))
            self.payments.append(
                Payment.objects.create(appointment=appointment, amount_minor=1, currency="USD", processor="sandbox")
            )

    def write(self, kind: str, minor: int, at: datetime, which: int = 0) -> LedgerEntry:
        payment = self.payments[which]
        entry = LedgerEntry.objects.create(
            kind=kind,
            amount_minor=SIGNS[kind] * minor,
            currency="USD",
            processor="sandbox",
            processor_object=f"x_{next(_number)}",
            appointment=payment.appointment,
            payment=payment,
            service_id=payment.appointment.service_id,
            provider_id=payment.appointment.provider_id,
            occurred_at=at,
            practice_day=at.astimezone(Practice.current().zone).date(),
        )
        entry.refresh_from_db()
        return entry


@pytest.fixture
def books(db: None) -> Books:
    return Books()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/New_York"))


def test_a_day_is_closed_three_hours_after_its_midnight_and_missed_days_are_caught_up(books: Books, clock: Any) -> None:
    books.write("charge", 8500, at("2026-11-27 23:59"))
    books.write("charge", 4000, at("2026-11-28 00:00"), 1)
    books.write("refund", 500, at("2026-11-28 12:00"))
    clock.set(at("2026-11-29 02:59"))
    assert close.due_days() == [date(2026, 11, 27)]
    clock.set(at("2026-12-01 03:00"))
    assert close.close_due() == 4
    assert close.close_due() == 0
    made = {one.practice_day.day: one for one in DailyClose.objects.all()}
    assert (made[27].gross_minor, made[27].net_minor, made[27].paid_count, made[27].average_minor) == (
        8500,
        8500,
        1,
        8500,
    )
    assert (made[28].gross_minor, made[28].refunds_minor, made[28].net_minor) == (4000, 500, 3500)
    assert made[29].entries == made[30].entries == 0
    assert made[28].by_kind == {"charge": 4000, "refund": -500}
    assert Event.objects.filter(name="DayClosed").count() == 4
    assert sorted(made[28].lines.values_list("dimension", "gross_minor")) == [
        ("provider", 0),
        ("provider", 4000),
        ("service", 0),
        ("service", 4000),
    ]


def test_what_becomes_known_later_counts_on_the_first_open_day(books: Books, clock: Any) -> None:
    books.write("charge", 8500, at("2026-11-27 10:00"))
    clock.set(at("2026-11-29 04:00"))
    close.close_due()
    late = books.write("charge", 100, at("2026-11-27 22:00"))
    assert (late.practice_day, late.occurred_at) == (date(2026, 11, 29), at("2026-11-27 22:00"))
    clock.set(at("2026-11-30 04:00"))
    close.close_due()
    last = DailyClose.objects.get(practice_day=date(2026, 11, 29))
    assert (last.gross_minor, last.late_entries) == (100, 1)
    assert DailyClose.objects.get(practice_day=date(2026, 11, 27)).gross_minor == 8500


@pytest.mark.parametrize("table", ["payments_dailyclose", "payments_dailycloseline"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET gross_minor = 1", "DELETE FROM {}"])
def test_a_closed_day_can_be_neither_changed_nor_deleted(books: Books, clock: Any, table: str, statement: str) -> None:
    books.write("charge", 8500, at("2026-11-27 10:00"))
    close.close_due()
    assert DailyCloseLine.objects.exists()
    with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table))


def test_days_of_other_currencies_are_closed_beside(books: Books, clock: Any) -> None:
    LedgerEntry.objects.bulk_create(
        [
            LedgerEntry(
                kind="charge",
                amount_minor=700,
                currency="EUR",
                processor="sandbox",
                processor_object="x_eur",
                appointment=books.payments[0].appointment,
                payment=books.payments[0],
                service_id=1,
                provider_id=1,
                occurred_at=at("2026-11-28 10:00"),
                practice_day=date(2026, 11, 28),
            )
        ]
    )
    close.close_day(date(2026, 11, 28))
    assert list(DailyClose.objects.values_list("currency", "gross_minor")) == [("EUR", 700), ("USD", 0)]


STEPS = st.lists(
    st.tuples(
        st.integers(0, 30),  # hours that pass
        st.sampled_from([*SIGNS, "close", "close"]),
        st.integers(0, 100_000),
        st.integers(0, 60),  # hours that it happened before it was known
        st.integers(0, 1),
    ),
    max_size=30,
)


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=STEPS,
    zone=st.sampled_from(["America/New_York", "Australia/Lord_Howe", "Europe/London"]),
    start=st.sampled_from(
        [datetime(2026, 3, 6, tzinfo=UTC), datetime(2026, 10, 2, tzinfo=UTC), datetime(2026, 10, 30, tzinfo=UTC)]
    ),
)
def test_all_closes_together_are_the_ledger(clock: Any, steps: Any, zone: str, start: datetime) -> None:
    """Whatever happens in whatever order, across changes of the clock: every line is in one close, to the cent."""
    with transaction.atomic():
        make_practice(timezone=zone)
        Practice.objects.update(timezone=zone)
        books = Books()
        clock.set(start)
        for hours, what, minor, late, which in steps:
            clock.forward(timedelta(hours=hours))
            if what == "close":
                close.close_due()
            else:
                books.write(what, minor, clock.now() - timedelta(hours=late), which)
        clock.forward(timedelta(days=3))
        close.close_due()
        check_closes()
        transaction.set_rollback(True)


def check_closes() -> None:
    closed: dict[str, int] = {}
    for one in DailyClose.objects.all():
        for kind, minor in one.by_kind.items():
            closed[kind] = closed.get(kind, 0) + minor
    ledger = LedgerEntry.objects.order_by("kind").values_list("kind").annotate(Sum("amount_minor"))
    assert closed == dict(ledger)
    sums = DailyClose.objects.aggregate(
        net=Sum("net_minor"), fees=Sum("fees_minor"), disputes=Sum("disputes_minor"), entries=Sum("entries")
    )
    money = {kind: minor for kind, minor in ledger if not kind.startswith("credit")}
    assert (sums["net"] or 0) - (sums["fees"] or 0) - (sums["disputes"] or 0) == sum(money.values())
    assert (sums["entries"] or 0) == LedgerEntry.objects.count()
    for dimension in ("service", "provider"):
        parts = DailyCloseLine.objects.filter(dimension=dimension).aggregate(net=Sum("net_minor"), n=Sum("entries"))
        assert (parts["net"] or 0, parts["n"] or 0) == (sums["net"] or 0, sums["entries"] or 0)
    days = list(DailyClose.objects.order_by("practice_day").values_list("practice_day", flat=True))
    assert all(after - before == timedelta(days=1) for before, after in itertools.pairwise(days))


@pytest.mark.django_db(transaction=True)
def test_a_line_that_is_written_while_its_day_is_closed_is_in_one_close_or_the_next(clock: Any) -> None:
    books = Books()
    books.write("charge", 1, at("2026-11-29 10:00"))
    clock.set(at("2026-11-30 04:00"))
    barrier = threading.Barrier(6)

    def run(what: Any) -> None:
        barrier.wait()
        try:
            what()
        finally:
            connection.close()

    writes = [lambda n=n: books.write("charge", n, at("2026-11-29 11:00")) for n in (10, 100, 1000, 10000)]
    threads = [threading.Thread(target=run, args=(what,)) for what in [*writes, close.close_due, close.close_due]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clock.set(at("2026-12-01 04:00"))
    close.close_due()
    assert list(DailyClose.objects.order_by("practice_day").values_list("practice_day", flat=True)) == [
        date(2026, 11, 29),
        date(2026, 11, 30),
    ]
    assert DailyClose.objects.aggregate(gross=Sum("gross_minor"))["gross"] == 11111
    check_closes()
