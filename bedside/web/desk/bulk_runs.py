"""A bulk run as one watches it: how far it is, what came of each row, and a way to stop it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from bedside.appointments.bulk.models import Layout
from bedside.appointments.bulk.runs import Action, BulkItem, BulkRun, ItemStatus
from bedside.clinic.models import Practice
from bedside.flows import bulk
from bedside.web.access import actor_of, admin_required
from bedside.web.desk.export import send
from bedside.web.live.shared import drawn_once
from bedside.web.live.tickets import ticket

PER_PAGE = 50
TITLES: Mapping[str, Any] = {
    Action.RESEND: gettext_lazy("Send confirmations again"),
    Action.COMPLETE: gettext_lazy("Mark completed"),
    Action.EXPORT: gettext_lazy("Chosen for export"),
}
REASONS: Mapping[str, Any] = {
    "already-over": gettext_lazy("The visit can't take this any more: it is over, canceled, moved or completed."),
    "changed-meanwhile": gettext_lazy("The visit was moved."),
    "not-yet": gettext_lazy("The visit has not begun yet."),
    "just-sent": gettext_lazy("A confirmation was sent again less than ten minutes before."),
    "nothing-to-send": gettext_lazy("There was nothing to send."),
    "canceled": gettext_lazy("The run was canceled before its turn."),
    "permission-refused": gettext_lazy("Whoever began the run isn't an admin any more."),
    "unexpected": gettext_lazy("Something went wrong on our side. The log has it under this run's number."),
    "email": gettext_lazy("By email only: no text could be sent."),
    "sms": gettext_lazy("By text."),
    "email+sms": gettext_lazy("By email and text."),
}


@require_safe
@never_cache
@admin_required
@drawn_once
def runs(request: HttpRequest) -> HttpResponse:
    """All runs, newest first."""
    found = BulkRun.objects.select_related("user").order_by("-pk")
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "area": "appointments",
        "zone": Practice.current().timezone,
        "live_ticket": ticket("desk"),
        "page": page,
        "rows": [(one, TITLES[one.action]) for one in page],
    }
    part = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(request, "desk/_bulk_runs.html" if part else "desk/bulk_runs.html", context)


@require_safe
@never_cache
@admin_required
@drawn_once
def run_page(request: HttpRequest, run: int) -> HttpResponse:
    """One run; ``?show=skipped`` (or another result) shows only those rows."""
    found = _find(run)
    show = request.GET.get("show", "")
    items = BulkItem.objects.filter(run=found)
    rows: QuerySet[BulkItem] = items.select_related("appointment__service", "appointment__provider")
    if show in ItemStatus.values:
        rows = rows.filter(status=show)
    page = Paginator(rows.order_by("pk"), PER_PAGE).get_page(request.GET.get("page"))
    counts = dict(items.values_list("status").annotate(Count("pk")).order_by())
    context = {
        "area": "appointments",
        "zone": Practice.current().timezone,
        "live_ticket": ticket("desk"),
        "run": found,
        "title": TITLES[found.action],
        "page": page,
        "rows": [(one, REASONS.get(one.reason, one.reason)) for one in page],
        "show": show,
        "tabs": [("", _("All"), found.total)] + [(one.value, word, counts.get(one.value, 0)) for one, word in _words()],
        "counts": counts,
        "is_export": found.action == Action.EXPORT,
    }
    part = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(request, "desk/_bulk_run.html" if part else "desk/bulk_run.html", context)


def _words() -> list[tuple[ItemStatus, str]]:
    return [
        (ItemStatus.DONE, _("Done")),
        (ItemStatus.SKIPPED, _("Skipped")),
        (ItemStatus.FAILED, _("Failed")),
        (ItemStatus.WAITING, _("Waiting")),
    ]


def _find(run: int) -> BulkRun:
    if run > 2**62:
        raise Http404
    return get_object_or_404(BulkRun.objects.select_related("user", "canceled_by"), pk=run)


@require_POST
@never_cache
@admin_required
def cancel(request: HttpRequest, run: int) -> HttpResponse:
    """Stop after the row that is under way."""
    was_running = _find(run).is_running
    stopped = bulk.stop(run_id=run, actor=actor_of(request))
    if was_running and stopped.status == "stopped":
        messages.success(request, _("Canceled. What was done by then stays done."))
    else:
        messages.info(request, _("The run was over already."))
    return HttpResponseRedirect(reverse("desk:bulk_run", args=[run]), status=303)


@require_GET
@never_cache
@admin_required
def download(request: HttpRequest, run: int) -> HttpResponse:
    """The chosen appointments as a file: ``?layout=excel``, ``?redacted=on``."""
    found = _find(run)
    return send(
        request,
        what="appointments",
        filters=None,
        said={"bulk_run": str(found.pk)},
        ids=BulkItem.objects.filter(run=found).values_list("appointment_id", flat=True),
        layout=Layout.EXCEL if request.GET.get("layout") == Layout.EXCEL else Layout.CSV,
        redacted=bool(request.GET.get("redacted")),
    )
