"""What fills providers' time in a range: open hours, visits with their buffers, holds, busy times, time off.

Read only, in a number of queries that doesn't grow with the providers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _

from bedside.appointments.models import Appointment
from bedside.appointments.states import HOLDS_TIME, Status
from bedside.clinic.models import Provider
from bedside.core import clock
from bedside.reports.clashes import with_clashes
from bedside.schedule.facts import wall_span
from bedside.schedule.models import BusyBlock, DayOverride, Holiday, OpenWindow, TimeOff
from bedside.schedule.windows import merge, to_instant, to_minute, up_to_minute
from bedside.schedule.zones import DAY, Wall, real_time, wall_minute

# No visit with its buffers is longer.
REACH = timedelta(days=2)
Stretch = tuple[datetime, datetime]


@dataclass(frozen=True)
class Block:
    """Time that can't be booked, and why in a word or two. ``kind``: busy, off, holiday."""

    kind: str
    start: datetime
    end: datetime
    title: str


@dataclass
class Sheet:
    """One provider's range. ``opens`` are merged; visits are in order, each with ``clashing_calendar``."""

    provider: Provider
    opens: list[Stretch] = field(default_factory=list)
    visits: list[Appointment] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.opens or self.visits or self.blocks)


def agenda(providers: Sequence[Provider], since: datetime, until: datetime) -> dict[int, Sheet]:
    """By provider id, in their order, everything that touches [since, until)."""
    sheets = {provider.pk: Sheet(provider) for provider in providers}
    _add_opens(sheets, since, until)
    for visit in _visits(list(sheets), since, until):
        sheets[visit.provider_id].visits.append(visit)
    for provider_id, block in (*_busy(list(sheets), since, until), *_time_off(sheets, since, until)):
        sheets[provider_id].blocks.append(block)
    _add_holidays(sheets, since, until)
    return sheets


def _add_opens(sheets: dict[int, Sheet], since: datetime, until: datetime) -> None:
    spans: dict[int, list[tuple[int, int]]] = defaultdict(list)
    rows = OpenWindow.objects.filter(provider__in=list(sheets), start__lt=until, end__gt=since)
    for provider_id, start, end in rows.values_list("provider_id", "start", "end"):
        spans[provider_id].append((to_minute(start), up_to_minute(end)))
    for provider_id, found in spans.items():
        sheets[provider_id].opens = [(to_instant(start), to_instant(end)) for start, end in merge(found)]


def _visits(providers: list[int], since: datetime, until: datetime) -> Iterator[Appointment]:
    """Those that hold time; a hold that ran out holds none."""
    found = Appointment.objects.filter(
        provider__in=providers, status__in=HOLDS_TIME, start__gte=since - REACH, start__lt=until + REACH
    ).exclude(status=Status.PENDING_PAYMENT, hold_expires_at__lte=clock.now())
    for visit in with_clashes(found).select_related("service", "meeting").order_by("start", "pk"):
        if visit.blocked.lower < until and visit.blocked.upper > since:
            yield visit


def _busy(providers: list[int], since: datetime, until: datetime) -> Iterator[tuple[int, Block]]:
    rows = BusyBlock.objects.filter(provider__in=providers, start__lt=until, end__gt=since).order_by("start")
    for provider_id, start, end, name in rows.values_list("provider_id", "start", "end", "calendar__name"):
        yield provider_id, Block("busy", start, end, name)


def _time_off(sheets: dict[int, Sheet], since: datetime, until: datetime) -> Iterator[tuple[int, Block]]:
    """The kind of time off, never its private reason."""
    first, last = _days_around(since, until)
    words = {TimeOff.Kind.AWAY: _("Away"), TimeOff.Kind.VACATION: _("Vacation"), TimeOff.Kind.BLACKOUT: _("Blocked")}
    rows = TimeOff.objects.filter(provider__in=list(sheets), first_day__lte=last, last_day__gte=first)
    for row in rows.defer("reason"):
        for start, end in _real(sheets[row.provider_id].provider, wall_span(row)):
            if start < until and end > since:
                yield row.provider_id, Block("off", start, end, words.get(TimeOff.Kind(row.kind), _("Away")))


def _add_holidays(sheets: dict[int, Sheet], since: datetime, until: datetime) -> None:
    """The practice's holidays, except where an override says what happens then."""
    first, last = _days_around(since, until)
    holidays = dict(Holiday.objects.filter(day__range=(first, last)).values_list("day", "name"))
    if not holidays:
        return
    lifted = set(
        DayOverride.objects.filter(provider__in=list(sheets), day__in=holidays).values_list("provider_id", "day")
    )
    for provider_id, sheet in sheets.items():
        for day, name in holidays.items():
            if (provider_id, day) in lifted:
                continue
            for start, end in _real(sheet.provider, (wall_minute(day), wall_minute(day) + DAY)):
                if start < until and end > since:
                    sheet.blocks.append(Block("holiday", start, end, name))


def _real(provider: Provider, wall: tuple[Wall, Wall]) -> list[Stretch]:
    return [(to_instant(start), to_instant(end)) for start, end in real_time([wall], provider.zone)]


def _days_around(since: datetime, until: datetime) -> tuple[date, date]:
    """Every zone's days that may touch the range."""
    return (since - timedelta(days=1)).date(), (until + timedelta(days=1)).date()
