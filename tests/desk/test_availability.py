"""The availability editor at the desk: typed hours, a look at the change, then kept; mistakes beside their field."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bedside.clinic.models import Provider
from bedside.flows import availability
from bedside.schedule import rebuild
from bedside.schedule.models import DayOverride, Holiday, OpenWindow, TimeOff, WeeklyRule
from tests.factories import make_appointment, make_provider, make_service

pytestmark = pytest.mark.django_db
WEEK = {f"hours-{day}": ["9:00–17:00"] for day in range(7)}
TERMS = {"valid_from": "", "valid_until": "", "every_weeks": "1", "anchor": "", "locations": ""}


@pytest.fixture
def provider() -> Provider:
    made = make_provider(slug="dr-rivera", name="Dr. Elena Rivera")
    rebuild.rebuild_windows(made)
    return made


def url(name: str = "availability", *parts: Any) -> str:
    return reverse(f"desk:{name}", args=["dr-rivera", *parts])


def post(desk: Client, address: str, do: str, **fields: Any) -> Any:
    return desk.post(address, {"do": do, **fields})


def save_as_shown(desk: Client, address: str, answer: Any) -> Any:
    """Press Save on the preview, with the hidden fields that it carries."""
    body = answer.content.decode()
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', body):
        fields.setdefault(name, []).append(value)
    fields.pop("csrfmiddlewaretoken", None)
    return desk.post(address, {**fields, "do": "save"})


def test_people_are_listed_with_a_way_to_their_hours(desk: Client, provider: Provider) -> None:
    body = desk.get("/desk/people").content.decode()
    assert "Dr. Elena Rivera" in body
    assert url() in body
    assert 'href="/desk/people"' in desk.get("/desk/").content.decode()


def test_the_page_shows_what_stands(desk: Client, provider: Provider) -> None:
    availability.add_time_off(
        provider_id=provider.pk,
        kind="blackout",
        first_day=date(2026, 12, 3),
        last_day=date(2026, 12, 3),
        start_time=time(12),
        end_time=time(13),
        reason="Dentist",
        actor=availability.Actor("admin", 1),
    )
    Holiday.objects.create(day=date(2026, 12, 25), name="Christmas Day")
    body = desk.get(url()).content.decode()
    for said in ("9:00–17:00", "Dentist", "Thu, Dec 3, 12:00 – 13:00", "Christmas Day", "Eastern (New York)"):
        assert said in body


def test_typed_hours_are_looked_at_then_saved(desk: Client, provider: Provider) -> None:
    visit = make_appointment(make_service(provider), start=datetime(2026, 12, 3, 14, 30, tzinfo=UTC))  # 9:30
    week = WEEK | {"hours-3": ["10–12.30", "2 pm to 5 pm"], "hours-6": [""]}
    shown = post(desk, url("availability_hours", 1), "preview", version=0, **TERMS, **week)
    assert shown.status_code == 200
    body = shown.content.decode()
    assert visit.code in body
    assert "One booked visit falls outside" in body
    assert WeeklyRule.objects.filter(provider=provider, weekday=3).get().start_time == time(9)
    saved = save_as_shown(desk, url("availability_hours", 1), shown)
    assert saved.status_code == 303
    thursday = WeeklyRule.objects.filter(provider=provider, weekday=3).order_by("start_time")
    assert [(row.start_time, row.end_time) for row in thursday] == [
        (time(10), time(12, 30)),
        (time(14), time(17)),
    ]
    assert not WeeklyRule.objects.filter(provider=provider, weekday=6).exists()
    assert rebuild.verify_windows() == []


def test_buttons_add_and_take_away_rows_without_saving(desk: Client, provider: Provider) -> None:
    body = post(desk, url("availability_hours", 1), "add-2", version=0, **TERMS, **WEEK).content.decode()
    assert body.count('name="hours-2"') == 2
    assert re.search(r'id="hours-2-2"[^>]*autofocus', body)
    body = post(desk, url("availability_hours", 1), "remove-2-0", version=0, **TERMS, **WEEK).content.decode()
    assert body.count('name="hours-2"') == 0
    assert WeeklyRule.objects.filter(provider=provider).count() == 7


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"hours-0": ["nine to five"]}, "can&#x27;t be read as hours"),
        ({"hours-0": ["9:00–12:00", "11:00–13:00"]}, "overlap"),
        ({"hours-0": ["17:00–9:00"]}, "end before they begin"),
        ({"valid_until": "2026-01-01"}, "would never come"),
        ({"every_weeks": "2"}, "Say a day in a week"),
        ({"every_weeks": ""}, "Write 1 for every week"),
        ({"locations": "New York"}, "US-NY or GB"),
        ({"services": ["999"]}, "999"),
        ({"hours-0": ["x" * 5000]}, "can&#x27;t be read as hours"),
    ],
)
def test_mistakes_are_said_beside_the_field_and_change_nothing(
    desk: Client, provider: Provider, changed: dict[str, Any], said: str
) -> None:
    for do in ("preview", "save"):
        answer = post(desk, url("availability_hours", 1), do, version=0, **TERMS | WEEK | changed)
        assert answer.status_code == 422
        assert said in answer.content.decode()
    assert WeeklyRule.objects.filter(provider=provider).count() == 7
    assert availability.version_of(provider) == 0


def test_another_set_of_hours_for_other_weeks_and_one_service(desk: Client, provider: Provider) -> None:
    service = make_service(provider, name="Therapy")
    fields = TERMS | {"every_weeks": "2", "anchor": "2026-12-08", "services": [service.pk], "locations": "us-ny"}
    saved = post(desk, url("availability_hours", "new"), "save", version=0, **fields, **{"hours-3": ["18-20"]})
    assert saved.status_code == 303
    row = WeeklyRule.objects.get(provider=provider, every_weeks=2)
    assert (row.services, row.locations, row.anchor) == ([service.pk], ["US-NY"], date(2026, 12, 8))
    body = desk.get(url()).content.decode()
    for said in ("Every 2 weeks", "Only for Therapy", "Only for patients in US-NY"):
        assert said in body
    cleared = post(desk, url("availability_hours", 2), "clear", version=1, **fields, **{"hours-3": ["18-20"]})
    assert WeeklyRule.objects.filter(provider=provider).count() == 8
    assert save_as_shown(desk, url("availability_hours", 2), cleared).status_code == 303
    assert WeeklyRule.objects.filter(provider=provider).count() == 7


def test_going_back_from_the_look_keeps_what_was_typed(desk: Client, provider: Provider) -> None:
    week = WEEK | {"hours-0": ["8-10"]}
    body = post(desk, url("availability_hours", 1), "edit", version=0, **TERMS, **week).content.decode()
    assert 'value="8-10"' in body


def test_time_off_comes_and_goes(desk: Client, provider: Provider) -> None:
    fields = {"kind": "vacation", "first_day": "2026-12-07", "last_day": "2026-12-11", "reason": "Skiing", "version": 0}
    shown = post(desk, url("availability_time_off"), "preview", **fields)
    assert "Closes" in shown.content.decode()
    assert not TimeOff.objects.exists()
    assert save_as_shown(desk, url("availability_time_off"), shown).status_code == 303
    row = TimeOff.objects.get()
    assert row.reason == "Skiing"
    remove = url("availability_time_off_remove", row.pk)
    asked = post(desk, remove, "preview", version=1)
    assert "Work again on" in asked.content.decode()
    assert save_as_shown(desk, remove, asked).status_code == 303
    assert not TimeOff.objects.exists()
    assert post(desk, remove, "save", version=2).status_code == 409


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"kind": "vacation", "first_day": "2026-13-45"},
        {"kind": "vacation", "first_day": "2026-12-07", "last_day": "2026-12-01"},
        {"kind": "blackout", "first_day": "2026-12-07", "start_time": "10:00"},
        {"kind": "nap", "first_day": "2026-12-07"},
        {"kind": "away", "first_day": "2020-01-01"},
        {"kind": "away", "first_day": "9999-12-31"},
    ],
)
def test_time_off_that_makes_no_sense_is_a_422(desk: Client, provider: Provider, fields: dict[str, str]) -> None:
    assert post(desk, url("availability_time_off"), "save", **fields).status_code == 422
    assert not TimeOff.objects.exists()


def test_one_day_is_changed_and_changed_back(desk: Client, provider: Provider) -> None:
    shown = post(desk, url("availability_day"), "preview", day="2026-12-03", hours="10-12, 18:00–20:00", version=0)
    assert save_as_shown(desk, url("availability_day"), shown).status_code == 303
    assert DayOverride.objects.get().hours.count() == 2
    starts = OpenWindow.objects.filter(start__date=date(2026, 12, 3)).order_by("start").values_list("start", flat=True)
    assert [start.hour for start in starts] == [15, 23]
    remove = url("availability_day_remove", "2026-12-03")
    assert save_as_shown(desk, remove, post(desk, remove, "preview", version=1)).status_code == 303
    assert not DayOverride.objects.exists()
    assert post(desk, remove, "save").status_code == 409
    assert post(desk, url("availability_day"), "save", day="2026-12-03", hours="10-12, 11-13").status_code == 422


def test_who_was_slower_sees_what_stands_now(desk: Client, provider: Provider) -> None:
    post(desk, url("availability_day"), "save", day="2026-12-03", hours="", version=0)
    answer = post(desk, url("availability_hours", 1), "save", version=0, **TERMS, **WEEK | {"hours-0": [""]})
    assert answer.status_code == 409
    assert "Somebody else changed these hours meanwhile" in answer.content.decode()
    assert WeeklyRule.objects.filter(provider=provider, weekday=0).exists()


def test_the_slower_weekly_hours_stand_beside_those_that_were_saved(desk: Client, provider: Provider) -> None:
    address = url("availability_hours", 1)
    post(desk, address, "save", version=0, **TERMS, **WEEK | {"hours-0": ["10:00–12:00"]})
    mine = TERMS | WEEK | {"hours-0": ["13-15"], "every_weeks": "1"}
    answer = post(desk, address, "save", version=0, **mine)
    assert answer.status_code == 409
    body = answer.content.decode()
    assert "<td>10:00–12:00</td><td>13:00–15:00</td>" in body
    assert body.count("<td>") == 2
    assert post(desk, address, "save", version=1, **mine).status_code == 303
    assert [str(one.start_time) for one in WeeklyRule.objects.filter(provider=provider, weekday=0)] == ["13:00:00"]


def test_the_slower_day_stands_beside_the_one_that_was_saved(desk: Client, provider: Provider) -> None:
    address = url("availability_day")
    post(desk, address, "save", day="2026-12-03", hours="10-12", version=0)
    answer = post(desk, address, "save", day="2026-12-03", hours="", version=0)
    assert answer.status_code == 409
    body = answer.content.decode()
    assert "<td>10:00–12:00</td><td>A day off</td>" in body
    assert 'name="version" value="1"' in body
    assert post(desk, address, "save", day="2026-12-03", hours="", version=1).status_code == 303
    assert not DayOverride.objects.get().hours.exists()


@pytest.mark.parametrize("which", ["0", "2", "99999999999", "x", "-1", "１"])
def test_a_set_that_is_not_there_is_not_found(desk: Client, provider: Provider, which: str) -> None:
    assert desk.get(url("availability_hours", which)).status_code == 404


def test_nobody_but_the_desk_gets_in(client: Client, provider: Provider) -> None:
    for address in (url(), url("availability_hours", "new"), "/desk/people", "/desk/holidays"):
        assert client.get(address).status_code == 302
    assert desk_404(client) == 302


def desk_404(client: Client) -> int:
    return client.get("/desk/people/nobody/availability").status_code


def test_holidays_are_closed_listed_and_opened_again(desk: Client, provider: Provider) -> None:
    visit = make_appointment(make_service(provider), start=datetime(2026, 12, 25, 15, tzinfo=UTC))
    fields = {"kind": "day", "day-day": "2026-12-25", "day-name": "Christmas Day"}
    shown = post(desk, "/desk/holidays", "preview", **fields)
    assert visit.code in shown.content.decode()
    assert not Holiday.objects.exists()
    assert save_as_shown(desk, "/desk/holidays", shown).status_code == 303
    assert post(desk, "/desk/holidays", "save", **fields).status_code == 422
    assert "Christmas Day" in desk.get("/desk/holidays").content.decode()
    gone = reverse("desk:holiday_remove", args=[Holiday.objects.get().pk])
    assert desk.post(gone).status_code == 303
    assert desk.post(gone).status_code == 303
    assert not Holiday.objects.exists()


def test_a_countrys_holidays_are_imported(desk: Client, provider: Provider) -> None:
    fields = {"kind": "country", "country-country": "us", "country-year": "2027"}
    shown = post(desk, "/desk/holidays", "preview", **fields)
    assert "Juneteenth" in shown.content.decode()
    assert save_as_shown(desk, "/desk/holidays", shown).status_code == 303
    assert Holiday.objects.filter(day=date(2027, 12, 24)).exists()  # Christmas is a Saturday
    assert "closed already" in post(desk, "/desk/holidays", "preview", **fields).content.decode()
    assert post(desk, "/desk/holidays", "save", **fields | {"country-country": "QQ"}).status_code == 422
    assert post(desk, "/desk/holidays", "save", **fields | {"country-year": "x"}).status_code == 422
