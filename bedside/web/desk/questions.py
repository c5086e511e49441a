"""Questions before a visit, written for each service; and the answers of one visit."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.forms import BaseFormSet, formset_factory
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from bedside.appointments.errors import InvalidDetails
from bedside.appointments.models import Appointment
from bedside.clinic.errors import ChangedMeanwhile
from bedside.clinic.models import Practice, Service
from bedside.core.errors import NotFound
from bedside.flows import intake
from bedside.intake.models import Questionnaire, holding
from bedside.intake.questions import KINDS, MOST, MOST_CHOICE, MOST_CHOICES, MOST_TEXT, Question
from bedside.web.access import actor_of, admin_required
from bedside.web.desk.appointment import with_appointment

SPARE_ROWS = 3


class QuestionForm(forms.Form):
    """One question; a row without words is left out, which is how one is taken away."""

    text = forms.CharField(
        label=gettext_lazy("Question"),
        required=False,
        max_length=MOST_TEXT,
        help_text=gettext_lazy("Empty: this question isn't asked."),
    )
    kind = forms.ChoiceField(label=gettext_lazy("Answer"), choices=list(KINDS.items()), initial="short")
    choices = forms.CharField(
        label=gettext_lazy("Choices"),
        help_text=gettext_lazy("For one of several: each on its own line."),
        required=False,
        max_length=MOST_CHOICES * (MOST_CHOICE + 2) * 2,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    required = forms.BooleanField(label=gettext_lazy("Has to be answered"), required=False)

    def question(self, place: int) -> Question | None:
        said = self.cleaned_data
        text = " ".join(said.get("text", "").split())
        if not text:
            return None
        choices = [line for line in (" ".join(one.split()) for one in said["choices"].splitlines()) if line]
        kept = choices if said["kind"] == "choice" else []
        return Question(f"q{place}", said["kind"], text, said["required"], kept)


QuestionForms = formset_factory(QuestionForm, extra=SPARE_ROWS, max_num=MOST, absolute_max=MOST, validate_max=True)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def questions(request: HttpRequest, slug: str) -> HttpResponse:
    """The questions of a service; what is saved is asked for bookings from then on."""
    service = get_object_or_404(Service, slug=slug)
    now = holding(service.pk)
    if request.method != "POST":
        return _page(request, service, QuestionForms(initial=_initial(now)), now)
    rows = QuestionForms(request.POST)
    if not rows.is_valid():
        return _page(request, service, rows, now, status=422)
    filled = [form for form in rows if form.question(0)]
    asked = [one for place, form in enumerate(filled, 1) if (one := form.question(place))]
    version = request.POST.get("version", "")
    try:
        saved = intake.change_questions(
            service=service,
            questions=asked,
            version=int(version) if version.isascii() and version.isdigit() and len(version) < 8 else -1,
            actor=actor_of(request),
        )
    except InvalidDetails as error:
        for place, said in error.errors.items():
            filled[int(place)].add_error("choices" if "choices" in said or "choice" in said else "text", said)
        return _page(request, service, rows, now, status=422)
    except ChangedMeanwhile as error:
        return _page(request, service, rows, holding(service.pk), stale=error, asked=asked, status=409)
    messages.success(request, _("Kept, for bookings from now on.") if saved else _("Nothing was different."))
    return HttpResponseRedirect(reverse("desk:service_questions", args=[slug]), status=303)


def _initial(now: Questionnaire | None) -> list[dict[str, Any]]:
    asked = now.asked if now else []
    return [
        {"text": one.text, "kind": one.kind, "required": one.required, "choices": "\n".join(one.choices)}
        for one in asked
    ]


def _page(
    request: HttpRequest,
    service: Service,
    rows: BaseFormSet[QuestionForm],
    now: Questionnaire | None,
    *,
    stale: ChangedMeanwhile | None = None,
    asked: list[Question] | None = None,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {"area": "catalogue", "service": service, "rows": rows, "stale": stale}
    context["version"] = now.number if now else 0
    if stale:
        saved = "\n".join(one.text for one in (now.asked if now else [])) or _("Nothing")
        yours = "\n".join(one.text for one in asked or []) or _("Nothing")
        context["differences"] = [{"label": _("Questions"), "saved": saved, "yours": yours}]
    return render(request, "desk/questions.html", context, status=status)


@require_safe
@with_appointment
def answers(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """What the patient answered. Each look is audited."""
    try:
        said = intake.read_answers(appointment=appointment, actor=actor_of(request))
    except NotFound:
        raise Http404 from None
    context = {
        "area": "appointments",
        "appointment": appointment,
        "form": appointment.intake,
        "said": said,
        "zone": Practice.current().timezone,
    }
    return render(request, "desk/intake.html", context)
