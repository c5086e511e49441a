"""Export: data leaves the house as a file. Who took what, with which filters, and how many rows, is kept for good."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import structlog
from django.db import transaction

from bedside.appointments.bulk.events import ExportChanged
from bedside.appointments.bulk.models import Export, ExportStatus, Layout
from bedside.clinic.models import Practice
from bedside.core import audit, clock
from bedside.core.audit import Actor
from bedside.core.errors import NotFound, PermissionRefused
from bedside.core.events import publish
from bedside.reports.export import tables, writing

log = structlog.get_logger(__name__)


def export(
    *,
    what: str,
    filters: object,
    said: Mapping[str, str],
    layout: str,
    redacted: bool,
    actor: Actor,
    ids: Iterable[int] | None = None,
) -> tuple[Export, Iterator[bytes]]:
    """Begin an export: its row, audited before a byte leaves, and the file's pieces, which end it.

    ``said``: the filters as they may be kept (no names). ``ids``: of appointments, only these.
    Raises PermissionRefused, NotFound.
    """
    if not actor.is_staff or actor.user_id is None:
        raise PermissionRefused
    table = tables.TABLES.get(what)
    if table is None:
        raise NotFound
    practice = Practice.current()
    found = table.rows(filters, practice) if ids is None else tables.chosen_appointments(ids, practice)
    with transaction.atomic():
        row = Export.objects.create(
            user_id=actor.user_id, what=what, layout=layout, redacted=redacted, filters=dict(said)
        )
        audit.record(actor, "export.started", row, after=_facts(row))
        publish(ExportChanged(export_id=row.pk))
    counted = [0]

    def count(rows: int) -> None:
        counted[0] += rows

    made = writing.pieces(table, found, practice, redacted=redacted, bom=layout == Layout.EXCEL, count=count)
    return row, _to_the_end(row, made, counted, actor)


def _to_the_end(row: Export, made: Iterator[bytes], counted: list[int], actor: Actor) -> Iterator[bytes]:
    """Hand the pieces on, and write down how it ended, also where the browser went away or the database did."""
    status = ExportStatus.BROKEN_OFF
    try:
        yield from made
        status = ExportStatus.WHOLE
    finally:
        _end(row, status, counted[0], actor)


def _end(row: Export, status: ExportStatus, rows: int, actor: Actor) -> None:
    with transaction.atomic():
        row.status, row.rows, row.ended_at = status, rows, clock.now()
        row.save(update_fields=["status", "rows", "ended_at"])
        audit.record(actor, "export.ended", row, after=_facts(row) | {"rows": rows, "status": status})
        publish(ExportChanged(export_id=row.pk))
    log.info("export_ended", export_id=row.pk, what=row.what, rows=rows, status=status)


def _facts(row: Export) -> dict[str, object]:
    return {"what": row.what, "layout": row.layout, "redacted": row.redacted, "filters": row.filters}
