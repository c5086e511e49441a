"""What can happen on the waitlist."""

from __future__ import annotations

from dataclasses import dataclass

from bedside.core.events import DomainEvent


@dataclass(frozen=True, kw_only=True)
class WaitlistUpdated(DomainEvent):
    """Somebody joined, left, was offered a time, or took one."""

    waitlist_entry_id: int
    provider_id: int | None = None
