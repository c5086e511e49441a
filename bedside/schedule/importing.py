"""Calendars in: fetch, expand, store. What was read last stays in force until something better was read."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import Max

from bedside.appointments.locks import lock_provider
from bedside.clinic.models import Provider
from bedside.core import alerts, clock, outward
from bedside.core.events import publish
from bedside.core.outward import FetchFailed
from bedside.schedule.busy import BadCalendar, Busy, Question
from bedside.schedule.events import AvailabilityUpdated
from bedside.schedule.expansion import expand
from bedside.schedule.models import BusyBlock, ExternalCalendar
from bedside.schedule.rebuild import HORIZON_DAYS, SPARE_DAYS
from bedside.schedule.windows import Span, to_instant, to_minute

log = structlog.get_logger(__name__)
ALERT = "calendar-import-failed"
EVERY = timedelta(minutes=15)
# After failures the pauses grow to this.
AT_MOST = timedelta(hours=6)
ALERT_AFTER = 3
LOOK_BACK = timedelta(days=1)


def canonical(url: str) -> str:
    """The address as it is fetched: what calendar programs call webcal is https."""
    scheme, separator, rest = url.strip().partition("://")
    known = {"webcal": "https", "webcals": "https"}
    return f"{known.get(scheme.lower(), scheme.lower())}{separator}{rest}"


def refresh(calendar_id: int, *, own_uids: str) -> None:
    """Read one calendar anew. A failure is written down, told after some in a row, and changes no block."""
    calendar = ExternalCalendar.objects.select_related("provider").filter(pk=calendar_id).first()
    if calendar is None:
        return
    try:
        answer = outward.fetch(calendar.url, headers=_what_we_have(calendar))
        if answer.status == 304:
            _succeed(calendar, None, {}, calendar.digest)
            return
        digest = hashlib.sha256(answer.body).hexdigest()
        if digest == calendar.digest and _read_today(calendar):
            _succeed(calendar, None, answer.headers, digest)
            return
        busy = expand(answer.body, _question(calendar.provider, own_uids))
    except (FetchFailed, BadCalendar) as error:
        _fail(calendar, error.code)
        return
    _succeed(calendar, busy, answer.headers, digest)


def _what_we_have(calendar: ExternalCalendar) -> dict[str, str]:
    """Once a day it is read whole: what repeats reaches a day further then."""
    if not _read_today(calendar) or calendar.failures:
        return {}
    marks = {"If-None-Match": calendar.etag, "If-Modified-Since": calendar.last_modified}
    return {name: mark for name, mark in marks.items() if mark}


def _read_today(calendar: ExternalCalendar) -> bool:
    return calendar.fetched_at is not None and calendar.fetched_at.date() == clock.now().date()


def _question(provider: Provider, own_uids: str) -> Question:
    bookable = provider.services.aggregate(days=Max("horizon_days"))["days"] or 0
    # Whole days, so that what reaches over the edges stays the same all day.
    today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    until = today + timedelta(days=max(HORIZON_DAYS, bookable) + SPARE_DAYS)
    return Question(provider.timezone, to_minute(today - LOOK_BACK), to_minute(until), own_uids)


def _succeed(calendar: ExternalCalendar, busy: Busy | None, headers: dict[str, str], digest: str) -> None:
    """Write what was read, if anything new was. Whoever removed the calendar meanwhile has the last word."""
    now = clock.now()
    with transaction.atomic():
        lock_provider(calendar.provider_id)
        row = ExternalCalendar.objects.select_for_update().filter(pk=calendar.pk, url_index=calendar.url_index).first()
        if row is None:
            return
        changed = busy is not None and _replace_blocks(row, busy.spans)
        told = row.fetched_at is None or bool(row.error)
        row.fetched_at = row.tried_at = now
        row.next_try_at = now + EVERY
        row.failures, row.error, row.digest = 0, "", digest
        row.etag = headers.get("etag", row.etag)[:200]
        row.last_modified = headers.get("last-modified", row.last_modified)[:60]
        if busy is not None:
            row.note = busy.note
        row.save()
        alerts.resolve_alert(ALERT, f"calendar:{row.pk}")
        if changed or told:
            publish(AvailabilityUpdated(provider_id=row.provider_id))


def _replace_blocks(row: ExternalCalendar, spans: list[Span]) -> bool:
    """Make the rows what was read; says whether that changed any. Past blocks go."""
    present = {(to_minute(block.start), to_minute(block.end)): block.pk for block in row.busy_blocks.all()}
    wanted = set(spans)
    gone, new = present.keys() - wanted, sorted(wanted - present.keys())
    BusyBlock.objects.filter(pk__in=[present[span] for span in gone]).delete()
    BusyBlock.objects.bulk_create(
        [
            BusyBlock(provider_id=row.provider_id, calendar=row, start=to_instant(start), end=to_instant(end))
            for start, end in new
        ],
        batch_size=2000,
    )
    return bool(gone or new)


def _fail(calendar: ExternalCalendar, code: str) -> None:
    now = clock.now()
    log.warning("calendar_import_failed", calendar_id=calendar.pk, provider_id=calendar.provider_id, code=code)
    with transaction.atomic():
        row = ExternalCalendar.objects.select_for_update().filter(pk=calendar.pk, url_index=calendar.url_index).first()
        if row is None:
            return
        row.failures = min(row.failures + 1, 1000)
        row.error, row.tried_at = code[:40], now
        row.next_try_at = now + min(EVERY * 2 ** min(row.failures - 1, 8), AT_MOST)
        row.save(update_fields=["failures", "error", "tried_at", "next_try_at"])
        publish(AvailabilityUpdated(provider_id=row.provider_id))
        if row.failures >= ALERT_AFTER:
            alerts.raise_alert(
                ALERT,
                f"calendar:{row.pk}",
                "A provider's imported calendar can't be read. The busy times that were read last still count.",
                provider_id=row.provider_id,
            )
