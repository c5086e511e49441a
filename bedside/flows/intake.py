"""Questions before a visit: written at the desk, asked after booking, answered by the patient, read by the practice."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from bedside.appointments.errors import AlreadyOver, InvalidDetails
from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.clinic.errors import ChangedMeanwhile
from bedside.clinic.models import Service
from bedside.core import audit, clock
from bedside.core.audit import Actor
from bedside.core.errors import NotFound, PermissionRefused
from bedside.core.events import publish
from bedside.intake.events import IntakeAnswered
from bedside.intake.models import IntakeForm, Questionnaire, holding
from bedside.intake.questions import MOST, Question, wrong_answers, wrong_question
from bedside.notifications import queue
from bedside.notifications.models import Audience, Channel, Kind, Notification

# Who answers at once, on the page that says they're booked, needs no message.
ANSWER_FIRST = timedelta(minutes=5)


def change_questions(
    *, service: Service, questions: Sequence[Question], version: int, actor: Actor
) -> Questionnaire | None:
    """A new version for bookings from now on; none: nothing is asked. None where nothing differs.

    Raises PermissionRefused, InvalidDetails (by the question's place), ChangedMeanwhile.
    """
    if not actor.is_staff:
        raise PermissionRefused
    errors = {str(place): said for place, one in enumerate(questions) if (said := wrong_question(one))}
    if len(questions) > MOST:
        errors["0"] = _("Ask at most %(most)d questions.") % {"most": MOST}
    if errors:
        raise InvalidDetails(errors=errors)
    before, stored = holding(service.pk), [question.stored() for question in questions]
    if (before.number if before else 0) != version:
        raise ChangedMeanwhile
    if (before.questions if before else []) == stored:
        return None
    try:
        with transaction.atomic():
            made = Questionnaire.objects.create(
                service=service,
                number=version + 1,
                questions=stored,
                created_at=clock.now(),
                created_by_id=actor.user_id,
            )
            was = {"questions": [one["text"] for one in before.questions]} if before else None
            after = {"questions": [question.text for question in questions]}
            audit.record(actor, "questionnaire.changed", service, before=was, after=after)
    except IntegrityError as error:
        if "questionnaire_version_once" in str(error):
            raise ChangedMeanwhile from None
        raise
    return made


def ask(appointment: Appointment) -> None:
    """Ask what the service asks, if anything; in the paying transaction."""
    questionnaire = holding(appointment.service_id)
    if questionnaire is None or not questionnaire.questions:
        return
    form, made = IntakeForm.objects.get_or_create(
        appointment=appointment, defaults={"questionnaire": questionnaire, "requested_at": clock.now()}
    )
    if not made and form.answered_at:
        return
    for channel in (Channel.EMAIL, Channel.SMS):
        note = queue.enqueue(
            appointment,
            kind=Kind.INTAKE_REQUEST,
            audience=Audience.PATIENT,
            channel=channel,
            due_at=clock.now() + ANSWER_FIRST,
        )
        if note is not None:
            queue.defer_send(note)


def follow(old: Appointment, new: Appointment) -> None:
    """The form and what is still to be said of it go with a visit that moves; in the moving transaction."""
    IntakeForm.objects.filter(appointment=old).update(appointment=new)
    Notification.objects.filter(appointment=old, kind=Kind.INTAKE_REQUEST, status="queued").update(appointment=new)


def open_until(appointment: Appointment) -> datetime:
    """Until when answers can be sent in or changed; UTC."""
    return appointment.end


def may_answer(appointment: Appointment) -> bool:
    return appointment.status == Status.PAID and clock.now() < open_until(appointment)


def answer(*, appointment_id: int, answers: Mapping[str, str], actor: Actor) -> IntakeForm:
    """Keep the patient's answers, in place of earlier ones. Raises NotFound, AlreadyOver, InvalidDetails."""
    with transaction.atomic():
        appointment = Appointment.objects.select_for_update().get(pk=appointment_id)
        found = IntakeForm.objects.select_for_update(of=("self",)).select_related("questionnaire")
        form = found.filter(appointment=appointment).first()
        if form is None:
            raise NotFound
        if not may_answer(appointment):
            raise AlreadyOver
        asked = form.questionnaire.asked
        clean = {one.key: answers.get(one.key, "").replace("\r\n", "\n").replace("\x00", "").strip() for one in asked}
        if errors := wrong_answers(asked, clean):
            raise InvalidDetails(errors=errors)
        again = form.answered_at is not None
        form.answers = json.dumps({key: said for key, said in clean.items() if said}, ensure_ascii=False)
        form.answered_at = clock.now()
        form.save(update_fields=["answers", "answered_at"])
        queue.withdraw(appointment.pk, kinds=[Kind.INTAKE_REQUEST], reason="answered")
        # What was said stays sealed: the trail tells that it was said, and how much.
        count = sum(1 for said in clean.values() if said)
        action = "intake.changed" if again else "intake.answered"
        audit.record(actor, action, appointment, after={"answers": count, "of": len(asked)})
        publish(IntakeAnswered(appointment_id=appointment.pk, provider_id=appointment.provider_id))
    return form


def read_answers(*, appointment: Appointment, actor: Actor) -> list[tuple[Question, str]]:
    """Questions with their answers, for those who look after the visit; each look is audited. Raises NotFound."""
    form = IntakeForm.objects.select_related("questionnaire").filter(appointment=appointment).first()
    if form is None:
        raise NotFound
    audit.record(actor, "intake.viewed", appointment)
    said = form.answered
    return [(question, said.get(question.key, "")) for question in form.questionnaire.asked]
