"""What can happen to prices."""

from __future__ import annotations

from dataclasses import dataclass

from bedside.core.events import DomainEvent


@dataclass(frozen=True, kw_only=True)
class PromoCodeUpdated(DomainEvent):
    """Made, changed, archived or brought back."""

    promo_code_id: int


@dataclass(frozen=True, kw_only=True)
class TaxRateUpdated(DomainEvent):
    tax_rate_id: int
