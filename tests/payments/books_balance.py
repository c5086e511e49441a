"""What must hold at the end of every history of money. Each check says what is wrong, or nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.db.models import Sum

from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.core import clock
from bedside.core.audit import Actor
from bedside.core.models import Alert, AuditEntry
from bedside.flows import credits, reconcile, refund
from bedside.payments.bank_models import Dispute
from bedside.payments.credit_models import Credit, CreditEntry
from bedside.payments.models import LedgerEntry, Payment, Refund
from bedside.payments.processors.sandbox import SandboxProcessor
from bedside.reports.reconciliation import tell
from bedside.sandbox import books
from bedside.sandbox.models import BalanceEntry, ProcessorRefund

LIVE = {Status.PAID, Status.COMPLETED, Status.RESCHEDULED}
ALWAYS = {"since": datetime(2020, 1, 1, tzinfo=UTC), "until": datetime(2030, 1, 1, tzinfo=UTC)}
MOVES_MONEY = ("charge", "refund", "refund_failed", "dispute", "fee")


def wrongs() -> Iterator[str]:
    yield from ledger_is_the_processor()
    yield from nothing_is_negative()
    yield from nothing_went_back_twice()
    yield from every_cent_belongs()
    yield from the_ledger_is_the_rows()
    yield from credits_are_owed_once()
    yield from reconciliation_agrees()


def ledger_is_the_processor() -> Iterator[str]:
    """One by one, then in total: what the processor holds for us is what our lines add up to."""
    bank = SandboxProcessor()
    lines = LedgerEntry.objects.filter(processor="sandbox")
    ours: dict[str, dict[str, int]] = defaultdict(dict)
    for line in lines:
        ours[line.kind][line.processor_object] = line.amount_minor
    charges = {charge.intent_id: charge.amount.minor_units for charge in bank.list_charges(**ALWAYS)}
    if charges != ours["charge"]:
        yield f"charges: the processor {charges}, the ledger {ours['charge']}"
    given = {one.refund_id: -one.amount.minor_units for one in bank.list_refunds(**ALWAYS) if one.status == "succeeded"}  # type: ignore[union-attr]
    kept = {key: value for key, value in ours["refund"].items() if key not in ours["refund_failed"]}
    if given != kept:
        yield f"refunds: the processor {given}, the ledger {kept}"
    moved, fees = {}, {}
    for one in bank.list_balance_transactions(**ALWAYS):
        if one.kind.startswith("dispute"):
            moved[one.balance_id] = one.amount.minor_units
        if one.fee:
            fees[one.balance_id] = -one.fee.minor_units
    if moved != ours["dispute"]:
        yield f"disputes: the processor {moved}, the ledger {ours['dispute']}"
    if fees != ours["fee"]:
        yield f"fees: the processor {fees}, the ledger {ours['fee']}"
    total = lines.filter(kind__in=MOVES_MONEY).aggregate(sum=Sum("amount_minor"))["sum"] or 0
    paid_out = -(BalanceEntry.objects.filter(category="payout").aggregate(sum=Sum("amount_minor"))["sum"] or 0)
    if total != books.balance("usd") + paid_out:
        yield f"total: the processor {books.balance('usd') + paid_out}, the ledger {total}"
    states = {one.dispute_id: one.status for one in bank.list_disputes(**ALWAYS)}
    if states != dict(Dispute.objects.values_list("dispute_id", "status")):
        yield f"states of disputes differ: {states}"


def reconciliation_agrees() -> Iterator[str]:
    """What the desk would read: Bedside's own comparison finds nothing, payouts included."""
    last = clock.now().date()
    run = reconcile.reconcile(first=last - timedelta(days=8), last=last, actor=Actor.system())
    if run.status != "balanced":
        told = [tell(one) for one in run.mismatches.all()]
        yield f"reconciliation {run.status} {run.error}: {[(t.title, t.mismatch.object_id, t.meaning) for t in told]}"


def nothing_is_negative() -> Iterator[str]:
    for payment in Payment.objects.all():
        if payment.refundable_minor < 0:
            yield f"payment {payment.pk} has {payment.refundable_minor} left"
        counted = payment.refunds.exclude(status="failed").aggregate(sum=Sum("refund_amount"))["sum"] or 0
        if counted != payment.refunded_minor:
            yield f"payment {payment.pk} counts {payment.refunded_minor} refunded, its refunds add up to {counted}"
    for credit in Credit.objects.all():
        if credit.left_minor < 0:
            yield f"credit {credit.pk} has {credit.left_minor} left"
    pending = Refund.objects.filter(status="pending").count()
    if pending:
        yield f"{pending} refunds never came to an end"


def nothing_went_back_twice() -> Iterator[str]:
    by_key: dict[str, int] = defaultdict(int)
    by_charge: dict[str, int] = defaultdict(int)
    for one in ProcessorRefund.objects.exclude(status="failed").select_related("checkout"):
        by_charge[one.checkout.intent_id] += one.amount_minor
        if one.metadata:
            by_key[one.metadata["bedside_refund"]] += 1
        if by_charge[one.checkout.intent_id] > one.checkout.amount_minor:
            yield f"{one.checkout.intent_id} was refunded beyond its amount"
    yield from (f"refund {key} was made {count} times" for key, count in by_key.items() if count > 1)


def every_cent_belongs() -> Iterator[str]:
    """To a visit that stands, a refund, or a credit; else to the policy, a dispute, or an alert that says who acts."""
    for payment in Payment.objects.filter(captured_minor__gt=0).select_related("appointment"):
        left = payment.refundable_minor
        if not left or payment.appointment.status in LIVE:
            continue
        if left <= _kept_by_decision(payment) or refund.is_disputed(payment) or _somebody_acts(payment):
            continue
        yield f"{left} of payment {payment.pk} belong to a visit that is {payment.appointment.status}"


def the_ledger_is_the_rows() -> Iterator[str]:
    """Also of money that no processor knows: what the desk took."""
    for payment in Payment.objects.all():
        sums: dict[str, int] = defaultdict(int)
        for line in payment.ledger.all():
            sums[line.kind] += line.amount_minor
        given = sum(payment.refunds.filter(status="succeeded").values_list("refund_amount", flat=True))
        if (sums["charge"], sums["refund"] + sums["refund_failed"]) != (payment.captured_minor, -given):
            yield f"payment {payment.pk} took {payment.captured_minor} and gave {given}; the ledger says {dict(sums)}"
        if payment.captured_minor and payment.method == "waived":
            yield f"payment {payment.pk} was waived and took {payment.captured_minor}"
    for visit in Appointment.objects.filter(status__in=[*LIVE, Status.NO_SHOW, Status.CANCELED]):
        if visit.payments.filter(captured_minor__gt=0).count() > 1:
            yield f"visit {visit.pk} was paid twice"


def credits_are_owed_once() -> Iterator[str]:
    """What was issued is left, spent, lapsed or reversed; what pays for a visit pays for that one alone."""
    lines = LedgerEntry.objects.filter(processor="credit")
    owed, left = -(lines.aggregate(sum=Sum("amount_minor"))["sum"] or 0), 0
    for credit in Credit.objects.all():
        left += credit.left_minor
    if owed != left:
        yield f"credits: {left} are left, the ledger says {owed}"
    for payment in Payment.objects.select_related("appointment"):
        issued = CreditEntry.objects.filter(
            credit__payment=payment, credit__goodwill=False, kind__in=["issued", "reversed"]
        )
        covered = issued.aggregate(sum=Sum("amount_minor"))["sum"] or 0
        # What came back to a credit after it was reversed may be reversed again: never below nothing.
        if payment.credited_minor > max(covered, 0):
            yield f"payment {payment.pk} counts {payment.credited_minor} as credit, its credits come to {covered}"
        yield from _spent_where_it_belongs(payment)


def _spent_where_it_belongs(payment: Payment) -> Iterator[str]:
    spent, visit = credits.spent_on(payment), payment.appointment
    should = 0
    if payment.status in {"succeeded", "refunded"} and visit.status in LIVE:
        should = payment.credit_minor
    elif payment.status in {"succeeded", "refunded"} and visit.status in {Status.CANCELED, Status.NO_SHOW}:
        ended = AuditEntry.objects.filter(
            action__in=["appointment.canceled", "appointment.no_show"], subject_id=str(visit.pk)
        ).last()
        was_paid = ended is not None and (ended.before or {}).get("status") == "paid"
        should = payment.credit_minor - (ended.after or {}).get("credit_back_minor", 0) if was_paid and ended else 0
    elif visit.status == Status.PENDING_PAYMENT:
        should = payment.credit_minor
    if spent != should:
        yield f"credits pay {spent} of payment {payment.pk}, and should {should}: its visit is {visit.status}"


def _kept_by_decision(payment: Payment) -> int:
    """What the policy kept when it was canceled, and what the desk kept of credits that it took back."""
    entries = AuditEntry.objects.filter(
        action__in=["appointment.canceled", "appointment.no_show", "credit.money_settled"],
        subject_kind="appointment",
        subject_id=str(payment.appointment_id),
    )
    return sum((entry.after or {}).get("kept_minor", 0) for entry in entries)


def _somebody_acts(payment: Payment) -> bool:
    keys = [f"refund:{pk}" for pk in payment.refunds.filter(status="failed").values_list("pk", flat=True)]
    waiting = Alert.objects.filter(resolved_at=None)
    return (
        waiting.filter(kind="refund-failed", key__in=keys).exists()
        or waiting.filter(kind=refund.WAITS, key=f"payment:{payment.pk}").exists()
    )
