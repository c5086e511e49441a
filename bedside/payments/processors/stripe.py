"""The client of Stripe. Cards are typed on Stripe's own page; what comes here are ids and amounts.

Every write carries an idempotency key. The API's version is pinned to the one that the library's types describe.
Waiting is bounded: 3 seconds to connect, 12 to answer, and one more try by the library under the same key.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import stripe
import structlog

from bedside.core import alerts
from bedside.core.money import Money
from bedside.payments.processors import stripe_objects, stripe_webhook
from bedside.payments.processors.base import (
    BalanceTransaction,
    Charge,
    CheckoutSession,
    CheckoutState,
    DisputeState,
    KeyRefused,
    OutcomeUnknown,
    PayoutState,
    ProcessorError,
    ProcessorRefused,
    RefundState,
    TryAgainLater,
    WebhookEvent,
)

if TYPE_CHECKING:
    from stripe.params._balance_transaction_list_params import BalanceTransactionListParams
    from stripe.params._charge_list_params import ChargeListParams, ChargeListParamsCreated
    from stripe.params._dispute_list_params import DisputeListParams
    from stripe.params._payout_list_params import PayoutListParams
    from stripe.params._refund_create_params import RefundCreateParams
    from stripe.params._refund_list_params import RefundListParams
    from stripe.params.checkout._session_create_params import SessionCreateParams

log = structlog.get_logger(__name__)
# The library's own lines may hold what is sent, the patient's address too.
logging.getLogger("stripe").setLevel(logging.WARNING)
API_VERSION = "2026-10-28.endive"
CONNECT_SECONDS, READ_SECONDS, RETRIES = 3.0, 12.0, 1
PAGE = 100
# Everything that a payment has led to, in one answer.
EXPAND_SESSION = ["payment_intent.latest_charge.refunds"]
Read = TypeVar("Read")


class StripeProcessor:
    """A `Processor`. ``api_key`` is secret (``sk_``) or restricted (``rk_``); ``api_base`` is for tests."""

    name = "stripe"

    def __init__(self, api_key: str, *, api_base: str = "", timeout: tuple[float, float] | None = None) -> None:
        self.live = "_live_" in api_key[:12]
        self._api_key, self._api_base = api_key, api_base
        self._timeout = timeout or (CONNECT_SECONDS, READ_SECONDS)

    @cached_property
    def _api(self) -> stripe.StripeClient:
        """One client for all threads: the library keeps a connection for each."""
        return stripe.StripeClient(
            self._api_key,
            stripe_version=API_VERSION,
            http_client=stripe.RequestsClient(timeout=self._timeout),
            max_network_retries=RETRIES,
            base_addresses={"api": self._api_base} if self._api_base else None,
        )

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
        ids = dict(metadata or {})
        asked: SessionCreateParams = {
            "mode": "payment",
            # Cards answer at once: with slower ways to pay, a visit would be held for days.
            "allowed_payment_method_types": ["card"],
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": amount.currency.lower(),
                        "unit_amount": amount.minor_units,
                        "product_data": {"name": description},
                    },
                }
            ],
            "client_reference_id": reference,
            "customer_email": email,
            "success_url": success_url,
            "cancel_url": cancel_url,
            "expires_at": int(expires_at.timestamp()),
            "metadata": ids,
            # The charge gets the same ids, so that a charge or a dispute leads back to its visit.
            "payment_intent_data": {"metadata": ids},
        }
        with _answers():
            session = self._api.v1.checkout.sessions.create(asked, {"idempotency_key": payment_key})
        return stripe_objects.checkout_session(session.to_dict())

    def look_up(self, session_id: str) -> CheckoutState:
        with _answers():
            session = self._api.v1.checkout.sessions.retrieve(session_id, {"expand": EXPAND_SESSION})
        return stripe_objects.checkout_state(session.to_dict())

    def expire_checkout(self, session_id: str) -> CheckoutState:
        try:
            with _answers():
                self._api.v1.checkout.sessions.expire(session_id, {}, {"idempotency_key": f"expire-{session_id}"})
        except ProcessorRefused as refused:
            # Only an open session can be expired: the refusal means that it was paid, or had run out already.
            state = self.look_up(session_id)
            if state.status == "open":
                raise refused from None
            return state
        return self.look_up(session_id)

    def refund(self, *, intent_id: str, amount: Money, idempotency_key: str, key: str = "") -> RefundState:
        asked: RefundCreateParams = {"payment_intent": intent_id, "amount": amount.minor_units}
        if key:
            asked["metadata"] = {stripe_objects.REFUND_KEY: key}
        with _answers():
            made = self._api.v1.refunds.create(asked, {"idempotency_key": idempotency_key})
        return stripe_objects.refund_state(made.to_dict())

    def refunds_of(self, intent_id: str) -> Iterator[RefundState]:
        asked: RefundListParams = {"payment_intent": intent_id, "limit": PAGE}
        return _all(lambda: self._api.v1.refunds.list(asked), stripe_objects.refund_state)

    def look_up_refund(self, refund_id: str) -> RefundState:
        with _answers():
            found = self._api.v1.refunds.retrieve(refund_id)
        return stripe_objects.refund_state(found.to_dict())

    def look_up_charge(self, intent_id: str) -> tuple[Charge, BalanceTransaction | None] | None:
        with _answers():
            intent = self._api.v1.payment_intents.retrieve(
                intent_id, {"expand": ["latest_charge.balance_transaction"]}
            ).to_dict()
        found = intent.get("latest_charge")
        if not found or not found["captured"]:
            return None
        booked = found["balance_transaction"]
        return stripe_objects.charge(found), stripe_objects.balance_transaction(booked) if booked else None

    def look_up_dispute(self, dispute_id: str) -> DisputeState:
        with _answers():
            found = self._api.v1.disputes.retrieve(dispute_id)
        return stripe_objects.dispute_state(found.to_dict())

    def look_up_payout(self, payout_id: str) -> PayoutState:
        with _answers():
            found = self._api.v1.payouts.retrieve(payout_id)
        return stripe_objects.payout_state(found.to_dict())

    def list_charges(self, *, since: datetime, until: datetime) -> Iterator[Charge]:
        asked: ChargeListParams = {"created": _between(since, until), "limit": PAGE}
        return _all(lambda: self._api.v1.charges.list(asked), stripe_objects.charge, only=_is_captured)

    def list_refunds(self, *, since: datetime, until: datetime) -> Iterator[RefundState]:
        asked: RefundListParams = {"created": _between(since, until), "limit": PAGE}
        return _all(lambda: self._api.v1.refunds.list(asked), stripe_objects.refund_state)

    def list_balance_transactions(self, *, since: datetime, until: datetime) -> Iterator[BalanceTransaction]:
        asked: BalanceTransactionListParams = {
            "created": _between(since, until),
            "limit": PAGE,
            "expand": ["data.source"],
        }
        return _all(lambda: self._api.v1.balance_transactions.list(asked), stripe_objects.balance_transaction)

    def list_payouts(self, *, since: datetime, until: datetime) -> Iterator[PayoutState]:
        asked: PayoutListParams = {"created": _between(since, until), "limit": PAGE}
        return _all(lambda: self._api.v1.payouts.list(asked), stripe_objects.payout_state)

    def list_disputes(self, *, since: datetime, until: datetime) -> Iterator[DisputeState]:
        asked: DisputeListParams = {"created": _between(since, until), "limit": PAGE}
        return _all(lambda: self._api.v1.disputes.list(asked), stripe_objects.dispute_state)

    def balance_of_payout(self, payout_id: str) -> Iterator[BalanceTransaction]:
        asked: BalanceTransactionListParams = {"payout": payout_id, "limit": PAGE, "expand": ["data.source"]}
        return _all(lambda: self._api.v1.balance_transactions.list(asked), stripe_objects.balance_transaction)

    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookEvent:
        return stripe_webhook.read(body, headers)


def _between(since: datetime, until: datetime) -> ChargeListParamsCreated:
    """Whole seconds, as Stripe counts: ``since`` included, ``until`` not."""
    return {"gte": int(since.timestamp()), "lt": int(until.timestamp())}


def _is_captured(charge: Mapping[str, Any]) -> bool:
    """A declined card leaves a charge behind too, of which nothing was taken."""
    return bool(charge["captured"] and charge.get("status", "succeeded") == "succeeded")


def _all(
    first: Callable[[], stripe.ListObject[Any]],
    read: Callable[[Mapping[str, Any]], Read],
    *,
    only: Callable[[Mapping[str, Any]], bool] = lambda _: True,
) -> Iterator[Read]:
    """Every object of a list; each page is asked for when it is reached, and let go after."""
    with _answers():
        page = first()
    while True:
        for found in (one.to_dict() for one in page):
            if only(found):
                yield read(found)
        if not page.has_more:
            return
        with _answers():
            page = page.next_page()


@contextmanager
def _answers() -> Iterator[None]:
    """One call of Stripe's, with its ways of failing turned into ours."""
    try:
        yield
    except stripe.StripeError as error:
        ours = _named(error)
        log.warning("stripe_error", code=ours.code, kind=type(ours).__name__, stripe_request=error.request_id)
        if isinstance(ours, KeyRefused):
            alerts.raise_alert(
                "processor-key",
                "stripe",
                "Stripe refuses our key, or it lacks a permission. Payments and refunds wait until it is put right: "
                "compare its permissions with docs/stripe.md.",
            )
        raise ours from error


def _named(error: stripe.StripeError) -> ProcessorError:
    """Definitely not done, perhaps done, or later. The message is left out: it may repeat what was sent."""
    said = error.code or (error.error.code or error.error.type if error.error else None)
    code = str(said or type(error).__name__)
    if isinstance(error, (stripe.AuthenticationError, stripe.PermissionError)):
        return KeyRefused(code)
    if isinstance(error, stripe.RateLimitError):
        return TryAgainLater(code)
    if isinstance(error, (stripe.CardError, stripe.InvalidRequestError, stripe.IdempotencyError)):
        return ProcessorRefused(code)
    if error.http_status == 409:
        return OutcomeUnknown(code)  # the same request, sent before, is still under way
    return OutcomeUnknown(code, replayed=(error.http_status or 0) >= 500)
