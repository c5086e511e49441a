"""Matching: does what the ledger says of one object agree with what the processor says? Pure: imports no Django."""

from __future__ import annotations

from dataclasses import dataclass

# A processor's object in one of these states has moved no money, or has brought it back.
NO_MONEY = frozenset({"pending", "failed", "canceled"})


@dataclass(frozen=True, slots=True)
class Side:
    """What one side says: signed minor units that moved, their currency, and (theirs only) the object's state."""

    minor: int
    currency: str
    state: str = ""


def expected(side: Side) -> int:
    """What must be in the books for the processor's object: nothing while it moved nothing."""
    return 0 if side.state in NO_MONEY else side.minor


def verdict(ours: Side | None, theirs: Side | None) -> str:
    """``matched``, ``missing_here``, ``missing_there``, ``amount`` or ``state``.

    A refund that failed is matched by nothing, or by a line and its reversal, which add up to nothing.
    """
    if theirs is None:
        return "matched" if ours is None or ours.minor == 0 else "missing_there"
    should_be = expected(theirs)
    if ours is None:
        return "matched" if should_be == 0 else "missing_here"
    if ours.minor == should_be and (ours.currency == theirs.currency or should_be == 0):
        return "matched"
    return "state" if theirs.state in NO_MONEY else "amount"
