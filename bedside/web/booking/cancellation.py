"""Canceling: what comes back, to where and when, before the button; then the visit page with what the database says."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from bedside.appointments.errors import ChangedMeanwhile
from bedside.appointments.models import Appointment
from bedside.core.audit import Actor
from bedside.core.errors import BedsideError
from bedside.core.money import format_money
from bedside.flows import cancel
from bedside.flows.cancel import Preview
from bedside.web.booking.forms import CancelForm
from bedside.web.booking.visit import with_visit
from bedside.web.booking.visit_page import VisitPage
from bedside.web.templatetags.when import say_when


@require_http_methods(["GET", "HEAD", "POST"])
@with_visit
def cancel_visit(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """Ask, or on POST do it."""
    page = VisitPage(appointment)
    outcome = cancel.preview(appointment, actor=Actor.patient())
    form = CancelForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            cancel.cancel(
                appointment_id=appointment.pk,
                actor=Actor.patient(),
                reason=form.cleaned_data["reason"],
                promised=form.cleaned_data["promised"],
            )
        except ChangedMeanwhile as error:
            return _ask_again(request, page, form, error)
        except BedsideError as error:
            messages.info(request, error.message)
        return HttpResponseRedirect(page.url, status=303)
    if not outcome.possible:
        return HttpResponseRedirect(page.url)
    context = {"visit": page, "form": form, "back": _what_comes_back(appointment, outcome), "outcome": outcome}
    return render(request, "booking/cancel.html", context, status=422 if form.errors else 200)


def _ask_again(request: HttpRequest, page: VisitPage, form: CancelForm, error: ChangedMeanwhile) -> HttpResponse:
    """The page stood open past the free time, or the visit moved: nothing was done, and this is what holds now."""
    outcome = cancel.preview(page.appointment, actor=Actor.patient())
    if not outcome.possible:
        messages.info(request, error.message)
        return HttpResponseRedirect(page.url, status=303)
    form.add_error(None, _("What comes back has changed while this page was open. Nothing was canceled yet."))
    context = {"visit": page, "form": form, "back": _what_comes_back(page.appointment, outcome), "outcome": outcome}
    return render(request, "booking/cancel.html", context, status=error.status)


def _what_comes_back(appointment: Appointment, outcome: Preview) -> dict[str, str]:
    """The consequence in words, and on the button itself; what credits paid goes back to them."""
    said = _what_money_comes_back(appointment, outcome)
    if outcome.by_hand and outcome.refund:
        said["text"] = _("We give it back in the way that you paid.")
    if not outcome.credit:
        return said
    amount = {"amount": format_money(outcome.credit)}
    if not outcome.paid:
        said |= {"kind": "good", "title": _("%(amount)s goes back to your credit") % amount, "text": ""}
    said["text"] = f"{said['text']} {_('%(amount)s is on your credit again, under the same code.') % amount}".strip()
    return said


def _what_money_comes_back(appointment: Appointment, outcome: Preview) -> dict[str, str]:
    amount = format_money(outcome.refund)
    if outcome.refund and not outcome.kept:
        return {
            "kind": "good",
            "title": _("You get %(amount)s back") % {"amount": amount},
            "text": _("It goes to the card that you paid with. Banks take 5 to 10 business days to show it."),
            "button": _("Cancel the visit and refund %(amount)s") % {"amount": amount},
        }
    if outcome.refund:
        said = {
            "amount": amount,
            "kept": format_money(outcome.kept),
            "when": say_when(outcome.free_until, appointment.patient_timezone),
        }
        return {
            "kind": "warn",
            "title": _("You get %(amount)s back") % said,
            "text": _(
                "Canceling was free until %(when)s; now %(kept)s is kept. The rest goes to the card that you paid "
                "with. Banks take 5 to 10 business days to show it."
            )
            % said,
            "button": _("Cancel the visit and refund %(amount)s") % said,
        }
    if outcome.paid:
        until = say_when(outcome.free_until, appointment.patient_timezone)
        return {
            "kind": "warn",
            "title": _("Nothing comes back"),
            "text": _("Canceling was free until %(when)s. If you couldn't help it, call us before you cancel.")
            % {"when": until},
            "button": _("Cancel the visit without a refund"),
        }
    return {
        "kind": "note",
        "title": _("Nothing was charged"),
        "text": _("The time becomes free for somebody else."),
        "button": _("Cancel the visit"),
    }
