"""STOP is honoured everywhere, START undoes it, and other answers find their visit."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from bedside.appointments.models import Appointment
from bedside.core import clock as house_clock
from bedside.core.audit import Actor
from bedside.core.models import Alert, AuditEntry
from bedside.flows import inbound, texting
from bedside.notifications import optout, queue, sending
from bedside.notifications.models import InboundText, Notification, OptOut
from bedside.notifications.reminders import queue_reminders
from bedside.sandbox import inbox
from tests.factories import make_appointment, make_service

pytestmark = pytest.mark.django_db
NUMBER = "+12025550143"


@pytest.fixture
def visit() -> Appointment:
    return make_appointment(
        make_service(), status="paid", start=house_clock.now() + timedelta(days=5), patient_mobile=NUMBER
    )


def answer(body: str, sid: str = "SM1", told: str = "") -> str:
    return inbound.receive(number=NUMBER, body=body, vendor_id=sid, told=told)


def test_stop_withdraws_every_waiting_text_and_keeps_the_emails(visit: Appointment) -> None:
    queue_reminders(visit)
    assert answer("Stop", told="STOP") == ""
    states = Notification.objects.filter(audience="patient").values_list("channel", "status")
    assert set(states) == {("sms", "withdrawn"), ("email", "queued")}
    assert queue.enqueue(visit, kind="manual", audience="patient", channel="sms") is None
    assert optout.is_opted_out(NUMBER)


def test_stop_holds_for_every_visit_of_the_number(visit: Appointment) -> None:
    other = make_appointment(
        make_service(), status="paid", start=house_clock.now() + timedelta(days=9), patient_mobile=NUMBER
    )
    answer("STOP")
    assert queue.enqueue(other, kind="confirmation", audience="patient", channel="sms") is None


def test_start_undoes_stop(visit: Appointment) -> None:
    answer("STOP")
    answer("START", "SM2", "START")
    assert not optout.is_opted_out(NUMBER)
    assert queue.enqueue(visit, kind="confirmation", audience="patient", channel="sms") is not None
    assert OptOut.objects.get().ended_by == "text"


def test_a_number_that_only_the_gateway_knew_of_joins_our_list(visit: Appointment) -> None:
    inbox._opt(NUMBER, "STOP")
    text = queue.enqueue(visit, kind="confirmation", audience="patient", channel="sms")
    assert text is not None
    sending.send(text.pk)
    text.refresh_from_db()
    assert (text.status, text.error_code) == ("failed", "21610")
    assert "START" in text.error_advice
    assert optout.is_opted_out(NUMBER)


@pytest.mark.parametrize("words", ["C", "confirm", " Ok! ", "sí"])
def test_a_confirmation_is_noted_on_the_next_visit_and_answered(visit: Appointment, words: str) -> None:
    said = answer(words)
    visit.refresh_from_db()
    assert visit.patient_confirmed_at == house_clock.now()
    assert said.startswith("Lakeside Clinic: thank you, see you Sun Dec 6")
    assert AuditEntry.objects.filter(action="appointment.confirmed_by_patient").count() == 1


def test_who_asks_to_be_called_is_shown_to_the_desk(visit: Appointment) -> None:
    assert "we'll call you" in answer("call me")
    alert = Alert.objects.get(kind="patient-asks-call")
    assert visit.code in alert.message
    assert NUMBER not in alert.message


def test_other_words_are_kept_sealed_and_answered_with_what_can_be_done(visit: Appointment) -> None:
    said = answer("Can I bring my daughter?")
    assert "(202) 555-0100" in said
    kept = InboundText.objects.get()
    assert (kept.meaning, kept.body, kept.appointment_id) == ("other", "Can I bring my daughter?", visit.pk)
    assert Alert.objects.filter(kind="patient-wrote").exists()


def test_the_same_answer_twice_counts_once(visit: Appointment) -> None:
    assert answer("C")
    assert answer("C") == ""
    assert InboundText.objects.count() == 1


def test_an_answer_from_a_number_that_nobody_knows_is_kept_and_harmless() -> None:
    make_service()
    assert answer("hello")
    assert InboundText.objects.get().appointment is None
    assert not Alert.objects.exists()


def test_one_click_on_the_visit_page_stops_texts_and_another_starts_them(visit: Appointment, client: Client) -> None:
    queue_reminders(visit)
    page = client.post(f"/visits/{visit.token}/texts", {"texts": "stop"}, follow=True).content.decode()
    assert "No more texts to this number. Emails still come." in page
    visit.refresh_from_db()
    assert visit.sms_consent_withdrawn_at == house_clock.now()
    assert visit.sms_consent_text
    client.post(f"/visits/{visit.token}/texts", {"texts": "start"})
    visit.refresh_from_db()
    assert visit.sms_consent_withdrawn_at is None
    reminders = Notification.objects.filter(audience="patient", channel="sms", kind="reminder")
    assert {one.status for one in reminders} == {"queued"}


def test_stopping_twice_is_once(visit: Appointment) -> None:
    texting.stop_texts(appointment_id=visit.pk, actor=Actor.patient())
    texting.stop_texts(appointment_id=visit.pk, actor=Actor.patient())
    assert AuditEntry.objects.filter(action="texts.stopped").count() == 1
