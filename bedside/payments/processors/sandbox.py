"""The client of the stand-in processor: what the real client does over the network, against ``bedside.sandbox``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar

from bedside.core.money import Money
from bedside.payments.processors import stripe_objects, stripe_webhook
from bedside.payments.processors.base import (
    BalanceTransaction,
    Charge,
    CheckoutSession,
    CheckoutState,
    DisputeState,
    OutcomeUnknown,
    PayoutState,
    ProcessorError,
    ProcessorRefused,
    RefundState,
    WebhookEvent,
)
from bedside.sandbox import disputes, listing
from bedside.sandbox import processor as server
from bedside.sandbox.errors import ConnectionDropped, VendorRefused

Read = TypeVar("Read")


class SandboxProcessor:
    """A `Processor`. Nothing is charged."""

    name, live = "sandbox", False

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
        metadata: Mapping[str, str] | None = None,
    ) -> CheckoutSession:
        session = _ask(
            server.create_session,
            idempotency_key=payment_key,
            client_reference_id=reference,
            amount=amount.minor_units,
            currency=amount.currency.lower(),
            description=description,
            customer_email=email,
            success_url=success_url,
            cancel_url=cancel_url,
            expires_at=int(expires_at.timestamp()),
            metadata=dict(metadata or {}),
        )
        return stripe_objects.checkout_session(session)

    def look_up(self, session_id: str) -> CheckoutState:
        return stripe_objects.checkout_state(_ask(server.retrieve_session, session_id=session_id))

    def expire_checkout(self, session_id: str) -> CheckoutState:
        try:
            return stripe_objects.checkout_state(_ask(server.expire_session, session_id=session_id))
        except ProcessorError as error:
            # Only an open session can be expired: the refusal means that it was paid, or had run out already.
            if error.code != "checkout_session_not_open":
                raise
            return self.look_up(session_id)

    def refund(self, *, intent_id: str, amount: Money, idempotency_key: str, key: str = "") -> RefundState:
        refund = _ask(
            server.create_refund,
            idempotency_key=idempotency_key,
            payment_intent=intent_id,
            amount=amount.minor_units,
            metadata={stripe_objects.REFUND_KEY: key} if key else {},
        )
        return stripe_objects.refund_state(refund)

    def refunds_of(self, intent_id: str) -> Iterator[RefundState]:
        return _all(listing.refunds, stripe_objects.refund_state, payment_intent=intent_id)

    def look_up_refund(self, refund_id: str) -> RefundState:
        return stripe_objects.refund_state(_ask(server.retrieve_refund, refund_id=refund_id))

    def look_up_charge(self, intent_id: str) -> tuple[Charge, BalanceTransaction | None] | None:
        for found in _ask(listing.charges, payment_intent=intent_id)["data"]:
            booked = found["balance_transaction"]
            return stripe_objects.charge(found), stripe_objects.balance_transaction(booked) if booked else None
        return None

    def look_up_dispute(self, dispute_id: str) -> DisputeState:
        return stripe_objects.dispute_state(_ask(disputes.retrieve, dispute_id=dispute_id))

    def look_up_payout(self, payout_id: str) -> PayoutState:
        return stripe_objects.payout_state(_ask(listing.retrieve_payout, payout_id=payout_id))

    def list_charges(self, *, since: datetime, until: datetime) -> Iterator[Charge]:
        return _all(listing.charges, stripe_objects.charge, **_between(since, until))

    def list_refunds(self, *, since: datetime, until: datetime) -> Iterator[RefundState]:
        return _all(listing.refunds, stripe_objects.refund_state, **_between(since, until))

    def list_balance_transactions(self, *, since: datetime, until: datetime) -> Iterator[BalanceTransaction]:
        return _all(listing.balance_transactions, stripe_objects.balance_transaction, **_between(since, until))

    def list_payouts(self, *, since: datetime, until: datetime) -> Iterator[PayoutState]:
        return _all(listing.payouts, stripe_objects.payout_state, **_between(since, until))

    def list_disputes(self, *, since: datetime, until: datetime) -> Iterator[DisputeState]:
        return _all(listing.disputes, stripe_objects.dispute_state, **_between(since, until))

    def balance_of_payout(self, payout_id: str) -> Iterator[BalanceTransaction]:
        return _all(listing.balance_transactions, stripe_objects.balance_transaction, payout=payout_id)

    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookEvent:
        return stripe_webhook.read(body, headers)


def _between(since: datetime, until: datetime) -> dict[str, int]:
    """Whole seconds, as the processor counts: ``since`` included, ``until`` not."""
    return {"gte": int(since.timestamp()), "lt": int(until.timestamp())}


def _all(page_of: Any, read: Callable[[Mapping[str, Any]], Read], **asked: Any) -> Iterator[Read]:
    """Every object of a list, asked for page by page."""
    after = ""
    while True:
        page = _ask(page_of, starting_after=after, **asked)
        yield from map(read, page["data"])
        if not page["has_more"]:
            return
        after = page["data"][-1]["id"]


def _ask(method: Any, **parameters: Any) -> dict[str, Any]:
    """One call, with the stand-in's ways of failing turned into ours."""
    try:
        answer: dict[str, Any] = method(**parameters)
    except ConnectionDropped as error:
        raise OutcomeUnknown("connection_dropped") from error
    except VendorRefused as error:
        if error.status >= 500:
            raise OutcomeUnknown(error.code, replayed=True) from error
        raise ProcessorRefused(error.code) from error
    return answer
