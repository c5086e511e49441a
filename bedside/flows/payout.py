"""Payouts: what the processor sends to the practice's bank, followed until it is there."""

from __future__ import annotations

from django.db import transaction

from bedside.core import alerts, clock
from bedside.payments.bank_models import Payout
from bedside.payments.processors.base import PayoutState


def record(processor_name: str, state: PayoutState) -> Payout:
    """Bring a payout to what the processor says; one that fails raises an alert."""
    with transaction.atomic():
        payout, _ = Payout.objects.select_for_update().update_or_create(
            processor=processor_name,
            payout_id=state.payout_id,
            defaults={
                "amount_minor": state.amount.minor_units,
                "currency": state.amount.currency,
                "status": state.status[:20],
                "failure_code": state.failure_code[:60],
                "created_at": state.created_at,
                "arrives_at": state.arrives_at,
                "updated_at": clock.now(),
            },
        )
        if state.status == "failed":
            alerts.raise_alert(
                "payout-failed",
                f"payout:{payout.pk}",
                f"The processor could not pay out {state.amount} ({state.failure_code or 'no reason given'}). "
                "Check the bank account in the processor's dashboard.",
            )
        else:
            alerts.resolve_alert("payout-failed", f"payout:{payout.pk}")
    return payout
