"""Operational metrics: equal to a slow model over every row, said only where there is enough, and cheap to ask for."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bedside.appointments.models import Appointment
from bedside.clinic.models import Practice, Provider, Service
from bedside.core import clock
from bedside.core.models import Tally
from bedside.flows import steps
from bedside.notifications.models import Notification
from bedside.payments.models import LedgerEntry, Payment
from bedside.reports.metrics import Rate, Wait, fold, gather
from bedside.reports.periods import Period
from tests.factories import make_appointment, make_practice, make_provider, make_service, make_user

pytestmark = pytest.mark.django_db
TODAY = date(2026, 12, 1)
MONTH = Period(TODAY - timedelta(days=29), TODAY)


def world(seed: int) -> tuple[list[Service], list[Provider]]:
    """Two services, three providers, forty-five visits of every state with payments, refunds, messages and tallies."""
    chance = random.Random(seed)
    providers = [make_provider(weekdays=()) for _ in range(3)]
    services = [make_service(*providers) for _ in range(2)]
    for n in range(45):
        start = datetime(2026, 10, 5, 14, tzinfo=clock.now().tzinfo) + timedelta(days=1.3 * n)
        status = chance.choice(
            ["paid", "completed", "no_show", "canceled", "expired", "pending_payment", "rescheduled"]
        )
        paid = status not in {"expired", "pending_payment"} and chance.random() < 0.9
        made = start - timedelta(days=chance.randrange(9), hours=chance.randrange(24))
        visit = make_appointment(
            chance.choice(services),
            provider=chance.choice(providers),
            start=start,
            status=status,
            source=chance.choice(["web", "web", "web", "desk", "api"]),
            created_at=made,
            paid_at=made if paid else None,
        )
        payment(visit, chance, made, paid)
        for channel in ("email", "sms"):
            Notification.objects.create(
                appointment=visit, kind="reminder", audience="patient", channel=channel,
                idempotency_key=f"{n}-{channel}",
                status=chance.choice(["queued", "sent", "delivered", "delivered", "failed", "withdrawn"]),
                due_at=start - timedelta(days=1), created_at=made,
            )  # fmt: skip
    for service in services:
        for n in range(0, 40, 3):
            day = TODAY - timedelta(days=n)
            for what in ("step.times", "step.details", "wait.minutes", "wait.looked"):
                Tally.objects.create(day=day, what=what, service_id=service.pk, count=chance.randrange(50))
            Tally.objects.create(
                day=day, what="wait.minutes", service_id=service.pk, provider_id=providers[0].pk, count=n
            )
            Tally.objects.create(
                day=day, what="wait.looked", service_id=service.pk, provider_id=providers[0].pk, count=1
            )
    return services, providers


def payment(visit: Appointment, chance: random.Random, made: datetime, paid: bool) -> None:
    ended = "succeeded" if paid else chance.choice(["initiated", "failed", "expired"])
    processor = chance.choice(["sandbox", "sandbox", "manual"])
    row = Payment.objects.create(
        appointment=visit, status=ended, amount_minor=8500, captured_minor=8500 if paid else 0, currency="USD",
        processor=processor, created_at=made, succeeded_at=made if paid else None,
    )  # fmt: skip
    day = made.astimezone(Practice.current().zone).date()
    if not paid:
        return
    for kind, amount, later in (("charge", 8500, 0), ("refund", -4000, 3), ("refund_failed", 4000, 4)):
        if kind == "charge" or chance.random() < 0.4:
            LedgerEntry.objects.create(
                kind=kind, amount_minor=amount, currency="USD", payment=row, appointment=visit,
                service_id=visit.service_id, provider_id=visit.provider_id, processor=processor,
                processor_object=f"{kind}-{row.pk}", occurred_at=made, practice_day=day + timedelta(days=later),
            )  # fmt: skip
        else:
            break


class Rows:
    """Every row there is, read once."""

    def __init__(self) -> None:
        self.visits = list(Appointment.objects.prefetch_related("payments", "notifications", "ledger"))
        self.tallies = list(Tally.objects.all())


class Slow:
    """The same figures, row by row, in words of their own."""

    def __init__(self, period: Period, service: Service | None, provider: Provider | None, rows: Rows) -> None:
        self.period, self.service, self.provider = period, service, provider
        self.visits = [one for one in rows.visits if self.fits(one)]
        self.tallies = rows.tallies

    def fits(self, visit: Appointment) -> bool:
        right = self.service is None or visit.service_id == self.service.pk
        return right and (self.provider is None or visit.provider_id == self.provider.pk)

    def on(self, at: datetime | None) -> bool:
        if at is None:
            return False
        return self.period.first <= at.astimezone(Practice.current().zone).date() <= self.period.last

    @staticmethod
    def rate(cases: list[bool]) -> Rate:
        return Rate(sum(cases), len(cases))

    def tally(self, what: str, whom: int) -> int:
        return sum(
            row.count
            for row in self.tallies
            if row.what == what
            and self.period.first <= row.day <= self.period.last
            and (self.service is None or row.service_id == self.service.pk)
            and row.provider_id == whom
        )

    def begun(self) -> list[Appointment]:
        return [one for one in self.visits if one.source == "web" and self.on(one.created_at)]

    def all(self) -> dict[str, Rate | Wait]:
        tried = [
            one for visit in self.visits for one in visit.payments.all()
            if one.processor == "sandbox" and self.on(one.created_at) and one.status != "initiated"
        ]  # fmt: skip
        due = [
            one for visit in self.visits for one in visit.notifications.all()
            if self.on(one.due_at) and one.status not in {"queued", "withdrawn"}
        ]  # fmt: skip
        kept = [
            one for one in self.visits
            if one.paid_at and self.on(one.start) and one.status in {"paid", "completed", "no_show", "canceled"}
        ]  # fmt: skip
        charged = [
            sum(other.amount_minor for other in visit.ledger.all() if other.kind in {"refund", "refund_failed"}) < 0
            for visit in self.visits for line in visit.ledger.all()
            if line.kind == "charge" and self.period.first <= line.practice_day <= self.period.last
        ]  # fmt: skip
        whom = self.provider.pk if self.provider else 0
        return {
            "payment": self.rate([one.status == "succeeded" for one in tried]),
            "email": self.rate([one.status != "failed" for one in due if one.channel == "email"]),
            "sms": self.rate([one.status != "failed" for one in due if one.channel == "sms"]),
            "refund": self.rate(charged),
            "cancellation": self.rate([one.status == "canceled" for one in kept]),
            "show": self.rate([one.status == "completed" for one in kept if one.status in {"completed", "no_show"}]),
            "wait": Wait(self.tally("wait.minutes", whom), self.tally("wait.looked", whom)),
        }


@pytest.mark.parametrize("seed", range(2))
def test_every_metric_is_what_a_slow_model_counts(seed: int) -> None:
    services, providers = world(seed)
    rows = Rows()
    for period in (MONTH, Period(date(2026, 10, 20), date(2026, 10, 20)), Period(date(2026, 9, 1), date(2027, 1, 1))):
        counts = gather(period, Practice.current())
        for service in [None, *services]:
            for provider in [None, *providers]:
                slow = Slow(period, service, provider, rows)
                found = fold(
                    counts, service_id=service.pk if service else None, provider_id=provider.pk if provider else None
                )
                for name, expected in slow.all().items():
                    assert getattr(found, name) == expected, (name, period, service, provider)
                begun = slow.begun()
                assert found.steps[2:] == (len(begun), sum(one.paid_at is not None for one in begun))
                if provider is None:
                    assert found.steps[:2] == (slow.tally("step.times", 0), slow.tally("step.details", 0))


def test_a_share_of_few_cases_is_not_said() -> None:
    assert Rate(0, 4).percent is None
    assert Rate(0, 5).percent == 0
    assert Rate(1, 8).percent == 12.5
    assert Wait(100, 4).hours is None
    assert Wait(5 * 90, 5).hours == 1.5


def test_an_empty_practice_says_that_there_is_not_enough(desk: Client) -> None:
    page = desk.get("/desk/metrics").content.decode()
    assert page.count('<span class="figures__none">Not enough data</span>') == 8
    assert "0%" not in page


def test_the_page_and_its_file_say_the_same(desk: Client) -> None:
    services, _providers = world(1)
    query = {"from": MONTH.first.isoformat(), "to": MONTH.last.isoformat(), "service": services[0].slug}
    page = desk.get("/desk/metrics", query).content.decode()
    answer = desk.get("/desk/metrics.csv", query)
    assert answer["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    whole = {row["metric"]: row for row in rows if row["scope"] == "all"}
    expected = Slow(MONTH, services[0], None, Rows()).all()
    for name in ("payment", "email", "sms", "cancellation", "show"):
        rate = expected[name]
        assert isinstance(rate, Rate)
        assert (int(whole[name]["count"]), int(whole[name]["of"])) == (rate.count, rate.of)
        assert f"{rate.count} of {rate.of}" in page
    assert {row["name"] for row in rows if row["scope"] == "service"} == {services[0].name}


def test_the_number_of_queries_does_not_grow(desk: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert desk.get("/desk/metrics").status_code == 200
        return len(found)

    desk.get("/desk/metrics")
    few = queries()
    world(0)
    assert queries() == few
    assert few <= 24


@pytest.mark.parametrize("query", ["from=2026-12-05&to=2026-12-01", "service=nothing", "from=x", "from=1000-01-01"])
def test_what_makes_no_sense_is_refused(desk: Client, query: str) -> None:
    assert desk.get(f"/desk/metrics?{query}").status_code == 422
    assert desk.get(f"/desk/metrics.csv?{query}").status_code == 422


def test_a_provider_sees_no_metrics(desk: Client) -> None:
    client = Client()
    client.force_login(make_user("provider"))
    assert client.get("/desk/metrics").status_code == 403
    assert client.get("/desk/metrics.csv").status_code == 403


@pytest.fixture
def browser() -> Callable[[str], int]:
    def beacon(body: str, agent: str = "Mozilla/5.0") -> int:
        answer = Client().post("/steps", body, content_type="text/plain;charset=UTF-8", headers={"User-Agent": agent})
        return answer.status_code

    return beacon


def test_steps_are_counted_by_day_and_service_and_hold_nothing_else(browser: Callable[..., int]) -> None:
    service = make_service()
    assert [browser(f"times {service.slug}"), browser(f"times {service.slug}")] == [204, 204]
    assert browser(f"details {service.slug}") == 204
    found = list(Tally.objects.order_by("what").values_list("day", "what", "service_id", "provider_id", "count"))
    assert found == [(TODAY, "step.details", service.pk, 0, 1), (TODAY, "step.times", service.pk, 0, 2)]


def test_programs_count_for_nothing_and_nonsense_is_refused(browser: Callable[..., int]) -> None:
    service = make_service()
    make_practice()
    assert browser(f"times {service.slug}", agent="Mozilla/5.0 (compatible; Googlebot/2.1)") == 204
    for body in ("", "times", "times nothing", f"paid {service.slug}", "\x00 \x00", "x" * 10_000):
        assert browser(body) == 422
    assert not Tally.objects.exists()


def test_the_booking_pages_say_which_step_they_are() -> None:
    service = make_service()
    page = Client().get(f"/book/{service.slug}").content.decode()
    assert f'data-step="times {service.slug}"' in page


def test_waits_are_looked_up_with_anybody_and_with_each() -> None:
    busy, free = make_provider(weekdays=()), make_provider()
    service = make_service(busy, free)
    steps.look_up_waits()
    steps.look_up_waits()
    found = {(one.what, one.provider_id): one.count for one in Tally.objects.filter(service_id=service.pk)}
    # It is ten o'clock, and the notice is an hour.
    assert found == {
        ("wait.minutes", 0): 120, ("wait.looked", 0): 2, ("wait.nothing", busy.pk): 2,
        ("wait.minutes", free.pk): 120, ("wait.looked", free.pk): 2,
    }  # fmt: skip
