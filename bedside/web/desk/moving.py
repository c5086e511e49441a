"""Rescheduling at the desk: openings of the same logic, another provider if wanted, or for a reason any other time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from bedside.appointments.errors import AlreadyOver, ChangedMeanwhile, SlotTaken
from bedside.appointments.models import Appointment
from bedside.clinic.models import Practice, Provider
from bedside.core import clock
from bedside.core.errors import BedsideError
from bedside.flows import previews, reschedule
from bedside.flows.announce import EVERYONE
from bedside.notifications.models import Kind
from bedside.schedule import openings
from bedside.schedule.openings import Opening
from bedside.web.access import actor_of
from bedside.web.desk.appointment import MEMBER, back_to, with_appointment
from bedside.web.templatetags.when import say_when

DAYS = 7
ANYBODY = "any"


@dataclass(frozen=True)
class Target:
    """Where the visit should go. ``provider`` None: anybody."""

    start: datetime
    provider: Provider | None
    override: bool


class OtherTimeForm(forms.Form):
    """A time that isn't offered, on the provider's clock."""

    at = forms.DateTimeField(
        label=gettext_lazy("Day and time"),
        input_formats=["%Y-%m-%dT%H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages=dict.fromkeys(("required", "invalid"), gettext_lazy("Choose a day and a time.")),
    )


class MoveForm(forms.Form):
    """Why, and what the page was drawn from."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Kept with the appointment and its activity log; the patient doesn't see it."),
        max_length=reschedule.MAX_REASON,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, needs_reason: bool, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = needs_reason
        self.fields["reason"].error_messages["required"] = _(
            "Say why, in a few words: whoever looks at this later will ask."
        )


@require_safe
@with_appointment
def move(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """``?provider=SLUG|any&day=2026-12-01``: a week of openings from that day, each a link to its confirmation."""
    refusal = reschedule.preview(appointment, actor=MEMBER).refusal
    if refusal:
        messages.info(request, refusal.message)
        return back_to(appointment)
    zone = Practice.current().timezone
    providers = list(appointment.service.providers.filter(active=True).order_by("name"))
    asked = request.GET.get("provider", "")
    provider = _whom(appointment, asked)
    first = _day(request.GET.get("day", ""), appointment, zone)
    found = openings.openings(
        service=appointment.service,
        first=first,
        last=first + timedelta(days=DAYS - 1),
        timezone=zone,
        provider=provider,
        moving=appointment.pk,
        location=appointment.patient_location or None,
    )
    context = {
        "area": "appointments",
        "zone": zone,
        "appointment": appointment,
        "providers": providers,
        "provider": provider,
        "anybody": asked == ANYBODY,
        "day": first,
        "days": _by_day(
            [one for one in found if not _is_now(one, appointment)], zone, appointment, anybody=provider is None
        ),
        "earlier": _week(asked, max(first - timedelta(days=DAYS), clock.now().astimezone(ZoneInfo(zone)).date())),
        "later": _week(asked, first + timedelta(days=DAYS)),
        "other": OtherTimeForm(),
        "other_provider": provider or appointment.provider,
    }
    return render(request, "desk/move.html", context)


def _is_now(one: Opening, appointment: Appointment) -> bool:
    """The visit as it is: nothing would move."""
    return one.start == appointment.start and one.provider.pk == appointment.provider_id


def _whom(appointment: Appointment, slug: str) -> Provider | None:
    """Whom the visit is with now, unless somebody else, or anybody, is asked for."""
    if slug == ANYBODY:
        return None
    return appointment.service.providers.filter(active=True, slug=slug).first() or appointment.provider


def _day(text: str, appointment: Appointment, zone: str) -> date:
    """The day that is asked for, else the visit's own; never in the past, nor past what can be computed."""
    today = clock.now().astimezone(ZoneInfo(zone)).date()
    try:
        asked = date.fromisoformat(text[:10])
    except ValueError:
        asked = appointment.start.astimezone(ZoneInfo(zone)).date()
    return min(max(asked, today), today + timedelta(days=3 * 366))


def _week(asked: str, day: date) -> str:
    return "?" + urlencode({"provider": asked, "day": day.isoformat()})


def _by_day(found: list[Opening], zone: str, appointment: Appointment, *, anybody: bool) -> list[dict[str, Any]]:
    here = ZoneInfo(zone)
    page = reverse("desk:move_confirm", args=[appointment.code])

    def link(one: Opening) -> str:
        return f"{page}?{urlencode({'start': _code(one.start), 'provider': one.provider.slug})}"

    return [
        {
            "day": list_of[0].start,
            "times": [
                {"start": one.start, "url": link(one), "who": one.provider if anybody else None} for one in list_of
            ],
        }
        for _date, those in groupby(found, key=lambda one: one.start.astimezone(here).date())
        if (list_of := list(those))
    ]


def _code(start: datetime) -> str:
    return start.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


def _target(request: HttpRequest, appointment: Appointment) -> Target | None:
    """None where the address or the form can't be read."""
    sent = request.POST if request.method == "POST" else request.GET
    slug = sent.get("provider", "")
    provider = appointment.service.providers.filter(active=True, slug=slug).first() if slug else appointment.provider
    if provider is None and slug == appointment.provider.slug:
        provider = appointment.provider
    if provider is None:
        return None
    local = sent.get("at", "")
    try:
        start = datetime.fromisoformat((sent.get("start") or local)[:32])
        if start.tzinfo is None and local and not sent.get("start"):
            start = start.replace(tzinfo=provider.zone)
        if start.tzinfo is None:
            return None
        return Target(start.astimezone(UTC), provider, sent.get("override") == "1" or bool(local))
    except (ValueError, OverflowError):
        return None


@require_http_methods(["GET", "HEAD", "POST"])
@with_appointment
def confirm(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """From where to where, who is told and how; on POST it moves, or says what stands in the way."""
    refusal = reschedule.preview(appointment, actor=MEMBER).refusal
    if refusal:
        messages.info(request, refusal.message)
        return back_to(appointment)
    target = _target(request, appointment)
    if target is None:
        messages.warning(request, _("Choose a day and a time, for example December 1, 2:30 PM."))
        return HttpResponseRedirect(reverse("desk:move", args=[appointment.code]), status=303)
    given = request.POST if request.method == "POST" else None
    form = MoveForm(target.override, given, initial={"version": appointment.version})
    if request.method != "POST":
        return _page(request, appointment, target, form)
    if not form.is_valid():
        return _page(request, appointment, target, form, status=422)
    try:
        moved = reschedule.reschedule(
            appointment_id=appointment.pk,
            start=target.start,
            provider=target.provider,
            actor=actor_of(request),
            reason=form.cleaned_data["reason"],
            override=target.override,
            version=form.cleaned_data["version"],
        )
    except SlotTaken as error:
        return _page(request, appointment, target, form, refused=error, status=error.status)
    except (AlreadyOver, ChangedMeanwhile) as error:
        messages.warning(request, error.message)
        return back_to(appointment)
    except BedsideError as error:
        form.add_error(None, error.message)
        return _page(request, appointment, target, form, status=error.status)
    messages.success(request, _("The visit moved. The patient and the provider are being told."))
    return back_to(moved)


def _page(
    request: HttpRequest,
    appointment: Appointment,
    target: Target,
    form: MoveForm,
    *,
    refused: SlotTaken | None = None,
    status: int = 200,
) -> HttpResponse:
    zone = Practice.current().timezone
    assert target.provider is not None
    context: dict[str, Any] = {
        "area": "appointments",
        "zone": zone,
        "appointment": appointment,
        "target": target,
        "start_code": _code(target.start),
        "form": form,
        "consequences": consequences(appointment, target),
        "refused": refused,
        "alternatives": refused.alternatives if refused else [],
        "page": reverse("desk:move_confirm", args=[appointment.code]),
        "previews": previews.previews(
            appointment,
            Kind.RESCHEDULED,
            EVERYONE,
            start=target.start,
            provider_name=target.provider.name,
            free_until=appointment.terms.free_until(target.start),
            was=appointment.start,
            was_with=appointment.provider.name,
            **({} if target.provider == appointment.provider else {"join_url": ""}),
        ),
    }
    return render(request, "desk/move_confirm.html", context, status=status)


def consequences(appointment: Appointment, target: Target) -> list[dict[str, str]]:
    """Each thing that happens, with an icon: times, link, money, messages."""
    assert target.provider is not None
    zone = appointment.patient_timezone
    said = {
        "old": say_when(appointment.start, Practice.current().timezone),
        "provider": appointment.provider.name,
        "new": say_when(target.start, zone),
        "patient": appointment.patient_name,
        "other": target.provider.name,
    }
    lines = [
        {"shape": "calendar-clock", "text": _("On the patient's clock: %(new)s.") % said},
        {"shape": "calendar-x", "text": _("%(provider)s is free again: %(old)s.") % said},
        {"shape": "video", "text": _("The video room moves along; its link stays the same.")},
        {"shape": "credit-card", "text": _("Payment, consent and the patient's own page go along.")},
    ]
    told = _("%(patient)s and %(provider)s are told by email and text.")
    if target.provider != appointment.provider:
        lines[2]["text"] = _("A new video room is made; the old link stops working.")
        told = _("%(patient)s, %(provider)s and %(other)s are told by email and text.")
    lines.append({"shape": "mail", "text": told % said})
    if target.override:
        lines.append(
            {
                "shape": "triangle-alert",
                "text": _("This time isn't checked against working hours and notice; nobody is booked twice."),
            }
        )
    return lines
