"""Times as things to choose: each with the address that chooses it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from django.urls import reverse

from bedside.clinic.models import Provider, Service
from bedside.schedule.openings import Opening

Query = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Choice:
    """A time with somebody; ``value`` is what a form sends for it."""

    start: datetime
    provider: Provider
    url: str
    value: str


def start_code(start: datetime) -> str:
    """An instant in an address: "2026-12-01T19:30Z"."""
    return start.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


def read_start(code: str) -> datetime | None:
    """The instant that an address means, or None. Without an offset it means nothing, and so does nonsense."""
    try:
        start = datetime.fromisoformat(code[:40])
        return start.astimezone(UTC) if start.tzinfo else None
    except (ValueError, OverflowError):
        return None


def details_url(service: Service, start: datetime, kept: Query = ()) -> str:
    return f"{reverse('booking:times', args=[service.slug])}/{details_query(start, kept)}"


def details_query(start: datetime, kept: Query = ()) -> str:
    """The last part of the address: "details?start=2026-12-01T19:30Z&provider=rivera"; ``kept``: whom, and where."""
    return f"details?{urlencode([('start', start_code(start)), *kept], safe=':')}"


def choices(service: Service, found: Iterable[Opening], place: str = "") -> list[Choice]:
    """Openings with the people they are with, for a patient who is in ``place``."""
    where = [("place", place)] if place else []
    return [
        Choice(
            start=opening.start,
            provider=opening.provider,
            url=details_url(service, opening.start, [("provider", opening.provider.slug), *where]),
            value=f"{start_code(opening.start)}|{opening.provider.slug}",
        )
        for opening in found
    ]
