"""A phone booking: the openings that patients see, the patient's details, and how it is paid."""

from __future__ import annotations

import secrets
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from bedside.appointments.errors import ConsentRequired, InvalidDetails, SlotTaken
from bedside.clinic.models import Practice, Service
from bedside.clinic.prices.errors import PromoRefused
from bedside.core import clock, idempotency
from bedside.core.errors import BedsideError
from bedside.core.idempotency import Answer, KeyReused
from bedside.core.money import format_money
from bedside.flows.book_by_hand import LINK, book_by_hand
from bedside.payments.errors import KeyReused as FormReused
from bedside.schedule import openings
from bedside.web.access import actor_of, admin_required
from bedside.web.desk.by_phone_forms import ByPhoneForm, WhatForm, time_code
from bedside.web.templatetags.when import say_time


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def new(request: HttpRequest) -> HttpResponse:
    """``?service=&provider=&day=&place=`` chooses what is offered; POST books one of the times, or another."""
    practice = Practice.current()
    services = list(Service.objects.filter(active=True).order_by("position", "name"))
    today = clock.now().astimezone(practice.zone).date()
    sent = request.POST if request.method == "POST" else request.GET
    asked = {name: sent[name] for name in ("service", "provider", "day", "place") if name in sent}
    what = WhatForm(services, {"day": today.isoformat(), **asked} if asked else None, initial={"day": today})
    if not asked or not what.is_valid():
        return render(request, "desk/by_phone.html", _context(practice, what), status=422 if what.errors else 200)
    service, provider, place = what.chosen
    offered = [provider] if provider else list(service.providers.filter(active=True).order_by("name"))
    form = ByPhoneForm(
        practice, offered, place, request.POST if request.method == "POST" else None, initial=_initial(practice)
    )
    if request.method == "POST" and form.is_valid():
        return _book(request, practice, what, form)
    return _page(request, practice, what, form, status=422 if form.errors else 200)


def _initial(practice: Practice) -> dict[str, Any]:
    return {
        "country": practice.country,
        "timezone": practice.timezone,
        "locale": "en",
        "way": LINK,
        "hours": practice.payment_link_hours,
        "token": secrets.token_urlsafe(16),
    }


def _book(request: HttpRequest, practice: Practice, what: WhatForm, form: ByPhoneForm) -> HttpResponse:
    """Once per form: the second press of the button is led to what the first one made."""
    try:
        answer, _again = idempotency.answer_once(
            scope=f"desk-by-phone-{request.user.pk}",
            key=form.cleaned_data["token"],
            request=repr(sorted(request.POST.lists())).encode(),
            work=lambda: Answer(303, _made(request, what, form), {}),
        )
    except PromoRefused as error:
        form.add_error("promo_code", error.message)
        return _page(request, practice, what, form, status=error.status)
    except ConsentRequired as error:
        form.add_error("consent", error.message)
        return _page(request, practice, what, form, status=error.status)
    except InvalidDetails as error:
        form.add_error(None, " ".join(map(str, error.errors.values())))
        return _page(request, practice, what, form, status=error.status)
    except SlotTaken as error:
        form.add_error("other_start" if form.overrides else "start", error.message)
        return _page(request, practice, what, form, status=error.status)
    except KeyReused:
        form.add_error(None, FormReused().message)
        return _page(request, practice, what, form, status=FormReused.status)
    except BedsideError as error:
        form.add_error(None, error.message)
        return _page(request, practice, what, form, status=error.status)
    said = _("Booked, and paid.")
    if form.paid.way == LINK:
        said = _("The time is kept. The payment link is on its way by email and text.")
    messages.success(request, said)
    return HttpResponseRedirect(reverse("desk:appointment", args=[answer.body]), status=303)


def _made(request: HttpRequest, what: WhatForm, form: ByPhoneForm) -> str:
    """The code of the appointment."""
    assert form.begins is not None
    assert form.details is not None
    return book_by_hand(
        service=what.chosen[0],
        start=form.begins,
        provider=form.whom,
        details=form.details,
        consent=form.consent_given,
        paid=form.paid,
        actor=actor_of(request),
        override_reason=form.overrides,
        promo_code=form.cleaned_data.get("promo_code", ""),
        spend_credits=form.cleaned_data.get("spend_credits", False),
    ).code


def _page(
    request: HttpRequest, practice: Practice, what: WhatForm, form: ByPhoneForm, *, status: int = 200
) -> HttpResponse:
    service, provider, place = what.chosen
    day: date = what.cleaned_data["day"]
    query: dict[str, Any] = {
        "service": service,
        "timezone": practice.timezone,
        "provider": provider,
        "location": place or None,
    }
    found = openings.openings(first=day, last=day, **query)
    context = _context(practice, what) | {
        "form": form,
        "service": service,
        "price": format_money(service.price),
        "place": place,
        "day": day,
        "times": [(time_code(one), say_time(one.start, practice.timezone), one.provider.name) for one in found],
        "next_day": None if found else openings.next_date_with_openings(after=day, **query),
        "chosen_time": form["start"].value() or "",
    }
    return render(request, "desk/by_phone.html", context, status=status)


def _context(practice: Practice, what: WhatForm) -> dict[str, Any]:
    return {"area": "appointments", "zone": practice.timezone, "what": what}
