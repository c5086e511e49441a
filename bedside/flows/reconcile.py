"""Reconcile: compare the ledger with the processor, object by object, and keep what does not match until it does.

The processor is asked outside any transaction; the comparison and its outcome are written in one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

import structlog
from django.db import connection, transaction
from django.db.models import Q

from bedside.clinic.models import Practice
from bedside.core import alerts, audit, clock
from bedside.core.audit import Actor
from bedside.core.events import DomainEvent, publish
from bedside.flows import reconcile_payouts
from bedside.payments.errors import AlreadyResolved, DaysOutOfOrder
from bedside.payments.matching import Side, verdict
from bedside.payments.models import Payment
from bedside.payments.processor_objects import Pair, clear, lay_down, moved, pairs
from bedside.payments.processors import processor
from bedside.payments.processors.base import Processor, ProcessorError
from bedside.payments.reconciliation_models import Mismatch, ProcessorObject, ReconciliationRun, RunStatus

log = structlog.get_logger(__name__)
# Younger than this, a webhook may still be on its way.
SETTLING = timedelta(minutes=15)
# A refund is listed by the day it was asked for, and counted on the day it succeeded.
MARGIN = timedelta(days=2)
LONGEST = timedelta(days=3 * 366)
# All are counted, so many are kept: a wrong key would make a mismatch of every object.
MOST_KEPT = 2000
WRITE_LOCK = 4_210_027


@dataclass(frozen=True, kw_only=True)
class ReconciliationFinished(DomainEvent):
    """The ledger was compared with the processor."""

    reconciliation_run_id: int


@dataclass
class Tally:
    """What a comparison came to."""

    matched: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    ours: int = 0
    theirs: int = 0
    fees: int = 0
    found: list[tuple[str, Pair]] = field(default_factory=list)

    def add(self, pair: Pair) -> None:
        kind = verdict(pair.ours, pair.theirs)
        self.ours += moved(pair.ours)
        self.theirs += moved(pair.theirs)
        self.fees -= moved(pair.theirs) if pair.what == "fee" else 0
        if kind == "matched":
            self.matched += 1
        else:
            self.find(kind, pair)

    def find(self, kind: str, pair: Pair) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if len(self.found) < MOST_KEPT:
            self.found.append((kind, pair))

    @property
    def mismatches(self) -> int:
        return sum(self.counts.values())


def reconcile(*, first: date, last: date, actor: Actor) -> ReconciliationRun:
    """Compare these practice days, both included. Raises DaysOutOfOrder; a processor that fails leaves a failed run."""
    if last < first or last - first > LONGEST:
        raise DaysOutOfOrder
    bank, practice = processor(), Practice.current()
    run = ReconciliationRun.objects.create(
        processor=bank.name,
        currency=practice.currency,
        first=first,
        last=last,
        asked_by=actor.kind,
        asked_by_id=actor.user_id,
    )
    since = datetime.combine(first, time(0), tzinfo=practice.zone)
    until = min(datetime.combine(last + timedelta(days=1), time(0), tzinfo=practice.zone), clock.now() - SETTLING)
    try:
        _compare(run, bank, since, max(since, until))
    except ProcessorError as error:
        _give_up(run, error.code)
    finally:
        clear(run.pk)
    return run


def _compare(run: ReconciliationRun, bank: Processor, since: datetime, until: datetime) -> None:
    lay_down(run.pk, bank, since=since - MARGIN, until=min(until + MARGIN, clock.now()))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE payments_processorobject")
    tally = Tally()
    with transaction.atomic():
        for pair in pairs(run.pk, bank.name, since=since, until=until):
            # What neither side places in these days is another run's.
            if pair.within and not (pair.ours is None and not since <= pair.at < until):
                tally.add(pair)
    _second_look(tally, bank)
    payouts = reconcile_payouts.compare(bank, since, until)
    tally.matched += payouts.matched
    for kind, pair in payouts.found:
        tally.find(kind, pair)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [WRITE_LOCK])
        run.payout_count, run.payouts_minor = len(payouts.amounts), sum(payouts.amounts)
        explained = _keep_mismatches(run, tally)
        _settle_the_rest(run, tally, since, until)
        _finish(run, tally, explained)


def _second_look(tally: Tally, bank: Processor) -> None:
    """What the processor did not list for these days may be of others: each is asked about by its id."""
    for at, (kind, pair) in enumerate(tally.found):
        if kind != "missing_there" or pair.what not in {"charge", "refund"}:
            continue
        theirs = _ask(bank, pair)
        if theirs is None:
            continue
        tally.counts[kind] -= 1
        tally.theirs += moved(theirs)
        now = verdict(pair.ours, theirs)
        tally.found[at] = (now, replace(pair, theirs=theirs))
        if now == "matched":
            tally.matched += 1
        else:
            tally.counts[now] = tally.counts.get(now, 0) + 1
    tally.found = [one for one in tally.found if one[0] != "matched"]


def _ask(bank: Processor, pair: Pair) -> Side | None:
    """What the processor says of one charge or refund; None where it knows of none."""
    try:
        if pair.what == "charge":
            found = bank.look_up_charge(pair.object_id)
            return Side(found[0].amount.minor_units, found[0].amount.currency, "succeeded") if found else None
        refund = bank.look_up_refund(pair.object_id)
    except ProcessorError as error:
        if error.permanent:
            return None
        raise
    return Side(-refund.amount.minor_units, refund.amount.currency, refund.status) if refund.amount else None


def _keep_mismatches(run: ReconciliationRun, tally: Tally) -> int:
    """One open row for each; one that somebody has explained stays closed while nothing about it changes."""
    explained = 0
    for kind, pair in tally.found:
        same = Mismatch.objects.filter(processor=run.processor, what=pair.what, object_id=pair.object_id)
        says = {
            "kind": kind,
            "ours_minor": pair.ours.minor if pair.ours else None,
            "theirs_minor": pair.theirs.minor if pair.theirs else None,
            "theirs_state": pair.theirs.state[:20] if pair.theirs else "",
        }
        if same.filter(resolved_by="admin", **says).exists():
            explained += 1
            tally.counts[kind] -= 1
            continue
        said_by = pair.theirs or pair.ours
        assert said_by is not None
        now = {"run": run, "last_seen_at": clock.now(), "currency": said_by.currency, "occurred_at": pair.at}
        now["payment_id"] = pair.payment_id or _payment_of(pair)
        Mismatch.objects.update_or_create(
            processor=run.processor,
            what=pair.what,
            object_id=pair.object_id,
            resolved_at=None,
            defaults=says | now,
        )
    return explained


def _payment_of(pair: Pair) -> int | None:
    """The payment of an object that the ledger doesn't know: by its intent, or by the visit that it names."""
    intent = pair.object_id if pair.what == "charge" else pair.reference
    named = Q(intent_id=intent) if intent else Q(pk=None)
    if pair.what == "charge" and pair.reference.isdigit():
        named |= Q(appointment_id=int(pair.reference))
    return Payment.objects.filter(named).order_by("-pk").values_list("pk", flat=True).first()


def _settle_the_rest(run: ReconciliationRun, tally: Tally, since: datetime, until: datetime) -> None:
    """Open mismatches of these days that this run did not find again agree now."""
    if tally.mismatches > len(tally.found):
        return
    was_open = Mismatch.objects.filter(
        processor=run.processor, resolved_at=None, occurred_at__gte=since, occurred_at__lt=until
    )
    was_open.exclude(run=run).update(resolved_at=clock.now(), resolved_by="system")


def _finish(run: ReconciliationRun, tally: Tally, explained: int) -> None:
    run.matched, run.explained = tally.matched, explained
    run.missing_here = tally.counts.get("missing_here", 0)
    run.missing_there = tally.counts.get("missing_there", 0)
    run.different = sum(tally.counts.get(kind, 0) for kind in ("amount", "state", "parts"))
    run.ours_minor, run.theirs_minor, run.fees_minor = tally.ours, tally.theirs, tally.fees
    run.status = RunStatus.MISMATCHED if tally.mismatches else RunStatus.BALANCED
    run.finished_at = clock.now()
    run.save()
    alerts.resolve_alert("reconciliation-failed", run.processor)
    say_or_settle(run.processor)
    publish(ReconciliationFinished(reconciliation_run_id=run.pk))
    log.info("reconciled", run_id=run.pk, status=run.status, matched=run.matched, mismatches=tally.mismatches)


def say_or_settle(name: str) -> None:
    """One alert while anything is open."""
    count = Mismatch.objects.filter(processor=name, resolved_at=None).count()
    if count:
        alerts.raise_alert(
            "reconciliation",
            name,
            f"The ledger and the processor disagree on {count} objects. Each is listed under Sales, Reconciliation, "
            "with what to do.",
        )
    else:
        alerts.resolve_alert("reconciliation", name)


def _give_up(run: ReconciliationRun, code: str) -> None:
    with transaction.atomic():
        run.status, run.error, run.finished_at = RunStatus.FAILED, code[:60], clock.now()
        run.save()
        alerts.raise_alert(
            "reconciliation-failed",
            run.processor,
            f"The processor did not answer ({code}), so the ledger could not be compared. It is tried again by itself.",
        )
        publish(ReconciliationFinished(reconciliation_run_id=run.pk))


def resolve(*, mismatch_id: int, actor: Actor, note: str) -> Mismatch:
    """Somebody has found out what it is: closed with a note, and quiet while it stays as it is.

    Raises AlreadyResolved.
    """
    with transaction.atomic():
        mismatch = Mismatch.objects.select_for_update().get(pk=mismatch_id)
        if mismatch.resolved_at is not None:
            raise AlreadyResolved
        mismatch.resolved_at, mismatch.resolved_by = clock.now(), actor.kind
        mismatch.resolved_by_id, mismatch.note = actor.user_id, note
        mismatch.save()
        audit.record(
            actor,
            "mismatch.resolved",
            mismatch,
            before={"kind": mismatch.kind, "ours": mismatch.ours_minor, "theirs": mismatch.theirs_minor},
            after={"resolved": True},
            reason=note,
        )
        say_or_settle(mismatch.processor)
        publish(ReconciliationFinished(reconciliation_run_id=mismatch.run_id))
    return mismatch


def sweep_objects() -> None:
    """What a run that died left lying."""
    dead = ReconciliationRun.objects.filter(status=RunStatus.RUNNING, started_at__lt=clock.now() - timedelta(hours=6))
    for run in dead:
        clear(run.pk)
        _give_up(run, "interrupted")
    known = ReconciliationRun.objects.filter(status=RunStatus.RUNNING).values("pk")
    ProcessorObject.objects.exclude(run_id__in=known).delete()
