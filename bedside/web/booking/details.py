"""The details page: who books, and on what terms; then on to the processor's page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from bedside.appointments.errors import ConsentRequired, NotLicensed, NotOffered, SlotTaken, TooManyHolds
from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.clinic import places
from bedside.clinic.models import Practice, Provider, Service
from bedside.clinic.policy_models import of_service
from bedside.clinic.prices.errors import PromoRefused
from bedside.core import ratelimit
from bedside.core.errors import BedsideError
from bedside.core.ratelimit import RateLimited
from bedside.flows import promo
from bedside.flows.book import book
from bedside.payments.errors import CheckoutUnavailable, CreditUnusable
from bedside.schedule import openings
from bedside.schedule.held import held_until
from bedside.web.booking import policy, prices, wanted, zones
from bedside.web.booking.answers import limited
from bedside.web.booking.browser import address_of, give_hold_key, hold_key_of, keep_hold_cookie
from bedside.web.booking.choices import choices, details_url, read_start, start_code
from bedside.web.booking.forms import DetailsForm
from bedside.web.booking.services import bookable, has_many
from bedside.web.booking.wanted import Wanted
from bedside.web.templatetags.when import say_time


@dataclass(frozen=True)
class Wish:
    """What the address or the form asks for: a start, with whom, and the patient being where."""

    service: Service
    start: datetime
    wanted: Wanted

    @property
    def provider(self) -> Provider | None:
        """The one who is wanted, if it is one."""
        return self.wanted.one


@require_http_methods(["GET", "HEAD", "POST"])
def details(request: HttpRequest, slug: str) -> HttpResponse:
    """GET shows the form for a time; POST books it and leads to the processor's page."""
    service = get_object_or_404(bookable(), slug=slug)
    wish = _wish(request, service)
    if wish is None:
        return render(request, "errors/400.html", status=400)
    if service.asks_location and not wish.wanted.place:
        return HttpResponseRedirect(reverse("booking:times", args=[service.slug]), status=303)
    practice = Practice.current()
    zone = zones.zone_of(request, practice)
    given = request.POST if request.method == "POST" else None
    form = DetailsForm(practice, zone, get_language() or "en", given, initial=_typed_before(request, practice))
    if request.method != "POST":
        return _offer(request, wish, form)
    if "apply" in request.POST:
        return _apply(request, wish, form)
    form.is_valid()
    asked = prices.tried(wish.service, form, wish.wanted.place)
    if form.errors:
        return _page(request, wish, form, status=422)
    if not prices.was_seen(request, asked):
        return _page(request, wish, form, repriced=True)
    return _book(request, wish, form)


def _apply(request: HttpRequest, wish: Wish, form: DetailsForm) -> HttpResponse:
    """The price with the code that was typed; nothing is booked. For htmx only the lines of the price."""
    try:
        promo.count_try(address_of(request))
        if request.POST.get("credit_code"):
            ratelimit.hit("credit-code", address_of(request))
    except RateLimited as error:
        return limited(request, error)
    form.errors.clear()
    if request.htmx:  # type: ignore[attr-defined]
        shown = prices.shown(wish.service, form, wish.wanted.place)
        return render(request, "booking/_price.html", shown | {"form": form, "swapped": True})
    return _page(request, wish, form)


def _wish(request: HttpRequest, service: Service) -> Wish | None:
    """None where the start can't be read. A provider who doesn't offer the service is not found."""
    sent: QueryDict = request.POST if request.method == "POST" else request.GET
    start_text = sent.get("start", "")
    if sent.get("alternative"):
        start_text, _bar, slug = sent.get("alternative", "").partition("|")
        sent = QueryDict(urlencode({"provider": slug}))
    start = read_start(start_text)
    if start is None:
        return None
    return Wish(service, start, wanted.read(sent, service, wanted.whereabouts(request, service).place))


def _typed_before(request: HttpRequest, practice: Practice) -> dict[str, Any]:
    """Who comes back from paying to choose another time finds what was typed, from the hold of this very browser."""
    key = hold_key_of(request)
    own = (
        Appointment.objects.filter(hold_key=key, status=Status.PENDING_PAYMENT).order_by("-pk").first() if key else None
    )
    if own is None:
        return {"country": practice.country}
    return {
        "name": own.patient_name,
        "email": own.patient_email,
        "mobile": own.patient_mobile,
        "country": practice.country,
    }


def _offer(request: HttpRequest, wish: Wish, form: DetailsForm) -> HttpResponse:
    """The form, if the time is still there; else what is near it."""
    key = hold_key_of(request)
    whom, where = wish.wanted.who, wish.wanted.location
    if openings.providers_for(wish.service, wish.start, ignore_hold_key=key, provider=whom, location=where):
        return _page(request, wish, form)
    nearest = openings.nearest_alternatives(wish.service, wish.start, whom, ignore_hold_key=key, location=where)
    return _page(request, wish, form, refused=NotOffered(alternatives=nearest), status=409)


def _book(request: HttpRequest, wish: Wish, form: DetailsForm) -> HttpResponse:
    cookie, key = give_hold_key(request)
    assert form.details is not None
    try:
        booking = book(
            service=wish.service,
            start=wish.start,
            provider=wish.wanted.who,
            details=replace(form.details, location=wish.wanted.place),
            consent=form.consent,
            hold_key=key,
            address=address_of(request),
            promo_code=str(form.cleaned_data.get("promo_code") or ""),
            credit_code=str(form.cleaned_data.get("credit_code") or "").strip(),
        )
    except CreditUnusable as error:
        form.add_error("credit_code", error.message)
        return _page(request, wish, form, status=error.status)
    except PromoRefused as error:
        form.add_error("promo_code", error.message)
        return _page(request, wish, form, status=error.status)
    except SlotTaken as error:
        return _page(request, wish, form, refused=error, status=error.status)
    except ConsentRequired as error:
        form.add_error("sms_consent", error.message)
        return _page(request, wish, form, status=error.status)
    except (RateLimited, TooManyHolds, CheckoutUnavailable) as error:
        return _page(request, wish, form, trouble=error, status=error.status)
    response = HttpResponseRedirect(booking.checkout_url, status=303)
    keep_hold_cookie(request, response, cookie)
    return response


def _page(
    request: HttpRequest,
    wish: Wish,
    form: DetailsForm,
    *,
    refused: SlotTaken | None = None,
    trouble: BedsideError | None = None,
    repriced: bool = False,
    status: int = 200,
) -> HttpResponse:
    service, zone = wish.service, form.timezone
    asked = wish.wanted
    who = (
        [asked.one]
        if asked.one
        else openings.providers_for(service, wish.start, provider=asked.who, location=asked.location)
    )
    times_url = reverse("booking:times", args=[service.slug])
    agreed = of_service(service)
    context = {
        "form": form,
        "service": service,
        "provider": wish.provider or (who[0] if len(who) == 1 else None),
        "who": who,
        "start": wish.start,
        "start_code": start_code(wish.start),
        "kept": asked.query,
        "here": details_url(service, wish.start, asked.query),
        "place_name": places.name_of(asked.place) if asked.place else "",
        "zone": zone,
        "repriced": repriced,
        "hold_minutes": form.practice.hold_minutes,
        "policy_sentence": policy.sentence(wish.start, agreed.terms, zone),
        "policy_whole": policy.whole(agreed),
        "times_url": f"{times_url}?{urlencode(asked.query)}" if asked.query else times_url,
        "many_services": has_many(),
        "refused": _refusal_title(refused, wish, zone) if refused else "",
        "alternatives": choices(service, refused.alternatives, asked.place) if refused else [],
        "trouble": trouble,
        **prices.shown(service, form, asked.place),
    }
    if status == 200 and form.errors:
        status = 422
    return render(request, "booking/details.html", context, status=status)


def _refusal_title(refused: SlotTaken, wish: Wish, zone: str) -> str:
    time = say_time(wish.start, zone)
    if isinstance(refused, NotLicensed):
        return refused.message
    until = held_until(wish.service, wish.start, wish.wanted.who, location=wish.wanted.location)
    if until:
        held = _("Somebody else is holding %(time)s while they pay. It may be open again at %(until)s.")
        return held % {"time": time, "until": say_time(until, zone)}
    if isinstance(refused, NotOffered):
        return _("%(time)s isn't open any more") % {"time": time}
    return _("%(time)s has just been taken by somebody else") % {"time": time}
