"""People at the desk: who sees patients, what they offer and where they are licensed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from bedside.clinic import places
from bedside.clinic.errors import ChangedMeanwhile, InvalidFacts
from bedside.clinic.models import Practice, Provider
from bedside.flows import people as flow
from bedside.reports import record
from bedside.web.access import actor_of, admin_required
from bedside.web.desk.catalogue import upcoming, version_of
from bedside.web.desk.people_forms import Licenses, ProviderForm, rows_of, typed
from bedside.web.live.tickets import ticket
from bedside.web.stale import Difference, decide_over, differences

AREA = "people"
# Suggested while one types; every zone of the zone database is taken.
ZONES = (
    "America/New_York", "America/Detroit", "America/Chicago", "America/Denver", "America/Phoenix",
    "America/Los_Angeles", "America/Anchorage", "Pacific/Honolulu", "America/Puerto_Rico", "America/Halifax",
    "America/Toronto", "America/Winnipeg", "America/Edmonton", "America/Vancouver", "America/Mexico_City",
    "Europe/London", "Europe/Dublin", "Europe/Berlin", "Europe/Paris", "Europe/Madrid", "Asia/Kolkata",
    "Asia/Manila", "Australia/Perth", "Australia/Brisbane", "Australia/Sydney", "Pacific/Auckland",
)  # fmt: skip


@require_safe
@never_cache
@admin_required
def people(request: HttpRequest) -> HttpResponse:
    """``?show=archived`` for those who can't be booked."""
    archived = request.GET.get("show") == "archived"
    shown = Provider.objects.filter(active=not archived).order_by("name").defer("bio", "mobile_number")
    counts = Provider.objects.aggregate(every=Count("pk"), archived=Count("pk", filter=Q(active=False)))
    context = {
        "area": AREA,
        "live_ticket": ticket("desk"),
        "archived": archived,
        "counts": counts | {"active": counts["every"] - counts["archived"]},
        "providers": shown.prefetch_related("services", "licenses"),
    }
    return render(request, "desk/people.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def new_provider(request: HttpRequest) -> HttpResponse:
    sent = request.POST or None
    form = ProviderForm(None, sent, initial={"timezone": Practice.current().timezone})
    licenses = Licenses(sent, prefix="licenses")
    if request.method == "POST" and form.is_valid() and licenses.is_valid():
        rows = rows_of(licenses)
        try:
            made = flow.create_provider(facts=form.facts([row for _n, row in rows]), actor=actor_of(request))
        except InvalidFacts as error:
            _refuse(form, licenses, rows, error)
        else:
            messages.success(request, _("%(name)s is here. Now the working hours.") % {"name": made.name})
            return HttpResponseRedirect(reverse("desk:provider", args=[made.slug]), status=303)
    return _page(request, form, licenses, None)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def provider(request: HttpRequest, slug: str) -> HttpResponse:
    """The form; what is saved counts for bookings from then on."""
    found = get_object_or_404(Provider, slug=slug)
    facts = flow.facts_of(found)
    sent = request.POST or None
    form = ProviderForm(found, sent, initial=typed(facts, found.version))
    licenses = Licenses(sent, prefix="licenses", initial=[asdict(one) for one in facts.licenses])
    both_valid = form.is_valid() and licenses.is_valid()
    if request.method != "POST" or not both_valid:
        return _page(request, form, licenses, found)
    rows = rows_of(licenses)
    mine = form.facts([row for _n, row in rows])
    try:
        changed = flow.change_provider(
            provider_id=found.pk, version=form.cleaned_data["version"], facts=mine, actor=actor_of(request)
        )
    except InvalidFacts as error:
        _refuse(form, licenses, rows, error)
        return _page(request, form, licenses, found)
    except ChangedMeanwhile as error:
        found.refresh_from_db()
        return _page(request, form, licenses, found, stale=error, mine=mine)
    messages.success(request, _("Saved.") if changed else _("Nothing was different, so nothing was saved."))
    return HttpResponseRedirect(reverse("desk:provider", args=[slug]), status=303)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def archive_provider(request: HttpRequest, slug: str) -> HttpResponse:
    """What it means, then the button; the same for taking it back."""
    found = get_object_or_404(Provider, slug=slug)
    stale = None
    if request.method == "POST":
        archive = request.POST.get("archive") == "1"
        switch = flow.archive_provider if archive else flow.restore_provider
        try:
            switch(provider_id=found.pk, version=version_of(request), actor=actor_of(request))
            said = _("%(name)s is archived.") if archive else _("%(name)s can be booked again.")
            messages.success(request, said % {"name": found.name})
            return HttpResponseRedirect(reverse("desk:provider", args=[slug]), status=303)
        except ChangedMeanwhile as error:
            found.refresh_from_db()
            stale = error
    context = {"area": AREA, "provider": found, "stale": stale, "upcoming": upcoming(Q(provider=found))}
    return render(request, "desk/provider_archive.html", context, status=409 if stale else 200)


def _refuse(form: ProviderForm, licenses: Any, rows: list[tuple[int, dict[str, Any]]], error: InvalidFacts) -> None:
    """What the flow found, beside the fields; its licenses are numbered without the empty rows."""
    for name, message in error.errors.items():
        if name.startswith("licenses."):
            _licenses, number, field = name.split(".")
            licenses.forms[rows[int(number)][0]].add_error(field, message)
        else:
            missing = name == "email" and not form.cleaned_data.get("email")
            said = _("Enter the email address that news of appointments go to.") if missing else message
            form.add_error(name if name in form.fields else None, said)


def _said_licenses(facts: flow.ProviderFacts) -> str:
    """ "US-NJ 240017 (2028-06-30), US-NY"; licenses in order of their places."""
    ordered = sorted(facts.licenses, key=lambda one: one.place)
    parts = ([one.place, one.number, f"({one.expires_on})" if one.expires_on else ""] for one in ordered)
    return ", ".join(" ".join(part for part in found if part) for found in parts) or _("Nothing")


def _page(
    request: HttpRequest,
    form: ProviderForm,
    licenses: Any,
    found: Provider | None,
    *,
    stale: ChangedMeanwhile | None = None,
    mine: flow.ProviderFacts | None = None,
) -> HttpResponse:
    failed = bool(form.errors) or (licenses.is_bound and not licenses.is_valid())
    context: dict[str, Any] = {
        "area": AREA,
        "form": form,
        "licenses": licenses,
        "license_errors": failed and any(row.errors for row in licenses.forms) if licenses.is_bound else False,
        "provider": found,
        "zone": Practice.current().timezone,
        "history": record.history(found) if found else [],
        "zones": ZONES,
        "places": places.every(),
    }
    status = 422 if failed else 200
    if stale and mine and found:
        saved = flow.facts_of(found)
        different = differences(form, typed(saved, found.version))
        theirs, yours = _said_licenses(saved), _said_licenses(mine)
        if theirs != yours:
            different.append(Difference(_("Licenses"), theirs, yours))
        decide_over(form, found.version)
        context |= {"stale": stale, "differences": different}
        status = stale.status
    return render(request, "desk/provider.html", context, status=status)
