"""What a payment processor must do. Amounts are minor units, instants are aware and UTC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bedside.core.money import Money


@dataclass(frozen=True, slots=True)
class CheckoutSession:
    """A page of the processor where one payment can be made until ``expires_at``."""

    session_id: str
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class RefundState:
    """Where a refund stands: ``pending``, ``succeeded`` or ``failed`` (then with a code).

    ``key`` is the idempotency key of the refund that we asked for; one made in the processor's own dashboard has none.
    The fields after ``failure_code`` are filled by whatever read them from the processor.
    """

    refund_id: str
    status: str
    failure_code: str = ""
    intent_id: str = ""
    amount: Money | None = None
    key: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """Money taken from a card. ``amount`` is what was captured; ``intent_id`` is what a `Payment` knows it by.

    ``balance_id`` is empty until the processor has booked it, some seconds later at most.
    """

    charge_id: str
    intent_id: str
    amount: Money
    refunded: Money
    disputed: bool
    created_at: datetime
    reference: str = ""
    balance_id: str = ""


@dataclass(frozen=True, slots=True)
class BalanceTransaction:
    """One movement of the practice's balance at the processor: ``net`` is ``amount`` less ``fee``, all signed.

    ``kind`` is one of ``BALANCE_KINDS``; ``source_id`` is the charge, refund, dispute or payout that caused it.
    ``intent_id`` is set where the source was read along with it.
    """

    balance_id: str
    kind: str
    source_id: str
    amount: Money
    fee: Money
    created_at: datetime
    intent_id: str = ""

    @property
    def net(self) -> Money:
        return self.amount - self.fee


# Stripe's reporting categories, those that this house meets; any other is "other".
BALANCE_KINDS = frozenset(
    {"charge", "refund", "refund_failure", "dispute", "dispute_reversal", "payout", "payout_reversal", "fee", "other"}
)


@dataclass(frozen=True, slots=True)
class DisputeState:
    """Where a dispute stands. ``status`` is Stripe's word: ``needs_response``, ``under_review``, ``won``, ``lost``, ...

    ``movements`` are what it took from the balance, and gave back. ``due_at``: evidence counts until then.
    ``refundable``: an inquiry, before the bank has taken anything; a refund may still end it.
    """

    dispute_id: str
    intent_id: str
    charge_id: str
    amount: Money
    reason: str
    status: str
    created_at: datetime
    due_at: datetime | None = None
    refundable: bool = False
    movements: tuple[BalanceTransaction, ...] = ()


@dataclass(frozen=True, slots=True)
class PayoutState:
    """Money on its way to the practice's bank: ``pending``, ``in_transit``, ``paid``, ``failed`` or ``canceled``."""

    payout_id: str
    amount: Money
    status: str
    created_at: datetime
    arrives_at: datetime
    failure_code: str = ""


@dataclass(frozen=True, slots=True)
class CheckoutState:
    """What the processor says of a session now: ``open``, ``complete`` or ``expired``, and whether money was taken.

    ``amount`` is what the session asks for, and what was taken once ``paid``. ``decline_code`` is the last refusal of a
    card while the session is still open. ``reference`` and ``payment_ref`` were written into it when it was opened:
    the appointment's code and the payment's id.
    """

    session_id: str
    status: str
    paid: bool
    amount: Money
    intent_id: str = ""
    decline_code: str = ""
    paid_at: datetime | None = None
    refunds: tuple[RefundState, ...] = ()
    reference: str = ""
    payment_ref: str = ""


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """A verified webhook. ``object_id`` is the session's id, or the id of what it speaks of (refund, dispute, ...).

    ``live``: it speaks of real money. One that comes to a place of the other kind is kept and left alone.
    """

    event_id: str
    kind: str
    object_id: str
    live: bool = False


class ProcessorError(Exception):
    """The processor said no, or nothing.

    ``permanent``: asking again as it is won't help. ``outcome_unknown``: it may have been done all the same, so ask
    again under the same key, which does it once. ``replayed``: it was an answer, which the same key would repeat.
    """

    def __init__(
        self, code: str, *, permanent: bool = False, outcome_unknown: bool = False, replayed: bool = False
    ) -> None:
        self.code, self.permanent, self.outcome_unknown = code, permanent, outcome_unknown
        self.replayed = replayed
        super().__init__(code)


class ProcessorRefused(ProcessorError):
    """A definite no: nothing was done, and asking the same again won't help."""

    def __init__(self, code: str) -> None:
        super().__init__(code, permanent=True)


class OutcomeUnknown(ProcessorError):
    """No answer, or an error of the processor's own: it may have been done. Ask what is, before doing it again."""

    def __init__(self, code: str, *, replayed: bool = False) -> None:
        super().__init__(code, outcome_unknown=True, replayed=replayed)


class TryAgainLater(ProcessorError):
    """Nothing was done; the same request is welcome later (429, or another one under the same key is under way)."""


class KeyRefused(TryAgainLater):
    """Our key is wrong, or lacks a permission. Nothing was done, and a person must put the key right."""


class BadSignature(Exception):
    """A webhook that is unsigned, forged, altered or too old. The reason is for logs, never for the sender."""


class Processor(Protocol):
    """One payment processor. Every method may raise ProcessorError; none may be called inside a transaction."""

    name: str
    live: bool
    """Whether its money is real: the key decides."""

    def open_checkout(
        self,
        *,
        payment_key: str,
        reference: str,
        amount: Money,
        description: str,
        email: str,
        success_url: str,
        cancel_url: str,
        expires_at: datetime,
        metadata: Mapping[str, str] = ...,
    ) -> CheckoutSession:
        """Open a checkout. The same ``payment_key`` gives the same session; with other parameters it is refused.

        ``expires_at`` lies 30 minutes to 24 hours ahead (Stripe's rule). ``metadata``: ids only, no personal data.
        """
        ...

    def look_up(self, session_id: str) -> CheckoutState:
        """The session's present state."""
        ...

    def expire_checkout(self, session_id: str) -> CheckoutState:
        """Close an open session. One that was completed meanwhile is no error: its state says complete."""
        ...

    def refund(self, *, intent_id: str, amount: Money, idempotency_key: str, key: str = "") -> RefundState:
        """Give ``amount`` back. The same idempotency key gives the same refund; more than was captured is refused.

        ``key`` is written into the refund, so that it can be told from one made in the processor's dashboard.
        """
        ...

    def refunds_of(self, intent_id: str) -> Iterator[RefundState]:
        """Every refund of a payment, newest first: asked before a refund of unknown outcome is made again."""
        ...

    def look_up_refund(self, refund_id: str) -> RefundState:
        """The refund's present state."""
        ...

    def look_up_charge(self, intent_id: str) -> tuple[Charge, BalanceTransaction | None] | None:
        """The charge of a payment and how it was booked (with its fee); None while nothing was taken."""
        ...

    def look_up_dispute(self, dispute_id: str) -> DisputeState:
        """The dispute's present state, with what it moved."""
        ...

    def look_up_payout(self, payout_id: str) -> PayoutState:
        """The payout's present state."""
        ...

    # Listings: by the time of making, ``since`` included and ``until`` not, newest first. Read page by page, so that a
    # year of them needs no more memory than a day.

    def list_charges(self, *, since: datetime, until: datetime) -> Iterator[Charge]: ...

    def list_refunds(self, *, since: datetime, until: datetime) -> Iterator[RefundState]: ...

    def list_balance_transactions(self, *, since: datetime, until: datetime) -> Iterator[BalanceTransaction]: ...

    def list_payouts(self, *, since: datetime, until: datetime) -> Iterator[PayoutState]: ...

    def list_disputes(self, *, since: datetime, until: datetime) -> Iterator[DisputeState]: ...

    def balance_of_payout(self, payout_id: str) -> Iterator[BalanceTransaction]:
        """What a payout is made of, itself (negative) included."""
        ...

    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookEvent:
        """Verify the raw bytes, then read them. Raises BadSignature; header names are matched in any case."""
        ...
