"""Open windows: a provider's rules worked out over a rolling horizon, kept as rows, written only where they differ."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Max

from bedside.appointments.locks import lock_provider
from bedside.clinic.models import Provider
from bedside.core import clock
from bedside.core.events import publish
from bedside.schedule.events import AvailabilityUpdated
from bedside.schedule.facts import working_time
from bedside.schedule.models import AvailabilityState
from bedside.schedule.rules import limited_windows, week_of
from bedside.schedule.storing import Windows, replace_windows, stored_windows
from bedside.schedule.windows import Minute, Span, clip, subtract, to_minute
from bedside.schedule.zones import span_of_days

# At least so far ahead, and further than any service can be booked: a missed night or two is not noticed.
HORIZON_DAYS = 180
SPARE_DAYS = 14


def rebuild_windows(provider: Provider, *, today: date | None = None) -> bool:
    """Make the provider's windows what the rules say, from ``today`` (of the provider's zone) on. True if any changed.

    One transaction under the provider's lock: others see the windows before or the windows after. Windows that ended
    before today stay as they are.
    """
    today = today or today_of(provider)
    with transaction.atomic():
        lock_provider(provider.pk)
        last = last_day(provider, today)
        begins = _beginning_of(today, provider)
        changed = replace_windows(provider.pk, begins, computed_windows(provider, today, last))
        _note_built(provider, last)
        if changed:
            publish(AvailabilityUpdated(provider_id=provider.pk))
    return changed


def computed_windows(provider: Provider, today: date, last: date) -> Windows:
    """From scratch: all windows that end after the beginning of ``today``, of hours that begin up to ``last``.

    Looks back to a Monday at least a week ago, so that a long window is found whole and its starts stay on their step
    from one night to the next.
    """
    since = date.fromordinal((week_of(today) - 1) * 7 + 1)
    begins = _beginning_of(today, provider)
    found = limited_windows(working_time(provider, since), since, last)
    return {limit: [window for window in windows if window[1] > begins] for limit, windows in found.items()}


def last_day(provider: Provider, today: date) -> date:
    """The last day that is built: as far as any of the provider's services can be booked, and some more."""
    bookable = provider.services.aggregate(days=Max("horizon_days"))["days"] or 0
    return today + timedelta(days=max(HORIZON_DAYS, bookable) + SPARE_DAYS)


def today_of(provider: Provider) -> date:
    """The present date where the provider is."""
    return clock.now().astimezone(provider.zone).date()


def _note_built(provider: Provider, last: date) -> None:
    built = {"timezone": provider.timezone, "built_through": last, "built_at": clock.now()}
    AvailabilityState.objects.bulk_create(
        [AvailabilityState(provider_id=provider.pk, **built)],
        update_conflicts=True,
        unique_fields=["provider"],
        update_fields=list(built),
    )


@dataclass(frozen=True)
class Difference:
    """How many minutes a provider's stored windows lack, and have too many, against the rules."""

    provider: str
    missing: int
    extra: int

    def __str__(self) -> str:
        return (
            f"Open windows of {self.provider} differ from the rules: "
            f"{self.missing} minutes missing, {self.extra} minutes too many"
        )


def verify_windows() -> list[Difference]:
    """The active providers whose windows, from now to the horizon, aren't what a computation from scratch gives."""
    differences = []
    for provider in Provider.objects.filter(active=True).order_by("pk").iterator(chunk_size=100):
        difference = verify_provider(provider)
        if difference:
            differences.append(difference)
    return differences


def verify_provider(provider: Provider) -> Difference | None:
    """Reads the rules and the windows in one snapshot, so that an edit at this moment is no difference."""
    today = today_of(provider)
    until = _beginning_of(today + timedelta(days=HORIZON_DAYS), provider)
    now = to_minute(clock.now())
    with transaction.atomic():
        lock_provider(provider.pk)
        wanted = computed_windows(provider, today, last_day(provider, today))
        present = stored_windows(provider.pk, since=now)
    missing = extra = 0
    for limit in wanted.keys() | present.keys():
        should, are = clip(wanted.get(limit, []), now, until), clip(present.get(limit, []), now, until)
        missing += _length(subtract(should, are))
        extra += _length(subtract(are, should))
    return Difference(provider.slug, missing, extra) if missing or extra else None


def _length(spans: list[Span]) -> int:
    return sum(end - start for start, end in spans)


def _beginning_of(day: date, provider: Provider) -> Minute:
    """The first minute of the provider's day; of the next one where a zone skips the whole day."""
    span = span_of_days(day, day + timedelta(days=1), provider.zone)
    assert span is not None
    return span[0]
