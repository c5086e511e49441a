"""``bedside reconcile`` and ``bedside signoff``: what they print, and the exit status they end with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

Print = Callable[[str], None]


def reconcile(first: date | None, last: date | None, say: Print) -> int:
    """Compare these practice days, yesterday unless told. 0: they agree; 1: they don't, or could not be compared."""
    from bedside.clinic.models import Practice
    from bedside.core import clock
    from bedside.core.audit import Actor
    from bedside.core.money import Money
    from bedside.flows import reconcile as flow
    from bedside.payments.errors import DaysOutOfOrder
    from bedside.payments.reconciliation_models import Mismatch, RunStatus
    from bedside.reports.reconciliation import tell

    practice = Practice.objects.filter(pk=1).first()
    if practice is None:
        say("There is no practice yet, so there is nothing to compare.")
        return 0
    yesterday = clock.now().astimezone(practice.zone).date() - timedelta(days=1)
    last = last or max(yesterday, first or yesterday)
    first = first or last
    try:
        run = flow.reconcile(first=first, last=last, actor=Actor.system())
    except DaysOutOfOrder as error:
        say(error.message)
        return 2
    if run.status == RunStatus.FAILED:
        say(f"The processor did not answer ({run.error}). Nothing was compared.")
        return 1
    ours, theirs = Money(run.ours_minor, run.currency), Money(run.theirs_minor, run.currency)
    say(f"{run.processor}, {first} to {last}: {run.matched} matched, {run.explained} explained before.")
    say(f"Ledger {ours}, processor {theirs}, fees {Money(run.fees_minor, run.currency)}.")
    say(f"Payouts: {run.payout_count}, {Money(run.payouts_minor, run.currency)}.")
    if run.status == RunStatus.BALANCED:
        say("The books agree.")
        return 0
    say(f"{run.missing_here} missing here, {run.missing_there} missing there, {run.different} different:")
    for mismatch in Mismatch.objects.filter(run=run, resolved_at=None).order_by("occurred_at"):
        told = tell(mismatch)
        say(f"- {told.title} {mismatch.object_id}: ledger {told.ours or 'none'}, processor {told.theirs or 'none'}")
        say(f"  {told.meaning} {told.advice}")
    return 1


def signoff(say: Print) -> int:
    """The checklist, one line each. 0: fit for patients; 1: something says FAIL."""
    from bedside.flows import signoff as flow

    lines = flow.signoff()
    for line in lines:
        say(f"{line.state:<5} {line.title}{': ' + line.detail if line.detail else ''}")
    failed = sum(line.state == flow.FAIL for line in lines)
    say(f"{failed} of {len(lines)} checks failed." if failed else "Signed off: nothing stands in the way.")
    return 1 if failed else 0
