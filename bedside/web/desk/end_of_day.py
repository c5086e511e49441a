"""The end of a day: each visit that is past and still open is completed or was missed, in one form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.clinic.models import Practice
from bedside.core import clock
from bedside.core.errors import BedsideError
from bedside.core.money import format_money
from bedside.flows import conclude
from bedside.web.access import actor_of, admin_required

MOST = 500


@dataclass(frozen=True)
class Row:
    """A past visit. ``came``: whether the video room saw anybody; of a no-show ``kept`` stays and ``refund`` goes."""

    visit: Appointment
    came: bool
    may_miss: bool
    kept: str
    refund: str
    error: str


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def end_of_day(request: HttpRequest) -> HttpResponse:
    """``?day=2026-12-01``, a practice day, by default today. Posting concludes what was chosen, each by itself."""
    practice = Practice.current()
    sent = request.POST if request.method == "POST" else request.GET
    today = clock.now().astimezone(practice.zone).date()
    day = _day(sent.get("day", ""), today)
    errors: dict[int, str] = {}
    if request.method == "POST":
        done, errors = _conclude(request, day, practice)
        if done:
            said = ngettext("%(count)d visit is concluded.", "%(count)d visits are concluded.", done)
            messages.success(request, said % {"count": done})
        if not errors:
            return HttpResponseRedirect(f"{reverse('desk:end_of_day')}?day={day.isoformat()}", status=303)
    visits = _past(day, practice)
    context = {
        "area": "appointments",
        "zone": practice.timezone,
        "day": day,
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1) if day < today else None,
        "rows": [_row(visit, errors.get(visit.pk, "")) for visit in visits],
        "errors": len(errors),
    }
    return render(request, "desk/end_of_day.html", context, status=409 if errors else 200)


def _day(text: str, today: date) -> date:
    """Days that can't be read, and days to come, are today."""
    try:
        return min(max(date.fromisoformat(text[:10]), date(2000, 1, 1)), today)
    except ValueError:
        return today


def _past(day: date, practice: Practice) -> list[Appointment]:
    """Paid visits of the practice's day that have ended, by provider and time."""
    begins, ends = (datetime.combine(one, time(0), tzinfo=practice.zone) for one in (day, day + timedelta(days=1)))
    visits = Appointment.objects.select_related("service", "provider", "policy", "meeting").filter(
        status=Status.PAID, start__gte=begins, start__lt=ends, end__lte=clock.now()
    )
    return list(visits.order_by("provider__name", "start", "pk")[:MOST])


def _row(visit: Appointment, error: str) -> Row:
    refund, kept = conclude.no_show_preview(visit)
    meeting = getattr(visit, "meeting", None)
    came = bool(meeting and (meeting.host_joined_at or meeting.patient_waiting_since))
    return Row(visit, came, conclude.may_miss(visit), format_money(kept), format_money(refund), error)


def _conclude(request: HttpRequest, day: date, practice: Practice) -> tuple[int, dict[int, str]]:
    """How many were concluded, and why the others weren't, by id. What somebody else has done meanwhile is no error."""
    actor, done, errors = actor_of(request), 0, {}
    for visit in _past(day, practice):
        choice = request.POST.get(f"visit-{visit.code}", "")
        try:
            if choice == Status.COMPLETED:
                conclude.complete(appointment_id=visit.pk, actor=actor)
            elif choice == Status.NO_SHOW:
                conclude.no_show(appointment_id=visit.pk, actor=actor)
            else:
                continue
            done += 1
        except BedsideError as error:
            errors[visit.pk] = error.message or _("This one could not be concluded.")
    return done, errors
