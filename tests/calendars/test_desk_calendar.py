"""The desk's calendar: columns in the practice's zone, blocked time and openings, days and weeks."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from bedside.clinic.models import Provider
from bedside.schedule.models import BusyBlock, ExternalCalendar, Holiday, TimeOff
from bedside.web.calendars import grid
from tests.factories import make_appointment, make_provider, make_service

pytestmark = pytest.mark.django_db
DAY = "/desk/calendar?day=2026-12-03"
WEEK = "/desk/calendar/week?day=2026-12-03"
TEN = datetime(2026, 12, 3, 15, tzinfo=UTC)  # in New York


def html_of(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def place_of(html: str, code: str) -> tuple[int, int]:
    """In which step the visit's box begins, and how many it is long."""
    found = re.search(rf'class="cal__item[^"]* y(\d+) n(\d+)" href="/desk/appointments/{code}"', html)
    assert found, code
    return int(found[1]), int(found[2])


def busy(provider: Provider, start: datetime, hours: int, name: str = "Family") -> None:
    calendar = ExternalCalendar.objects.create(provider=provider, name=name, url=f"https://x.example/{name}")
    BusyBlock.objects.create(provider=provider, calendar=calendar, start=start, end=start + timedelta(hours=hours))


def test_a_visit_stands_in_its_provider_s_column_at_its_time(desk: Client, provider: Provider) -> None:
    visit = make_appointment(make_service(provider, duration_minutes=45), start=TEN, patient_name="Alex Morgan")
    html = html_of(desk, DAY)
    assert "Alex Morgan" in html
    assert "Eastern (New York)" in html
    assert place_of(html, visit.code) == (25, 9)  # two hours after eight, in steps of five minutes


def test_other_zones_are_shown_in_the_practice_s(desk: Client) -> None:
    tokyo = make_provider(timezone="Asia/Tokyo")
    visit = make_appointment(make_service(tokyo), start=datetime(2026, 12, 4, 9, tzinfo=tokyo.zone))
    html = html_of(desk, DAY)  # 7 in the evening of the day before in New York; the night's hours began before midnight
    assert place_of(html, visit.code)[0] == 19 * 12 + 1
    assert visit.code not in html_of(desk, "/desk/calendar?day=2026-12-04")


def test_all_that_blocks_time_is_seen(desk: Client, provider: Provider) -> None:
    service = make_service(provider, prep_minutes=10, wrap_minutes=10)
    make_appointment(service, start=TEN)
    make_appointment(service, start=TEN + timedelta(hours=2), status="pending_payment")
    busy(provider, TEN + timedelta(hours=4), 1, name="Hospital rota")
    TimeOff.objects.create(provider=provider, kind="vacation", first_day="2026-12-03", last_day="2026-12-03",
                           start_time="16:00", end_time="17:00", reason="Surgery of my own")  # fmt: skip
    html = html_of(desk, DAY)
    for kind in ("cal__open", "cal__buffer", "cal__item--hold", "cal__busy", "cal__off"):
        assert f'class="{kind} y' in html or f" {kind} y" in html, kind
    assert "Hospital rota" in html
    assert "Vacation" in html
    assert "Surgery" not in html


def test_holds_that_ran_out_and_canceled_visits_are_gone(desk: Client, provider: Provider, clock: Any) -> None:
    service = make_service(provider)
    held = make_appointment(service, start=TEN, status="pending_payment")
    gone = make_appointment(service, start=TEN + timedelta(hours=1), status="canceled")
    assert held.code in html_of(desk, DAY)
    clock.forward(timedelta(hours=1))
    html = html_of(desk, DAY)
    assert held.code not in html
    assert gone.code not in html


def test_a_holiday_is_named(desk: Client, provider: Provider) -> None:
    Holiday.objects.create(day=date(2026, 12, 3), name="Founders' day")
    assert "Founders&#x27; day" in html_of(desk, DAY)


def test_a_clash_is_marked(desk: Client, provider: Provider) -> None:
    visit = make_appointment(make_service(provider), start=TEN)
    busy(provider, TEN, 1)
    assert re.search(rf'cal__item--clash y\d+ n\d+" href="/desk/appointments/{visit.code}"', html_of(desk, DAY))


def test_the_week_has_a_row_for_each_and_a_strip_for_each_day(desk: Client, provider: Provider) -> None:
    other = make_provider()
    visit = make_appointment(make_service(provider), start=TEN, patient_name="Alex Morgan")
    html = html_of(desk, WEEK)
    assert "Mon, Nov 30 – Sun, Dec 6" in html
    assert html.count('class="cal-strip"') == 14
    assert f"/desk/appointments/{visit.code}" in html
    assert other.name in html


def test_one_provider_s_week_has_a_column_for_each_day(desk: Client, provider: Provider) -> None:
    make_provider()
    visit = make_appointment(make_service(provider), start=TEN)
    html = html_of(desk, f"{WEEK}&provider={provider.slug}")
    assert html.count('class="cal__col"') == 7
    assert place_of(html, visit.code)[0] == 25


def test_who_has_nothing_on_is_named_below(desk: Client, provider: Provider) -> None:
    idle = make_provider(weekdays=[])
    html = html_of(desk, DAY)
    assert html.count('class="cal__col"') == 1
    assert f"Nothing on for: {idle.name}" in html


def test_pages_turn_by_links_with_keys(desk: Client, provider: Provider) -> None:
    html = html_of(desk, DAY)
    assert 'href="/desk/calendar?day=2026-12-02" data-key="ArrowLeft"' in html
    assert 'href="/desk/calendar?day=2026-12-04" data-key="ArrowRight"' in html
    assert 'href="/desk/calendar?day=2026-12-01" data-key="t"' in html
    assert 'href="/desk/calendar/week?day=2026-12-03" data-key="w"' in html
    assert 'href="/desk/calendar/week?day=2026-12-10" data-key="ArrowRight"' in html_of(desk, WEEK)


@pytest.mark.parametrize("day", ["", "tomorrow", "2026-13-45", "0001-01-01", "9999-12-31", "2026-12-03T00:00"])
def test_days_that_make_no_sense_are_today(desk: Client, provider: Provider, day: str) -> None:
    for page in ("/desk/calendar", "/desk/calendar/week"):
        assert desk.get(page, {"day": day, "provider": "nobody"}).status_code == 200


@pytest.mark.parametrize("day", ["2027-03-14", "2026-11-01"])
def test_the_days_of_clock_changes(desk: Client, provider: Provider, day: str) -> None:
    make_appointment(make_service(provider), start=datetime.fromisoformat(f"{day}T10:00").replace(tzinfo=provider.zone))
    html = html_of(desk, f"/desk/calendar?day={day}")
    assert re.search(r'cal__item[^"]* y25 n6"', html)


def test_now_is_marked_today_only(desk: Client, provider: Provider) -> None:
    assert 'class="cal__now y25"' in html_of(desk, "/desk/calendar")
    assert "cal__now y" not in html_of(desk, DAY)


def test_nothing_is_styled_inline_and_live_parts_follow(desk: Client, provider: Provider) -> None:
    html = html_of(desk, DAY)
    assert " style=" not in html
    assert "data-live-ticket" in html
    part = desk.get(DAY, HTTP_HX_REQUEST="true").content.decode()
    assert part.lstrip().startswith('<div class="stack cal-page" id="calendar-sheet"')


def test_every_place_has_its_rule() -> None:
    from django.contrib.staticfiles import finders

    css = open(finders.find("bedside/calendar-grid.css")).read()  # noqa: PTH123, SIM115
    for step in range(1, grid.DAY_STEPS + 1):
        assert f".y{step}{{grid-row-start:{step}}}" in css
        assert f".n{step}{{grid-row-end:span {step}}}" in css


@pytest.mark.parametrize("page", [DAY, WEEK])
def test_queries_don_t_grow_with_providers(desk: Client, page: str, django_assert_max_num_queries: Any) -> None:
    for n in range(6):
        one = make_provider()
        make_appointment(make_service(one), start=TEN + timedelta(hours=n))
        busy(one, TEN, 1)
    with django_assert_max_num_queries(12):
        desk.get(page)


def test_only_the_desk(client: Client, portal: Client) -> None:
    assert client.get("/desk/calendar").status_code == 302
    assert portal.get("/desk/calendar").status_code == 403
    assert portal.get("/desk/calendars").status_code == 403


def test_feeds_and_imports_of_everybody(desk: Client, provider: Provider) -> None:
    visit = make_appointment(make_service(provider), start=TEN)
    busy(provider, TEN, 1)
    ExternalCalendar.objects.update(error="http-500")
    html = html_of(desk, "/desk/calendars")
    assert "Dr. Elena Rivera" in html
    assert "Can't be read" in html
    assert visit.code in html
