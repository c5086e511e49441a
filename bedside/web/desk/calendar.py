"""The desk's calendar: a day with a column for each provider, a week with a row for each. Times are the practice's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bedside.appointments.models import Appointment
from bedside.clinic.models import Practice, Provider
from bedside.reports.agenda import Sheet, agenda
from bedside.web.access import admin_required
from bedside.web.calendars.days import Shown, shown
from bedside.web.calendars.grid import Grid, Item, day_span, grid
from bedside.web.live.shared import drawn_once
from bedside.web.live.tickets import ticket


@require_safe
@never_cache
@admin_required
@drawn_once
def day(request: HttpRequest) -> HttpResponse:
    """A column for each provider who has anything on that day."""
    zone = Practice.current().zone
    when = shown(request.GET, zone, days=1)
    context = _context(request, when, "day")
    sheets = agenda(_wanted(context), *day_span(when.day, zone)).values()
    full = [sheet for sheet in sheets if not sheet.is_empty or context["chosen"]]
    week = reverse("desk:calendar_week")
    places = [(when.day, sheet, f"{week}?day={when.day}&provider={sheet.provider.slug}") for sheet in full]
    context |= {"grid": grid(places, zone, _link), "idle": [sheet.provider for sheet in sheets if sheet not in full]}
    part = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(request, "desk/_calendar.html" if part else "desk/calendar.html", context)


@require_safe
@never_cache
@admin_required
@drawn_once
def week(request: HttpRequest) -> HttpResponse:
    """A row for each provider, or for one that was chosen a column for each day."""
    zone = Practice.current().zone
    when = shown(request.GET, zone, days=7)
    context = _context(request, when, "week")
    since, until = day_span(when.first, zone, days=7)
    sheets = list(agenda(_wanted(context), since, until).values())
    if context["chosen"] and sheets:
        [sheet] = sheets
        places = [(of, sheet, _day_url(of, context["chosen"])) for of in when.all]
        context |= {"grid": grid(places, zone, _link), "by_day": True}
    else:
        context["rows"] = list(_rows(sheets, when, zone))
        context["heads"] = [(of, _day_url(of), of == when.today) for of in when.all]
    part = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(request, "desk/_calendar.html" if part else "desk/calendar.html", context)


@dataclass
class Cell:
    """One provider's day in the week: a strip of the day, and the visits."""

    url: str
    strip: list[Item] = field(default_factory=list)
    visits: list[Item] = field(default_factory=list)


@dataclass
class Row:
    provider: Provider
    url: str
    cells: list[Cell]

    @property
    def visits(self) -> list[Item]:
        return [item for cell in self.cells for item in cell.visits]


def _rows(sheets: Sequence[Sheet], when: Shown, zone: ZoneInfo) -> Iterator[Row]:
    for sheet in sheets:
        if sheet.is_empty:
            continue
        columns = _columns(sheet, when, zone).columns
        cells = [
            Cell(_day_url(column.day, sheet.provider), [*column.background, *column.visits], column.visits)
            for column in columns
        ]
        yield Row(
            sheet.provider, f"{reverse('desk:calendar_week')}?day={when.day}&provider={sheet.provider.slug}", cells
        )


def _columns(sheet: Sheet, when: Shown, zone: ZoneInfo) -> Grid:
    return grid([(of, sheet, "") for of in when.all], zone, _link, whole_days=True)


def _context(request: HttpRequest, when: Shown, view: str) -> dict[str, Any]:
    """What both pages need. ``choices`` are the active providers, ``chosen`` one of them or None."""
    choices = list(Provider.objects.filter(active=True).defer("bio", "mobile_number").order_by("name"))
    chosen = next((one for one in choices if one.slug == request.GET.get("provider")), None)
    day_url, week_url = reverse("desk:calendar"), reverse("desk:calendar_week")
    url = day_url if view == "day" else week_url
    rest = f"&provider={chosen.slug}" if chosen else ""
    return {
        "area": "calendar",
        "zone": Practice.current().timezone,
        "live_ticket": ticket("desk"),
        "shown": when,
        "choices": choices,
        "chosen": chosen,
        "bar": {"view": view, "url": url, "day_url": day_url, "week_url": week_url, "rest": rest},
        "here": f"{url}?day={when.day}{rest}",
    }


def _wanted(context: dict[str, Any]) -> list[Provider]:
    return [context["chosen"]] if context["chosen"] else context["choices"]


def _day_url(of: date, provider: Provider | None = None) -> str:
    rest = f"&provider={provider.slug}" if provider else ""
    return f"{reverse('desk:calendar')}?day={of}{rest}"


def _link(visit: Appointment) -> str:
    return reverse("desk:appointment", args=[visit.code])
