"""Finding an appointment by what its people hold in their hands."""

from __future__ import annotations

from bedside.appointments.models import Appointment
from bedside.core.crypto import blind_index
from bedside.core.errors import NotFound

WITH_PEOPLE = ("service", "provider")


def by_token(token: str) -> Appointment:
    """The appointment that a patient's link opens. Raises NotFound."""
    found = Appointment.objects.select_related(*WITH_PEOPLE).filter(token_index=blind_index("token", token)).first()
    if found is None:
        raise NotFound
    return found


def latest(appointment: Appointment) -> Appointment:
    """The end of the chain of reschedules: what the patient's link means today."""
    while (
        following := Appointment.objects.select_related(*WITH_PEOPLE).filter(rescheduled_from=appointment).first()
    ) is not None:
        appointment = following
    return appointment
