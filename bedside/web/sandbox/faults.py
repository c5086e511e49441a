"""Faults, armed by name: what the stand-ins do wrong next."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from bedside.core import faults
from bedside.core.models import Fault
from bedside.web.sandbox.answers import posted, problem, speaks_json

MOST = 100


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def faults_page(request: HttpRequest) -> HttpResponse:
    """GET lists them. POST {"name": "sms-busy", "times": 2} arms one (0 disarms it), as a form or JSON."""
    if request.method != "POST":
        return _page(request)
    fields = posted(request)
    name, times = fields.get("name", ""), fields.get("times", "1")
    if name not in faults.FAULTS or not (times.isascii() and times.isdigit() and len(times) < 4 and int(times) <= MOST):
        return problem(422, "unknown-fault", f"Name a fault, and how often, 0 to {MOST}.", names=sorted(faults.FAULTS))
    faults.arm(name, int(times))
    if speaks_json(request):
        return JsonResponse({"name": name, "remaining": int(times)})
    return redirect("sandbox:faults")


def _page(request: HttpRequest) -> HttpResponse:
    remaining = dict(Fault.objects.values_list("name", "remaining"))
    rows = [{"name": name, "does": does, "remaining": remaining.get(name, 0)} for name, does in faults.FAULTS.items()]
    if speaks_json(request):
        return JsonResponse({"faults": rows})
    return render(request, "sandbox/faults.html", {"rows": rows, "area": "faults"})
