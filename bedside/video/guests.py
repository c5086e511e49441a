"""Guests: a family member or an interpreter who comes by a link of their own, which can be taken back."""

from __future__ import annotations

from bedside.core.crypto import blind_index
from bedside.video.models import GuestPass

MOST = 5


def by_token(token: str) -> GuestPass | None:
    """The pass that still opens; None for one that was taken back, or never was."""
    passes = GuestPass.objects.select_related("appointment")
    return passes.filter(token_index=blind_index("token", token), revoked_at=None).first()
