"""One appointment's record as the desk reads it: its messages and what was done to it. Read only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bedside.accounts.models import User
from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.clinic.models import Provider
from bedside.core import clock
from bedside.core.models import AuditEntry
from bedside.payments.models import LedgerEntry, Payment, Refund

# Of those who were considered for a visit, so many are named.
MOST_SAID = 6


@dataclass(frozen=True)
class Milestone:
    """A step of a visit's way. ``state``: done, ahead, or off (it won't come); ``said`` where there is no time."""

    word: str
    state: str
    at: datetime | None = None
    said: str = ""


def milestones(appointment: Appointment, payments: Iterable[Payment]) -> list[Milestone]:
    """Booked, paid, visit, end: where one appointment stands, in four or five steps."""
    status = appointment.status
    steps = [Milestone(_("Booked"), "done", appointment.created_at)]
    if appointment.paid_at:
        steps.append(Milestone(_("Paid"), "done", appointment.paid_at))
    elif status in {Status.DRAFT, Status.PENDING_PAYMENT}:
        steps.append(Milestone(_("Payment"), "ahead", said=_("waited for")))
    elif status in {Status.EXPIRED, Status.CANCELED}:
        steps.append(Milestone(_("Payment"), "off", said=_("never came")))
    if status == Status.EXPIRED:
        return [*steps, Milestone(_("Hold ran out"), "off", appointment.hold_expires_at)]
    if status == Status.CANCELED:
        steps.append(Milestone(_("Canceled"), "off", appointment.canceled_at))
        given_back = any(payment.refunded_minor for payment in payments)
        return [*steps, Milestone(_("Refund"), "done", said=_("see Payment"))] if given_back else steps
    if status == Status.RESCHEDULED:
        return [*steps, Milestone(_("Moved to another time"), "off", appointment.updated_at)]
    begun = appointment.start <= clock.now()
    steps.append(Milestone(_("Visit"), "done" if begun else "ahead", appointment.start))
    if status == Status.NO_SHOW:
        return [*steps, Milestone(_("Missed"), "off", appointment.concluded_at)]
    done = status == Status.COMPLETED
    said = "" if done else _("after the visit")
    return [*steps, Milestone(_("Completed"), "done" if done else "ahead", appointment.concluded_at, said)]


@dataclass(frozen=True)
class Activity:
    """A line of the activity log. ``changes``: (what, before, after) for each value that changed."""

    at: datetime
    action: str
    actor: str
    reason: str
    changes: list[tuple[str, str, str]]


def activity(appointments: Iterable[Appointment]) -> list[Activity]:
    """Everything done to these appointments (a chain of reschedules), newest first, with who did it."""
    subjects = [str(appointment.pk) for appointment in appointments]
    return _lines(AuditEntry.objects.filter(subject_kind="appointment", subject_id__in=subjects).order_by("-pk"))


def history(subject: Model, most: int = 20) -> list[Activity]:
    """The latest changes of a service, a provider or whatever else has a trail, newest first."""
    kind = str(subject._meta.model_name)
    return _lines(AuditEntry.objects.filter(subject_kind=kind, subject_id=str(subject.pk)).order_by("-pk")[:most])


def _lines(found: Iterable[AuditEntry]) -> list[Activity]:
    entries = list(found)
    people = User.objects.in_bulk({entry.actor_id for entry in entries if entry.actor_id})
    names = _names(entries)
    return [
        Activity(
            at=entry.at,
            action=entry.action,
            actor=str(people.get(entry.actor_id or 0, entry.actor_kind)),
            reason=entry.reason,
            changes=_changes(entry.before or {}, _told(entry.after or {}, names)),
        )
        for entry in entries
    ]


def _names(entries: Iterable[AuditEntry]) -> dict[int, str]:
    """Of every provider who was considered in a choice."""
    considered = [one for entry in entries for one in (entry.after or {}).get("choice", {}).get("considered", [])]
    ids = {one["provider"] for one in considered}
    return dict(Provider.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}


def _told(after: dict[str, object], names: dict[int, str]) -> dict[str, object]:
    """With the choice of a provider in words: "Dr. Rivera (0 visits that day), before Dr. Chen (2)"."""
    choice = after.get("choice")
    if not isinstance(choice, dict):
        return after
    said = [
        ngettext("%(name)s (%(count)d visit that day)", "%(name)s (%(count)d visits that day)", one["visits_that_day"])
        % {"name": names.get(one["provider"], one["provider"]), "count": one["visits_that_day"]}
        for one in choice.get("considered", [])
    ]
    first, rest = said[:1], said[1:MOST_SAID]
    words = _("%(first)s, before %(rest)s") % {"first": first[0], "rest": ", ".join(rest)} if rest else "".join(first)
    return after | {"choice": words}


def refunds_of(payments: Iterable[Payment]) -> list[Refund]:
    """Every refund of these payments, newest first, each with ``by``: who asked for it, by name."""
    found = [refund for payment in payments for refund in payment.refunds.all()]
    people = User.objects.in_bulk({refund.requested_by_id for refund in found if refund.requested_by_id})
    for refund in found:
        refund.by = str(people.get(refund.requested_by_id or 0, refund.requested_by))  # type: ignore[attr-defined]
    return sorted(found, key=lambda refund: -refund.pk)


def ledger_of(chain: Iterable[Appointment]) -> list[LedgerEntry]:
    """The ledger of a visit, its whole chain: what was charged before a move stays with the appointment of then."""
    return list(LedgerEntry.objects.filter(appointment__in=list(chain)).order_by("occurred_at", "pk"))


def _changes(before: dict[str, object], after: dict[str, object]) -> list[tuple[str, str, str]]:
    return [
        (name, _text(before.get(name)), _text(after.get(name)))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, list):
        return str(value)
    # Licenses are said by their places.
    return ", ".join(str(one.get("place", one)) if isinstance(one, dict) else str(one) for one in value)
