"""Operations at the desk: what the payment processor told us, what failed, and its disputes."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from bedside.clinic.models import Practice
from bedside.core import audit
from bedside.flows import processor_events
from bedside.payments.bank_models import Dispute
from bedside.payments.errors import EventHandled
from bedside.payments.models import ProcessorEvent
from bedside.reports import bank
from bedside.web.access import actor_of, admin_required
from bedside.web.live.tickets import ticket

PER_PAGE = 50


def _context(tab: str, **more: Any) -> dict[str, Any]:
    return {"area": "operations", "tab": tab, "zone": Practice.current().timezone} | more


@require_safe
@never_cache
@admin_required
def events(request: HttpRequest) -> HttpResponse:
    """Those that wait or failed; with ``?show=all`` every one."""
    everything = request.GET.get("show") == "all"
    page = Paginator(bank.events(everything=everything), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "desk/events.html", _context("events", page=page, everything=everything))


@require_POST
@never_cache
@admin_required
def run_again(request: HttpRequest, event: int) -> HttpResponse:
    """Have a failed one handled again."""
    try:
        processor_events.run_again(event_id=event, actor=actor_of(request))
        messages.success(request, _("The event is being handled again. This page shows how it went."))
    except EventHandled as error:
        messages.info(request, error.message)
    except ProcessorEvent.DoesNotExist as missing:
        raise Http404 from missing
    return HttpResponseRedirect(reverse("desk:events"), status=303)


@require_safe
@never_cache
@admin_required
def disputes(request: HttpRequest) -> HttpResponse:
    page = Paginator(bank.disputes(), PER_PAGE).get_page(request.GET.get("page"))
    rows = [{"dispute": one, "left": bank.time_left(one)} for one in page]
    template = "desk/_disputes.html" if request.htmx else "desk/disputes.html"  # type: ignore[attr-defined]
    return render(request, template, _context("disputes", page=page, rows=rows, live_ticket=ticket("desk")))


@require_safe
@never_cache
@admin_required
def dispute(request: HttpRequest, dispute: int) -> HttpResponse:
    """One dispute: what it costs, until when to answer, and what speaks for the practice. Looking is audited."""
    found = bank.disputes().select_related("payment__appointment__meeting").filter(pk=dispute).first()
    if found is None:
        raise Http404
    appointment = found.payment.appointment
    audit.record(actor_of(request), "dispute.viewed", appointment, after={"dispute": found.pk})
    held, fees = bank.cost_of(found)
    evidence = bank.evidence(found)
    context = _context(
        "disputes",
        dispute=found,
        appointment=appointment,
        held=held,
        fees=fees,
        left=bank.time_left(found),
        evidence=evidence,
        evidence_text=bank.as_text(evidence),
        dashboard_url=_dashboard_url(found),
    )
    return render(request, "desk/dispute.html", context)


def _dashboard_url(dispute: Dispute) -> str:
    """Where the evidence is handed in: at the processor itself."""
    if dispute.processor == "stripe":
        return f"https://dashboard.stripe.com/disputes/{dispute.dispute_id}"
    return f"/sandbox/bank#{dispute.dispute_id}"


@require_safe
@never_cache
@admin_required
def payouts(request: HttpRequest) -> HttpResponse:
    page = Paginator(bank.payouts(), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "desk/payouts.html", _context("payouts", page=page))
