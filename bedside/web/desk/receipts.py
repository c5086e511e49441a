"""The receipts of one appointment at the desk: look, send again, and write the statement that an insurer asks for."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from bedside.appointments.models import Appointment
from bedside.core import audit
from bedside.flows import billing, receipt, receipt_mail
from bedside.payments.errors import DamagedReceipt, NothingToReceipt
from bedside.payments.models import Payment
from bedside.payments.receipt_models import Receipt, VisitCodes
from bedside.reports import listing, receipt_pdf, receipts
from bedside.web.access import actor_of
from bedside.web.desk.appointment import with_appointment
from bedside.web.desk.billing_forms import CodesForm
from bedside.web.live.tickets import ticket


def with_any_appointment(view: Any) -> Any:
    """As `with_appointment`, for addresses that carry a number as well."""

    def found(request: HttpRequest, code: str, number: int) -> HttpResponse:
        return with_appointment(lambda asked, appointment: view(asked, appointment, number))(request, code)

    return found


@require_safe
@with_appointment
def show(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    form = CodesForm.of(VisitCodes.objects.filter(appointment=appointment).first())
    return _page(request, appointment, form)


def _page(request: HttpRequest, appointment: Appointment, form: CodesForm) -> HttpResponse:
    chain = listing.chain_of(appointment)
    for payment_id in _paid(chain):
        receipt.issue(payment_id=payment_id)
    try:
        sheets = [receipts.sheet(one) for one in reversed(receipts.of_chain(chain))]
        trouble = ""
    except DamagedReceipt:
        sheets, trouble = [], _("A receipt of this visit was changed in the database. Restore it from a backup.")
    if not request.htmx:  # type: ignore[attr-defined]  # a page that follows live is one look
        audit.record(actor_of(request), "receipt.viewed", appointment)
    context = {
        "area": "appointments",
        "live_ticket": ticket(f"appointment:{appointment.pk}"),
        "appointment": appointment,
        "sheets": sheets,
        "trouble": trouble,
        "form": form,
        "usual": receipt.codes_of(appointment)["procedure"],
    }
    status = 422 if form.errors else 409 if trouble else 200
    return render(request, "desk/receipts.html", context, status=status)


def _paid(chain: list[Appointment]) -> list[int]:
    paid = Payment.objects.filter(appointment__in=chain, captured_minor__gt=0)
    return list(paid.order_by("pk").values_list("pk", flat=True))


@require_POST
@with_appointment
def codes(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """Keep the codes; with ``issue``, write the statement too."""
    form = CodesForm(request.POST)
    if not form.is_valid():
        return _page(request, appointment, form)
    changed = billing.set_codes(appointment_id=appointment.pk, actor=actor_of(request), **form.cleaned_data)
    if "issue" not in request.POST:
        messages.success(request, _("The codes are kept.") if changed else _("Nothing was changed."))
        return _back_to(appointment)
    paid = _paid(listing.chain_of(appointment))
    if not paid:
        messages.warning(request, NothingToReceipt().message)
        return _back_to(appointment)
    made = receipt.issue_statement(payment_id=paid[-1], actor=actor_of(request))
    messages.success(request, _("Statement %(number)s is written; the patient sees it too.") % {"number": made.label})
    return _back_to(appointment)


@require_safe
@with_any_appointment
def pdf(request: HttpRequest, appointment: Appointment, number: int) -> HttpResponse:
    found = _one(appointment, number)
    try:
        data = receipt_pdf.render(found)
    except DamagedReceipt as error:
        messages.warning(request, error.message)
        return _back_to(appointment)
    audit.record(actor_of(request), "receipt.viewed", appointment, after={"number": number})
    response = HttpResponse(data, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{found.filename}"'
    return response


@require_POST
@with_any_appointment
def send(request: HttpRequest, appointment: Appointment, number: int) -> HttpResponse:
    """By email to the patient, with the PDF."""
    receipt_mail.send(receipt_id=_one(appointment, number).pk, actor=actor_of(request))
    messages.success(request, _("The receipt is on its way by email."))
    return _back_to(appointment)


def _one(appointment: Appointment, number: int) -> Receipt:
    for found in receipts.of_appointment(appointment):
        if found.number == number:
            return found
    raise Http404


def _back_to(appointment: Appointment) -> HttpResponse:
    return HttpResponseRedirect(reverse("desk:receipts", args=[appointment.code]), status=303)
