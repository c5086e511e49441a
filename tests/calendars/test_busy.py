"""Busy times of calendar files: recurrences and exceptions, zones of every kind, and files that mean harm."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.schedule import expansion
from bedside.schedule.busy import BadCalendar, Question, busy_times
from bedside.schedule.windows import to_instant, to_minute
from tests.calendars.servers import calendar_of

NEW_YORK = ZoneInfo("America/New_York")
SINCE = datetime(2026, 12, 1, tzinfo=UTC)


def question(zone: str = "America/New_York", days: int = 190) -> Question:
    return Question(zone, to_minute(SINCE), to_minute(SINCE + timedelta(days=days)), "@clinic.example.com")


def busy(body: bytes, zone: str = "America/New_York", days: int = 190) -> list[tuple[datetime, datetime]]:
    spans = busy_times(body, question(zone, days)).spans
    return [(to_instant(start), to_instant(end)) for start, end in spans]


def utc(day: int, hour: int, minute: int = 0, month: int = 12, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def one(properties: str, head: str = "", zone: str = "America/New_York") -> list[tuple[datetime, datetime]]:
    return busy(calendar_of(properties, head=head), zone)


def test_a_plain_event_in_utc() -> None:
    assert one("DTSTART:20261202T100000Z\nDTEND:20261202T110000Z") == [(utc(2, 10), utc(2, 11))]


def test_seconds_are_rounded_outwards_and_no_length_is_no_time() -> None:
    assert one("DTSTART:20261202T100030Z\nDTEND:20261202T110001Z") == [(utc(2, 10), utc(2, 11, 1))]
    assert one("DTSTART:20261202T100000Z") == []


def test_zones_by_name_by_rules_floating_and_windows() -> None:
    day = "20261202T100000"
    named = f"DTSTART;TZID=Asia/Kolkata:{day}\nDURATION:PT30M"
    assert one(named) == [(utc(2, 4, 30), utc(2, 5))]
    assert one(f"DTSTART:{day}\nDURATION:PT30M") == [(utc(2, 15), utc(2, 15, 30))]
    assert one(f"DTSTART:{day}\nDURATION:PT30M", zone="Asia/Kathmandu") == [(utc(2, 4, 15), utc(2, 4, 45))]
    assert one(f"DTSTART;TZID=Eastern Standard Time:{day}\nDURATION:PT30M") == [(utc(2, 15), utc(2, 15, 30))]
    assert one(f"DTSTART:{day}\nDURATION:PT30M", head="X-WR-TIMEZONE:Europe/Berlin") == [(utc(2, 9), utc(2, 9, 30))]


def test_a_zone_that_only_the_file_knows() -> None:
    head = (
        "BEGIN:VTIMEZONE TZID:Ward BEGIN:STANDARD DTSTART:19701025T030000 TZOFFSETFROM:+0430 TZOFFSETTO:+0330 "
        "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU END:STANDARD BEGIN:DAYLIGHT DTSTART:19700329T020000 "
        "TZOFFSETFROM:+0330 TZOFFSETTO:+0430 RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU END:DAYLIGHT END:VTIMEZONE"
    )
    assert one("DTSTART;TZID=Ward:20261202T100000\nDURATION:PT30M", head=head) == [(utc(2, 6, 30), utc(2, 7))]
    assert one("DTSTART;TZID=Ward:20270502T100000\nDURATION:PT30M", head=head) == [
        (utc(2, 5, 30, 5, 2027), utc(2, 6, 0, 5, 2027))
    ]


def test_whole_days_are_days_of_the_calendar_s_zone() -> None:
    assert one("DTSTART;VALUE=DATE:20261202") == [(utc(2, 5), utc(3, 5))]
    assert one("DTSTART;VALUE=DATE:20261202\nDTEND;VALUE=DATE:20261205") == [(utc(2, 5), utc(5, 5))]
    assert one("DTSTART;VALUE=DATE:20261202", head="X-WR-TIMEZONE:Asia/Tokyo") == [(utc(1, 15), utc(2, 15))]
    # The day on which clocks go forward has 23 hours.
    [(start, end)] = one("DTSTART;VALUE=DATE:20270314")
    assert end - start == timedelta(hours=23)


def test_free_transparent_and_canceled_close_nothing() -> None:
    at = "DTSTART:20261202T100000Z\nDTEND:20261202T110000Z\n"
    assert one(at + "TRANSP:TRANSPARENT") == []
    assert one(at + "STATUS:CANCELLED") == []
    assert one(at + "X-MICROSOFT-CDO-BUSYSTATUS:FREE") == []
    assert one(at + "STATUS:TENTATIVE") == [(utc(2, 10), utc(2, 11))]


def test_repetitions_with_exceptions_moves_and_cancellations() -> None:
    found = busy(
        calendar_of(
            "UID:a\nDTSTART:20261202T100000Z\nDTEND:20261202T110000Z\nRRULE:FREQ=WEEKLY;COUNT=6\n"
            "EXDATE:20261209T100000Z\nRDATE:20261204T100000Z",
            "UID:a\nRECURRENCE-ID:20261216T100000Z\nDTSTART:20261217T080000Z\nDTEND:20261217T083000Z",
            "UID:a\nRECURRENCE-ID:20261223T100000Z\nDTSTART:20261223T100000Z\nDTEND:20261223T110000Z\nSTATUS:CANCELLED",
        )
    )
    starts = [utc(2, 10), utc(4, 10), utc(17, 8), utc(30, 10), utc(6, 10, month=1, year=2027)]
    assert [start for start, _ in found] == starts


def test_a_weekly_time_keeps_its_wall_clock_through_the_change() -> None:
    found = one("DTSTART;TZID=America/New_York:20270301T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=4")
    assert [start.hour for start, _ in found] == [14, 14, 13, 13]
    assert {start.astimezone(NEW_YORK).hour for start, _ in found} == {9}


def test_what_began_long_ago_reaches_in_and_overlaps_are_one() -> None:
    assert one("DTSTART:20261115T000000Z\nDTEND:20261202T000000Z") == [(SINCE, utc(2, 0))]
    both = calendar_of(
        "DTSTART:20261202T100000Z\nDTEND:20261202T110000Z", "DTSTART:20261202T103000Z\nDTEND:20261202T120000Z"
    )
    assert busy(both) == [(utc(2, 10), utc(2, 12))]


def test_our_own_visits_don_t_close_their_own_time() -> None:
    ours = "UID:appointment-7@clinic.example.com\nDTSTART:20261202T100000Z\nDTEND:20261202T110000Z"
    assert one(ours) == []
    assert one(ours.replace("@clinic", "@other")) == [(utc(2, 10), utc(2, 11))]


def test_free_busy_files() -> None:
    body = (
        b"BEGIN:VCALENDAR\r\nBEGIN:VFREEBUSY\r\nUID:f\r\nFREEBUSY:20261202T100000Z/PT1H,20261203T100000Z/20261203T113000Z\r\n"
        b"FREEBUSY;FBTYPE=FREE:20261204T100000Z/PT1H\r\nEND:VFREEBUSY\r\nEND:VCALENDAR\r\n"
    )
    assert busy(body) == [(utc(2, 10), utc(2, 11)), (utc(3, 10), utc(3, 11, 30))]


def test_one_broken_event_doesn_t_spoil_the_others() -> None:
    body = calendar_of(
        "DTSTART:banana",
        "SUMMARY:No start",
        "DTSTART:20261202T100000Z\nDTEND:20261201T100000Z",
        "DTSTART:20261202T100000Z\nDTEND:20261202T110000Z",
        "DTSTART:20261203T100000Z\nDTEND:20261203T110000Z\nRRULE:FREQ=NEVER",
    )
    found = busy_times(body, question())
    assert (to_minute(utc(2, 10)), to_minute(utc(2, 11))) in found.spans
    assert found.note == "broken-events"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not-a-calendar"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "not-a-calendar"),
        (b'{"calendar": []}', "not-a-calendar"),
        (bytes(range(256)) * 20, "not-a-calendar"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTST", "not-a-calendar"),
        (b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\nEND:VEVENT\r\n" * 10_001 + b"END:VCALENDAR", "too-many-events"),
        (calendar_of("DTSTART:20261202T100000Z\nDURATION:PT1M\nRRULE:FREQ=SECONDLY"), "repeats-too-often"),
        (calendar_of("DTSTART:20261202T100000Z\nDURATION:PT1M\nRRULE:FREQ=MINUTELY;INTERVAL=2"), "repeats-too-often"),
        (
            calendar_of(
                *[f"DTSTART:202612{1 + n % 20:02d}T000000Z\nDURATION:PT1M\nRRULE:FREQ=HOURLY" for n in range(4)]
            ),
            "repeats-too-often",
        ),
    ],
)
def test_what_is_no_calendar_or_means_harm(body: bytes, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bedside.schedule.busy.MAX_OCCURRENCES", 2000)
    with pytest.raises(BadCalendar) as caught:
        busy_times(body, question())
    assert caught.value.code == code


def test_a_process_of_its_own_answers_the_same() -> None:
    body = calendar_of("DTSTART:20261202T100000Z\nDTEND:20261202T110000Z\nRRULE:FREQ=DAILY")
    assert expansion.expand(body, question()) == busy_times(body, question())
    with pytest.raises(BadCalendar, match="not-a-calendar"):
        expansion.expand(b"<html>", question())


MANY = ",".join(str(n) for n in range(60))


@pytest.mark.parametrize(
    "rule",
    [
        f"FREQ=DAILY;BYHOUR={','.join(str(n) for n in range(24))};BYMINUTE={MANY};BYSECOND={MANY}",
        "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
    ],
)
def test_a_rule_that_explodes_is_stopped_from_outside(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expansion, "SECONDS", 2.5)
    body = calendar_of(f"DTSTART:20200101T100000Z\nDURATION:PT1S\nRRULE:{rule}")
    started = time.monotonic()
    with pytest.raises(BadCalendar, match="too-complex"):
        expansion.expand(body, question())
    assert time.monotonic() - started < 6


@given(
    starts=st.lists(st.integers(0, 60 * 24 * 60), max_size=6),
    length=st.integers(1, 3000),
    zone=st.sampled_from(["America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
)
def test_any_single_events_come_out_as_they_are(starts: list[int], length: int, zone: str) -> None:
    events, wanted = [], set()
    for start in starts:
        at = SINCE + timedelta(minutes=start)
        local = at.astimezone(ZoneInfo(zone))
        if local.replace(fold=0).astimezone(UTC) != at:
            continue  # the second time of a doubled hour can't be written with a zone's name
        events.append(f"DTSTART;TZID={zone}:{local:%Y%m%dT%H%M%S}\nDURATION:PT{length}M")
        wanted |= {to_minute(at) + minute for minute in range(length)}
    if not events:
        return
    found = busy_times(calendar_of(*events), question())
    assert {minute for start, end in found.spans for minute in range(start, end)} == wanted
    assert all(earlier[1] < later[0] for earlier, later in zip(found.spans, found.spans[1:], strict=False))
