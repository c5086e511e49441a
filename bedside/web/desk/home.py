"""Today: who is waiting, the next visits, and what needs somebody, each with what can be done about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from bedside.appointments.models import Appointment
from bedside.clinic.models import Practice, Provider
from bedside.core import clock
from bedside.core.errors import NotFound
from bedside.core.models import Alert
from bedside.flows import alerts as flow
from bedside.notifications import sweeping
from bedside.reports import glance
from bedside.reports.clashes import clashes
from bedside.web.access import actor_of, admin_required
from bedside.web.live.shared import drawn_once
from bedside.web.live.tickets import ticket

_PAYOUTS = ("desk:payouts", "", gettext_lazy("See the payouts"))
_RECONCILIATION = ("desk:reconciliation", "", gettext_lazy("See what differs"))
_EVENTS = ("desk:events", "", gettext_lazy("See the events"))
_DISPUTES = ("desk:disputes", "", gettext_lazy("See the disputes"))
# Where the trouble of each kind of alert is put right. Those not named lead to their visit or their provider.
PLACES = {
    "webhook-failed": _EVENTS,
    "payments-down": _EVENTS,
    "processor-key": _EVENTS,
    "payout-failed": _PAYOUTS,
    "payout-parts": _PAYOUTS,
    "reconciliation": _RECONCILIATION,
    "reconciliation-failed": _RECONCILIATION,
    "refund-unexplained": _RECONCILIATION,
    "dispute": _DISPUTES,
    "dispute-due": _DISPUTES,
    "queue-stuck": ("desk:messages", "?status=queued", gettext_lazy("See the messages")),
    "text-failed": ("desk:messages", "?status=failed", gettext_lazy("See the messages")),
    "email-failed": ("desk:messages", "?status=failed", gettext_lazy("See the messages")),
}


@dataclass(frozen=True)
class Told:
    """An alert with the way to where it is put right; without one ``url`` is empty."""

    alert: Alert
    url: str
    action: str


@require_safe
@never_cache
@admin_required
@drawn_once
def today(request: HttpRequest) -> HttpResponse:
    """The page, or for htmx its part that changes."""
    if not request.htmx:  # type: ignore[attr-defined]
        # The worker watches its own queue; where no worker runs, whoever looks does.
        sweeping.watch()
    practice = Practice.current()
    failed = glance.failed_messages()
    alerts = glance.open_alerts(failed)
    open_visits, oldest = glance.unconcluded(practice)
    context = {
        "area": "today",
        "live_ticket": ticket("desk"),
        "zone": practice.timezone,
        "now": clock.now(),
        "today": clock.now().astimezone(practice.zone).date(),
        "day": glance.day(practice),
        "visits": glance.upcoming(practice),
        "waiting": glance.waiting(),
        "unpaid": glance.unpaid(),
        "failed": failed,
        "alerts": alerts,
        "told": told(alerts),
        "mismatches": glance.mismatches(),
        "open_visits": open_visits,
        "open_day": oldest.astimezone(practice.zone).date() if oldest else None,
        "clashes": clashes(),
    }
    return render(request, "desk/_today.html" if request.htmx else "desk/today.html", context)  # type: ignore[attr-defined]


def told(alerts: Iterable[Alert]) -> list[Told]:
    """Each with its way out; two queries at most, however many there are."""
    found = list(alerts)
    codes = dict(Appointment.objects.filter(pk__in=_ids(found, "appointment_id")).values_list("pk", "code"))
    people = dict(Provider.objects.filter(pk__in=_ids(found, "provider_id")).values_list("pk", "slug"))
    return [Told(alert, *_way(alert, codes, people)) for alert in found]


def _ids(found: list[Alert], name: str) -> list[int]:
    return [alert.ids[name] for alert in found if name in alert.ids]


def _way(alert: Alert, codes: dict[int, str], people: dict[int, str]) -> tuple[str, str]:
    if alert.kind in PLACES:
        name, query, word = PLACES[alert.kind]
        return reverse(name) + query, str(word)
    if code := codes.get(alert.ids.get("appointment_id", 0)):
        return reverse("desk:appointment", args=[code]), _("Open the visit")
    if slug := people.get(alert.ids.get("provider_id", 0)):
        calendar = alert.kind == "calendar-import-failed"
        return reverse("desk:provider_calendars" if calendar else "desk:provider", args=[slug]), _("Open the provider")
    return "", ""


@require_POST
@never_cache
@admin_required
def alert_done(request: HttpRequest, alert: int) -> HttpResponse:
    """Somebody took care of it."""
    try:
        done = flow.settle(alert_id=alert, actor=actor_of(request))
    except NotFound as missing:
        raise Http404 from missing
    said = (
        _("Marked as done. The same trouble would show again.") if done else _("Somebody else was quicker: it is done.")
    )
    messages.success(request, said)
    return HttpResponseRedirect(reverse("desk:today"), status=303)
