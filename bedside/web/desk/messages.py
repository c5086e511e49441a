"""The notification center: every message across appointments, and what can be done about one that failed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages as notes
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bedside.appointments.errors import ChangedMeanwhile, InvalidDetails
from bedside.appointments.models import Appointment
from bedside.clinic.models import Practice
from bedside.core import audit
from bedside.core.ratelimit import RateLimited
from bedside.flows import messages as flow
from bedside.flows import reveal
from bedside.notifications import optout
from bedside.notifications.gsm7 import segments
from bedside.notifications.models import Audience, Kind, Notification
from bedside.notifications.states import NotificationStatus
from bedside.reports.messages import MessageFilters, messages
from bedside.web.access import actor_of, admin_required
from bedside.web.desk.appointment import TOO_MUCH_BY_HAND, with_appointment
from bedside.web.live.shared import drawn_once
from bedside.web.live.tickets import ticket
from bedside.web.stale import clash
from bedside.web.templatetags.ui import status_word

PER_PAGE = 50
WHY_LEFT = {
    "not-failed": gettext_lazy("not failed any more"),
    "opted-out": gettext_lazy("the number answered STOP"),
    "no-consent": gettext_lazy("no consent to texts"),
    "no-number": gettext_lazy("no number"),
}


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class MessagesForm(forms.Form):
    """``q``, ``kind``, ``channel``, ``audience``, ``status``, ``from`` and ``to``, all optional."""

    q = forms.CharField(label=gettext_lazy("Name, email, mobile or code"), required=False, max_length=254)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), required=False)
    channel = forms.ChoiceField(label=gettext_lazy("Channel"), required=False)
    audience = forms.ChoiceField(label=gettext_lazy("To"), required=False)
    status = forms.ChoiceField(label=gettext_lazy("Status"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["from"] = forms.DateField(label=gettext_lazy("Due from"), required=False, widget=_day())
        self.fields["to"] = forms.DateField(label=gettext_lazy("Due until"), required=False, widget=_day())
        self._offer("kind", _("All kinds"), Kind.choices)
        self._offer("channel", _("Both"), [("email", _("Email")), ("sms", _("Text"))])
        self._offer("audience", _("Everybody"), Audience.choices)
        self._offer("status", _("Any status"), [(one.value, status_word(one.value)) for one in NotificationStatus])

    def _offer(self, name: str, nothing: str, choices: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", nothing), *choices]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        first, last = values.get("from"), values.get("to")
        if first and last and last < first:
            self.add_error("to", _("Choose a last day that isn't before the first."))
        return values

    @property
    def filters(self) -> MessageFilters:
        values = dict(self.cleaned_data)
        return MessageFilters(first=values.pop("from"), last=values.pop("to"), **values)


@require_safe
@never_cache
@admin_required
@drawn_once
def center(request: HttpRequest) -> HttpResponse:
    """The list, or for htmx its part that changes."""
    form = MessagesForm(request.GET)
    practice = Practice.current()
    context: dict[str, Any] = {
        "area": "messages",
        "live_ticket": ticket("desk"),
        "zone": practice.timezone,
        "form": form,
        "is_filtered": any(request.GET.get(name) for name in form.fields),
    }
    if form.is_valid():
        context["page"] = Paginator(messages(form.filters, practice), PER_PAGE).get_page(request.GET.get("page"))
    part = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    template = "desk/_messages.html" if part else "desk/messages.html"
    return render(request, template, context, status=422 if form.errors else 200)


@require_POST
@admin_required
def retry(request: HttpRequest) -> HttpResponse:
    """Send the chosen failed messages again: ``message=ID``, repeated. Then back to where one was."""
    chosen = [int(one) for one in request.POST.getlist("message") if one.isascii() and one.isdigit() and len(one) < 18]
    done = flow.retry(notification_ids=chosen, actor=actor_of(request))
    if done.queued:
        said = ngettext(
            "%(count)d message is on its way again.", "%(count)d messages are on their way again.", done.queued
        )
        notes.success(request, said % {"count": done.queued})
    if done.left:
        reasons = ", ".join(sorted({str(WHY_LEFT.get(why, why)) for why in done.left.values()}))
        said = ngettext("%(count)d was left: %(why)s.", "%(count)d were left: %(why)s.", len(done.left))
        notes.warning(request, said % {"count": len(done.left), "why": reasons})
    if not chosen:
        notes.info(request, _("Choose at least one message."))
    return HttpResponseRedirect(_back(request), status=303)


def _back(request: HttpRequest) -> str:
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith("/desk/")
    return back if safe else reverse("desk:messages")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """What exactly was sent. Reading it is audited, as reading the record is; posting reveals where it went."""
    found = get_object_or_404(Notification.objects.select_related("appointment"), pk=pk)
    shown = request.method == "POST"
    if shown:
        reveal.reveal(
            subject=found.appointment,
            whose=found.audience,
            what=("email" if found.channel == "email" else "mobile",),
            where=f"notification {found.pk}",
            actor=actor_of(request),
        )
    else:
        audit.record(actor_of(request), "notification.viewed", found.appointment, after={"notification": found.pk})
    context = {
        "area": "messages",
        "message": found,
        "zone": Practice.current().timezone,
        "shown": shown,
        "segments": segments(found.body) if found.channel == "sms" else 0,
    }
    return render(request, "desk/message.html", context)


class WriteForm(forms.Form):
    """A message by hand."""

    words = forms.CharField(
        label=gettext_lazy("Message"),
        help_text=gettext_lazy("The visit's time and the video link are added. Say nothing about health in a text."),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": gettext_lazy("Write what you want to say.")},
    )
    channels = forms.MultipleChoiceField(
        label=gettext_lazy("Send by"),
        choices=[("email", gettext_lazy("Email")), ("sms", gettext_lazy("Text"))],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose email, text, or both.")},
    )
    audience = forms.ChoiceField(
        label=gettext_lazy("To"),
        choices=[("patient", gettext_lazy("The patient")), ("provider", gettext_lazy("The provider"))],
    )


@require_http_methods(["GET", "HEAD", "POST"])
@with_appointment
def write(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """Write to the patient or the provider of a visit."""
    form = WriteForm(request.POST if request.method == "POST" else None, initial={"channels": ["email"]})
    if request.method == "POST" and form.is_valid():
        try:
            made = flow.write(appointment_id=appointment.pk, actor=actor_of(request), **form.cleaned_data)
        except InvalidDetails as error:
            for field, message in error.errors.items():
                form.add_error(field, message)
        except RateLimited:
            form.add_error(None, TOO_MUCH_BY_HAND)
        else:
            if made:
                notes.success(request, _("The message is on its way."))
            else:
                notes.warning(request, _("Nothing was sent: this person can't be texted."))
            return HttpResponseRedirect(reverse("desk:appointment", args=[appointment.code]), status=303)
    context = {
        "area": "appointments",
        "appointment": appointment,
        "form": form,
        "zone": Practice.current().timezone,
        "opted_out": optout.is_opted_out(appointment.patient_mobile),
    }
    return render(request, "desk/message_write.html", context, status=_status(form))


def _status(form: forms.Form) -> int:
    """422 for what was typed, 429 where only the limit stands against it."""
    if not form.errors:
        return 200
    return 429 if form.non_field_errors() and len(form.errors) == 1 else 422


class ContactForm(forms.Form):
    """Where the patient's messages go."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, required=False)
    email = forms.CharField(label=gettext_lazy("Email"), max_length=254)
    mobile = forms.CharField(
        label=gettext_lazy("Mobile number"),
        help_text=gettext_lazy("Numbers of other countries begin with + and the country's code."),
        max_length=40,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@with_appointment
def contact(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """Correct the address or the number; what failed there is sent again in the same step.

    Both stand in the form to be put right, so opening it is recorded as showing them.
    """
    if request.method != "POST":
        reveal.reveal(
            subject=appointment, whose="patient", what=("email", "mobile"), where="contact", actor=actor_of(request)
        )
    practice = Practice.current()
    form = ContactForm(request.POST if request.method == "POST" else None, initial=_contact(appointment))
    stale: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            count = flow.correct(
                appointment_id=appointment.pk,
                actor=actor_of(request),
                email=said["email"] if said["email"] != appointment.patient_email else None,
                mobile=said["mobile"] if said["mobile"] != appointment.patient_mobile else None,
                country=practice.country,
                version=said["version"] or 0,
            )
        except ChangedMeanwhile as error:
            appointment.refresh_from_db()
            stale = clash(form, _contact(appointment), error)
        except InvalidDetails as error:
            for field, message in error.errors.items():
                form.add_error(field, message)
        else:
            again = ngettext("%(count)d message is sent again.", "%(count)d messages are sent again.", count)
            notes.success(request, f"{_('Corrected.')} {again % {'count': count} if count else ''}".strip())
            return HttpResponseRedirect(reverse("desk:appointment", args=[appointment.code]), status=303)
    context = {"area": "appointments", "appointment": appointment, "form": form, "zone": practice.timezone} | stale
    return render(request, "desk/contact.html", context, status=409 if stale else 422 if form.errors else 200)


def _contact(appointment: Appointment) -> dict[str, Any]:
    """As saved, for the form."""
    version = flow.contact_version(appointment)
    return {"email": appointment.patient_email, "mobile": appointment.patient_mobile, "version": version}
