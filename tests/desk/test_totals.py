"""What the list and its figures say is what the ledger says: a slow model of our own beside it, for random filters."""

from __future__ import annotations

import html
import random
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bedside.appointments.models import Appointment
from bedside.clinic.models import Practice, Provider, Service
from bedside.payments.models import LedgerEntry, Payment
from bedside.reports import listing, sales, takings
from bedside.reports.listing import Filters
from tests.factories import make_appointment, make_practice, make_provider, make_service

pytestmark = pytest.mark.django_db

FIRST = date(2026, 11, 1)
DAYS = 30
ZONE = ZoneInfo("America/New_York")
STATUSES = ["paid", "canceled", "completed", "no_show", "rescheduled", "pending_payment", "draft"]
FIGURE = re.compile(r"<dt>(.*?)</dt><dd>(.*?)</dd>")
NAMES = ["Robin Sample", "Alex Morgan", "Kim Tan"]


def world() -> None:
    """Two services, three providers, sixty visits: paid twice, paid back in parts, moved, failed, at midnight."""
    chance = random.Random(6)
    make_practice()
    services = [make_service(make_provider(weekdays=[]), slug=f"s{n}", price_minor=5001 + 999 * n) for n in range(2)]
    providers = [make_provider(slug=f"p{n}", weekdays=[]) for n in range(3)]
    made = []
    for n in range(60):
        start = datetime(2026, 11, 1, 3, tzinfo=UTC) + timedelta(hours=12 * n + chance.choice([0, 1, 2]))
        status = chance.choice(STATUSES)
        appointment = make_appointment(
            services[n % 2],
            provider=providers[n % 3],
            start=start,
            status=status,
            patient_name=chance.choice(NAMES),
            hold_expires_at=start,
            canceled_at=start,
        )
        made.append(appointment)
        for _ in range(chance.choice([0, 1, 1, 1, 2])):
            paid(appointment, chance)
    for appointment in chance.sample(made, 15):  # Afterwards: states change, and a payment goes to another visit.
        if appointment.status == "paid":
            Appointment.objects.filter(pk=appointment.pk).update(status=chance.choice(["completed", "canceled"]))
        Payment.objects.filter(appointment=appointment).update(appointment=chance.choice(made))
    takings.fold()
    for appointment in chance.sample(made, 10):
        paid(appointment, chance)


def paid(appointment: Appointment, chance: random.Random) -> None:
    at = datetime(2026, 11, 1, 4, 30, tzinfo=UTC) + timedelta(hours=chance.randrange(24 * DAYS))
    n = Payment.objects.count()
    status = chance.choice(["succeeded", "succeeded", "refunded", "failed", "initiated"])
    amount = chance.choice([0, 5001, 7777])
    went_well = status in {"succeeded", "refunded"}
    payment = Payment.objects.create(
        appointment=appointment, status=status, amount_minor=amount, currency="USD", processor="sandbox",
        captured_minor=amount if went_well else 0, succeeded_at=at if went_well else None, intent_id=f"pi_{n}",
    )  # fmt: skip
    if not went_well:
        return
    moves = [("charge", amount, at)]
    if chance.random() < 0.4:
        moves.append(("refund", -(amount // 2), at + timedelta(days=2)))
        moves.append(("refund", -(amount // 3), at + timedelta(days=3)))
        if chance.random() < 0.5:
            moves.append(("refund_failed", amount // 3, at + timedelta(days=4)))
    moves.append(("fee", -30, at))
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            kind=kind, amount_minor=minor, currency="USD", processor="sandbox", processor_object=f"{kind}_{n}_{k}",
            appointment=appointment, payment=payment, service_id=appointment.service_id,
            provider_id=appointment.provider_id, occurred_at=when, practice_day=when.astimezone(ZONE).date(),
        )
        for k, (kind, minor, when) in enumerate(moves)
    )  # fmt: skip


@dataclass
class Told:
    """What filters should show, worked out the long way."""

    codes: list[str] = field(default_factory=list)
    gross: int = 0
    refunds: int = 0
    paid: set[int] = field(default_factory=set)
    days: dict[date, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))


def rows(sql: str) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


class Model:
    """The tables as they are, and Python."""

    def __init__(self) -> None:
        self.visits = rows(
            "SELECT a.id, a.code, a.start, a.status, s.slug AS service, p.slug AS provider "
            "FROM appointments_appointment a JOIN clinic_service s ON s.id = a.service_id "
            "JOIN clinic_provider p ON p.id = a.provider_id ORDER BY a.start DESC, a.id DESC"
        )
        names = {one.pk: one.patient_name for one in Appointment.objects.all()}
        self.payments: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for payment in rows("SELECT * FROM payments_payment ORDER BY id"):
            self.payments[payment["appointment_id"]].append(payment)
        self.lines = rows("SELECT * FROM payments_ledgerentry WHERE kind IN ('charge', 'refund', 'refund_failed')")
        for visit in self.visits:
            visit["name"] = names[visit["id"]]
            visit["day"] = visit["start"].astimezone(ZONE).date()
            mine = self.payments[visit["id"]]
            visit["payment_status"] = mine[-1]["status"] if mine else ""
            visit["paid_days"] = [one["succeeded_at"].astimezone(ZONE).date() for one in mine if one["succeeded_at"]]

    @staticmethod
    def within(day: date, filters: Filters) -> bool:
        return (filters.first is None or filters.first <= day) and (filters.last is None or day <= filters.last)

    def tell(self, filters: Filters) -> Told:
        told, wanted = Told(), {}
        for visit in self.visits:
            named = all(
                not getattr(filters, name) or getattr(filters, name) == visit[name]
                for name in ("service", "provider", "status", "payment_status")
            )
            if not named or (filters.q and filters.q not in (visit["name"], visit["code"])):
                continue
            days = [visit["day"]] if filters.date == "visit" else visit["paid_days"]
            open_ended = filters.first is None and filters.last is None
            shown = open_ended or any(self.within(day, filters) for day in days)
            if shown:
                told.codes.append(visit["code"])
            if shown or filters.date == "payment":
                wanted[visit["id"]] = visit
        for line in self.lines:
            visit = wanted.get(line["appointment_id"])
            if visit is None or (filters.date == "payment" and not self.within(line["practice_day"], filters)):
                continue
            day = told.days[visit["day"] if filters.date == "visit" else line["practice_day"]]
            if line["kind"] == "charge":
                told.gross += line["amount_minor"]
                day[0] += line["amount_minor"]
                told.paid.add(visit["id"])
            else:
                told.refunds -= line["amount_minor"]
                day[1] -= line["amount_minor"]
        return told


def days() -> st.SearchStrategy[date | None]:
    return st.none() | st.dates(FIRST - timedelta(days=2), FIRST + timedelta(days=DAYS + 8))


def filters() -> st.SearchStrategy[Filters]:
    slugs = ["", "", *Service.objects.values_list("slug", flat=True)]
    providers = ["", "", *Provider.objects.values_list("slug", flat=True)]
    codes = list(Appointment.objects.values_list("code", flat=True))
    found = st.builds(
        Filters,
        first=days(),
        last=days(),
        date=st.sampled_from(["visit", "payment"]),
        service=st.sampled_from(slugs),
        provider=st.sampled_from(providers),
        payment_status=st.sampled_from(["", "", "succeeded", "refunded", "failed", "initiated"]),
        status=st.sampled_from(["", "", *STATUSES]),
        q=st.sampled_from([""] * 4 + NAMES + codes[:3]),
    )
    return found.filter(lambda one: not (one.first and one.last) or one.first <= one.last)


def test_the_list_and_its_figures_are_the_ledgers_for_any_filters() -> None:
    world()
    assert takings.differences() == []
    model, practice = Model(), Practice.current()

    @settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(filters())
    def holds(asked: Filters) -> None:
        told = model.tell(asked)
        shown = sales.summary(asked, practice)
        assert [one.code for one in listing.appointments(asked, practice)] == told.codes
        assert (shown.gross.minor_units, shown.refunds.minor_units) == (told.gross, told.refunds)
        assert shown.net.minor_units == told.gross - told.refunds
        assert shown.paid_count == len(told.paid)
        if told.paid:
            assert abs(shown.average.minor_units - told.gross / len(told.paid)) <= 0.5
        days = {day: [one.gross_minor, one.refunds_minor] for day, one in shown.days.items()}
        assert days == {day: sums for day, sums in told.days.items() if any(sums)}

    holds()


def query(asked: Filters) -> dict[str, str]:
    """As the address says it."""
    said = {
        "from": asked.first and asked.first.isoformat(),
        "to": asked.last and asked.last.isoformat(),
        "date": asked.date,
        "rows": "100",
    }
    named = {name: getattr(asked, name) for name in ("service", "provider", "payment_status", "status", "q")}
    return {name: value for name, value in (said | named).items() if value}


def cents(said: str) -> int:
    """What a drawn amount says, however its minus is written."""
    digits = re.sub(r"[^0-9.]", "", said)
    sign = -1 if re.search("[-\N{MINUS SIGN}\N{HYPHEN}]", said) else 1
    return sign * int(Decimal(digits) * 100)


class Drawn:
    """What stands on the page: figures by their names, codes in their order, the columns of the table of days."""

    def __init__(self, body: str) -> None:
        figures = body.partition('<dl class="figures">')[2].partition("</dl>")[0]
        self.figures = {name: html.unescape(said) for name, said in FIGURE.findall(figures)}
        self.codes = re.findall(r'id="row-([^"]+)"', body)
        table = body.partition('id="sold-days"')[2].partition("</details>")[0]
        rows = [re.findall(r'<td class="numeric">(.*?)</td>', row) for row in table.split("<tr>")[2:]]
        self.columns = [[cents(cell) for cell in column] for column in zip(*rows, strict=True)]


def test_the_page_that_is_drawn_says_what_the_ledger_says_for_any_filters(desk: Client) -> None:
    world()
    model = Model()

    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(filters())
    def holds(asked: Filters) -> None:
        told = model.tell(asked)
        answer = desk.get("/desk/appointments", query(asked))
        assert answer.status_code == 200
        drawn = Drawn(answer.content.decode())
        assert drawn.codes == told.codes[:100]
        assert cents(drawn.figures["Gross"]) == told.gross
        assert cents(drawn.figures["Refunds"]) == told.refunds
        assert cents(drawn.figures["Net"]) == told.gross - told.refunds
        assert int(drawn.figures["Paid appointments"].replace(",", "")) == len(told.paid)
        if told.paid:
            assert abs(cents(drawn.figures["Average order value"]) - told.gross / len(told.paid)) <= 0.5
        if any(any(sums) for sums in told.days.values()):
            assert [sum(column) for column in drawn.columns] == [told.gross, told.refunds, told.gross - told.refunds]
        else:
            assert drawn.columns == []

    holds()


def test_takings_stay_the_ledgers_whatever_is_changed_and_merged() -> None:
    world()
    before = takings.differences()
    takings.fold()
    practice = Practice.current()
    practice.timezone = "Asia/Tokyo"
    practice.save()
    moved = takings.differences()
    takings.fold()
    assert before == moved == takings.differences() == []


def test_a_difference_is_found() -> None:
    world()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE reports_takings SET gross_minor = gross_minor + 1 WHERE id = (SELECT min(id) FROM "
                       "reports_takings)")  # fmt: skip
    assert len(takings.differences()) == 1
