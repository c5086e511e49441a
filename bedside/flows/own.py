"""Who may act on what is a provider's: the practice on everybody's, a provider on their own."""

from __future__ import annotations

import structlog

from bedside.clinic.models import Provider
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused

log = structlog.get_logger(__name__)


def check_may_manage(actor: Actor, provider: Provider) -> None:
    """Raises PermissionRefused, and logs who tried."""
    if actor.kind in {"admin", "system"}:
        return
    if actor.kind == "provider" and actor.user_id is not None and actor.user_id == provider.user_id:
        return
    log.warning("not_own", user_id=actor.user_id, provider_id=provider.pk)
    raise PermissionRefused
