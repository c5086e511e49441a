"""Reconciliation in words: each mismatch with what it means and what to do. Read only."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from bedside.core.money import Money
from bedside.payments.reconciliation_models import Mismatch, ReconciliationRun

SHOWN = 200


@dataclass(frozen=True)
class Told:
    """A mismatch as the desk reads it."""

    mismatch: Mismatch
    title: str
    meaning: str
    advice: str

    @property
    def ours(self) -> Money | None:
        return _money(self.mismatch.ours_minor, self.mismatch.currency)

    @property
    def theirs(self) -> Money | None:
        return _money(self.mismatch.theirs_minor, self.mismatch.currency)


def _money(minor: int | None, currency: str) -> Money | None:
    return None if minor is None else Money(minor, currency)


def open_mismatches(limit: int = SHOWN) -> list[Told]:
    """Newest first."""
    found = _mismatches().filter(resolved_at=None).order_by("-occurred_at", "-pk")
    return [tell(mismatch) for mismatch in found[:limit]]


def open_count() -> int:
    return Mismatch.objects.filter(resolved_at=None).count()


def settled_mismatches(limit: int = 50) -> list[Told]:
    """Those that were explained or agreed later, newest first."""
    return [tell(one) for one in _mismatches().exclude(resolved_at=None).order_by("-resolved_at", "-pk")[:limit]]


def _mismatches() -> QuerySet[Mismatch]:
    return Mismatch.objects.select_related("run", "payment__appointment")


def runs(limit: int = 30) -> list[ReconciliationRun]:
    return list(ReconciliationRun.objects.order_by("-pk")[:limit])


def tell(mismatch: Mismatch) -> Told:
    what = {
        "charge": _("Payment"),
        "refund": _("Refund"),
        "dispute": _("Dispute"),
        "fee": _("Fee"),
        "payout": _("Payout"),
    }.get(mismatch.what, mismatch.what)
    said = {
        "missing_here": _("The processor has it, the ledger doesn't."),
        "missing_there": _("The ledger has it, the processor doesn't."),
        "amount": _("The two have different amounts."),
        "state": _("The ledger counts it, and at the processor it is %(state)s.") % {"state": mismatch.theirs_state},
    }
    if mismatch.what == "payout":
        said |= {
            "missing_here": _("The processor has it, Bedside doesn't."),
            "missing_there": _("Bedside has it, the processor doesn't."),
            "state": _("It stands otherwise here: at the processor it is %(state)s.")
            % {"state": mismatch.theirs_state},
            "parts": _("The payments, refunds and fees in it don't add up to it."),
        }
    return Told(mismatch, what, said[mismatch.kind], _advice(mismatch.what, mismatch.kind))


def _advice(what: str, kind: str) -> str:
    """What to do, most likely cause first."""
    if what == "payout":
        return _advice_on_payout(kind)
    if kind == "missing_there":
        return _(
            "Check that Bedside uses the key of the same account, and whether the object was deleted. Money that the "
            "processor never had must not be refunded there: call the patient before anything else."
        )
    if kind == "amount":
        return _(
            "Open it in the processor's dashboard and compare the amounts. Where the processor took too much, refund "
            "the difference; write down here what you found."
        )
    if kind == "state":
        return _(
            "Look again: Bedside then asks the processor and follows it. If a refund failed, the patient has not got "
            "the money: call, and give it back another way."
        )
    return {
        "charge": _(
            "Look again: a lost webhook is then made up for. If it belongs to no visit here, it was taken by something "
            "else that uses this account: refund it in the processor's dashboard, or explain it here."
        ),
        "refund": _(
            "It was made in the processor's own dashboard, or its webhook was lost. Look again; if it stays, find the "
            "payment in the dashboard and note the visit here."
        ),
        "fee": _("Fees are written a little after the payment. Look again; if it stays, its payment is missing too."),
        "dispute": _("Look again, then answer the dispute in the processor's dashboard before its date."),
    }.get(what, _("Compare the two in the processor's dashboard."))


def _advice_on_payout(kind: str) -> str:
    return {
        "missing_there": _(
            "Check that Bedside uses the key of the same account. Then look for the amount on the bank statement: "
            "if it never came, ask the processor's support, naming this payout."
        ),
        "amount": _(
            "Look again: Bedside takes over what the processor says. Then compare with the bank statement, and write "
            "down here which of the two came."
        ),
        "parts": _(
            "Open the payout in the processor's dashboard and add up its list. A fee or a correction of the processor "
            "that belongs to no payment is the usual cause: write down which."
        ),
    }.get(kind, _("A webhook was lost: look again, and Bedside takes over what the processor says."))
