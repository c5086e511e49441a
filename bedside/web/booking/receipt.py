"""A patient's receipts: one page with all of a visit's, and each as a PDF."""

from __future__ import annotations

import structlog
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from bedside.appointments.models import Appointment
from bedside.flows import receipt as flow
from bedside.payments.errors import DamagedReceipt, NothingToReceipt
from bedside.payments.models import Payment
from bedside.reports import listing, receipt_pdf, receipts
from bedside.web.booking.answers import unknown_visit
from bedside.web.booking.visit import with_visit
from bedside.web.booking.visit_page import VisitPage
from bedside.web.live.tickets import ticket

log = structlog.get_logger(__name__)


@require_safe
@with_visit
def page(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """Every receipt of this visit, newest first. A payment whose receipt isn't written yet gets it now."""
    chain = listing.chain_of(appointment)
    _write_what_is_missing(chain)
    found = receipts.of_chain(chain)
    try:
        sheets = [receipts.sheet(one) for one in reversed(found)]
    except DamagedReceipt as error:
        log.error("receipt_damaged", appointment_id=appointment.pk)
        context = {"visit": VisitPage(appointment), "trouble": error.message}
        return render(request, "booking/receipt.html", context, status=error.status)
    context = {
        "visit": VisitPage(appointment),
        "sheets": sheets,
        "live_ticket": ticket(f"appointment:{appointment.pk}"),
    }
    return render(request, "booking/receipt.html", context)


def _write_what_is_missing(chain: list[Appointment]) -> None:
    for payment_id in Payment.objects.filter(appointment__in=chain, captured_minor__gt=0).values_list("pk", flat=True):
        try:
            flow.issue(payment_id=payment_id)
        except NothingToReceipt:
            continue


@require_safe
@with_visit
def pdf(request: HttpRequest, appointment: Appointment, number: int) -> HttpResponse:
    """One receipt to keep. A number that isn't this patient's is answered like a token that opens nothing."""
    found = next((one for one in receipts.of_appointment(appointment) if one.number == number), None)
    if found is None:
        return unknown_visit(request)
    try:
        data = receipt_pdf.render(found)
    except DamagedReceipt as error:
        log.error("receipt_damaged", receipt_id=found.pk)
        context = {"visit": VisitPage(appointment), "trouble": error.message}
        return render(request, "booking/receipt.html", context, status=error.status)
    response = HttpResponse(data, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{found.filename}"'
    return response
