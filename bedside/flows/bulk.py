"""Bulk: one action for many visits, row by row. Each row's effect and its result are one transaction.

Whoever is killed between two rows leaves the rest waiting, and the next job goes on with it; a row that has its result
is never taken again. Locks: the run, then what the row's own flow takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from bedside.accounts.models import User
from bedside.appointments.bulk.events import BulkRunChanged
from bedside.appointments.bulk.runs import Action, BulkItem, BulkRun, ItemStatus, RunStatus
from bedside.appointments.errors import AlreadyOver
from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.core import audit, clock
from bedside.core.audit import Actor
from bedside.core.errors import BedsideError, PermissionRefused
from bedside.core.events import publish
from bedside.core.jobs import PATIENT_RETRY, defer, task
from bedside.flows import conclude, resend
from bedside.notifications.models import Audience, Kind, Notification

log = structlog.get_logger(__name__)

MOST = 20_000
# A job handles so many rows and then asks for the next one, so that other jobs get their turn.
ROWS_IN_A_JOB = 200
# Open pages are told at most so often in a run, and at each fifth row of a short one.
TOLD_AT_MOST, TOLD_AFTER = 100, 5
# Who was sent a confirmation again just now is not sent another one.
NOT_AGAIN_WITHIN = timedelta(minutes=10)
# A run that has not moved for so long lost its job.
STUCK_AFTER = timedelta(minutes=1)


class NothingChosen(BedsideError):
    code = "nothing-chosen"
    status = 422
    default_message = _("Choose at least one appointment, or all that match.")


class TooManyChosen(BedsideError):
    code = "too-many-chosen"
    status = 422
    default_message = _("That is more than one run takes. Narrow the filters, for example to some days.")


class SelectionChanged(BedsideError):
    """Meanwhile other rows match: ``details["count"]`` of them. Nothing was begun."""

    code = "selection-changed"
    status = 409
    default_message = _("Meanwhile another number of appointments matches. Look again, and confirm if it is right.")


class JustSent(BedsideError):
    """A confirmation was sent again a moment ago."""

    code = "just-sent"
    status = 409


class NothingToSend(BedsideError):
    code = "nothing-to-send"
    status = 409


@dataclass(frozen=True)
class Plan:
    """How many rows were chosen, and how many of them can be acted on as they stand now."""

    count: int
    fitting: int


def plan(action: str, found: QuerySet[Appointment]) -> Plan:
    return Plan(found.order_by().count(), found.filter(_fits(action)).order_by().count())


def _fits(action: str) -> Q:
    now = clock.now()
    if action == Action.RESEND:
        return Q(status=Status.PAID, end__gt=now)
    return Q(status=Status.PAID, start__lte=now) if action == Action.COMPLETE else Q()


def start(
    *, action: str, found: QuerySet[Appointment], expected: int, token: str, said: Mapping[str, str], actor: Actor
) -> BulkRun:
    """Fix which rows it is, and ask for the work. The same ``token`` again is the same run.

    ``expected``: how many the person confirmed.
    Raises NothingChosen, TooManyChosen, SelectionChanged, PermissionRefused.
    """
    if not actor.is_staff or actor.user_id is None:
        raise PermissionRefused
    with transaction.atomic():
        run, is_new = BulkRun.objects.get_or_create(
            token=token, defaults={"user_id": actor.user_id, "action": action, "filters": dict(said)}
        )
        if not is_new:
            return run
        ids = list(found.values_list("pk", flat=True)[: MOST + 1])
        if not ids:
            raise NothingChosen
        if len(ids) > MOST:
            raise TooManyChosen
        if len(ids) != expected:
            raise SelectionChanged(count=len(ids))
        BulkItem.objects.bulk_create((BulkItem(run=run, appointment_id=pk) for pk in ids), batch_size=1000)
        run.total = len(ids)
        run.save(update_fields=["total"])
        audit.record(actor, "bulk.started", run, after={"action": action, "total": run.total, "filters": run.filters})
        if action == Action.EXPORT:
            _keep_for_the_file(run)
        else:
            defer(carry_out_run, once=_once(run.pk), bulk_run_id=run.pk)
        publish(BulkRunChanged(bulk_run_id=run.pk))
    return run


def _keep_for_the_file(run: BulkRun) -> None:
    """Of an export only the choice is kept: the file is made from the rows as they are when it is taken."""
    now = clock.now()
    BulkItem.objects.filter(run=run).update(status=ItemStatus.DONE, ended_at=now)
    run.status, run.handled, run.finished_at = RunStatus.FINISHED, run.total, now
    run.save(update_fields=["status", "handled", "finished_at"])


def stop(*, run_id: int, actor: Actor) -> BulkRun:
    """Cancel what waits; the row under way is finished first. Over is over: asking again changes nothing."""
    if not actor.is_staff or actor.user_id is None:
        raise PermissionRefused
    with transaction.atomic():
        run = _locked(run_id)
        if not run.is_running:
            return run
        now = clock.now()
        waiting = BulkItem.objects.filter(run=run, status=ItemStatus.WAITING)
        left = waiting.update(status=ItemStatus.SKIPPED, reason="canceled", ended_at=now)
        run.handled += left
        run.status, run.finished_at, run.canceled_by = RunStatus.STOPPED, now, User.objects.get(pk=actor.user_id)
        run.save(update_fields=["handled", "status", "finished_at", "canceled_by"])
        audit.record(actor, "bulk.canceled", run, after={"action": run.action, "left": left})
        publish(BulkRunChanged(bulk_run_id=run.pk))
    return run


def carry_out(run_id: int, most: int = ROWS_IN_A_JOB) -> bool:
    """Handle at most so many rows; whether some are left."""
    return all(_next_row(run_id) for _row in range(most))


def _next_row(run_id: int) -> bool:
    """The next waiting row, effect and result together. False: nothing is left to do. Workers of one run take turns."""
    with transaction.atomic():
        run = _locked(run_id)
        if not run.is_running:
            return False
        item = BulkItem.objects.filter(run=run, status=ItemStatus.WAITING).order_by("pk").first()
        if item is None:
            _finish(run)
            return False
        item.status, item.reason = _act(run, item)
        item.ended_at = run.moved_at = clock.now()
        item.save(update_fields=["status", "reason", "ended_at"])
        run.handled += 1
        run.save(update_fields=["handled", "moved_at"])
        if run.handled % max(TOLD_AFTER, run.total // TOLD_AT_MOST) == 0:
            publish(BulkRunChanged(bulk_run_id=run.pk))
    return True


def _act(run: BulkRun, item: BulkItem) -> tuple[ItemStatus, str]:
    """What came of one row, and the code of why or how. What a row's flow refuses is undone to the savepoint."""
    try:
        with transaction.atomic():
            if not run.user.is_admin:
                raise PermissionRefused
            how = EFFECTS[run.action](item.appointment_id, Actor("admin", run.user.pk, str(run.user)))
        return ItemStatus.DONE, how[:40]
    except BedsideError as refused:
        return ItemStatus.SKIPPED, refused.code[:40]
    except (OperationalError, InterfaceError):
        # The database, not the row: the job is tried again, and this row with it.
        raise
    except Exception:
        log.exception("bulk_row_failed", bulk_run_id=run.pk, appointment_id=item.appointment_id)
        return ItemStatus.FAILED, "unexpected"


def _finish(run: BulkRun) -> None:
    run.status, run.finished_at = RunStatus.FINISHED, clock.now()
    run.save(update_fields=["status", "finished_at"])
    counts = {
        status: BulkItem.objects.filter(run=run, status=status).count() for status in ("done", "skipped", "failed")
    }
    audit.record(Actor("admin", run.user.pk), "bulk.finished", run, after={"action": run.action} | counts)
    publish(BulkRunChanged(bulk_run_id=run.pk))


def _resend(appointment_id: int, actor: Actor) -> str:
    # Under the visit's lock: of two runs that meet at it, the second sees what the first has sent.
    Appointment.objects.select_for_update().only("pk").get(pk=appointment_id)
    again = Notification.objects.filter(
        appointment_id=appointment_id,
        kind=Kind.CONFIRMATION,
        audience=Audience.PATIENT,
        due_at__gt=clock.now() - NOT_AGAIN_WITHIN,
    ).exclude(requested_by="system")
    if again.exists():
        raise JustSent
    made = resend.resend(appointment_id=appointment_id, actor=actor)
    if not made:
        raise NothingToSend
    return "+".join(sorted(note.channel for note in made))


def _complete(appointment_id: int, actor: Actor) -> str:
    if Appointment.objects.filter(pk=appointment_id, status=Status.COMPLETED).exists():
        raise AlreadyOver
    conclude.complete(appointment_id=appointment_id, actor=actor)
    return ""


EFFECTS: Mapping[str, Callable[[int, Actor], str]] = {Action.RESEND: _resend, Action.COMPLETE: _complete}


def _locked(run_id: int) -> BulkRun:
    return BulkRun.objects.select_for_update(no_key=True, of=("self",)).select_related("user").get(pk=run_id)


def _once(run_id: int) -> str:
    return f"bulk:{run_id}"


def go_on_with_stuck() -> int:
    """Ask again for the runs whose job was lost; returns how many."""
    stuck = BulkRun.objects.filter(status=RunStatus.RUNNING, moved_at__lte=clock.now() - STUCK_AFTER)
    ids = list(stuck.values_list("pk", flat=True)[:100])
    for run_id in ids:
        defer(carry_out_run, once=_once(run_id), bulk_run_id=run_id)
    return len(ids)


@task(name="flows.carry_out_bulk_run", retry=PATIENT_RETRY)
def carry_out_run(bulk_run_id: int) -> None:
    if carry_out(bulk_run_id):
        defer(carry_out_run, once=_once(bulk_run_id), bulk_run_id=bulk_run_id)
