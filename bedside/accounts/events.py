"""What can happen to an account."""

from __future__ import annotations

from dataclasses import dataclass

from bedside.core.events import DomainEvent


@dataclass(frozen=True, kw_only=True)
class UserUpdated(DomainEvent):
    """An account was changed, switched off or on, or signed out everywhere."""

    user_id: int


@dataclass(frozen=True, kw_only=True)
class DeskInvited(DomainEvent):
    """An invitation to the desk was asked for, sent, refused by the mail server, used, or withdrawn."""

    invitation_id: int
