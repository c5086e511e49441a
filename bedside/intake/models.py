"""Questionnaires of services, as versions that never change, and what patients answer before a visit."""

from __future__ import annotations

import json
from typing import ClassVar

from django.db import models

from bedside.appointments.models import Appointment
from bedside.clinic.models import Service
from bedside.core import clock
from bedside.core.fields import EncryptedTextField
from bedside.core.models import APPEND_ONLY
from bedside.intake.questions import Question, read


class Questionnaire(models.Model):
    """One version of a service's questions. The highest number holds; no questions: nothing is asked."""

    service = models.ForeignKey(
        Service, on_delete=models.PROTECT, related_name="questionnaires", help_text="For visits of this service."
    )
    number = models.PositiveIntegerField(help_text="Counts up from 1 for each service; the highest holds.")
    questions = models.JSONField(default=list, help_text="Each with key, kind, text, required and choices.")
    created_at = models.DateTimeField(default=clock.now, help_text="When it was saved, UTC.")
    created_by_id = models.BigIntegerField(null=True, help_text="The user who saved it.")

    objects: ClassVar[models.Manager[Questionnaire]] = models.Manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "number"], name="questionnaire_version_once"),
            models.CheckConstraint(condition=models.Q(number__gte=1), name="questionnaire_counts"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"questionnaire {self.pk}"

    @property
    def asked(self) -> list[Question]:
        return read(self.questions)


class IntakeForm(models.Model):
    """What one visit's patient is asked, and the answers. It follows the visit when that moves."""

    appointment = models.OneToOneField(
        Appointment, on_delete=models.PROTECT, related_name="intake", help_text="The visit it belongs to now."
    )
    questionnaire = models.ForeignKey(
        Questionnaire, on_delete=models.PROTECT, related_name="forms", help_text="The version that was asked."
    )
    requested_at = models.DateTimeField(default=clock.now, help_text="When the patient was asked, UTC.")
    answers = EncryptedTextField(null=True, help_text="Answers by question as JSON; sealed. Empty until answered.")
    answered_at = models.DateTimeField(null=True, help_text="When they were last sent in, UTC.")

    objects: ClassVar[models.Manager[IntakeForm]] = models.Manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(answers__isnull=True, answered_at__isnull=True)
                | models.Q(answers__isnull=False, answered_at__isnull=False),
                name="intake_answered_when",
            )
        ]

    def __str__(self) -> str:
        return f"intake form {self.pk}"

    @property
    def answered(self) -> dict[str, str]:
        """By the question's key; empty until there are answers."""
        return dict(json.loads(self.answers)) if self.answers else {}


def holding(service_id: int) -> Questionnaire | None:
    """The version that holds for a service, if anybody ever wrote one."""
    return Questionnaire.objects.filter(service_id=service_id).order_by("-number").first()
