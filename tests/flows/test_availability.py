"""Editing when somebody works: what changes is said before, kept with its trail, and booked visits stay as they are."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection

from bedside.accounts.models import Role
from bedside.appointments.models import Appointment
from bedside.clinic.models import Provider
from bedside.core.audit import Actor
from bedside.core.errors import NotFound, PermissionRefused
from bedside.core.flags import FeatureOff
from bedside.core.models import Alert, AuditEntry, Event
from bedside.flows import availability, holidays
from bedside.schedule import rebuild
from bedside.schedule.errors import ChangedMeanwhile, InvalidAvailability
from bedside.schedule.models import DayOverride, Holiday, OpenWindow, TimeOff, WeeklyRule
from bedside.schedule.openings import openings
from bedside.schedule.rules import Limit, Rule
from tests.factories import make_appointment, make_provider, make_service, make_user

pytestmark = pytest.mark.django_db
DESK = Actor("admin", 1, "Sam")
WEDNESDAY, THURSDAY = date(2026, 12, 2), date(2026, 12, 3)


@pytest.fixture
def provider() -> Provider:
    """Works 9:00 to 17:00 each day, in New York; it is Tuesday, December 1, 10:00 there."""
    made = make_provider()
    rebuild.rebuild_windows(made)
    return made


def weekdays(start: int, end: int, days: Any = range(7), **fields: Any) -> list[Rule]:
    return [Rule(day, time(start), time(end), **fields) for day in days]


def set_hours(provider: Provider, rules: list[Rule], **options: Any) -> availability.Change:
    return availability.set_weekly_hours(provider_id=provider.pk, rules=rules, **{"actor": DESK} | options)


def take_off(provider: Provider, **fields: Any) -> availability.Change:
    values = {"kind": "away", "first_day": WEDNESDAY, "last_day": WEDNESDAY, "actor": DESK}
    return availability.add_time_off(provider_id=provider.pk, **values | fields)


def errors_of(caught: pytest.ExceptionInfo[InvalidAvailability]) -> dict[str, Any]:
    return caught.value.errors


def test_new_hours_are_offered_at_once_and_leave_a_trail(provider: Provider) -> None:
    service = make_service(provider, duration_minutes=60, step_minutes=60)
    set_hours(provider, weekdays(12, 14, [2]))
    found = openings(service=service, first=WEDNESDAY, last=THURSDAY, timezone="America/New_York")
    assert [opening.start.astimezone(provider.zone).hour for opening in found] == [12, 13]
    entry = AuditEntry.objects.get(action="availability.weekly_hours")
    assert entry.before is not None
    assert len(entry.before["weekly_hours"]) == 7
    assert entry.after == {"weekly_hours": [{"weekday": 2, "hours": "12:00-14:00"}]}
    assert Event.objects.filter(name="AvailabilityUpdated", ids__provider_id=provider.pk).count() == 2
    assert rebuild.verify_windows() == []


def test_a_preview_says_what_comes_and_goes_and_keeps_nothing(provider: Provider) -> None:
    before = list(OpenWindow.objects.order_by("pk").values())
    change = set_hours(provider, weekdays(10, 18), preview=True)
    added, removed = change.impact.added, change.impact.removed
    assert {one.end - one.start for one in [*added, *removed]} == {timedelta(hours=1)}
    assert (added[0].start, added[0].end) == (
        datetime(2026, 12, 1, 22, tzinfo=UTC),
        datetime(2026, 12, 1, 23, tzinfo=UTC),
    )
    # Today's first hour is over: it isn't taken away any more.
    assert removed[0].start == datetime(2026, 12, 2, 14, tzinfo=UTC)
    assert list(OpenWindow.objects.order_by("pk").values()) == before
    assert WeeklyRule.objects.filter(provider=provider, start_time=time(9)).count() == 7
    assert availability.version_of(provider) == 0
    assert not AuditEntry.objects.exists()


def test_booked_visits_outside_the_new_hours_are_listed_and_left_alone(provider: Provider) -> None:
    service = make_service(provider)
    morning = make_appointment(service, start=datetime(2026, 12, 3, 15, tzinfo=UTC))  # 10:00
    make_appointment(service, start=datetime(2026, 12, 3, 19, tzinfo=UTC))  # 14:00
    make_appointment(service, start=datetime(2026, 12, 4, 15, tzinfo=UTC), status="canceled")
    night = make_appointment(service, start=datetime(2026, 12, 4, 4, tzinfo=UTC))  # never inside
    change = set_hours(provider, weekdays(12, 17))
    assert change.impact.outside == [morning, night]
    assert change.impact.already == {night.pk}
    assert Appointment.objects.get(pk=morning.pk).status == "paid"


def test_a_visit_that_ends_with_the_window_is_inside(provider: Provider) -> None:
    make_appointment(make_service(provider), start=datetime(2026, 12, 3, 16, 30, tzinfo=UTC))  # 11:30 to 12:00
    assert set_hours(provider, weekdays(9, 12)).impact.outside == []


def test_an_override_on_a_booked_day_lists_the_visit(provider: Provider) -> None:
    visit = make_appointment(make_service(provider), start=datetime(2026, 12, 3, 15, tzinfo=UTC))
    change = availability.override_day(provider_id=provider.pk, day=THURSDAY, hours=[], actor=DESK)
    assert change.impact.outside == [visit]
    back = availability.remove_override(provider_id=provider.pk, day=THURSDAY, actor=DESK)
    assert back.impact.outside == []
    assert not DayOverride.objects.exists()


def test_overriding_a_day_again_replaces_the_override(provider: Provider) -> None:
    for hour in (10, 12):
        availability.override_day(provider_id=provider.pk, day=THURSDAY, hours=[(time(hour), time(13))], actor=DESK)
    assert [str(row.start_time) for row in DayOverride.objects.get().hours.all()] == ["12:00:00"]
    last = AuditEntry.objects.latest("pk")
    assert last.before == {"override": {"day": "2026-12-03", "hours": ["10:00-13:00"]}}


def test_time_off_closes_and_taking_it_back_opens(provider: Provider) -> None:
    before = set(OpenWindow.objects.values_list("start", "end"))
    take_off(provider, kind="vacation", last_day=date(2026, 12, 9), reason="Lisbon")
    row = TimeOff.objects.get()
    assert row.reason == "Lisbon"
    assert set(OpenWindow.objects.values_list("start", "end")) < before
    availability.remove_time_off(provider_id=provider.pk, time_off_id=row.pk, actor=DESK)
    assert set(OpenWindow.objects.values_list("start", "end")) == before
    with pytest.raises(NotFound):
        availability.remove_time_off(provider_id=provider.pk, time_off_id=row.pk, actor=DESK)


def test_a_private_reason_is_sealed_and_in_no_trail(provider: Provider) -> None:
    take_off(provider, kind="blackout", start_time=time(11), end_time=time(12), reason="Chemotherapy")
    with connection.cursor() as cursor:
        cursor.execute("SELECT reason FROM schedule_timeoff")
        assert b"Chemo" not in bytes(cursor.fetchone()[0])
    entry = AuditEntry.objects.get()
    assert "Chemo" not in str(entry.after) + str(entry.before) + entry.reason
    assert "Chemo" not in str(list(Event.objects.values()))


def test_who_edits_what_somebody_else_changed_meanwhile_is_told(provider: Provider) -> None:
    seen = availability.version_of(provider)
    take_off(provider, version=seen)
    with pytest.raises(ChangedMeanwhile):
        set_hours(provider, weekdays(12, 14), version=seen)
    assert WeeklyRule.objects.filter(provider=provider).count() == 7
    set_hours(provider, weekdays(12, 14), version=availability.version_of(provider))


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ([Rule(0, time(9), time(12)), Rule(0, time(11), time(13))], "day-0"),
        ([Rule(6, time(22), time(2)), Rule(0, time(1), time(3))], "day-6"),
        ([Rule(0, time(17), time(9))], "day-0"),
        ([Rule(0, time(9), time(9))], "day-0"),
        ([Rule(0, time(9), time(12), valid_until=date(2026, 11, 30))], "valid_until"),
        ([Rule(0, time(9), time(12), date(2026, 12, 2), date(2026, 12, 6))], "valid_until"),
        ([Rule(0, time(9), time(12), date(2027, 1, 2), date(2026, 12, 6))], "valid_until"),
        ([Rule(0, time(9), time(12), every_weeks=2)], "anchor"),
        ([Rule(0, time(9), time(12), every_weeks=0, anchor=WEDNESDAY)], "every_weeks"),
        ([Rule(0, time(9), time(12), limit=Limit((987654,)))], "services"),
        ([Rule(0, time(9), time(12), limit=Limit((), ("New York",)))], "locations"),
        ([Rule(0, time(9), time(9, 0, 30))], "day-0"),
    ],
)
def test_hours_that_make_no_sense_are_refused_and_change_nothing(
    provider: Provider, rules: list[Rule], field: str
) -> None:
    with pytest.raises(InvalidAvailability) as caught:
        set_hours(provider, rules)
    assert list(errors_of(caught)) == [field]
    assert WeeklyRule.objects.filter(provider=provider).count() == 7


def test_alternating_weeks_may_lie_over_each_other(provider: Provider) -> None:
    one = Rule(3, time(9), time(12), every_weeks=2, anchor=date(2026, 12, 3))
    other = Rule(3, time(10), time(13), every_weeks=2, anchor=date(2026, 12, 10))
    set_hours(provider, [one, other])
    with pytest.raises(InvalidAvailability):
        set_hours(provider, [one, Rule(3, time(10), time(13), every_weeks=3, anchor=date(2026, 12, 10))])


def test_hours_for_one_service_may_lie_over_hours_for_all(provider: Provider) -> None:
    service = make_service(provider)
    set_hours(provider, [*weekdays(9, 17), *weekdays(16, 19, limit=Limit((service.pk,)))])
    assert rebuild.verify_windows() == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"last_day": date(2026, 12, 1)}, "last_day"),
        ({"first_day": date(2026, 11, 1), "last_day": date(2026, 11, 5)}, "last_day"),
        ({"last_day": date(2099, 1, 1)}, "last_day"),
        ({"kind": "nap"}, "kind"),
        ({"start_time": time(9)}, "end_time"),
        ({"start_time": time(9), "end_time": time(9)}, "end_time"),
        ({"reason": "x" * 501}, "reason"),
    ],
)
def test_time_off_that_makes_no_sense_is_refused(provider: Provider, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidAvailability) as caught:
        take_off(provider, **fields)
    assert list(errors_of(caught)) == [field]
    assert not TimeOff.objects.exists()


def test_an_unknown_zone_is_refused_in_words(provider: Provider) -> None:
    Provider.objects.filter(pk=provider.pk).update(timezone="Mars/Olympus")
    with pytest.raises(InvalidAvailability) as caught:
        set_hours(provider, weekdays(9, 12))
    assert "Mars/Olympus" in str(errors_of(caught))


def test_providers_edit_their_own_hours_where_the_practice_lets_them(provider: Provider) -> None:
    user = make_user(Role.PROVIDER)
    Provider.objects.filter(pk=provider.pk).update(user=user)
    own = Actor("provider", user.pk, "Robin")
    with pytest.raises(FeatureOff):
        set_hours(provider, weekdays(9, 12), actor=own)
    from waffle.models import Flag

    Flag.objects.update_or_create(name="provider-availability", defaults={"everyone": True})
    set_hours(provider, weekdays(9, 12), actor=own)
    for stranger in (own, Actor.patient()):
        with pytest.raises(PermissionRefused):
            set_hours(make_provider(), weekdays(9, 12), actor=stranger)


def test_windows_that_can_not_be_built_keep_the_edit_and_the_last_good_windows(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = OpenWindow.objects.count()

    def broken(*args: object, **kwargs: object) -> bool:
        raise RuntimeError

    monkeypatch.setattr(rebuild, "rebuild_windows", broken)
    set_hours(provider, weekdays(12, 14))
    assert OpenWindow.objects.count() == served
    assert WeeklyRule.objects.filter(provider=provider, start_time=time(12)).count() == 7
    assert Alert.objects.filter(kind="availability-failed", resolved_at=None).exists()


def test_a_holiday_lists_the_visits_of_that_day_but_not_of_who_is_called_in(provider: Provider) -> None:
    other = make_provider()
    service = make_service(provider, other)
    visit = make_appointment(service, provider=provider, start=datetime(2026, 12, 25, 15, tzinfo=UTC))
    make_appointment(service, provider=other, start=datetime(2026, 12, 25, 15, tzinfo=UTC))
    make_appointment(service, provider=provider, start=datetime(2026, 12, 26, 15, tzinfo=UTC))
    availability.override_day(provider_id=other.pk, day=date(2026, 12, 25), hours=[(time(9), time(12))], actor=DESK)
    christmas = {"day": date(2026, 12, 25), "name": "Christmas", "actor": DESK}
    assert holidays.add(**christmas, preview=True).outside == [visit]
    assert not Holiday.objects.exists()
    assert holidays.add(**christmas).outside == [visit]
    with pytest.raises(InvalidAvailability):
        holidays.add(**christmas)
    holidays.remove(holiday_id=Holiday.objects.get().pk, actor=DESK)
    actions = AuditEntry.objects.filter(subject_kind="holiday").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["holiday.added", "holiday.removed"]


def test_the_public_holidays_of_a_country_come_by_name() -> None:
    closing = holidays.import_country(country="US", year=2027, actor=DESK)
    assert date(2027, 7, 5) in {row.day for row in closing.days}  # the Fourth is a Sunday: observed on Monday
    assert Holiday.objects.filter(country="US").count() == len(closing.days)
    assert holidays.import_country(country="US", year=2027, actor=DESK).days == []
    past = holidays.import_country(country="US", year=2026, actor=DESK)
    assert {row.day for row in past.days} == {date(2026, 12, 25)}


@pytest.mark.parametrize(("country", "year"), [("XX", 2027), ("US-QQ", 2027), ("", 2027), ("US", 2031), ("US", 1990)])
def test_a_place_without_known_holidays_is_refused(country: str, year: int) -> None:
    with pytest.raises(InvalidAvailability):
        holidays.import_country(country=country, year=year, actor=DESK)


def test_only_the_practice_closes_the_practice(provider: Provider) -> None:
    with pytest.raises(PermissionRefused):
        holidays.add(day=THURSDAY, name="Mine", actor=Actor("provider", 5))
