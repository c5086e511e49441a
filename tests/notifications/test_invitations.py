"""Invitations, parsed back: one entry that moves with the visit and goes with it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from icalendar import Calendar, Event

from bedside.appointments.models import Appointment
from bedside.core import clock as house_clock
from bedside.core.audit import Actor
from bedside.flows import cancel, reschedule
from bedside.notifications import sending
from bedside.notifications.attachments import attachments_for
from bedside.notifications.models import Audience, Channel, Kind, Notification
from bedside.video.models import Meeting
from tests.notifications.conftest import Vendor, a_message

pytestmark = pytest.mark.django_db


def entry(notification: Notification) -> tuple[str, Event]:
    """The method and the event of the invitation that goes with a message."""
    (file,) = [one for one in attachments_for(notification) if one.name == "visit.ics"]
    calendar = Calendar.from_ical(file.data)
    assert file.content_type == f"text/calendar; method={calendar['METHOD']}"
    assert calendar.walk("VTIMEZONE")
    (event,) = calendar.walk("VEVENT")
    return str(calendar["METHOD"]), event


def test_a_confirmation_invites_with_time_place_and_no_secret(visit: Appointment) -> None:
    Meeting.objects.create(
        appointment=visit, status="ready", meeting_id="1", join_url="https://video.example.com/j/1", host_id="h"
    )
    method, event = entry(a_message(visit))
    assert method == "REQUEST"
    assert event.start == visit.start
    assert event["ATTENDEE"] == f"mailto:{visit.patient_email}"
    assert event["LOCATION"] == "https://video.example.com/j/1"
    assert visit.patient_name not in event.to_ical().decode()
    _method, theirs = entry(a_message(visit, audience=Audience.PROVIDER))
    assert "https://video.example.com" not in theirs.to_ical().decode()
    assert theirs["UID"] == event["UID"]


def test_a_move_moves_the_entry_and_a_cancellation_removes_it(visit: Appointment, vendor: Vendor) -> None:
    Appointment.objects.filter(pk=visit.pk).update(start=visit.start)
    _method, booked = entry(a_message(visit))
    moved_visit = reschedule.reschedule(
        appointment_id=visit.pk, start=visit.start + timedelta(days=2), actor=Actor("admin", 1, "Sam"), reason="asked"
    )
    method, moved = entry(
        Notification.objects.get(appointment=moved_visit, kind=Kind.RESCHEDULED, audience="patient", channel="email")
    )
    assert method == "REQUEST"
    assert moved["UID"] == booked["UID"]
    assert int(moved["SEQUENCE"]) > int(booked["SEQUENCE"])
    assert moved.start == moved_visit.start
    cancel.cancel(appointment_id=moved_visit.pk, actor=Actor("admin", 1, "Sam"), reason="asked")
    method, off = entry(
        Notification.objects.get(appointment=moved_visit, kind=Kind.CANCELED, audience="patient", channel="email")
    )
    assert (method, str(off["STATUS"])) == ("CANCEL", "CANCELLED")
    assert off["UID"] == booked["UID"]
    assert int(off["SEQUENCE"]) > int(moved["SEQUENCE"])


def test_it_goes_out_with_the_email_and_never_with_a_text(visit: Appointment, vendor: Vendor) -> None:
    sending.send(a_message(visit).pk)
    sending.send(a_message(visit, channel=Channel.SMS).pk)
    email, text = vendor.taken
    assert [one.name for one in email["attachments"]] == ["visit.ics"]
    assert not text["attachments"]


@pytest.mark.parametrize("kind", [Kind.REMINDER, Kind.REFUNDED, Kind.MANUAL])
def test_other_kinds_bring_none(visit: Appointment, kind: str) -> None:
    message = a_message(visit, kind=kind, due_at=house_clock.now())
    assert [one.name for one in attachments_for(message) if one.name == "visit.ics"] == []
