"""What can happen to money."""

from __future__ import annotations

from dataclasses import dataclass

from bedside.core.events import DomainEvent


@dataclass(frozen=True, kw_only=True)
class PaymentEvent(DomainEvent):
    appointment_id: int
    payment_id: int


class PaymentFailed(PaymentEvent):
    """A try was declined; the patient may try again while the hold lasts."""


class PaymentCaptured(PaymentEvent):
    """Money was taken from the card, whatever becomes of the visit."""


@dataclass(frozen=True, kw_only=True)
class DisputeChanged(DomainEvent):
    """A patient's bank disputes a payment, or moved on with it."""

    appointment_id: int
    dispute_id: int


@dataclass(frozen=True, kw_only=True)
class RefundRequested(DomainEvent):
    """A refund was decided and counted; the processor is yet to be told."""

    appointment_id: int
    refund_id: int


@dataclass(frozen=True, kw_only=True)
class RefundIssued(DomainEvent):
    """The processor gave the money back."""

    appointment_id: int
    refund_id: int


@dataclass(frozen=True, kw_only=True)
class RefundRefused(DomainEvent):
    """The processor could not give the money back; a person must look."""

    appointment_id: int
    refund_id: int


@dataclass(frozen=True, kw_only=True)
class CreditIssued(DomainEvent):
    """The practice owes a patient a visit's worth."""

    appointment_id: int
    credit_id: int


@dataclass(frozen=True, kw_only=True)
class CreditChange(DomainEvent):
    """Some of a credit was used, came back, was reversed or lapsed."""

    appointment_id: int
    credit_id: int
