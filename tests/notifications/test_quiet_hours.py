"""Who waits, who moves earlier, who becomes email only: one pure function, one table."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bedside.clinic.models import Practice
from bedside.core import clock as house_clock
from bedside.notifications import sending
from bedside.notifications.models import Channel, Kind, Notification
from bedside.notifications.quiet import QuietHours, when_to_text
from bedside.notifications.reminders import queue_reminders
from tests.conftest import TestClock
from tests.factories import make_appointment, make_service
from tests.notifications.conftest import Vendor, a_message

NY = "America/New_York"
QUIET = QuietHours(time(21), time(8))


def at(text: str, zone: str = NY) -> datetime:
    """A December instant, "3 14:30" being the third at half past two on the zone's clock."""
    day, clock = text.split()
    hour, minute = clock.split(":")
    return datetime(2026, 12, int(day), int(hour), int(minute), tzinfo=ZoneInfo(zone)).astimezone(UTC)


# kind, own act, due, now, visit, expected (None: email only)
TABLE = [
    ("reminder", False, "3 14:30", "1 10:00", "4 14:30", "3 14:30"),  # by day: as it is
    ("reminder", False, "3 21:00", "1 10:00", "4 21:00", "4 8:00"),  # at night, visit tomorrow night: in the morning
    ("reminder", False, "4 7:00", "1 10:00", "4 8:00", "3 20:59"),  # an hour before eight: the evening before
    ("reminder", False, "4 7:15", "1 10:00", "4 8:15", "3 20:59"),  # a quarter past eight is no time to get ready
    ("reminder", False, "4 7:30", "1 10:00", "4 8:30", "4 8:00"),
    ("reminder", False, "4 7:00", "3 22:00", "4 8:00", None),  # booked at night for eight: the email must do
    ("reminder", False, "4 7:59", "3 10:00", "4 8:59", "4 8:00"),
    ("reminder", False, "4 8:00", "3 10:00", "4 9:00", "4 8:00"),  # the end of quiet hours is not quiet
    ("reminder", False, "3 21:00", "1 10:00", "3 22:00", "3 20:59"),  # nine in the evening is
    ("confirmation", False, "3 23:00", "3 23:00", "5 9:00", "3 23:00"),  # the patient has just paid
    ("canceled", True, "3 23:00", "3 23:00", "5 9:00", "3 23:00"),  # the patient has just canceled
    ("canceled", False, "3 23:00", "3 23:00", "5 9:00", "4 8:00"),  # the practice did: in the morning
    ("canceled", False, "3 23:00", "3 23:00", "4 9:00", "3 23:00"),  # but not when the visit is in the morning
    ("rescheduled", False, "3 23:00", "3 23:00", "8 9:00", "4 8:00"),
    ("manual", False, "3 23:00", "3 23:00", "8 9:00", "3 23:00"),  # somebody at the desk pressed Send
]


@pytest.mark.parametrize(("kind", "own", "due", "now", "visit", "expected"), TABLE)
def test_the_table(kind: str, own: bool, due: str, now: str, visit: str, expected: str | None) -> None:
    said = when_to_text(kind, own_act=own, due=at(due), now=at(now), start=at(visit), zone=NY, quiet=QUIET)
    assert said == (at(expected) if expected else None)


def test_it_is_the_recipients_clock_that_counts() -> None:
    due = at("3 20:00")  # five in the afternoon in Los Angeles, half past six in the morning in Kolkata
    ask = {"own_act": False, "due": due, "now": at("1 10:00"), "start": due + timedelta(hours=24), "quiet": QUIET}
    assert when_to_text("reminder", zone="America/Los_Angeles", **ask) == due
    assert when_to_text("reminder", zone="Asia/Kolkata", **ask) == at("4 8:00", "Asia/Kolkata")


def test_equal_ends_mean_no_quiet_hours() -> None:
    due = at("3 3:00")
    quiet = QuietHours(time(0), time(0))
    ask = {"own_act": False, "due": due, "now": due, "start": due + timedelta(hours=1), "zone": NY}
    assert when_to_text("reminder", quiet=quiet, **ask) == due


ZONES = [NY, "Europe/London", "Australia/Lord_Howe", "Asia/Kolkata", "America/St_Johns", "Pacific/Apia"]
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    due=INSTANTS,
    before=st.timedeltas(timedelta(0), timedelta(days=3)),
    lead=st.timedeltas(timedelta(minutes=1), timedelta(hours=30)),
    zone=st.sampled_from(ZONES),
    begins=st.times(),
    ends=st.times(),
)
def test_a_reminder_is_never_in_quiet_hours_never_before_now_never_after_the_start(
    due: datetime, before: timedelta, lead: timedelta, zone: str, begins: time, ends: time
) -> None:
    quiet = QuietHours(begins.replace(microsecond=0), ends.replace(microsecond=0))
    now, start = due - before, due + lead
    said = when_to_text("reminder", own_act=False, due=due, now=now, start=start, zone=zone, quiet=quiet)
    if said is None:
        assert quiet.around(due, zone)
        return
    assert now <= said < start
    assert said == due or quiet.around(due, zone)
    # Where a clock change falls into the quiet hours, the minute before them may lie in them on the wall.
    if said.astimezone(ZoneInfo(zone)).utcoffset() == due.astimezone(ZoneInfo(zone)).utcoffset():
        assert quiet.around(said, zone) is None or (quiet.end > quiet.start and said < due)


@pytest.mark.django_db
def test_an_early_visits_reminder_comes_the_evening_before_and_the_email_at_its_own_time() -> None:
    start = at("4 8:00")
    visit = make_appointment(make_service(), status="paid", start=start, patient_timezone=NY)
    rows = {(one.variant, one.channel): one.due_at for one in queue_reminders(visit) if one.audience == "patient"}
    assert rows["1h", "email"] == at("4 7:00")
    assert rows["1h", "sms"] == at("3 20:59")
    assert rows["24h", "sms"] == at("3 8:00")


@pytest.mark.django_db
def test_a_retry_that_falls_into_the_night_waits_for_the_morning(vendor: Vendor, clock: TestClock) -> None:
    clock.set(at("3 20:59"))
    visit = make_appointment(make_service(), status="paid", start=at("4 21:30"), patient_timezone=NY)
    text = a_message(visit, kind=Kind.REMINDER, channel=Channel.SMS, variant="24h")
    clock.set(at("3 21:30"))
    sending.send(text.pk)
    text.refresh_from_db()
    assert (text.status, text.due_at) == ("queued", at("4 8:00"))
    clock.set(at("4 8:00"))
    sending.send(text.pk)
    assert Notification.objects.get(pk=text.pk).status == "sent"


@pytest.mark.django_db
def test_the_practice_sets_its_hours(vendor: Vendor, clock: TestClock) -> None:
    visit = make_appointment(make_service(), status="paid", start=at("9 21:30"), patient_timezone=NY)
    Practice.objects.update(quiet_from=time(18), quiet_until=time(10))
    clock.set(at("3 18:30"))
    text = a_message(visit, kind=Kind.CANCELED, channel=Channel.SMS)
    assert text.due_at == at("4 10:00")
    assert house_clock.now() < text.due_at
