"""Previews: the messages that something would send, written with the very templates, before it is done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from bedside.appointments.models import Appointment
from bedside.core import clock
from bedside.flows.facts import facts_for
from bedside.notifications.models import Audience, Channel, Kind, Notification
from bedside.notifications.queue import PROVIDER_LOCALE, may_text
from bedside.notifications.rendering import Message, render


@dataclass(frozen=True)
class Preview:
    """One message as it would go out now."""

    audience: str
    channel: str
    message: Message


def previews(
    appointment: Appointment, kind: Kind, audiences: Iterable[Audience] = (Audience.PATIENT,), **facts: Any
) -> list[Preview]:
    """What each would get, by email and (where they may be texted) by text. ``facts``: what will be true then."""
    return [
        Preview(audience, channel, _write(appointment, kind, audience, channel, facts))
        for audience in audiences
        for channel in (Channel.EMAIL, Channel.SMS)
        if channel == Channel.EMAIL or may_text(appointment, audience)
    ]


def _write(
    appointment: Appointment, kind: Kind, audience: Audience, channel: Channel, facts: dict[str, Any]
) -> Message:
    unsaved = Notification(
        appointment=appointment,
        kind=kind,
        audience=audience,
        channel=channel,
        locale=appointment.locale if audience == Audience.PATIENT else PROVIDER_LOCALE,
        due_at=clock.now(),
    )
    return render(unsaved, replace(facts_for(unsaved), **facts))
