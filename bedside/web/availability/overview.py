"""One provider's availability: weekly hours, time off, single days, holidays, and what comes of them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bedside.clinic.models import Service
from bedside.core import clock
from bedside.schedule.facts import as_rule
from bedside.schedule.models import DayOverride, Holiday, OpenWindow, TimeOff, WeeklyRule
from bedside.schedule.rebuild import today_of
from bedside.schedule.rules import Limit
from bedside.web.availability.editing import frame
from bedside.web.availability.groups import Group, Terms, groups_of
from bedside.web.availability.place import Place
from bedside.web.availability.reading import write_all
from bedside.web.templatetags.when import say_day, say_time

AHEAD = timedelta(days=14)
KINDS = {
    "away": gettext_lazy("Away"),
    "vacation": gettext_lazy("Vacation"),
    "blackout": gettext_lazy("Blocked time"),
}


def overview(request: HttpRequest, place: Place) -> HttpResponse:
    """The page."""
    if request.method not in {"GET", "HEAD"}:
        return HttpResponseNotAllowed(["GET", "HEAD"])
    return show(request, place)


def show(request: HttpRequest, place: Place, *, said: str = "", status: int = 200) -> HttpResponse:
    """``said`` is why something was not saved."""
    provider = place.provider
    today = today_of(provider)
    names = service_names()
    groups = groups_of([as_rule(row) for row in WeeklyRule.objects.filter(provider=provider)])
    context = frame(
        place,
        said=said,
        now=clock.now(),
        groups=[_group(place, n, group, names, today) for n, group in enumerate(groups, start=1)],
        time_off=[
            {
                "reason": row.reason,
                "kind": KINDS[row.kind],
                "said": say_time_off(row),
                "url": place.url("availability_time_off_remove", row.pk),
            }
            for row in TimeOff.objects.filter(provider=provider, last_day__gte=today)
        ],
        overrides=[
            {"said": say_day(row.day), "hours": _hours_of(row), "url": _day_url(place, row.day)}
            for row in DayOverride.objects.filter(provider=provider, day__gte=today).prefetch_related("hours")
        ],
        holidays=[{"name": row.name, "said": say_day(row.day)} for row in Holiday.objects.filter(day__gte=today)[:5]],
        ahead=_ahead(place, today, names),
    )
    return render(request, "availability/overview.html", context, status=status)


def service_names() -> dict[int, str]:
    return dict(Service.objects.values_list("pk", "name"))


def say_terms(terms: Terms, names: dict[int, str]) -> list[str]:
    """What isn't as usual about a set of hours, in short sentences."""
    said = []
    if terms.every_weeks > 1 and terms.anchor:
        weeks = ngettext("Every %(n)d week", "Every %(n)d weeks", terms.every_weeks) % {"n": terms.every_weeks}
        monday = terms.anchor - timedelta(days=terms.anchor.weekday())
        said.append(_("%(weeks)s, as in the week of %(monday)s") % {"weeks": weeks, "monday": say_day(monday)})
    if terms.valid_from:
        said.append(_("From %(day)s") % {"day": say_day(terms.valid_from)})
    if terms.valid_until:
        said.append(_("Until %(day)s") % {"day": say_day(terms.valid_until)})
    return said + say_limit(terms.limit, names)


def say_limit(limit: Limit, names: dict[int, str]) -> list[str]:
    said = []
    if limit.services:
        known = ", ".join(names.get(pk, _("a service that is gone")) for pk in limit.services)
        said.append(_("Only for %(services)s") % {"services": known})
    if limit.locations:
        said.append(_("Only for patients in %(places)s") % {"places": ", ".join(limit.locations)})
    return said


def say_time_off(row: TimeOff) -> str:
    """The days, and the times where it isn't whole days."""
    days = say_day(row.first_day, short=True)
    if row.start_time and row.end_time:
        if row.first_day == row.last_day:
            return f"{days}, {_clock(row.start_time)} – {_clock(row.end_time)}"
        return f"{days}, {_clock(row.start_time)} – {say_day(row.last_day, short=True)}, {_clock(row.end_time)}"
    return days if row.first_day == row.last_day else f"{days} – {say_day(row.last_day, short=True)}"


def _group(place: Place, n: int, group: Group, names: dict[int, str], today: date) -> dict[str, Any]:
    until = group.terms.valid_until
    return {
        "title": _("Weekly hours") if n == 1 else _("Weekly hours, set %(n)d") % {"n": n},
        "terms": say_terms(group.terms, names),
        "is_over": bool(until and until < today),
        "days": [(WEEKDAYS[day], write_all(group.hours.get(day, []))) for day in range(7)],
        "url": place.url("availability_hours", n),
    }


def _hours_of(row: DayOverride) -> str:
    return write_all([(one.start_time, one.end_time) for one in row.hours.all()])


def _day_url(place: Place, day: date) -> str:
    return place.url("availability_day_remove", day.isoformat())


def _ahead(place: Place, today: date, names: dict[int, str]) -> list[dict[str, Any]]:
    """What can be booked in the next days, by the windows that are served."""
    zone = place.provider.zone
    since = datetime.combine(today, time(0), tzinfo=zone)
    windows = OpenWindow.objects.filter(provider=place.provider, end__gt=since, start__lt=since + AHEAD)
    by_day: dict[date, list[str]] = {today + timedelta(days=n): [] for n in range(AHEAD.days)}
    for window in windows.order_by("start"):
        day = max(window.start.astimezone(zone).date(), today)
        ends = window.end.astimezone(zone)
        text = f"{say_time(window.start, str(zone))} – {say_time(window.end, str(zone))}"
        if (ends - timedelta(minutes=1)).date() != window.start.astimezone(zone).date():
            text += f" ({say_day(ends.date(), short=True)})"
        limit = say_limit(Limit(tuple(window.services), tuple(window.locations)), names)
        by_day.setdefault(day, []).append(" · ".join([text, *limit]))
    return [{"day": say_day(day, short=True), "hours": hours} for day, hours in sorted(by_day.items())]


def _clock(at: time) -> str:
    return f"{at.hour}:{at.minute:02}"
