"""A provider's feed: private, revocable, discreet, and read back by another library as what was booked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from django.test import Client

from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.clinic.models import Provider
from bedside.core import clock
from bedside.core.audit import Actor
from bedside.core.models import AuditEntry
from bedside.flows import cancel, feed
from bedside.schedule.models import CalendarFeed
from tests.factories import make_appointment, make_provider, make_service, make_user

pytestmark = pytest.mark.django_db
ADMIN = Actor("admin", 1, "Desk")


@pytest.fixture
def address(provider: Provider) -> str:
    return path_of(feed.open_feed(provider=provider, actor=Actor("provider", provider.user_id)))


def path_of(opened: CalendarFeed) -> str:
    return f"/calendars/{opened.token}.ics"


def events_at(client: Client, address: str) -> dict[str, Any]:
    response = client.get(address)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    calendar = icalendar.Calendar.from_ical(response.content)
    return {str(event["UID"]): event for event in calendar.events}


def only_event_at(client: Client, address: str) -> Any:
    [event] = events_at(client, address).values()
    return event


def move(old: Appointment, start: datetime, provider: Provider | None = None) -> Appointment:
    """As the reschedule flow leaves the rows."""
    old.move_to(Status.RESCHEDULED)
    old.save()
    return make_appointment(old.service, start=start, rescheduled_from=old, provider=provider or old.provider)


def test_a_round_trip_gives_the_visits_that_were_booked(client: Client, provider: Provider, address: str) -> None:
    service = make_service(provider)
    start = datetime(2026, 12, 3, 10, tzinfo=provider.zone)
    booked = [make_appointment(service, start=start + timedelta(days=n)) for n in range(4)]
    make_appointment()  # somebody else's
    calendar = icalendar.Calendar.from_ical(client.get(address).content)
    found = recurring_ical_events.of(calendar).between(clock.now(), clock.now() + timedelta(days=30))
    assert [(e.start, e.end) for e in found] == [(a.start, a.end) for a in booked]
    assert {e["STATUS"] for e in found} == {"CONFIRMED"}


def test_the_zone_is_the_provider_s_and_its_rules_are_in_the_file(client: Client) -> None:
    provider = make_provider(timezone="Australia/Lord_Howe", user=make_user("provider"))
    address = path_of(feed.open_feed(provider=provider, actor=ADMIN))
    start = datetime(2027, 4, 6, 10, tzinfo=ZoneInfo("Australia/Lord_Howe"))  # after its half-hour change
    make_appointment(make_service(provider), start=start)
    calendar = icalendar.Calendar.from_ical(client.get(address).content)
    [event] = calendar.events
    assert event["DTSTART"].params["TZID"] == "Australia/Lord_Howe"
    [zone] = calendar.timezones
    # Whoever doesn't know the name works it out from the rules in the file.
    assert zone.to_tz(lookup_tzid=False).utcoffset(datetime(2027, 4, 6, 10)) == timedelta(hours=10, minutes=30)
    assert zone.to_tz(lookup_tzid=False).utcoffset(datetime(2027, 4, 3, 10)) == timedelta(hours=11)
    assert event.start.astimezone(UTC) == start.astimezone(UTC)


def test_entries_are_discreet(client: Client, provider: Provider, address: str) -> None:
    service = make_service(provider, name="Anxiety follow-up", discreet_name="Video visit")
    visit = make_appointment(service, patient_name="Alex Morgan")
    text = client.get(address).content.decode().replace("\r\n ", "")
    assert "Anxiety" not in text
    assert "Alex" not in text
    assert f"Video visit\\, {visit.code}" in text
    assert visit.token not in text


def test_only_the_desk_lets_entries_name_patients(
    client: Client, portal: Client, desk: Client, provider: Provider, address: str
) -> None:
    make_appointment(make_service(provider), patient_name="Alex Morgan")
    before = client.get(address)["ETag"]
    portal.post("/portal/calendars", {"do": "name-patients", "allowed": "yes"})
    assert "Alex" not in str(only_event_at(client, address)["SUMMARY"])
    desk.post(f"/desk/calendars/{provider.slug}", {"do": "name-patients", "allowed": "yes"})
    assert "Alex Morgan" in str(only_event_at(client, address)["SUMMARY"])
    assert client.get(address)["ETag"] != before


def test_a_move_keeps_the_uid_and_grows_the_sequence(client: Client, provider: Provider, address: str) -> None:
    visit = make_appointment(make_service(provider))
    first = only_event_at(client, address)
    seen = [int(first["SEQUENCE"])]
    for days in (1, 2, 3):
        visit = move(visit, visit.start + timedelta(days=days))
        event = only_event_at(client, address)
        assert event["UID"] == first["UID"]
        assert event.start == visit.start
        seen.append(int(event["SEQUENCE"]))
    cancel.cancel(appointment_id=visit.pk, actor=ADMIN)
    event = only_event_at(client, address)
    assert (event["UID"], event["STATUS"]) == (first["UID"], "CANCELLED")
    seen.append(int(event["SEQUENCE"]))
    assert seen == sorted(set(seen))


def test_a_visit_that_went_to_a_colleague_is_called_off(client: Client, provider: Provider, address: str) -> None:
    colleague = make_provider()
    theirs = path_of(feed.open_feed(provider=colleague, actor=ADMIN))
    visit = make_appointment(make_service(provider, colleague), provider=provider)
    before = only_event_at(client, address)
    back = move(visit, visit.start, provider=colleague)
    gone, here = only_event_at(client, address), only_event_at(client, theirs)
    assert gone["UID"] == here["UID"] == before["UID"]
    assert (gone["STATUS"], here["STATUS"]) == ("CANCELLED", "CONFIRMED")
    assert gone["SEQUENCE"] > before["SEQUENCE"]
    move(back, visit.start, provider=provider)
    again = only_event_at(client, address)
    assert again["STATUS"] == "CONFIRMED"
    assert again["SEQUENCE"] > gone["SEQUENCE"]


def test_cancellations_stay_some_weeks_and_unpaid_holds_never_show(
    client: Client, provider: Provider, address: str, clock: Any
) -> None:
    service = make_service(provider)
    visit = make_appointment(service, paid_at=clock.now())
    make_appointment(service, start=visit.start + timedelta(hours=1), status="pending_payment")
    make_appointment(service, start=visit.start + timedelta(hours=2), status="canceled")
    cancel.cancel(appointment_id=visit.pk, actor=ADMIN)
    assert only_event_at(client, address)["STATUS"] == "CANCELLED"
    clock.forward(timedelta(weeks=5))
    assert len(events_at(client, address)) == 1
    clock.forward(timedelta(weeks=2))
    assert not events_at(client, address)


def test_a_program_that_has_it_gets_304_until_something_changes(
    client: Client, provider: Provider, address: str, clock: Any
) -> None:
    visit = make_appointment(make_service(provider), paid_at=clock.now())
    first = client.get(address)
    by_tag = {"HTTP_IF_NONE_MATCH": first["ETag"]}
    by_date = {"HTTP_IF_MODIFIED_SINCE": first["Last-Modified"]}
    for headers in (by_tag, by_date):
        same = client.get(address, **headers)
        assert (same.status_code, same.content) == (304, b"")
        assert same["ETag"] == first["ETag"]
    clock.forward(timedelta(minutes=1))
    cancel.cancel(appointment_id=visit.pk, actor=ADMIN)
    for headers in (by_tag, by_date):
        assert client.get(address, **headers).status_code == 200


def test_revoking_closes_it_at_once(client: Client, portal: Client, provider: Provider) -> None:
    portal.post("/portal/calendars", {"do": "open-feed"})
    first = CalendarFeed.objects.get()
    assert client.get(path_of(first)).status_code == 200
    portal.post("/portal/calendars", {"do": "open-feed"})
    second = CalendarFeed.objects.get(revoked_at=None)
    assert client.get(path_of(first)).status_code == 404
    assert client.get(path_of(second)).status_code == 200
    portal.post("/portal/calendars", {"do": "revoke-feed"})
    assert client.get(path_of(second)).status_code == 404
    actions = AuditEntry.objects.filter(action__startswith="calendar_feed.").order_by("pk")
    assert [entry.action.split(".")[1] for entry in actions] == ["opened", "revoked", "opened", "revoked"]


def test_the_address_is_kept_sealed_and_shown_on_asking(portal: Client, provider: Provider) -> None:
    portal.post("/portal/calendars", {"do": "open-feed"})
    token = CalendarFeed.objects.get().token
    assert token not in portal.get("/portal/calendars").content.decode()
    assert token in portal.get("/portal/calendars?show=1").content.decode()
    assert AuditEntry.objects.filter(action="calendar_feed.shown").count() == 1
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT token FROM schedule_calendarfeed")
        assert token.encode() not in bytes(cursor.fetchone()[0])


def test_the_desk_makes_and_revokes_it_too(client: Client, desk: Client, provider: Provider) -> None:
    page = f"/desk/calendars/{provider.slug}"
    assert desk.post(page, {"do": "open-feed"}).status_code == 303
    made = CalendarFeed.objects.get()
    assert client.get(path_of(made)).status_code == 200
    assert "Dr. Elena Rivera" in desk.get(page).content.decode()
    desk.post(page, {"do": "revoke-feed"})
    assert client.get(path_of(made)).status_code == 404


def test_nobody_else_s_hands(portal: Client, provider: Provider) -> None:
    other = make_provider(user=make_user("provider"))
    from bedside.core.errors import PermissionRefused

    with pytest.raises(PermissionRefused):
        feed.open_feed(provider=other, actor=Actor("provider", provider.user_id))
    assert portal.get(f"/desk/calendars/{other.slug}").status_code == 403
    assert not CalendarFeed.objects.exists()


@pytest.mark.parametrize("token", ["nothing", "x" * 300, "%00", "..%2f"])
def test_unknown_addresses(client: Client, provider: Provider, token: str) -> None:
    assert client.get(f"/calendars/{token}.ics").status_code == 404


def test_a_button_nobody_knows_changes_nothing(portal: Client) -> None:
    assert portal.post("/portal/calendars", {"do": "explode"}).status_code == 400


def test_queries_don_t_grow_with_visits(
    client: Client, provider: Provider, address: str, django_assert_max_num_queries: Any
) -> None:
    service = make_service(provider)
    for n in range(8):
        make_appointment(service, start=datetime(2026, 12, 5, 15, tzinfo=UTC) + timedelta(days=n))
    with django_assert_max_num_queries(5):
        client.get(address)
