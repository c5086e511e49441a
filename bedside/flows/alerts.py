"""Alerts: somebody looked at one and took care of it."""

from __future__ import annotations

from django.db import transaction

from bedside.core import alerts, audit, clock
from bedside.core.audit import Actor
from bedside.core.errors import NotFound, PermissionRefused
from bedside.core.models import Alert


@transaction.atomic
def settle(*, alert_id: int, actor: Actor) -> bool:
    """Close it; False where it was closed already. The same trouble raises it anew."""
    if not actor.is_staff:
        raise PermissionRefused
    alert = Alert.objects.select_for_update().filter(pk=alert_id).first()
    if alert is None:
        raise NotFound
    if alert.resolved_at is not None:
        return False
    alert.resolved_at = clock.now()
    alert.save(update_fields=["resolved_at"])
    audit.record(actor, "alert.settled", alert, after={"kind": alert.kind, "count": alert.count})
    alerts.tell()
    return True
