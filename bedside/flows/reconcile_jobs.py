"""Jobs of reconciliation: each morning, when the desk asks, and a second look at a single mismatch."""

from __future__ import annotations

from datetime import date, timedelta

import structlog
from procrastinate.contrib.django import app

from bedside.clinic.models import Practice
from bedside.core import audit, clock
from bedside.core.audit import Actor
from bedside.core.jobs import defer, task
from bedside.flows import fees, pay, processor_events, reconcile
from bedside.flows.dashboard_refund import NoRoomYet
from bedside.payments.errors import AlreadyResolved, DaysOutOfOrder
from bedside.payments.processors import processor
from bedside.payments.processors.base import ProcessorError
from bedside.payments.reconciliation_models import Mismatch, ReconciliationRun, RunStatus

log = structlog.get_logger(__name__)
# After the daily close, when the day before is settled at the processor too.
AFTER_MIDNIGHT = timedelta(hours=4)
# Each morning's run looks at so many days: what was late for one run is there for the next.
DAYS = 3
LONGEST_DISPUTE = timedelta(days=200)


@app.periodic(cron="*/20 * * * *", periodic_id="reconcile")
@task(name="flows.reconcile_daily", queueing_lock="flows.reconcile_daily", lock="flows.reconcile")
def reconcile_daily(timestamp: int = 0) -> None:
    """Once a practice day; tried again while the processor doesn't answer."""
    last = (clock.now() - AFTER_MIDNIGHT).astimezone(Practice.current().zone).date() - timedelta(days=1)
    done = ReconciliationRun.objects.filter(last__gte=last).exclude(status__in=[RunStatus.FAILED, RunStatus.RUNNING])
    if done.exists():
        return
    reconcile.sweep_objects()
    reconcile.reconcile(first=last - timedelta(days=DAYS - 1), last=last, actor=Actor.system())


@task(name="flows.reconcile_days", lock="flows.reconcile")
def reconcile_days(first: str, last: str, user_id: int) -> None:
    """What the desk asked for; days as ISO dates."""
    actor = Actor("admin", user_id)
    reconcile.reconcile(first=date.fromisoformat(first), last=date.fromisoformat(last), actor=actor)


@task(name="flows.look_again", lock="flows.reconcile")
def look_again(mismatch_id: int, user_id: int) -> None:
    """Bring our side to what the processor says where we can, then compare that day anew."""
    mismatch = Mismatch.objects.get(pk=mismatch_id)
    if mismatch.resolved_at is not None:
        return
    try:
        _catch_up(mismatch)
    except (ProcessorError, NoRoomYet) as error:
        log.warning("mismatch_not_answered", mismatch_id=mismatch_id, code=error.code)
    day = mismatch.occurred_at.astimezone(Practice.current().zone).date()
    reconcile.reconcile(first=day, last=day, actor=Actor("admin", user_id))


def _catch_up(mismatch: Mismatch) -> None:
    """Follow the object as if its webhook had just come."""
    if mismatch.what == "charge":
        payment = mismatch.payment
        if payment is not None and payment.session_id:
            pay.settle(payment.pk)
        processor_events.follow_charge(mismatch.object_id)
    elif mismatch.what == "refund":
        processor_events.follow_refund(mismatch.object_id)
    elif mismatch.what == "fee":
        moment = timedelta(minutes=1)
        fees.collect_between(mismatch.occurred_at - moment, mismatch.occurred_at + moment)
    elif mismatch.what == "payout":
        processor_events.follow_payout(mismatch.object_id)
    elif mismatch.what == "dispute":
        opened = mismatch.occurred_at - LONGEST_DISPUTE
        for state in list(processor().list_disputes(since=opened, until=clock.now())):
            if mismatch.object_id in {moved.balance_id for moved in state.movements}:
                processor_events.follow_dispute(state.dispute_id)


def ask_for_days(*, first: date, last: date, actor: Actor) -> None:
    """Have the days compared by a job. Raises DaysOutOfOrder."""
    if last < first or last - first > reconcile.LONGEST:
        raise DaysOutOfOrder
    audit.record(actor, "reconciliation.asked", Practice.current(), after={"from": str(first), "to": str(last)})
    once = f"reconcile:{first}:{last}"
    defer(reconcile_days, once=once, first=first.isoformat(), last=last.isoformat(), user_id=actor.user_id)


def ask_again(*, mismatch_id: int, actor: Actor) -> None:
    """Have one mismatch looked at again by a job. Raises AlreadyResolved."""
    mismatch = Mismatch.objects.get(pk=mismatch_id)
    if mismatch.resolved_at is not None:
        raise AlreadyResolved
    audit.record(actor, "mismatch.looked_at_again", mismatch)
    defer(look_again, once=f"look-again:{mismatch_id}", mismatch_id=mismatch_id, user_id=actor.user_id)
