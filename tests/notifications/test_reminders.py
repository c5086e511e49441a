"""Reminders: real hours before the visit, to everyone, on both channels, and none that comes too late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from bedside.clinic.models import Service
from bedside.core import clock as house_clock
from bedside.notifications import sending
from bedside.notifications.models import Notification
from bedside.notifications.reminders import LEAD_TIMES, queue_reminders, reminder_times
from tests.conftest import TestClock
from tests.factories import make_appointment, make_service
from tests.notifications.conftest import Vendor

ON = {"24h": True, "1h": True}
NOW = datetime(2026, 12, 1, 15, 0, tzinfo=UTC)


def test_both_are_due_their_hours_before() -> None:
    start = NOW + timedelta(days=3)
    assert reminder_times(start, NOW, LEAD_TIMES, ON) == {
        "24h": start - timedelta(hours=24),
        "1h": start - timedelta(hours=1),
    }


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        (timedelta(hours=25), {"24h", "1h"}),
        (timedelta(hours=24), {"1h"}),
        (timedelta(hours=3), {"1h"}),
        (timedelta(hours=1), set()),
        (timedelta(minutes=5), set()),
    ],
)
def test_a_visit_booked_inside_a_lead_time_gets_no_such_reminder(ahead: timedelta, expected: set[str]) -> None:
    assert set(reminder_times(NOW + ahead, NOW, LEAD_TIMES, ON)) == expected


def test_a_day_before_is_24_real_hours_where_the_clocks_change_between() -> None:
    zone = ZoneInfo("America/New_York")
    start = datetime(2027, 3, 14, 10, 0, tzinfo=zone)  # the night before, 2:00 became 3:00
    due = reminder_times(start, NOW, LEAD_TIMES, ON)["24h"]
    assert due == datetime(2027, 3, 13, 9, 0, tzinfo=zone)


@given(
    ahead=st.timedeltas(min_value=timedelta(days=-2), max_value=timedelta(days=400)),
    toggles=st.fixed_dictionaries({"24h": st.booleans(), "1h": st.booleans()}),
)
def test_every_reminder_lies_between_now_and_the_start_and_is_switched_on(
    ahead: timedelta, toggles: dict[str, bool]
) -> None:
    start = NOW + ahead
    due = reminder_times(start, NOW, LEAD_TIMES, toggles)
    assert all(NOW < at < start for at in due.values())
    assert set(due) == {name for name, lead in LEAD_TIMES.items() if toggles[name] and start - lead > NOW}


@pytest.mark.django_db
def test_everyone_is_reminded_twice_on_both_channels_once_each() -> None:
    visit = make_appointment(make_service(), status="paid", start=house_clock.now() + timedelta(days=5))
    queue_reminders(visit)
    queue_reminders(visit)
    rows = Notification.objects.filter(appointment=visit).values_list("variant", "audience", "channel", "status")
    assert len(rows) == 8
    assert set(rows) == {
        (variant, audience, channel, "queued")
        for variant in ("24h", "1h")
        for audience in ("patient", "provider")
        for channel in ("email", "sms")
    }


@pytest.mark.django_db
def test_a_reminder_that_the_service_switched_off_is_not_queued() -> None:
    service = make_service(reminder_24h_email=False, reminder_24h_sms=False, reminder_1h_sms=False)
    visit = make_appointment(service, status="paid", start=house_clock.now() + timedelta(days=5))
    assert {(reminder.variant, reminder.channel) for reminder in queue_reminders(visit)} == {("1h", "email")}


@pytest.mark.django_db
def test_a_service_s_own_lead_times_hold_on_each_channel() -> None:
    service = make_service(first_reminder_hours=48, last_reminder_minutes=120, reminder_24h_sms=False)
    visit = make_appointment(service, status="paid", start=house_clock.now() + timedelta(days=5))
    due = {(one.variant, one.channel): visit.start - one.due_at for one in queue_reminders(visit)}
    assert due == {
        ("24h", "email"): timedelta(hours=48),
        ("1h", "email"): timedelta(hours=2),
        ("1h", "sms"): timedelta(hours=2),
    }


@pytest.mark.django_db
def test_a_booking_inside_the_first_lead_time_gets_the_last_reminder_only() -> None:
    for service, ahead in ((make_service(), 23), (make_service(first_reminder_hours=48), 47)):
        visit = make_appointment(service, status="paid", start=house_clock.now() + timedelta(hours=ahead))
        assert {one.variant for one in queue_reminders(visit)} == {"1h"}


@pytest.mark.django_db
def test_a_reminder_that_is_switched_off_meanwhile_is_withdrawn_when_it_fires(vendor: Vendor, clock: TestClock) -> None:
    service = make_service()
    visit = make_appointment(service, status="paid", start=house_clock.now() + timedelta(days=2))
    queue_reminders(visit)
    Service.objects.filter(pk=service.pk).update(reminder_24h_email=False)
    clock.set(visit.start - timedelta(hours=24))
    for one in Notification.objects.filter(variant="24h", audience="patient"):
        sending.send(one.pk)
    fates = Notification.objects.filter(variant="24h", audience="patient").values_list(
        "channel", "status", "error_code"
    )
    assert set(fates) == {("email", "withdrawn", "switched-off"), ("sms", "sent", "")}


@pytest.mark.django_db
def test_the_database_refuses_a_last_reminder_before_the_first() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make_service(first_reminder_hours=2, last_reminder_minutes=120)
