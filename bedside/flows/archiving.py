"""Archived instead of deleted: what is no longer offered keeps its row, its past and its way back."""

from __future__ import annotations

from bedside.clinic.errors import ChangedMeanwhile
from bedside.clinic.models import Provider, ProviderGroup, Service
from bedside.core import audit
from bedside.core.audit import Actor


def switch(row: Provider | ProviderGroup | Service, kind: str, *, version: int, active: bool, actor: Actor) -> bool:
    """Archive or restore a row that the caller has locked, and write it into the trail as ``kind.archived``.

    False where it was so already, whatever the version. Raises ChangedMeanwhile where somebody else was quicker.
    """
    if row.active == active:
        return False
    if row.version != version:
        raise ChangedMeanwhile
    row.active = active
    row.version += 1
    row.save(update_fields=["active", "version"])
    action = f"{kind}.restored" if active else f"{kind}.archived"
    audit.record(actor, action, row, before={"active": not active}, after={"active": active})
    return True
