"""Today: who waits, the next visits, what failed, and what can be done about each."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bedside.accounts.models import User
from bedside.core import alerts, clock
from bedside.core.models import Alert, AuditEntry, Event
from bedside.notifications.models import Notification
from bedside.video.models import Meeting
from tests.conftest import TestClock
from tests.factories import make_appointment, make_service, make_user

pytestmark = pytest.mark.django_db


def failed_text(n: int = 1, **fields: object) -> Notification:
    return Notification.objects.create(
        appointment=fields.pop("appointment", None) or make_appointment(),
        kind="reminder",
        audience="patient",
        channel="sms",
        idempotency_key=f"key-{n}",
        status="failed",
        due_at=clock.now(),
        created_at=clock.now(),
        error_code="30006",
        error_advice="Ask for a mobile number.",
        **fields,
    )


def page_of(desk: Client) -> str:
    return desk.get("/desk/").content.decode()


def test_today_shows_the_days_visits_only(desk: Client) -> None:
    make_appointment(patient_name="Alex Today", start=clock.now() + timedelta(hours=2))
    make_appointment(patient_name="Kim Tomorrow", start=clock.now() + timedelta(days=1))
    make_appointment(patient_name="Lou Canceled", start=clock.now() + timedelta(hours=3), status="canceled")
    page = page_of(desk)
    assert "Alex Today" in page
    assert "Kim Tomorrow" not in page
    assert "Lou Canceled" not in page
    assert "Tomorrow: 1 visit, at" in page


def test_a_visit_that_is_over_asks_to_be_concluded(desk: Client, clock: TestClock) -> None:
    make_appointment(patient_name="Alex Morning", start=clock.now() - timedelta(hours=2))
    page = page_of(desk)
    assert "1 visit is over and neither completed nor missed." in page
    assert f"{reverse('desk:end_of_day')}?day=2026-12-01" in page
    assert "Today&#x27;s visits are over." in page or "Today's visits are over." in page


def test_a_patient_in_the_video_room_is_announced(desk: Client) -> None:
    visit = make_appointment(patient_name="Alex Waits", start=clock.now())
    meeting = Meeting.objects.create(appointment=visit, status="ready", patient_waiting_since=clock.now())
    assert "is in the video room and waits for" in page_of(desk)
    meeting.host_joined_at = clock.now()
    meeting.save()
    assert "Nobody waits for a provider." in page_of(desk)


def test_an_unpaid_hold_is_shown_until_it_ends(desk: Client, clock: TestClock) -> None:
    visit = make_appointment(patient_name="Alex Unpaid", status="pending_payment")
    page = page_of(desk)
    assert "Alex Unpaid" in page
    assert reverse("desk:payment_link", args=[visit.code]) in page
    clock.forward(timedelta(minutes=36))
    assert "Alex Unpaid" not in page_of(desk)


def test_alerts_and_failed_messages_are_shown_with_what_to_do(desk: Client) -> None:
    visit = make_appointment()
    alerts.raise_alert("refund-failed", "1", "Call the patient and refund another way.", appointment_id=visit.pk)
    alerts.raise_alert("reconciliation", "stripe", "The ledger and the processor disagree.")
    failed_text()
    page = page_of(desk)
    assert "Call the patient and refund another way." in page
    assert f'href="{reverse("desk:appointment", args=[visit.code])}">Open the visit' in page
    assert f'href="{reverse("desk:reconciliation")}">See what differs' in page
    assert "Ask for a mobile number." in page


def test_the_alert_of_a_message_that_is_listed_is_not_said_twice(desk: Client) -> None:
    message = failed_text()
    alerts.raise_alert("text-failed", f"notification:{message.pk}", "A reminder was not delivered (30006).")
    assert "was not delivered (30006)" not in page_of(desk)


def test_a_failed_message_goes_again_and_one_is_back_at_today(desk: Client) -> None:
    message = failed_text()
    answer = desk.post(reverse("desk:messages_retry"), {"message": message.pk, "next": "/desk/"})
    assert (answer.status_code, answer["Location"]) == (303, "/desk/")
    message.refresh_from_db()
    assert message.status == "queued"


def test_an_alert_is_done_once_and_by_whom_is_kept(desk: Client, admin: User) -> None:
    alerts.raise_alert("patient-wrote", "appointment:1", "The patient answered a text.")
    alert = Alert.objects.get()
    done = reverse("desk:alert_done", args=[alert.pk])
    assert desk.get(done).status_code == 405
    assert "Marked as done." in desk.post(done, follow=True).content.decode()
    assert "Somebody else was quicker" in desk.post(done, follow=True).content.decode()
    entry = AuditEntry.objects.get(action="alert.settled")
    assert (entry.actor_id, entry.after) == (admin.pk, {"kind": "patient-wrote", "count": 1})
    assert desk.post(reverse("desk:alert_done", args=[999])).status_code == 404


def test_a_provider_may_not_settle_an_alert(desk: Client) -> None:
    alerts.raise_alert("patient-wrote", "appointment:1", "The patient answered a text.")
    client = Client()
    client.force_login(make_user("provider"))
    assert client.post(reverse("desk:alert_done", args=[Alert.objects.get().pk])).status_code == 403
    assert Alert.objects.get().resolved_at is None


def test_open_desks_hear_of_an_alert_when_it_is_raised_and_closed() -> None:
    alerts.raise_alert("queue-stuck", "notifications", "Late.")
    alerts.resolve_alert("queue-stuck", "notifications")
    alerts.resolve_alert("queue-stuck", "notifications")
    assert [(event.name, event.topics) for event in Event.objects.all()] == [("AlertsChanged", ["desk"])] * 2


def test_a_quiet_day_says_so(desk: Client) -> None:
    page = page_of(desk)
    for said in ("No visits today", "Nothing needs you right now.", "The two agree.", "Nobody waits for a provider."):
        assert said in page


def test_a_busy_day_asks_the_database_no_more_than_a_calm_one(desk: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            page_of(desk)
        return len(found)

    def one_of_each(n: int) -> None:
        visit = make_appointment(make_service(), start=clock.now() + timedelta(hours=n % 8))
        Meeting.objects.create(appointment=visit, status="ready", patient_waiting_since=clock.now())
        alerts.raise_alert("refund-failed", f"{n}", "Call.", appointment_id=visit.pk)
        failed_text(n, appointment=visit)
        make_appointment(make_service(), status="pending_payment")

    one_of_each(1)
    page_of(desk)
    few = queries()
    for n in range(2, 13):
        one_of_each(n)
    # For each list that is cut short, one query more counts the whole.
    assert queries() <= few + 4
    assert few <= 25


def test_a_queue_that_stands_still_is_said_also_where_no_worker_runs(desk: Client, clock: TestClock) -> None:
    waiting = failed_text(appointment=make_appointment())
    Notification.objects.filter(pk=waiting.pk).update(status="queued", error_code="", error_advice="")
    assert "See that a worker is running" not in page_of(desk)
    clock.forward(timedelta(minutes=11))
    assert "1 message is more than 10 minutes late" in page_of(desk)
    Notification.objects.filter(pk=waiting.pk).update(status="sent", sent_at=waiting.due_at)
    assert "See that a worker is running" not in page_of(desk)
