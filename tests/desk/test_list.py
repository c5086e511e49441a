"""The order of the list, its pages, periods, saved views, and what stays put while it follows along live."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from bedside.accounts.models import User
from bedside.appointments.models import Appointment
from bedside.clinic.models import Service
from bedside.core import clock
from bedside.core.models import AuditEntry
from bedside.reports import pages
from bedside.reports.models import SavedView
from bedside.reports.spans import SPANS, span_of
from tests.desk.test_appointments import pay
from tests.factories import make_appointment, make_provider, make_service, make_user

pytestmark = pytest.mark.django_db
LIST = "/desk/appointments"
VIEWS = f"{LIST}/views"
FIRST = datetime(2026, 12, 2, 14, tzinfo=UTC)


def many(count: int, service: Service | None = None) -> list[Appointment]:
    """One an hour; made in the opposite order; every third paid, two of them the same."""
    service = service or make_service(make_provider(weekdays=[]))
    made = []
    for n in range(count):
        prices = {0: 5000, 1: 5000, 2: 9000}
        appointment = make_appointment(
            service,
            start=FIRST + timedelta(hours=n),
            created_at=clock.now() - timedelta(minutes=n),
            price_minor=prices[n % 3],
        )
        if n % 3:
            pay(appointment)
        made.append(appointment)
    return made


def walk(desk: Client, **query: Any) -> list[list[str]]:
    """The codes of each page, by following "Next"; "Previous" leads back to the same rows."""
    shown, cursor = [], ""
    while True:
        page = desk.get(LIST, query | {"cursor": cursor}).context["page"]
        shown.append([row.code for row in page])
        if len(shown) > 1:
            before = desk.get(LIST, query | {"cursor": page.previous}).context["page"]
            assert [row.code for row in before] == shown[-2]
            assert before.is_first == (len(shown) == 2)
        if not page.next:
            return shown
        cursor = page.next


@pytest.mark.parametrize("sort", pages.SORTS)
def test_every_order_shows_every_row_once_forwards_and_backwards(desk: Client, sort: str) -> None:
    many(60)
    keys = {"start": lambda one: one.start, "created": lambda one: one.created_at, "paid": lambda one: one.paid}
    rows = list(Appointment.objects.all())
    for row in rows:
        row.paid = row.payments.first().captured_minor if row.payments.exists() else 0  # type: ignore[attr-defined]
    key = keys[sort.removeprefix("-")]
    rows.sort(key=lambda one: (key(one), one.pk), reverse=sort.startswith("-"))
    shown = walk(desk, sort=sort)
    assert [len(page) for page in shown] == [25, 25, 10]
    assert [code for page in shown for code in page] == [row.code for row in rows]


@pytest.mark.parametrize("sort", ["-start", "paid"])
def test_few_payment_days_are_paged_like_any_others(desk: Client, sort: str) -> None:
    many(45)
    shown = walk(desk, sort=sort, date="payment", period="month")
    assert [len(page) for page in shown] == [25, 5]
    assert len({code for page in shown for code in page}) == 30


def test_a_row_that_comes_meanwhile_moves_no_other_to_another_page(desk: Client) -> None:
    made = many(30)
    cursor = desk.get(LIST, {"sort": "start"}).context["page"].next
    make_appointment(made[0].service, start=FIRST - timedelta(days=1))
    page = desk.get(LIST, {"sort": "start", "cursor": cursor}).context["page"]
    assert [row.code for row in page] == [one.code for one in made[25:]]


@pytest.mark.parametrize("cursor", ["x", "3", "a:b:c", "é", "x" * 5000, "a\x00b"])
def test_a_cursor_that_is_not_ours_shows_the_first_page_and_says_so(desk: Client, cursor: str) -> None:
    many(2)
    response = desk.get(LIST, {"cursor": cursor})
    assert response.status_code == 422
    assert len(response.context["page"]) == 2
    assert "This is the first page." in response.content.decode()


def test_a_cursor_of_another_order_shows_the_first_page(desk: Client) -> None:
    many(27)
    cursor = desk.get(LIST).context["page"].next
    assert desk.get(LIST, {"cursor": cursor, "sort": "paid"}).status_code == 422


def test_a_hundred_rows_cost_the_queries_of_twenty_five(desk: Client, django_assert_max_num_queries: Any) -> None:
    service = make_service(make_provider(weekdays=[]), slug="s")
    many(110, service)
    hard = {"service": "s", "provider": service.providers.get().slug, "q": "Robin Sample", "date": "payment",
            "from": "2026-01-01", "to": "2027-01-01", "payment_status": "succeeded", "status": "paid"}  # fmt: skip

    def asked(query: dict[str, str], rows: int) -> int:
        with django_assert_max_num_queries(12) as seen:
            assert len(desk.get(LIST, query).context["page"]) == rows
        return len(seen)

    for query, found in (({}, 100), (hard, 73)):
        cursor = desk.get(LIST, query).context["page"].next
        further = asked(query | {"cursor": cursor}, 25)
        assert asked(query, 25) == asked(query | {"rows": "100"}, found) == further


@pytest.mark.parametrize(("period", "first", "last"), [
    ("today", "2026-12-01", "2026-12-01"), ("tomorrow", "2026-12-02", "2026-12-02"),
    ("week", "2026-11-30", "2026-12-06"), ("month", "2026-12-01", "2026-12-31"),
    ("quarter", "2026-10-01", "2026-12-31"), ("year", "2026-01-01", "2026-12-31"),
    ("7days", "2026-11-25", "2026-12-01"), ("30days", "2026-11-02", "2026-12-01"),
])  # fmt: skip
def test_periods_by_name(desk: Client, period: str, first: str, last: str) -> None:
    filters = desk.get(LIST, {"period": period}).context["form"].filters
    assert (filters.first, filters.last) == (date.fromisoformat(first), date.fromisoformat(last))


@given(st.sampled_from(SPANS), st.dates(date(1980, 1, 1), date(2200, 1, 1)))
def test_a_period_is_in_order_and_holds_today_or_the_next_day(name: str, today: date) -> None:
    period = span_of(name, today)
    wanted = today + timedelta(days=name == "tomorrow")
    assert period.first <= wanted <= period.last
    assert period.length <= 366


def test_chosen_days_go_before_a_period(desk: Client) -> None:
    context = desk.get(LIST, {"period": "year", "from": "2026-12-01", "to": "2026-12-02"}).context
    assert (context["form"].filters.first, context["span"]) == (date(2026, 12, 1), "")


@pytest.mark.parametrize("query", [
    {"from": "1926-01-01", "to": "2026-01-01"}, {"from": "0001-01-01"}, {"to": "9999-12-31"}, {"period": "century"},
    {"sort": "name"}, {"sort": "--start"}, {"rows": "1000000"}, {"rows": "-1"},
])  # fmt: skip
def test_what_makes_no_sense_is_said_beside_its_field(desk: Client, query: dict[str, str]) -> None:
    many(1)
    response = desk.get(LIST, query)
    assert response.status_code == 422
    page = response.content.decode()
    assert 'class="field__error"' in page
    assert "Robin Sample" not in page


def test_the_chart_draws_the_days_and_a_table_says_them(desk: Client) -> None:
    pay(make_appointment(start=FIRST), refunded=2500)
    pay(make_appointment(start=FIRST + timedelta(days=2)))
    page = desk.get(LIST, {"period": "month"}).content.decode()
    assert len(re.findall(r'class="chart__bar"', page)) == 31
    assert "Wed, Dec 2, 2026: gross $85.00, refunds $25.00, net $60.00" in page
    (table,) = re.findall(r'<details class="more" id="sold-days">.*?</details>', page, re.S)
    assert len(re.findall(r"<tr><th scope=.row.>", table)) == 2
    assert "$60.00" in table
    assert "style=" not in page
    assert 'href="/desk/appointments?from=2026-12-02&amp;to=2026-12-02"' in page


def test_the_live_part_gives_what_can_have_the_focus_a_name(desk: Client) -> None:
    (made,) = many(1)
    part = desk.get(LIST, {"sort": "start"}, headers={"HX-Request": "true"}).content.decode()
    assert 'hx-get="/desk/appointments?sort=start"' in part
    assert f'id="row-{made.code}"' in part
    assert all("id=" in link for link in re.findall(r"<(?:a|details|summary) [^>]*>", part) if "summary" not in link)


# --- Saved views ---------------------------------------------------------------------------------------------------


def test_a_view_is_saved_shown_as_current_renamed_and_deleted(desk: Client, admin: User) -> None:
    query = {"status": "paid", "period": "month", "sort": "start", "q": "Robin Sample", "cursor": "", "date": "visit"}
    form = desk.get(f"{VIEWS}/new", query).content.decode()
    assert "The search isn&#x27;t kept" in form or "The search isn't kept" in form
    made = desk.post(f"{VIEWS}/new?status=paid&period=month&sort=start&q=Robin", {"name": " Paid  this month "})
    assert made.status_code == 303
    view = SavedView.objects.get()
    assert (view.name, view.owner, view.query) == ("Paid this month", admin, "period=month&sort=start&status=paid")
    page = desk.get(made["Location"]).content.decode()
    assert re.search(r'aria-current="true">Paid this month', page)
    assert not re.search(r'aria-current="true">Paid this month', desk.get(LIST).content.decode())

    assert desk.post(f"{VIEWS}/{view.pk}", {"name": "This month"}).status_code == 302
    assert "This month" in desk.get(VIEWS).content.decode()
    assert "Delete This month?" in desk.get(f"{VIEWS}/{view.pk}/delete").content.decode()
    assert SavedView.objects.exists()
    desk.post(f"{VIEWS}/{view.pk}/delete")
    assert not SavedView.objects.exists()
    done = AuditEntry.objects.filter(subject_kind="savedview").order_by("pk").values_list("action", flat=True)
    assert list(done) == ["view.saved", "view.renamed", "view.deleted"]


def test_a_shared_view_is_everybodys_and_ones_own_is_not(desk: Client) -> None:
    desk.post(f"{VIEWS}/new?status=paid", {"name": "Mine"})
    desk.post(f"{VIEWS}/new?status=paid", {"name": "Ours", "shared": "on"})
    mine = SavedView.objects.get(name="Mine")
    other = Client()
    other.force_login(make_user("admin"))
    page = other.get(LIST).content.decode()
    assert "Ours" in page
    assert "Mine" not in page
    for path in (f"{VIEWS}/{mine.pk}", f"{VIEWS}/{mine.pk}/delete"):
        assert other.get(path).status_code == 404
        assert other.post(path, {"name": "Taken"}).status_code == 404
    assert SavedView.objects.filter(name="Mine").exists()


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\nb\x07", "paid"])
def test_a_name_that_cannot_be_given_is_said_beside_the_field(desk: Client, name: str) -> None:
    desk.post(f"{VIEWS}/new?status=paid", {"name": "Paid"})
    response = desk.post(f"{VIEWS}/new?status=canceled", {"name": name})
    assert response.status_code == 422
    assert SavedView.objects.count() == 1


def test_the_database_holds_one_name_an_owner(desk: Client, admin: User) -> None:
    SavedView.objects.create(owner=None, name="Ours", query="a")
    SavedView.objects.create(owner=admin, name="Ours", query="a")
    for owner in (None, admin):
        with pytest.raises(IntegrityError), transaction.atomic():
            SavedView.objects.create(owner=owner, name="OURS", query="b")


def test_filters_that_make_no_sense_are_not_saved(desk: Client) -> None:
    response = desk.post(f"{VIEWS}/new?status=lost", {"name": "Lost"})
    assert response.status_code == 302
    assert not SavedView.objects.exists()
