"""Templates at the desk: what every message says, on sample visits; other words for it, and back to the default."""

from __future__ import annotations

from typing import Any

from csp.constants import NONE, SELF
from csp.decorators import csp_replace, csp_update
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_safe

from bedside.accounts.models import User
from bedside.appointments.errors import InvalidDetails
from bedside.clinic.errors import ChangedMeanwhile
from bedside.clinic.models import Practice
from bedside.core.phones import as_written
from bedside.flows import wording
from bedside.notifications.models import Audience, Channel, Kind
from bedside.notifications.wording import names, samples
from bedside.notifications.wording.checking import BrokenWords
from bedside.notifications.wording.defaults import allowed, default_parts, kept
from bedside.notifications.wording.slots import Slot, slots
from bedside.notifications.wording.stored import edited_parts, holding, versions
from bedside.web.access import actor_of, admin_required
from bedside.web.desk.template_forms import WordsForm, on_sample, rows, shown
from bedside.web.stale import decide_over, differences

AREA = "messages"
DRAFT = "words_draft"
LANGUAGES = dict(settings.LANGUAGES)
# Two admins read as many versions as this; older ones stay in the audit trail.
MOST_VERSIONS = 30


@require_safe
@never_cache
@admin_required
def templates(request: HttpRequest) -> HttpResponse:
    """Every kind by audience, channel and language; which of them are edited, when and by whom."""
    edited = holding()
    people = _names([row.created_by_id for row in edited.values()])
    kinds: dict[str, dict[str, Any]] = {}
    for slot in slots():
        version = edited.get(slot)
        kind = kinds.setdefault(slot.kind, {"name": Kind(slot.kind).label, "cells": []})
        who = people.get(version.created_by_id or 0, "Bedside") if version else ""
        kind["cells"].append({"slot": slot, "said": _named(slot), "version": version, "who": who})
    context = {"area": AREA, "kinds": kinds.values(), "zone": Practice.current().timezone}
    return render(request, "desk/templates.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@csp_update({"frame-src": [SELF]})
@admin_required
def template(request: HttpRequest, kind: str, audience: str, channel: str, language: str) -> HttpResponse:
    """GET shows and asks (``?from=N`` starts from a version); POST shows how it reads; with ``confirm`` keeps it."""
    slot = _slot(kind, audience, channel, language)
    if request.method != "POST":
        return _page(request, slot, WordsForm(slot, initial=_start(request, slot)))
    form = WordsForm(slot, request.POST)
    if "change" in request.POST:
        form = WordsForm(slot, initial={name: request.POST.get(name, "") for name in ("version", *slot.parts)})
        return _page(request, slot, form)
    if not form.is_valid():
        return _page(request, slot, form, status=422)
    try:
        clean = wording.checked(slot, form.parts)
        if "confirm" not in request.POST:
            request.session[DRAFT] = {"slot": _key(slot), "parts": clean}
            return _page(request, slot, form, draft=clean)
        saved = wording.save(slot=slot, parts=clean, version=form.cleaned_data["version"], actor=actor_of(request))
    except InvalidDetails as error:
        for part, said in error.errors.items():
            form.add_error(part, said)
        return _page(request, slot, form, status=422)
    except ChangedMeanwhile as error:
        return _page(request, slot, form, stale=error, status=409)
    request.session.pop(DRAFT, None)
    messages.success(request, _("Kept. Messages say it from now on.") if saved else _("Nothing was different."))
    return HttpResponseRedirect(_address(slot), status=303)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def default(request: HttpRequest, kind: str, audience: str, channel: str, language: str) -> HttpResponse:
    """Asks, then lets the default words hold again."""
    slot = _slot(kind, audience, channel, language)
    stale = None
    if request.method == "POST":
        text = request.POST.get("version", "")
        version = int(text) if text.isascii() and text.isdigit() and len(text) < 8 else -1
        try:
            wording.back_to_default(slot=slot, version=version, actor=actor_of(request))
            messages.success(request, _("The default words hold again."))
            return HttpResponseRedirect(_address(slot), status=303)
        except ChangedMeanwhile as error:
            stale = error
    newest = versions(slot).first()
    context = {
        "area": AREA,
        "slot": slot,
        "title": _title(slot),
        "address": _address(slot),
        "version": newest,
        "stale": stale,
        "examples": shown(slot, {}, _practice()),
    }
    return render(request, "desk/template_default.html", context, status=409 if stale else 200)


@require_safe
@never_cache
@xframe_options_sameorigin
@csp_replace(
    {
        "default-src": [NONE],
        "script-src": [NONE],
        "style-src": ["'unsafe-inline'"],
        "img-src": [NONE],
        "font-src": [NONE],
        "connect-src": [NONE],
        "form-action": [NONE],
        "frame-ancestors": [SELF],
        "sandbox": ["allow-popups"],
    }
)
@admin_required
def email_page(request: HttpRequest, kind: str, audience: str, language: str) -> HttpResponse:
    """The email itself, for a frame: ``?case=``, and ``draft=1`` for words that aren't kept yet."""
    slot = _slot(kind, audience, Channel.EMAIL, language)
    found = [case for case in samples.cases(kind, audience) if case.name == request.GET.get("case")]
    if not found:
        raise Http404
    parts, draft = edited_parts(slot), request.session.get(DRAFT) or {}
    if request.GET.get("draft") and draft.get("slot") == _key(slot):
        parts = draft["parts"]
    try:
        return HttpResponse(on_sample(slot, parts, found[0], _practice()).html)
    except BrokenWords:
        return HttpResponse(on_sample(slot, {}, found[0], _practice()).html)


def _page(
    request: HttpRequest,
    slot: Slot,
    form: WordsForm,
    *,
    draft: dict[str, str] | None = None,
    stale: ChangedMeanwhile | None = None,
    status: int = 200,
) -> HttpResponse:
    history = list(versions(slot)[:MOST_VERSIONS])
    newest = history[0] if history else None
    now = (newest.parts if newest else {}) or default_parts(slot)
    context: dict[str, Any] = {
        "area": AREA,
        "slot": slot,
        "title": _title(slot),
        "said": _named(slot),
        "form": form,
        "stale": stale,
        "draft": draft,
        "edited": newest if newest and newest.parts else None,
        "history": rows(slot, history, _names([version.created_by_id for version in history])),
        "variables": _variables(slot),
        "zone": Practice.current().timezone,
    }
    if stale:
        context["differences"] = differences(form, now)
        decide_over(form, newest.number if newest else 0)
    try:
        context["examples"] = shown(slot, draft or (newest.parts if newest else {}), _practice())
    except BrokenWords:
        context |= {"broken": True, "examples": shown(slot, {}, _practice())}
    return render(request, "desk/template.html", context, status=status)


def _start(request: HttpRequest, slot: Slot) -> dict[str, Any]:
    """What holds now, or the version that ``from`` asks for."""
    newest = versions(slot).first()
    asked = request.GET.get("from", "")
    chosen = newest
    if asked.isascii() and asked.isdigit() and len(asked) < 8:
        chosen = versions(slot).filter(number=int(asked)).first() or newest
    return {**((chosen.parts if chosen else {}) or default_parts(slot)), "version": newest.number if newest else 0}


def _variables(slot: Slot) -> list[dict[str, Any]]:
    """What may be said, what it is, how it looks, and what has to stay."""
    needed = {name for group in kept(slot) for name in group}
    return [
        {"name": f"{{{{ {name} }}}}", "what": what, "needed": name in needed}
        for name, (_source, what) in names.NAMES.items()
        if name in allowed(slot)
    ]


def _slot(kind: str, audience: str, channel: str, language: str) -> Slot:
    slot = Slot(kind, audience, channel, language)
    if not slot.exists:
        raise Http404
    return slot


def _practice() -> dict[str, str]:
    practice = Practice.current()
    return {"practice": practice.name, "phone": as_written(practice.phone), "site": settings.PUBLIC_URL}


def _names(user_ids: list[int | None]) -> dict[int, str]:
    return {user.pk: str(user) for user in User.objects.filter(pk__in={pk for pk in user_ids if pk})}


def _key(slot: Slot) -> str:
    return f"{slot.kind}:{slot.audience}:{slot.channel}:{slot.language}"


def _address(slot: Slot) -> str:
    return reverse("desk:template", args=[slot.kind, slot.audience, slot.channel, slot.language])


def _title(slot: Slot) -> str:
    return str(Kind(slot.kind).label)


def _named(slot: Slot) -> str:
    """ "Email to the patient, Español"."""
    channel = _("Text") if slot.channel == Channel.SMS else _("Email")
    to = _("to the patient") if slot.audience == Audience.PATIENT else _("to the provider")
    return f"{channel} {to}, {LANGUAGES[slot.language]}"
