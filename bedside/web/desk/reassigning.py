"""Changing the provider of a visit: who else offers it and is free then; what it will do; then it is done."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from bedside.appointments.errors import AlreadyOver, ChangedMeanwhile
from bedside.appointments.models import Appointment
from bedside.clinic.models import Practice, Provider
from bedside.core.errors import BedsideError
from bedside.flows import previews, reassign, reschedule
from bedside.flows.announce import EVERYONE
from bedside.notifications.models import Kind
from bedside.schedule import openings
from bedside.web.access import actor_of
from bedside.web.desk.appointment import MEMBER, back_to, with_appointment
from bedside.web.templatetags.when import say_when


class ReassignForm(forms.Form):
    """Who sees the patient instead, and why."""

    provider = forms.ChoiceField(
        label=gettext_lazy("New provider"),
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose who sees the patient."),
            "invalid_choice": gettext_lazy("Choose somebody from the list."),
        },
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy(
            "Needed for somebody who isn't free by their hours. Kept with the appointment; the patient doesn't see it."
        ),
        max_length=reschedule.MAX_REASON,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, others: list[Provider], free: set[int], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.others, self.free = {one.slug: one for one in others}, free
        field = self.fields["provider"]
        assert isinstance(field, forms.ChoiceField)
        ordered = sorted(others, key=lambda one: (one.pk not in free, one.name))
        field.choices = [(one.slug, self._said(one)) for one in ordered]
        if ordered and ordered[0].pk in free:
            field.initial = ordered[0].slug

    def _said(self, one: Provider) -> str:
        state = _("free then") if one.pk in self.free else _("not free by their hours: needs a reason")
        return f"{one.name} · {state}"

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        chosen = self.others.get(data.get("provider", ""))
        if chosen and chosen.pk not in self.free and not data.get("reason", "").strip():
            self.add_error("reason", _("Say why, in a few words: whoever looks at this later will ask."))
        return data

    @property
    def chosen(self) -> Provider:
        return self.others[self.cleaned_data["provider"]]

    @property
    def override(self) -> bool:
        return self.chosen.pk not in self.free


@require_http_methods(["GET", "HEAD", "POST"])
@with_appointment
def reassign_visit(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """GET asks; POST with ``review`` shows what it will do; any other POST does it."""
    refusal = reschedule.preview(appointment, actor=MEMBER).refusal
    if refusal:
        messages.info(request, refusal.message)
        return back_to(appointment)
    form = _form(request, appointment)
    if request.method != "POST":
        return _page(request, appointment, form)
    if not form.is_valid():
        return _page(request, appointment, form, status=422)
    if "review" in request.POST or "change" in request.POST:
        return _page(request, appointment, form, review="review" in request.POST)
    try:
        moved = reassign.reassign(
            appointment_id=appointment.pk,
            provider=form.chosen,
            actor=actor_of(request),
            reason=form.cleaned_data["reason"],
            override=form.override,
            version=form.cleaned_data["version"],
        )
    except (AlreadyOver, ChangedMeanwhile) as error:
        messages.warning(request, error.message)
        return back_to(appointment)
    except BedsideError as error:
        form.add_error("provider", _("%(name)s can't take it: that time is not free.") % {"name": form.chosen.name})
        return _page(request, appointment, form, status=error.status)
    messages.success(request, _("%(name)s sees the patient now. All three are being told.") % {"name": moved.provider})
    return back_to(moved)


def _form(request: HttpRequest, appointment: Appointment) -> ReassignForm:
    others = list(appointment.service.providers.filter(active=True).exclude(pk=appointment.provider_id))
    location = appointment.patient_location or None
    free = {one.pk for one in openings.providers_for(appointment.service, appointment.start, location=location)}
    given = request.POST if request.method == "POST" else None
    return ReassignForm(others, free, given, initial={"version": appointment.version})


def _page(
    request: HttpRequest, appointment: Appointment, form: ReassignForm, *, review: bool = False, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {
        "area": "appointments",
        "zone": Practice.current().timezone,
        "appointment": appointment,
        "form": form,
        "review": review,
    }
    if review:
        context |= {
            "chosen": form.chosen,
            "consequences": consequences(appointment, form.chosen),
            "previews": previews.previews(
                appointment,
                Kind.PROVIDER_CHANGED,
                EVERYONE,
                provider_name=form.chosen.name,
                was_with=appointment.provider.name,
                join_url="",
            ),
        }
    return render(request, "desk/reassign.html", context, status=status)


def consequences(appointment: Appointment, chosen: Provider) -> list[dict[str, str]]:
    """Each thing that happens, with an icon: who, when, link, messages."""
    said = {
        "old": appointment.provider.name,
        "new": chosen.name,
        "patient": appointment.patient_name,
        "when": say_when(appointment.start, Practice.current().timezone),
    }
    return [
        {"shape": "users", "text": _("%(new)s sees %(patient)s instead of %(old)s. The time stays.") % said},
        {"shape": "calendar-x", "text": _("%(old)s is free again: %(when)s.") % said},
        {"shape": "video", "text": _("A new video room is made with the new host; the old link stops working.")},
        {"shape": "mail", "text": _("%(patient)s, %(old)s and %(new)s are told by email and text.") % said},
    ]
