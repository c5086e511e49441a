"""What can happen to an appointment, by SPEC.md's names."""

from __future__ import annotations

from dataclasses import dataclass

from bedside.core.events import DomainEvent


@dataclass(frozen=True, kw_only=True)
class AppointmentEvent(DomainEvent):
    """Base: ids of the appointment, its provider and its service."""

    appointment_id: int
    provider_id: int
    service_id: int


class AppointmentCreated(AppointmentEvent):
    """A time was taken, and waits for its payment."""


class AppointmentPaid(AppointmentEvent):
    """The payment succeeded: the visit stands."""


class AppointmentCanceled(AppointmentEvent):
    """The visit will not happen; its time is free again."""


class AppointmentExpired(AppointmentEvent):
    """The hold ran out before the payment came."""


@dataclass(frozen=True, kw_only=True)
class AppointmentRescheduled(AppointmentEvent):
    """The visit moved; the ids are the new appointment's, and the previous ones are those of what it replaces."""

    previous_appointment_id: int
    previous_provider_id: int

    def topics(self) -> list[str]:
        """Pages that show the old appointment, or the old provider's time, follow along."""
        before = [f"appointment:{self.previous_appointment_id}", f"provider:{self.previous_provider_id}"]
        return list(dict.fromkeys([*super().topics(), *before]))


class AppointmentCompleted(AppointmentEvent):
    """The visit took place."""


class AppointmentMissed(AppointmentEvent):
    """The patient didn't come."""


class AppointmentReopened(AppointmentEvent):
    """It had been marked completed or missed by mistake, and is a visit again."""


class PatientWaiting(AppointmentEvent):
    """The patient entered the video room."""


class PatientAnswered(AppointmentEvent):
    """The patient answered a text: confirmed, asked to be called, or wrote something else."""
