"""A calendar's columns as a page draws them: what lies where, in steps of five minutes of the wall clock.

Positions are class names (``y14 n6``: from the 14th step, six steps long) of ``calendar-grid.css``: the content
security policy allows no inline style.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.core import clock
from bedside.reports.agenda import Block, Sheet, Stretch
from bedside.schedule.windows import to_instant
from bedside.schedule.zones import span_of_days
from bedside.web.templatetags.when import say_time

STEP = 5
DAY_STEPS = 24 * 60 // STEP
# Shown even where nothing is on, whole hours.
USUAL = (8, 18)
LinkOf = Callable[[Appointment], str]


@dataclass(frozen=True)
class Item:
    """Something in a column. ``top`` and ``length`` in steps from the column's first hour; times are of the zone."""

    kind: str
    top: int
    length: int
    title: str
    times: str
    url: str = ""
    visit: Any = None
    is_past: bool = False

    @property
    def place(self) -> str:
        return f"y{self.top} n{self.length}"

    @property
    def left(self) -> int:
        """The same place on a line that begins with 0."""
        return self.top - 1

    @property
    def is_short(self) -> bool:
        """Too short for a second line."""
        return self.length * STEP < 30


@dataclass
class Column:
    """One provider's day: ``background`` (open hours, blocked time) lies under ``visits``."""

    day: date
    sheet: Sheet
    url: str = ""
    background: list[Item] = field(default_factory=list)
    visits: list[Item] = field(default_factory=list)
    now: str = ""

    @property
    def listed(self) -> list[Item]:
        """What the list on a phone shows, in order: visits and blocked time."""
        shown = [item for item in self.background if item.kind in {"busy", "off", "holiday"}]
        return sorted([*shown, *self.visits], key=lambda item: (item.top, item.kind))


@dataclass
class Grid:
    """Columns over the same hours. ``hours`` are labels with their place, ``steps`` the whole height."""

    columns: list[Column]
    hours: list[tuple[str, str]]
    steps: int


def day_span(day: date, zone: ZoneInfo, days: int = 1) -> Stretch:
    """From the first instant of the zone's ``day``, over so many days. A skipped day counts as its successor."""
    span = span_of_days(day, day + timedelta(days=days - 1), zone)
    if span is None:
        return day_span(day + timedelta(days=1), zone, days)
    return to_instant(span[0]), to_instant(span[1])


def grid(
    places: Sequence[tuple[date, Sheet, str]], zone: ZoneInfo, link_of: LinkOf, *, whole_days: bool = False
) -> Grid:
    """A column for each (day, sheet, address of its head), all over the hours that any of them needs."""
    columns = [_column(day, sheet, url, zone, link_of) for day, sheet, url in places]
    first, last = (0, 24) if whole_days else _hours(columns)
    for column in columns:
        column.background = [shifted for item in column.background if (shifted := _shift(item, first, last))]
        column.visits = [shifted for item in column.visits if (shifted := _shift(item, first, last))]
        column.now = _now_at(column.day, zone, first, last)
    midnight = datetime(2026, 1, 1, tzinfo=UTC)
    labels = [
        (say_time(midnight + timedelta(hours=hour), "UTC"), f"y{(hour - first) * 12 + 1}")
        for hour in range(first, last)
    ]
    return Grid(columns, labels, (last - first) * 60 // STEP)


def _column(day: date, sheet: Sheet, url: str, zone: ZoneInfo, link_of: LinkOf) -> Column:
    since, until = day_span(day, zone)
    make = _Maker(day, since, until, zone)
    column = Column(day, sheet, url)
    column.background = [
        *make.items("open", [(start, end, _("Open")) for start, end in sheet.opens]),
        *make.items("buffer", _buffers(sheet.visits)),
        *(item for block in sheet.blocks for item in make.items(block.kind, [_of_block(block)])),
    ]
    for visit in sheet.visits:
        for item in make.items(_kind_of(visit), [(visit.start, visit.end, visit.patient_name)], visit, link_of(visit)):
            column.visits.append(item)
    return column


def _of_block(block: Block) -> tuple[datetime, datetime, str]:
    return block.start, block.end, block.title


def _buffers(visits: Iterable[Appointment]) -> list[tuple[datetime, datetime, str]]:
    found = []
    for visit in visits:
        found.append((visit.blocked.lower, visit.start, _("Kept free before")))
        found.append((visit.end, visit.blocked.upper, _("Kept free after")))
    return [(start, end, title) for start, end, title in found if start < end]


def _kind_of(visit: Appointment) -> str:
    return "hold" if visit.status == Status.PENDING_PAYMENT else "visit"


@dataclass(frozen=True)
class _Maker:
    """Cuts stretches to the day and puts them on its wall clock."""

    day: date
    since: datetime
    until: datetime
    zone: ZoneInfo

    def items(
        self, kind: str, stretches: Iterable[tuple[datetime, datetime, str]], visit: Any = None, url: str = ""
    ) -> Iterable[Item]:
        for start, end, title in stretches:
            if start >= self.until or end <= self.since:
                continue
            top = self._step(max(start, self.since))
            bottom = max(self._step(min(end, self.until), up=True), top + 1)
            times = f"{say_time(start, self.zone.key)} – {say_time(end, self.zone.key)}"
            yield Item(kind, top, bottom - top, title, times, url, visit, is_past=end <= clock.now())

    def _step(self, instant: datetime, *, up: bool = False) -> int:
        """Steps since the day's midnight on the wall clock."""
        if instant >= self.until:
            return DAY_STEPS
        local = instant.astimezone(self.zone)
        minutes = local.hour * 60 + local.minute
        return -(-minutes // STEP) if up else minutes // STEP


def _hours(columns: Iterable[Column]) -> tuple[int, int]:
    """First and last hour that show everything but the ends of blocked time, and at least the usual ones."""
    items = [item for column in columns for item in (*column.background, *column.visits)]
    needed = [item for item in items if item.kind in {"open", "visit", "hold"}]
    first = min([USUAL[0], *(item.top * STEP // 60 for item in needed)])
    last = max([USUAL[1], *(-(-(item.top + item.length) * STEP // 60) for item in needed)])
    return first, min(last, 24)


def _shift(item: Item, first: int, last: int) -> Item | None:
    """Counted from the first hour, beginning with 1 as grid lines do; None outside the hours."""
    top = max(item.top - first * 12, 0)
    bottom = min(item.top + item.length - first * 12, (last - first) * 12)
    if bottom <= top:
        return None
    return Item(item.kind, top + 1, bottom - top, item.title, item.times, item.url, item.visit, item.is_past)


def _now_at(day: date, zone: ZoneInfo, first: int, last: int) -> str:
    now = clock.now().astimezone(zone)
    step = (now.hour * 60 + now.minute) // STEP - first * 12
    return f"y{step + 1}" if now.date() == day and 0 <= step < (last - first) * 12 else ""
