"""What happens to many rows at once: exports, and bulk runs."""

from __future__ import annotations

from dataclasses import dataclass

from bedside.core.events import DomainEvent


@dataclass(frozen=True, kw_only=True)
class ExportChanged(DomainEvent):
    """Somebody began to take data out, or it ended."""

    export_id: int


@dataclass(frozen=True, kw_only=True)
class BulkRunChanged(DomainEvent):
    """A bulk run began, moved on, was canceled or is over."""

    bulk_run_id: int
