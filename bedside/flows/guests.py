"""Inviting somebody along, and taking it back."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from bedside.appointments.errors import AlreadyOver, InvalidDetails
from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.core import audit, clock, ids
from bedside.core.audit import Actor
from bedside.video.guests import MOST
from bedside.video.models import GuestPass

MAX_LABEL = 60


def chain_ids(appointment: Appointment) -> list[int]:
    """The visit and whatever it was moved from: guests follow along."""
    found, before = [appointment.pk], appointment.rescheduled_from
    while before is not None:
        found.append(before.pk)
        before = before.rescheduled_from
    return found


def guests_of(appointment: Appointment) -> list[GuestPass]:
    """Passes that open, oldest first."""
    return list(GuestPass.objects.filter(appointment__in=chain_ids(appointment), revoked_at=None).order_by("pk"))


def invite(*, appointment_id: int, label: str, actor: Actor) -> GuestPass:
    """A link for one guest. Raises InvalidDetails (``label``), AlreadyOver."""
    label = " ".join(label.split())
    with transaction.atomic():
        appointment = Appointment.objects.select_for_update().get(pk=appointment_id)
        if appointment.status != Status.PAID or appointment.end <= clock.now():
            raise AlreadyOver
        if not label or len(label) > MAX_LABEL:
            raise InvalidDetails(errors={"label": _("Say who it is for, for example: my daughter, or interpreter.")})
        if len(guests_of(appointment)) >= MOST:
            raise InvalidDetails(
                errors={"label": _("At most %(most)d guests can come. Take one back first.") % {"most": MOST}}
            )
        made = GuestPass.objects.create(appointment=appointment, token=ids.new_token(), label=label)
        audit.record(actor, "guest.invited", appointment, after={"guest": made.pk})
    return made


def take_back(*, appointment_id: int, guest_id: int, actor: Actor) -> None:
    """The link opens nothing from now on. Taking back twice is once."""
    with transaction.atomic():
        appointment = Appointment.objects.select_for_update().get(pk=appointment_id)
        mine = GuestPass.objects.filter(pk=guest_id, appointment__in=chain_ids(appointment), revoked_at=None)
        if mine.update(revoked_at=clock.now()):
            audit.record(actor, "guest.taken_back", appointment, before={"guest": guest_id})
