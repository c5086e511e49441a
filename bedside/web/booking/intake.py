"""The patient's questionnaire: asked before the visit, kept encrypted, open to changes until the visit is over."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from bedside.appointments.errors import AlreadyOver, InvalidDetails
from bedside.appointments.models import Appointment
from bedside.core.audit import Actor
from bedside.core.errors import NotFound
from bedside.flows import intake
from bedside.intake.models import IntakeForm
from bedside.intake.questions import LONGEST, Question
from bedside.web.booking.answers import unknown_visit
from bedside.web.booking.visit import with_visit
from bedside.web.booking.visit_page import VisitPage


class AnswersForm(forms.Form):
    """A field for each question, in the practice's own words; the flow says what counts as an answer."""

    def __init__(self, questions: list[Question], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for question in questions:
            self.fields[question.key] = _field(question)
        self.asked = [(self[question.key], not question.required) for question in questions]


def _field(question: Question) -> forms.Field:
    if question.kind in {"choice", "yesno"}:
        answers = [("yes", _("Yes")), ("no", _("No"))] if question.kind == "yesno" else []
        answers = answers or [(one, one) for one in question.choices]
        select = forms.Select(choices=[("", _("Please choose")), *answers])
        return forms.CharField(label=question.text, required=False, widget=select)
    widget = forms.Textarea(attrs={"rows": 4}) if question.kind == "long" else forms.TextInput()
    widget.attrs["maxlength"] = LONGEST[question.kind]
    return forms.CharField(label=question.text, required=False, widget=widget)


@require_http_methods(["GET", "HEAD", "POST"])
@with_visit
def questions(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """GET asks, with what was answered before; POST keeps the answers."""
    found = IntakeForm.objects.select_related("questionnaire").filter(appointment=appointment).first()
    if found is None:
        return unknown_visit(request)
    asked = found.questionnaire.asked
    if request.method != "POST":
        return _page(request, appointment, found, AnswersForm(asked, initial=found.answered))
    form = AnswersForm(asked, request.POST)
    try:
        sent = {question.key: request.POST.get(question.key, "") for question in asked}
        intake.answer(appointment_id=appointment.pk, answers=sent, actor=Actor.patient())
    except InvalidDetails as error:
        for key, said in error.errors.items():
            form.add_error(key, said)
        return _page(request, appointment, found, form, status=422)
    except AlreadyOver as error:
        return _page(request, appointment, found, form, status=error.status)
    except NotFound:
        return unknown_visit(request)
    messages.success(request, _("Thank you. Your answers are kept."))
    return HttpResponseRedirect(VisitPage(appointment).url, status=303)


def _page(
    request: HttpRequest, appointment: Appointment, found: IntakeForm, form: AnswersForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "visit": VisitPage(appointment),
        "form": form,
        "answered_at": found.answered_at,
        "is_open": intake.may_answer(appointment),
    }
    return render(request, "booking/intake.html", context, status=status)
