"""What can happen to availability."""

from __future__ import annotations

from dataclasses import dataclass

from bedside.core.events import DomainEvent


@dataclass(frozen=True, kw_only=True)
class AvailabilityUpdated(DomainEvent):
    """A provider's open windows changed."""

    provider_id: int
