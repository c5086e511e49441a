"""Reassign: another provider sees the patient at the same time. The same checks and the same chain as a move."""

from __future__ import annotations

from bedside.appointments.models import Appointment
from bedside.clinic.models import Provider
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.flows.reschedule import reschedule
from bedside.notifications.models import Kind


def reassign(
    *,
    appointment_id: int,
    provider: Provider,
    actor: Actor,
    reason: str = "",
    override: bool = False,
    version: int | None = None,
) -> Appointment:
    """Give a paid visit to ``provider``: a new appointment with a new meeting; the patient and both providers are told.

    An appointment has one provider for good, so that calendars, feeds and books of both stay true. Only the desk does
    it. Raises what `reschedule` raises.
    """
    if not actor.is_staff:
        raise PermissionRefused
    start = Appointment.objects.values_list("start", flat=True).get(pk=appointment_id)
    return reschedule(
        appointment_id=appointment_id,
        start=start,
        provider=provider,
        actor=actor,
        reason=reason,
        override=override,
        version=version,
        kind=Kind.PROVIDER_CHANGED,
    )
