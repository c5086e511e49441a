"""What every edit has in common: look first, then do it; somebody who was quicker is a 409, mistakes are a 422."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _

from bedside.core.errors import BedsideError, NotFound
from bedside.flows.availability import Change, version_of
from bedside.schedule.errors import ChangedMeanwhile, InvalidAvailability
from bedside.schedule.impact import Stretch
from bedside.web.availability.place import Place

# So many stretches are listed; the rest is counted.
LISTED = 14
Edit = Callable[[bool], Change]
ShowErrors = Callable[[dict[str, Any]], HttpResponse]
ShowConflict = Callable[[ChangedMeanwhile], HttpResponse]


def frame(place: Place, **more: Any) -> dict[str, Any]:
    """What every page of the editor needs."""
    return {
        "place": place,
        "area": place.area,
        "provider": place.provider,
        "zone": place.provider.timezone,
        "version": version_of(place.provider),
    } | more


def carry_out(
    request: HttpRequest,
    place: Place,
    edit: Edit,
    *,
    question: str,
    done: str,
    show_errors: ShowErrors | None = None,
    show_conflict: ShowConflict | None = None,
    also: Sequence[tuple[str, str]] = (),
) -> HttpResponse:
    """``do=save`` does it; anything else shows what it would do, with the same fields, and ``also``, to confirm.

    Who was quicker is shown by ``show_conflict``, beside what was typed; without it, on the overview.
    """
    saves = request.POST.get("do") == "save"
    try:
        change = edit(not saves)
    except InvalidAvailability as error:
        if show_errors is None:
            messages.warning(request, next(iter(error.errors.values()), error.message))
            return back(place)
        return show_errors(error.errors)
    except ChangedMeanwhile as error:
        return show_conflict(error) if show_conflict else conflict(request, place, error.message)
    except NotFound:
        return conflict(request, place, _("That is gone already: somebody else removed it."))
    except BedsideError as error:
        messages.warning(request, error.message)
        return back(place)
    if saves:
        messages.success(request, done)
        return back(place)
    return _preview(request, place, change, question, also, can_edit_again=show_errors is not None)


def seen_version(request: HttpRequest) -> int | None:
    """The version that the form was drawn with; None where it says nothing sensible: then nothing is compared."""
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


def back(place: Place) -> HttpResponse:
    return HttpResponseRedirect(place.overview_url, status=303)


def conflict(request: HttpRequest, place: Place, said: str) -> HttpResponse:
    """The present state, and why nothing was saved."""
    from bedside.web.availability.overview import show

    return show(request, place, said=said, status=409)


def _preview(
    request: HttpRequest,
    place: Place,
    change: Change,
    question: str,
    also: Sequence[tuple[str, str]],
    *,
    can_edit_again: bool,
) -> HttpResponse:
    impact = change.impact
    context = frame(
        place,
        question=question,
        can_edit_again=can_edit_again,
        impact=impact,
        added=impact.added[:LISTED],
        removed=impact.removed[:LISTED],
        more_added=max(len(impact.added) - LISTED, 0),
        more_removed=max(len(impact.removed) - LISTED, 0),
        hours_added=hours_in(impact.added),
        hours_removed=hours_in(impact.removed),
        fresh=[visit for visit in impact.outside if visit.pk not in impact.already],
        before=[visit for visit in impact.outside if visit.pk in impact.already],
        fields=[
            (name, value)
            for name, values in request.POST.lists()
            if name not in {"do", "csrfmiddlewaretoken"}
            for value in values
        ]
        + list(also),
    )
    return render(request, "availability/preview.html", context)


def hours_in(stretches: list[Stretch]) -> str:
    """Their length in hours, "37.5"; those of different limits count apart."""
    total = sum((one.end - one.start for one in stretches), timedelta())
    return f"{total / timedelta(hours=1):.1f}".removesuffix(".0")
