"""What can happen to who and what: by SPEC.md's names."""

from __future__ import annotations

from dataclasses import dataclass

from bedside.core.events import DomainEvent


@dataclass(frozen=True, kw_only=True)
class ServiceUpdated(DomainEvent):
    """A service was made, changed, archived or restored."""

    service_id: int


@dataclass(frozen=True, kw_only=True)
class ProviderUpdated(DomainEvent):
    """A provider was made, changed, archived or restored."""

    provider_id: int


@dataclass(frozen=True, kw_only=True)
class ProviderInvited(DomainEvent):
    """An invitation was asked for, sent, refused by the mail server, or withdrawn."""

    provider_id: int


@dataclass(frozen=True, kw_only=True)
class ProviderClaimed(DomainEvent):
    """A provider made their account, or lost it."""

    provider_id: int


@dataclass(frozen=True, kw_only=True)
class PracticeUpdated(DomainEvent):
    """The practice's own settings were changed."""

    practice_id: int
