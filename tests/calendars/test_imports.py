"""Busy times of other calendars close openings; failures keep what was read last, and are told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from bedside.appointments.errors import NotOffered
from bedside.clinic.models import Provider, Service
from bedside.core.audit import Actor
from bedside.core.errors import NotFound, PermissionRefused
from bedside.core.models import Alert, AuditEntry, Event
from bedside.flows import imports
from bedside.flows.book import book
from bedside.flows.details import Consent, PatientDetails
from bedside.flows.imports import CalendarRefused, read_due, refresh
from bedside.reports.clashes import clashes
from bedside.schedule import importing, openings
from bedside.schedule.busy import busy_times
from bedside.schedule.models import BusyBlock, ExternalCalendar
from tests.calendars.servers import CalendarServer, calendar_of
from tests.factories import make_appointment, make_provider, make_service, make_user

pytestmark = pytest.mark.django_db
# 10:00 to 12:00 in New York.
BUSY = "DTSTART:20261203T150000Z\nDTEND:20261203T170000Z"
START = datetime(2026, 12, 3, 16, tzinfo=UTC)
DAY = START.date()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Expansion without a process of its own, which takes half a second."""
    monkeypatch.setattr(importing, "expand", busy_times)


@pytest.fixture
def service(provider: Provider) -> Service:
    return make_service(provider, prep_minutes=0, wrap_minutes=0)


@pytest.fixture
def add(provider: Provider, at_once: None) -> Callable[..., ExternalCalendar]:
    def adds(url: str, *, whose: Provider = provider, name: str = "Family") -> ExternalCalendar:
        made = imports.add(provider=whose, name=name, url=url, actor=Actor.system())
        refresh.plain(calendar_id=made.pk)
        made.refresh_from_db()
        return made

    return adds


def starts(service: Service) -> set[datetime]:
    found = openings.openings(service=service, first=DAY, last=DAY, timezone="America/New_York")
    return {opening.start for opening in found}


def blocks() -> list[tuple[datetime, datetime]]:
    return list(BusyBlock.objects.order_by("start").values_list("start", "end"))


def read_again(calendar: ExternalCalendar) -> ExternalCalendar:
    refresh.plain(calendar_id=calendar.pk)
    calendar.refresh_from_db()
    return calendar


def test_busy_times_close_openings_and_removing_opens_them(server: CalendarServer, service: Service, add: Any) -> None:
    before = starts(service)
    calendar = add(server.serve("/a.ics", calendar_of(BUSY), ETag='"1"'))
    assert (calendar.error, calendar.failures, calendar.etag) == ("", 0, '"1"')
    closed = before - starts(service)
    assert min(closed) == datetime(2026, 12, 3, 14, 45, tzinfo=UTC)  # a visit of half an hour would reach into it
    assert max(closed) == datetime(2026, 12, 3, 16, 45, tzinfo=UTC)
    imports.remove(provider=calendar.provider, calendar_id=calendar.pk, actor=Actor.system())
    assert starts(service) == before
    assert not BusyBlock.objects.exists()


def test_buffers_keep_clear_of_busy_times(server: CalendarServer, provider: Provider, add: Any) -> None:
    add(server.serve("/a.ics", calendar_of(BUSY)))
    service = make_service(provider, prep_minutes=15, wrap_minutes=15)
    assert datetime(2026, 12, 3, 14, 15, tzinfo=UTC) in starts(service)
    assert datetime(2026, 12, 3, 14, 30, tzinfo=UTC) not in starts(service)
    assert datetime(2026, 12, 3, 17, 0, tzinfo=UTC) not in starts(service)
    assert datetime(2026, 12, 3, 17, 15, tzinfo=UTC) in starts(service)


def test_nobody_can_book_into_it(server: CalendarServer, service: Service, provider: Provider, add: Any) -> None:
    add(server.serve("/a.ics", calendar_of(BUSY)))
    details = PatientDetails("Alex Morgan", "alex@example.com", "+12025550143", "America/New_York", "en")
    with pytest.raises(NotOffered) as refused:
        book(service=service, start=START, provider=provider, details=details, consent=Consent(True, "Yes.", "web"))
    assert refused.value.alternatives
    assert not provider.appointments.exists()


def test_the_other_provider_is_offered_and_busy_times_count_as_no_visits(
    server: CalendarServer, provider: Provider, add: Any
) -> None:
    colleague = make_provider()
    service = make_service(provider, colleague)
    add(server.serve("/a.ics", calendar_of(BUSY)))
    assert openings.providers_for(service, START) == [colleague]
    make_appointment(service, provider=colleague, start=START + timedelta(hours=5))
    # One visit that day against none: busy times are no visits.
    assert openings.providers_for(service, START + timedelta(hours=2)) == [provider, colleague]


def test_visits_and_several_calendars_may_overlap(server: CalendarServer, service: Service, add: Any) -> None:
    make_appointment(service, start=START)
    add(server.serve("/a.ics", calendar_of(BUSY)))
    add(server.serve("/b.ics", calendar_of("DTSTART:20261203T160000Z\nDTEND:20261203T180000Z")), name="Work")
    free = starts(service)
    assert not {start for start in free if START - timedelta(minutes=89) < start < START + timedelta(hours=2)}
    assert datetime(2026, 12, 3, 18, tzinfo=UTC) in free


def test_the_same_file_again_is_not_read_again_the_same_day(
    server: CalendarServer, add: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calendar = add(server.serve("/a.ics", calendar_of(BUSY), ETag='"1"', Last_Modified="Tue, 01 Dec 2026 00:00:00 GMT"))
    events = Event.objects.count()
    read_again(calendar)
    assert server.seen[-1][1]["if-none-match"] == '"1"'
    assert server.seen[-1][1]["if-modified-since"] == "Tue, 01 Dec 2026 00:00:00 GMT"
    server.serve("/a.ics", b"", status=304)
    clock.forward(timedelta(minutes=20))
    assert read_again(calendar).fetched_at == clock.now()
    assert (blocks(), Event.objects.count()) == ([(START - timedelta(hours=1), START + timedelta(hours=1))], events)
    clock.forward(timedelta(days=1))
    read_again(calendar)
    assert "if-none-match" not in server.seen[-1][1]  # once a day whole: what repeats reaches further


def test_repetitions_reach_further_each_day(server: CalendarServer, add: Any, clock: Any) -> None:
    daily = calendar_of("DTSTART:20261101T150000Z\nDTEND:20261101T160000Z\nRRULE:FREQ=DAILY")
    calendar = add(server.serve("/a.ics", daily))
    last = blocks()[-1][0]
    clock.forward(timedelta(days=3))
    read_again(calendar)
    assert blocks()[-1][0] == last + timedelta(days=3)
    assert blocks()[0][0] >= clock.now() - timedelta(days=2)


def test_a_change_is_followed(server: CalendarServer, service: Service, add: Any) -> None:
    calendar = add(server.serve("/a.ics", calendar_of(BUSY)))
    server.serve("/a.ics", calendar_of("DTSTART:20261203T190000Z\nDTEND:20261203T200000Z"))
    read_again(calendar)
    assert START in starts(service)
    assert datetime(2026, 12, 3, 19, tzinfo=UTC) not in starts(service)
    assert Event.objects.filter(name="AvailabilityUpdated").count() == 2


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"<html>Sign in</html>", 200, "not-a-calendar"),
        (b"BEGIN:VCALENDAR\r\nnonsense", 200, "malformed"),
        (b"", 500, "http-500"),
        (b"", 404, "http-404"),
        (calendar_of("DTSTART:20261202T100000Z\nDURATION:PT1M\nRRULE:FREQ=SECONDLY"), 200, "repeats-too-often"),
        (b"BEGIN:VCALENDAR\r\n" + b"x" * 5_000_000, 200, "too-large"),
    ],
)
def test_a_failure_keeps_the_last_good_times(
    server: CalendarServer, service: Service, add: Any, body: bytes, status: int, error: str
) -> None:
    calendar = add(server.serve("/a.ics", calendar_of(BUSY)))
    server.serve("/a.ics", body, status=status)
    calendar = read_again(calendar)
    assert (calendar.error, calendar.failures) == (error, 1)
    assert blocks() == [(START - timedelta(hours=1), START + timedelta(hours=1))]
    assert START not in starts(service)


def test_failing_on_raises_an_alert_and_pauses_grow(server: CalendarServer, add: Any, clock: Any) -> None:
    calendar = add(server.serve("/a.ics", b"", status=500))
    pauses = []
    for _ in range(8):
        pauses.append(calendar.next_try_at - clock.now())
        alert = Alert.objects.filter(kind="calendar-import-failed", resolved_at=None).exists()
        assert alert == (calendar.failures >= 3)
        clock.set(calendar.next_try_at)
        calendar = read_again(calendar)
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (timedelta(minutes=15), timedelta(hours=6))
    server.serve("/a.ics", calendar_of(BUSY))
    calendar = read_again(calendar)
    assert (calendar.failures, calendar.error) == (0, "")
    assert not Alert.objects.filter(resolved_at=None).exists()


def test_the_periodic_job_asks_for_those_that_are_due(server: CalendarServer, add: Any, clock: Any) -> None:
    calendar = add(server.serve("/a.ics", calendar_of(BUSY)))

    def waiting() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'flows.read_calendar' AND status = 'todo'"
            )
            return int(cursor.fetchone()[0])

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    read_due.plain()
    assert waiting() == 0
    clock.set(calendar.next_try_at)
    read_due.plain()
    read_due.plain()
    assert waiting() == 1


def test_a_calendar_removed_while_it_was_read_leaves_nothing(
    server: CalendarServer, provider: Provider, add: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calendar = add(server.serve("/a.ics", b"<html>"))

    def removed_meanwhile(body: bytes, question: Any) -> Any:
        imports.remove(provider=provider, calendar_id=calendar.pk, actor=Actor.system())
        return busy_times(calendar_of(BUSY), question)

    monkeypatch.setattr(importing, "expand", removed_meanwhile)
    refresh.plain(calendar_id=calendar.pk)
    assert not BusyBlock.objects.exists()
    refresh.plain(calendar_id=calendar.pk)


def test_a_clash_with_a_booked_visit_is_shown(
    server: CalendarServer, service: Service, provider: Provider, portal: Client, desk: Client, add: Any
) -> None:
    visit = make_appointment(service, start=START)
    make_appointment(service, start=START + timedelta(hours=3))
    make_appointment(service, start=START + timedelta(minutes=30), status="canceled")
    make_appointment(start=START)
    add(server.serve("/a.ics", calendar_of(BUSY)))
    assert [(one.code, one.clashing_calendar) for one in clashes()] == [(visit.code, "Family")]  # type: ignore[attr-defined]
    assert clashes(provider) == [visit]
    for browser, page in ((portal, "/portal/calendars"), (desk, f"/desk/calendars/{provider.slug}"), (desk, "/desk/")):
        text = browser.get(page).content.decode()
        assert visit.code in text
        assert "busy in Family" in text


def test_the_page_adds_reads_and_removes(
    server: CalendarServer, portal: Client, provider: Provider, at_once: None
) -> None:
    url = server.serve("/a.ics", calendar_of(BUSY))
    answer = portal.post("/portal/calendars", {"do": "add-import", "url": f"  {url} ", "name": "Family"})
    assert (answer.status_code, answer["Location"]) == (303, "/portal/calendars#imports")
    calendar = ExternalCalendar.objects.get()
    assert calendar.url == url
    assert "Being read" in portal.get("/portal/calendars").content.decode()
    refresh.plain(calendar_id=calendar.pk)
    page = portal.get("/portal/calendars").content.decode()
    assert "1 busy time to come" in page
    assert url not in page
    portal.post("/portal/calendars", {"do": "read-now", "calendar": calendar.pk})
    portal.post("/portal/calendars", {"do": "remove-import", "calendar": calendar.pk})
    assert not ExternalCalendar.objects.exists()
    actions = AuditEntry.objects.filter(action__startswith="calendar_import").order_by("pk")
    assert [entry.action for entry in actions] == ["calendar_import.added", "calendar_import.removed"]
    assert url not in str(list(actions.values()))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "Paste the calendar"),
        ("not an address", "full web address"),
        ("ftp://example.com/a.ics", "full web address"),
        ("https://u:p@example.com/a.ics", "full web address"),
        ("http://127.0.0.1/a.ics", "private network"),
        ("webcal://169.254.169.254/latest", "private network"),
        ("https://example.com/" + "a" * 2001, "too long"),
    ],
)
def test_addresses_that_are_refused_at_once(portal: Client, url: str, says: str) -> None:
    answer = portal.post("/portal/calendars", {"do": "add-import", "url": url, "name": "Family"})
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not ExternalCalendar.objects.exists()


def test_twice_the_same_and_more_than_ten(provider: Provider) -> None:
    def add(url: str) -> None:
        imports.add(provider=provider, name="x", url=url, actor=Actor.system())

    add("webcal://calendar.example.com/a.ics")
    with pytest.raises(CalendarRefused, match="calendar-refused"):
        add("https://calendar.example.com/a.ics")
    for n in range(9):
        add(f"https://calendar.example.com/{n}.ics")
    with pytest.raises(CalendarRefused):
        add("https://calendar.example.com/more.ics")
    assert provider.external_calendars.count() == 10


def test_everybody_s_own(portal: Client, provider: Provider, server: CalendarServer, add: Any) -> None:
    other = make_provider(user=make_user("provider"))
    theirs = add(server.serve("/a.ics", calendar_of(BUSY)), whose=other, name="Theirs")
    for deed in ("read-now", "remove-import"):
        assert portal.post("/portal/calendars", {"do": deed, "calendar": theirs.pk}).status_code == 404
    for odd in ("", "x", "-1", "9" * 30, "١"):
        assert portal.post("/portal/calendars", {"do": "remove-import", "calendar": odd}).status_code == 404
    me = Actor("provider", provider.user_id)
    with pytest.raises(PermissionRefused):
        imports.remove(provider=other, calendar_id=theirs.pk, actor=me)
    with pytest.raises(NotFound):
        imports.remove(provider=provider, calendar_id=theirs.pk, actor=me)
    assert ExternalCalendar.objects.filter(pk=theirs.pk).exists()
    assert "Theirs" not in portal.get("/portal/calendars").content.decode()


def test_our_own_feed_imported_again_closes_nothing(
    server: CalendarServer, client: Client, service: Service, provider: Provider, add: Any
) -> None:
    from bedside.flows import feed

    make_appointment(service, start=START)
    token = feed.open_feed(provider=provider, actor=Actor.system()).token
    add(server.serve("/mine.ics", client.get(f"/calendars/{token}.ics").content))
    assert blocks() == []


def test_for_real_with_a_process_of_its_own(server: CalendarServer, provider: Provider) -> None:
    calendar = imports.add(
        provider=provider, name="x", url=server.serve("/a.ics", calendar_of(BUSY)), actor=Actor.system()
    )
    refresh.plain(calendar_id=calendar.pk)
    assert blocks() == [(START - timedelta(hours=1), START + timedelta(hours=1))]


def test_windows_stay_what_the_rules_say(
    server: CalendarServer, service: Service, provider: Provider, add: Any
) -> None:
    """Busy times are taken out when openings are asked for: removing a calendar needs no rebuild."""
    from bedside.schedule.rebuild import rebuild_windows, verify_provider

    rebuild_windows(provider)
    before = starts(service)
    calendar = add(server.serve("/a.ics", calendar_of(BUSY)))
    assert not rebuild_windows(provider)
    assert verify_provider(provider) is None
    imports.remove(provider=provider, calendar_id=calendar.pk, actor=Actor.system())
    assert starts(service) == before
