"""Questions before a visit: written at the desk, asked after booking, answered by the patient, read with a trace."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from bedside.appointments.models import Appointment
from bedside.clinic.errors import ChangedMeanwhile
from bedside.clinic.models import Service
from bedside.core import clock
from bedside.core.audit import Actor
from bedside.core.models import AuditEntry
from bedside.flows import cancel, intake, pay, reschedule
from bedside.intake.models import IntakeForm, Questionnaire
from bedside.intake.questions import Question
from bedside.notifications.content import facts_for
from bedside.notifications.models import Notification
from bedside.notifications.rendering import render
from tests.factories import make_appointment, make_practice, make_service, make_user

ADMIN = Actor("admin", 1, "Sam")
ASKED = [
    Question("q1", "long", "What brings you here?", True),
    Question("q2", "yesno", "Do you take any medicine?"),
    Question("q3", "choice", "How long?", False, ["Days", "Weeks"]),
]
SAID = {"q1": "A cough since Monday", "q2": "yes", "q3": "Days"}


@pytest.fixture
def service(db: None) -> Service:
    make_practice()
    service = make_service()
    intake.change_questions(service=service, questions=ASKED, version=0, actor=ADMIN)
    return service


@pytest.fixture
def visit(service: Service) -> Appointment:
    return booked(service)


def booked(service: Service) -> Appointment:
    made = make_appointment(service, status="pending_payment")
    with transaction.atomic():
        pay.mark_paid(made)
    return made


@pytest.fixture
def desk(db: None) -> Client:
    client = Client()
    client.force_login(make_user("admin", name="Sam Ortega"))
    return client


def requests_of(visit: Appointment) -> list[str]:
    return [one.status for one in Notification.objects.filter(appointment=visit, kind="intake_request").order_by("pk")]


def page(visit: Appointment) -> str:
    return f"/visits/{visit.token}/intake"


def test_who_books_is_asked_by_email_and_text_after_a_moment(visit: Appointment) -> None:
    notes = list(Notification.objects.filter(appointment=visit, kind="intake_request"))
    assert {one.channel for one in notes} == {"email", "sms"}
    assert {one.audience for one in notes} == {"patient"}
    assert all(one.due_at == clock.now() + timedelta(minutes=5) for one in notes)
    for note in notes:
        said = render(note, facts_for(note))
        assert page(visit) in said.body
        assert "cough" not in said.body
        assert "brings you" not in said.subject + said.body


def test_a_service_without_questions_asks_nothing(db: None) -> None:
    visit = booked(make_service())
    assert requests_of(visit) == []
    assert Client().get(page(visit)).status_code == 404
    assert "Before your visit" not in Client().get(f"/visits/{visit.token}").content.decode()


def test_the_patient_answers_and_the_message_is_withdrawn(visit: Appointment) -> None:
    client = Client()
    assert page(visit) in client.get(f"/visits/{visit.token}").content.decode()
    assert "What brings you here?" in client.get(page(visit)).content.decode()
    assert client.post(page(visit), SAID).status_code == 303
    assert requests_of(visit) == ["withdrawn", "withdrawn"]
    assert "your questions are answered" in client.get(f"/visits/{visit.token}").content.decode()
    assert "A cough since Monday" in client.get(page(visit)).content.decode()
    assert client.post(page(visit), SAID | {"q1": "Better now"}).status_code == 303
    assert IntakeForm.objects.get().answered["q1"] == "Better now"


def test_answers_are_sealed_and_leave_no_words_in_the_trail(visit: Appointment) -> None:
    intake.answer(appointment_id=visit.pk, answers=SAID, actor=Actor.patient())
    with connection.cursor() as cursor:
        cursor.execute("SELECT answers FROM intake_intakeform")
        assert b"cough" not in bytes(cursor.fetchone()[0])
    entry = AuditEntry.objects.get(action="intake.answered")
    assert entry.after == {"answers": 3, "of": 3}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"q1": " "}, "Please answer this question."),
        ({"q1": "x" * 3001}, "Use at most 3000 characters."),
        ({"q2": "perhaps"}, "Choose one of the answers."),
        ({"q3": "Years"}, "Choose one of the answers."),
    ],
)
def test_wrong_answers_are_said_beside_the_question_and_nothing_is_kept(
    visit: Appointment, change: dict[str, str], said: str
) -> None:
    answer = Client().post(page(visit), SAID | change)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert f'id="id_{next(iter(change))}-error"' in answer.content.decode()
    assert IntakeForm.objects.get().answered_at is None


def test_canceled_nothing_is_asked_and_nothing_can_be_answered(visit: Appointment) -> None:
    cancel.cancel(appointment_id=visit.pk, actor=Actor.patient(), reason="")
    assert requests_of(visit) == ["withdrawn", "withdrawn"]
    assert Client().post(page(visit), SAID).status_code == 409
    assert IntakeForm.objects.get().answered_at is None


def test_the_form_and_its_request_move_along_with_the_visit(visit: Appointment) -> None:
    new = reschedule.reschedule(appointment_id=visit.pk, start=visit.start + timedelta(days=1), actor=ADMIN)
    assert IntakeForm.objects.get().appointment == new
    assert requests_of(new) == ["queued", "queued"]
    assert requests_of(visit) == []
    assert Client().post(page(new), SAID).status_code == 303


def test_the_desk_reads_the_answers_and_each_look_is_recorded(visit: Appointment, desk: Client) -> None:
    assert "Asked, and not answered yet." in desk.get(f"/desk/appointments/{visit.code}").content.decode()
    intake.answer(appointment_id=visit.pk, answers=SAID, actor=Actor.patient())
    shown = desk.get(f"/desk/appointments/{visit.code}").content.decode()
    assert "cough" not in shown
    assert f"/desk/appointments/{visit.code}/intake" in shown
    assert "A cough since Monday" in desk.get(f"/desk/appointments/{visit.code}/intake").content.decode()
    assert AuditEntry.objects.filter(action="intake.viewed", subject_id=str(visit.pk)).count() == 1


def test_the_provider_reads_the_answers_of_own_visits_only(visit: Appointment) -> None:
    intake.answer(appointment_id=visit.pk, answers=SAID, actor=Actor.patient())
    mine, other = make_user("provider"), make_user("provider")
    visit.provider.user = mine
    visit.provider.save()
    stranger = make_service().providers.get()
    stranger.user = other
    stranger.save()
    own, foreign = Client(), Client()
    own.force_login(mine)
    foreign.force_login(other)
    url = f"/portal/visits/{visit.code}/intake"
    assert url in own.get(f"/portal/visits/{visit.code}").content.decode()
    assert "A cough since Monday" in own.get(url).content.decode()
    assert foreign.get(url).status_code == 404
    assert AuditEntry.objects.filter(action="intake.viewed").count() == 1


def rows(version: int, *questions: tuple[str, str, str]) -> dict[str, Any]:
    data: dict[str, Any] = {"version": version, "form-TOTAL_FORMS": len(questions), "form-INITIAL_FORMS": 0}
    for place, (text, kind, choices) in enumerate(questions):
        data |= {f"form-{place}-text": text, f"form-{place}-kind": kind, f"form-{place}-choices": choices}
    return data


def test_questions_are_written_at_the_desk_as_versions(visit: Appointment, desk: Client) -> None:
    url = f"/desk/catalogue/{visit.service.slug}/questions"
    assert url in desk.get(f"/desk/catalogue/{visit.service.slug}").content.decode()
    assert "What brings you here?" in desk.get(url).content.decode()
    made = desk.post(url, rows(1, ("Any allergies?", "short", ""), ("", "short", ""), ("Which?", "choice", "A\nB")))
    assert made.status_code == 303
    assert [one.text for one in Questionnaire.objects.get(number=2).asked] == ["Any allergies?", "Which?"]
    # Who was asked before keeps what they were asked.
    assert "What brings you here?" in Client().get(page(visit)).content.decode()
    assert AuditEntry.objects.filter(action="questionnaire.changed").count() == 2
    assert desk.post(url, rows(2)).status_code == 303
    assert Questionnaire.objects.get(number=3).questions == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("Which?", "choice", "A"), "Write 2 to 12 choices"),
        (("Which?", "choice", "A\nA"), "Two choices are the same."),
        (("Which?", "choice", f"A\n{'b' * 81}"), "Use at most 80 characters for each choice."),
        (("x" * 301, "short", ""), "at most 300 characters"),
        (("Which?", "essay", ""), "Select a valid choice"),
    ],
)
def test_wrong_questions_are_refused(service: Service, desk: Client, row: tuple[str, str, str], said: str) -> None:
    answer = desk.post(f"/desk/catalogue/{service.slug}/questions", rows(1, ("Fine?", "yesno", ""), row))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert Questionnaire.objects.count() == 1


def test_who_saves_later_sees_both(service: Service, desk: Client) -> None:
    answer = desk.post(f"/desk/catalogue/{service.slug}/questions", rows(0, ("Mine?", "yesno", "")))
    shown = answer.content.decode()
    assert answer.status_code == 409
    assert "What brings you here?" in shown
    assert "Mine?" in shown
    assert Questionnaire.objects.count() == 1


def test_the_database_holds_answers_and_their_time_together(visit: Appointment) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        IntakeForm.objects.update(answered_at=clock.now())


@pytest.mark.django_db(transaction=True)
def test_two_admins_at_once_make_one_version() -> None:
    make_practice()
    service = make_service()
    made: list[str] = []
    start = threading.Barrier(2)

    def save(word: str) -> None:
        try:
            start.wait(60)
            intake.change_questions(service=service, questions=[Question("q1", "short", word)], version=0, actor=ADMIN)
            made.append("saved")
        except ChangedMeanwhile:
            made.append("changed")
        finally:
            connection.close()

    threads = [threading.Thread(target=save, args=(word,)) for word in ("One?", "Two?")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == ["changed", "saved"]
    assert Questionnaire.objects.count() == 1
