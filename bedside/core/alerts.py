"""Alerts: what a person must look at. Raising the same one again counts up instead of piling up."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import structlog
from django.db import connection, transaction

from bedside.core import clock
from bedside.core.events import DomainEvent, publish
from bedside.core.models import Alert

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class AlertsChanged(DomainEvent):
    """One was raised or closed: the desk's open pages look again."""


def tell() -> None:
    """Publish that the alerts changed, in the caller's transaction where there is one."""
    with transaction.atomic():
        publish(AlertsChanged())


def raise_alert(kind: str, key: str, message: str, **ids: int) -> None:
    """Open, or count up, the alert of this kind and key. Race-free: the database keeps one open row."""
    import json

    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_alert (kind, key, message, ids, raised_at, last_raised_at, count) "
            "VALUES (%s, %s, %s, %s, %s, %s, 1) ON CONFLICT (kind, key) WHERE resolved_at IS NULL "
            "DO UPDATE SET count = core_alert.count + 1, last_raised_at = EXCLUDED.last_raised_at, "
            "message = EXCLUDED.message",
            [kind, key, message, json.dumps(ids), now, now],
        )
    tell()
    log.warning("alert_raised", kind=kind, key=key, **ids)


def resolve_alerts(kinds: Collection[str], keys: Collection[str]) -> None:
    """Close whatever is open of these, in one step."""
    if Alert.objects.filter(kind__in=kinds, key__in=keys, resolved_at=None).update(resolved_at=clock.now()):
        tell()


def resolve_alert(kind: str, key: str) -> bool:
    """Close it where it is open; says whether it was."""
    closed = bool(Alert.objects.filter(kind=kind, key=key, resolved_at=None).update(resolved_at=clock.now()))
    if closed:
        tell()
    return closed
