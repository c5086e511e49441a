"""Reschedule: the new time is taken and the old one released in one transaction; the database decides who gets it.

A move makes a new appointment, which the patient's link, the payment and everything agreed to follow. The old one
stays as it was, `rescheduled`, and the whole chain reads as one history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from psycopg.errors import ExclusionViolation

from bedside.appointments.errors import (
    AlreadyOver,
    ChangedMeanwhile,
    MoveRefused,
    NotOffered,
    ReasonRequired,
    SameTime,
    SlotTaken,
)
from bedside.appointments.events import AppointmentRescheduled
from bedside.appointments.locks import lock_providers
from bedside.appointments.models import Appointment
from bedside.appointments.states import HOLDS_TIME, Status
from bedside.clinic.models import Practice, Provider
from bedside.core import audit, clock, ids
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.core.events import publish
from bedside.flows import announce, assign, hold, intake
from bedside.notifications.models import Kind
from bedside.payments.models import Payment
from bedside.payments.receipt_models import VisitCodes
from bedside.schedule import openings

MAX_REASON = 1000
# What belongs to one time only. Everything else that was agreed goes along, fields of later days included.
OF_ONE_TIME = frozenset(
    {
        *("id", "token", "token_index", "code", "provider", "start", "end", "blocked", "status", "rescheduled_from"),
        *("hold_expires_at", "hold_key", "canceled_at", "canceled_by", "cancellation_reason"),
        *("canceled_for_patient", "concluded_at"),
        *("created_at", "updated_at", "version", "patient_moves", "patient_timezone"),
    }
)


@dataclass(frozen=True)
class Preview:
    """Whether this person may move the visit now; ``until`` is UTC. ``refusal`` says why not, else None."""

    possible: bool
    until: datetime
    moves_left: int
    refusal: AlreadyOver | MoveRefused | None


@dataclass(frozen=True)
class Wish:
    """Where the visit should go, who asks, and how: the same for every provider that is tried."""

    start: datetime
    actor: Actor
    reason: str
    override: bool
    timezone: str | None
    version: int | None
    kind: Kind


def preview(appointment: Appointment, *, actor: Actor) -> Preview:
    """Patients move as long and as often as the policy says; the desk moves whatever is paid and not concluded."""
    now = clock.now()
    terms = appointment.terms
    until = terms.move_until(appointment.start)
    left = max(terms.max_moves - appointment.patient_moves, 0)
    refusal: AlreadyOver | MoveRefused | None = None
    if appointment.status != Status.PAID or (not actor.is_staff and appointment.start <= now):
        refusal = AlreadyOver()
    elif not actor.is_staff and (now > until or not left):
        refusal = MoveRefused()
    return Preview(refusal is None, until, left, refusal)


def free_until(appointment: Appointment, start: datetime) -> datetime:
    """Until when canceling would be free after a move to ``start``; UTC."""
    return appointment.terms.free_until(start)


def reschedule(
    *,
    appointment_id: int,
    start: datetime,
    actor: Actor,
    provider: Provider | None = None,
    anybody: bool = False,
    reason: str = "",
    override: bool = False,
    timezone: str | None = None,
    version: int | None = None,
    kind: Kind = Kind.RESCHEDULED,
) -> Appointment:
    """Move a paid visit to ``start`` (aware): with ``provider``, ``anybody`` who is free, or whoever it is with now.

    ``override`` lets the desk take a time that isn't offered, for a reason; nobody takes one twice. ``version`` is what
    the form was drawn from. Returns the new appointment. Raises SlotTaken, NotOffered (both with alternatives),
    SameTime, MoveRefused, AlreadyOver, ChangedMeanwhile, ReasonRequired, PermissionRefused; then nothing has changed.
    """
    if actor.kind == "provider" or (override and not actor.is_staff):
        raise PermissionRefused
    if override and not reason.strip():
        raise ReasonRequired
    present = Appointment.objects.select_related("service", "provider").get(pk=appointment_id)
    wish = Wish(start, actor, reason.strip()[:MAX_REASON], override, timezone, version, kind)
    if not anybody or provider:
        try:
            return _move(appointment_id, provider or present.provider, wish)
        except SlotTaken:
            raise _refusal(present, start, provider or present.provider) from None
    passed_over: list[int] = []
    for one, candidate in (found := openings.candidates_for(present.service, start, location=_location(present))):
        considered = [facts for facts, rival in found if rival.pk not in passed_over]
        chosen = assign.Choice(candidate, _practice_day(start), considered, list(passed_over))
        try:
            return _move(appointment_id, candidate, wish, chosen)
        except SlotTaken:
            passed_over.append(one.provider_id)
    raise _refusal(present, start, None)


def _practice_day(start: datetime) -> date:
    return start.astimezone(Practice.current().zone).date()


def _move(appointment_id: int, provider: Provider, wish: Wish, choice: assign.Choice | None = None) -> Appointment:
    """One short transaction: both locks, the old row, the new row. The constraint has the last word."""
    with transaction.atomic():
        held_by = Appointment.objects.values_list("provider_id", flat=True).get(pk=appointment_id)
        lock_providers(held_by, provider.pk)
        old = Appointment.objects.select_for_update().get(pk=appointment_id)
        _check(old, provider, wish)
        before = old.move_to(Status.RESCHEDULED)
        token, old.token = old.token, ids.new_token()
        old.save()
        new = _take(old, provider, wish, token)
        # The money belongs to the visit that will take place.
        Payment.objects.filter(appointment=old).update(appointment=new)
        VisitCodes.objects.filter(appointment=old).update(appointment=new)
        intake.follow(old, new)
        audit.record(
            wish.actor,
            "appointment.rescheduled" if wish.kind == Kind.RESCHEDULED else "appointment.reassigned",
            old,
            before=_place(old) | {"status": before},
            after=_place(new)
            | {"status": old.status, "moved_to": new.code, "override": wish.override}
            | ({"choice": choice.explained()} if choice else {}),
            reason=wish.reason,
        )
        announce.moved(old, new, actor=wish.actor, kind=wish.kind)
        publish(
            AppointmentRescheduled(
                **hold.ids_of(new), previous_appointment_id=old.pk, previous_provider_id=old.provider_id
            )
        )
    return new


def _check(old: Appointment, provider: Provider, wish: Wish) -> None:
    """Under the lock: is it still what was shown, and may it be moved there by this person?"""
    if old.status == Status.RESCHEDULED or (wish.version is not None and wish.version != old.version):
        raise ChangedMeanwhile
    outcome = preview(old, actor=wish.actor)
    if outcome.refusal:
        raise outcome.refusal
    if old.start == wish.start and old.provider_id == provider.pk:
        raise SameTime
    if wish.start <= clock.now():
        raise NotOffered


def _take(old: Appointment, provider: Provider, wish: Wish, token: str) -> Appointment:
    """The new appointment. The old one has given its time back already, so the visit doesn't stand in its own way."""
    service, now = old.service, clock.now()
    block = Appointment.block(service, wish.start)
    hold.expire_in_the_way(provider, block, now)
    if not wish.override and not openings.is_offered(service, provider, wish.start, now, location=_location(old)):
        raise SlotTaken
    goes_along = [field for field in Appointment._meta.concrete_fields if field.name not in OF_ONE_TIME]
    try:
        with transaction.atomic():
            return Appointment.objects.create(
                **{field.attname: getattr(old, field.attname) for field in goes_along},
                token=token,
                provider=provider,
                start=wish.start,
                end=wish.start + service.duration,
                blocked=block,
                status=Status.PAID,
                rescheduled_from=old,
                patient_timezone=wish.timezone or old.patient_timezone,
                patient_moves=old.patient_moves + (wish.actor.kind == "patient"),
                created_at=now,
                updated_at=now,
            )
    except IntegrityError as error:
        if isinstance(error.__cause__, ExclusionViolation):
            raise SlotTaken from error
        raise


def _location(appointment: Appointment) -> str | None:
    """Where the patient will be: only who is licensed there is offered. None where it wasn't asked."""
    return appointment.patient_location or None


def _place(appointment: Appointment) -> dict[str, Any]:
    return {"start": appointment.start.isoformat(), "provider": appointment.provider.slug}


def _refusal(old: Appointment, start: datetime, provider: Provider | None) -> SlotTaken:
    """Taken by somebody, or never offered? Either way with the nearest times that are."""
    nearest = openings.nearest_alternatives(old.service, start, provider, location=_location(old))
    block = Appointment.block(old.service, start)
    people = [provider] if provider else list(old.service.providers.filter(active=True))
    others = Appointment.objects.filter(provider__in=people, blocked__overlap=block, status__in=HOLDS_TIME)
    taken = others.exclude(pk=old.pk).exists()
    return SlotTaken(alternatives=nearest) if taken else NotOffered(alternatives=nearest)
