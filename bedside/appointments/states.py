"""The appointment's states and the moves between them, as data. Pure: imports no Django."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """How an appointment stands. The values are the same in code, database, API, pages and docs."""

    DRAFT = "draft"
    PENDING_PAYMENT = "pending_payment"
    PAID = "paid"
    CANCELED = "canceled"
    RESCHEDULED = "rescheduled"
    COMPLETED = "completed"
    NO_SHOW = "no_show"
    EXPIRED = "expired"


S = Status
MOVES: dict[Status, frozenset[Status]] = {
    S.DRAFT: frozenset({S.PENDING_PAYMENT, S.CANCELED, S.EXPIRED}),
    S.PENDING_PAYMENT: frozenset({S.PAID, S.CANCELED, S.EXPIRED}),
    S.PAID: frozenset({S.CANCELED, S.RESCHEDULED, S.COMPLETED, S.NO_SHOW}),
    # Money that lands late takes the slot again where it is still free.
    S.EXPIRED: frozenset({S.PAID}),
    S.CANCELED: frozenset(),
    S.RESCHEDULED: frozenset(),
    # Marked by mistake: it can be taken back for a while (flows.conclude).
    S.COMPLETED: frozenset({S.PAID}),
    S.NO_SHOW: frozenset({S.PAID}),
}

# States in which the provider's time is taken. The exclusion constraint covers exactly these.
HOLDS_TIME = frozenset({S.PENDING_PAYMENT, S.PAID, S.COMPLETED, S.NO_SHOW})
# Of these visits nothing will come: what was paid for them belongs to the patient, or to the policy.
WONT_TAKE_PLACE = frozenset({S.CANCELED, S.NO_SHOW, S.EXPIRED})


class IllegalMove(Exception):
    """The table of moves doesn't allow it: somebody else was quicker, or the caller is mistaken."""

    def __init__(self, before: Status, after: Status) -> None:
        super().__init__(f"{before} -> {after}")
        self.before, self.after = before, after


def check_move(before: str, after: str) -> Status:
    """The new state, or `IllegalMove`."""
    old, new = Status(before), Status(after)
    if new not in MOVES[old]:
        raise IllegalMove(old, new)
    return new
