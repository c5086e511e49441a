"""Feature flags: what this practice uses, in plain words, and a switch for each."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from bedside.core.flags import FLAGS, FlagName, enabled, known
from bedside.flows import features
from bedside.web.access import actor_of, admin_required


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@admin_required
def flags(request: HttpRequest) -> HttpResponse:
    """The list; ``?off=NAME`` asks before something is hidden; posting ``flag`` and ``on`` (1 or 0) switches."""
    if request.method == "POST":
        return _switch(request)
    asked = request.GET.get("off")
    if asked is not None:
        name = known(asked)
        if name is None:
            raise Http404
        if enabled(name):
            return render(request, "desk/flag_off.html", {"area": "settings", "flag": _row(name)})
    return render(request, "desk/flags.html", {"area": "settings", "flags": [_row(name) for name in FLAGS]})


def _switch(request: HttpRequest) -> HttpResponse:
    name = known(request.POST.get("flag", ""))
    wanted = request.POST.get("on")
    if name is None or wanted not in {"0", "1"}:
        raise Http404
    if features.switch(name=name, on=wanted == "1", actor=actor_of(request)):
        said = _("%(feature)s: on from now.") if wanted == "1" else _("%(feature)s: off from now.")
        messages.success(request, said % {"feature": FLAGS[name].title})
    return HttpResponseRedirect(reverse("desk:flags"), status=303)


def _row(name: FlagName) -> dict[str, Any]:
    feature = FLAGS[name]
    return {"name": name, "title": feature.title, "what": feature.what, "off": feature.off, "on": enabled(name)}
