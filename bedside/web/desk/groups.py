"""Groups of providers at the desk: made, changed, archived and restored."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from bedside.clinic.errors import ChangedMeanwhile, InvalidFacts
from bedside.clinic.models import ProviderGroup
from bedside.flows import people as flow
from bedside.web.access import actor_of, admin_required
from bedside.web.desk.catalogue import AREA, version_of
from bedside.web.desk.people_forms import GroupForm, typed_group
from bedside.web.stale import decide_over, differences


@require_safe
@never_cache
@admin_required
def groups(request: HttpRequest) -> HttpResponse:
    found = ProviderGroup.objects.annotate(
        people=Count("providers", distinct=True), used=Count("services", distinct=True)
    ).order_by("-active", "name")
    return render(request, "desk/groups.html", {"area": AREA, "groups": found})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def new_group(request: HttpRequest) -> HttpResponse:
    form = GroupForm(request.POST or None)
    return _saved(request, form, None) or _page(request, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def group(request: HttpRequest, slug: str) -> HttpResponse:
    """The form; ``archive=1`` takes the group from the booking pages, ``archive=0`` brings it back. Members stay."""
    found = get_object_or_404(ProviderGroup, slug=slug)
    form = GroupForm(request.POST or None, initial=typed_group(found))
    try:
        if request.method == "POST" and "archive" in request.POST:
            return _switched(request, found)
        return _saved(request, form, found) or _page(request, form, found)
    except ChangedMeanwhile as error:
        found.refresh_from_db()
        if "archive" in request.POST:
            form = GroupForm(initial=typed_group(found))
        return _page(request, form, found, stale=error)


def _saved(request: HttpRequest, form: GroupForm, found: ProviderGroup | None) -> HttpResponse | None:
    if request.method != "POST" or not form.is_valid():
        return None
    values = form.cleaned_data
    try:
        flow.save_group(
            group_id=found.pk if found else None,
            version=values["version"],
            name=values["name"],
            members=values["members"],
            actor=actor_of(request),
        )
    except InvalidFacts as error:
        for name, message in error.errors.items():
            form.add_error(name, message)
        return None
    messages.success(request, _("Saved."))
    return _to_list()


def _switched(request: HttpRequest, group: ProviderGroup) -> HttpResponse:
    archive = request.POST["archive"] == "1"
    switch = flow.archive_group if archive else flow.restore_group
    if switch(group_id=group.pk, version=version_of(request), actor=actor_of(request)):
        said = _("“%(name)s” is archived; its members stay.") if archive else _("“%(name)s” is offered again.")
        messages.success(request, said % {"name": group.name})
    return _to_list()


def _to_list() -> HttpResponse:
    return HttpResponseRedirect(reverse("desk:groups"), status=303)


def _page(
    request: HttpRequest, form: GroupForm, found: ProviderGroup | None, *, stale: ChangedMeanwhile | None = None
) -> HttpResponse:
    context: dict[str, Any] = {
        "area": AREA,
        "form": form,
        "group": found,
        "asks": request.method != "POST" and bool(found and found.active) and request.GET.get("archive") == "1",
        "used_by": list(found.services.all()) if found else [],
    }
    status = 422 if form.errors else 200
    if stale and found:
        saved = typed_group(found)
        context |= {"stale": stale, "differences": differences(form, saved) if form.is_bound else []}
        if form.is_bound:
            decide_over(form, found.version)
        status = stale.status
    return render(request, "desk/group.html", context, status=status)
