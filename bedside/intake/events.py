"""What can happen to questions before a visit. Ids only."""

from __future__ import annotations

from dataclasses import dataclass

from bedside.core.events import DomainEvent


@dataclass(frozen=True, kw_only=True)
class IntakeAnswered(DomainEvent):
    """The patient sent answers in, or changed them."""

    appointment_id: int
    provider_id: int
