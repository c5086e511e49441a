"""Payouts of a time compared with ours one by one: amount, state, and whether their parts add up to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bedside.payments.bank_models import Payout
from bedside.payments.matching import Side
from bedside.payments.processor_objects import Pair
from bedside.payments.processors.base import PayoutState, Processor, ProcessorError

WHAT = "payout"
# Sent back, or never sent: no money of theirs is at the bank.
CAME_TO_NOTHING = frozenset({"failed", "canceled"})


@dataclass
class Compared:
    """What went to the bank, minor units each; how many agree; and what doesn't, with how."""

    amounts: list[int] = field(default_factory=list)
    matched: int = 0
    found: list[tuple[str, Pair]] = field(default_factory=list)

    def add(self, kind: str, pair: Pair) -> None:
        if kind == "matched":
            self.matched += 1
        else:
            self.found.append((kind, pair))


def compare(bank: Processor, since: datetime, until: datetime) -> Compared:
    """Every payout that was made in that time, by either side. Outside any transaction."""
    done = Compared()
    ours = {one.payout_id: one for one in Payout.objects.filter(processor=bank.name)}
    seen = set()
    for state in bank.list_payouts(since=since, until=until):
        seen.add(state.payout_id)
        done.add(*_beside(bank, ours.get(state.payout_id), state))
        if state.status not in CAME_TO_NOTHING:
            done.amounts.append(state.amount.minor_units)
    for payout_id, known in ours.items():
        if payout_id not in seen and since <= known.created_at < until:
            done.add(*_beside(bank, known, _ask(bank, payout_id)))
    return done


def _ask(bank: Processor, payout_id: str) -> PayoutState | None:
    """The lists of those days don't hold it: asked about by its id before it counts as missing there."""
    try:
        return bank.look_up_payout(payout_id)
    except ProcessorError as error:
        if error.permanent:
            return None
        raise


def _beside(bank: Processor, ours: Payout | None, theirs: PayoutState | None) -> tuple[str, Pair]:
    here = Side(ours.amount_minor, ours.currency, ours.status) if ours else None
    there = Side(theirs.amount.minor_units, theirs.amount.currency, theirs.status) if theirs else None
    kind = _verdict(here, there)
    if kind == "matched" and theirs is not None and (differs := _parts_differ_by(bank, theirs)):
        assert here is not None
        kind, here = "parts", Side(here.minor + differs, here.currency)
    known = theirs or ours
    assert known is not None
    return kind, Pair(
        what=WHAT,
        object_id=known.payout_id,
        ours=here,
        theirs=there,
        at=known.created_at,
        within=True,
        payment_id=None,
        reference="",
    )


def _verdict(here: Side | None, there: Side | None) -> str:
    if here is None or there is None:
        return "missing_there" if here else "missing_here"
    if (here.minor, here.currency) != (there.minor, there.currency):
        return "amount"
    return "matched" if here.state == there.state else "state"


def _parts_differ_by(bank: Processor, payout: PayoutState) -> int:
    """A payout is one of its own parts, negative: all of them add up to nothing. Minor units.

    One that came to nothing has been taken back into the balance; one that was made by hand lists no parts.
    """
    if payout.status in CAME_TO_NOTHING:
        return 0
    try:
        return sum(part.net.minor_units for part in bank.balance_of_payout(payout.payout_id))
    except ProcessorError as error:
        if error.permanent:
            return 0
        raise
