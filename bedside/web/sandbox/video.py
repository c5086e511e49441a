"""The stand-in video service's room: a page for the patient's link and one for the host's."""

from __future__ import annotations

import hmac

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from bedside.core import clock
from bedside.sandbox import video as service
from bedside.sandbox.errors import VendorRefused
from bedside.sandbox.models import Room
from bedside.web.sandbox.answers import posted, problem, speaks_json


@require_safe
@never_cache
def room(request: HttpRequest, meeting: str) -> HttpResponse:
    """``?pwd=`` opens it as a guest, ``?zak=`` as the host. A wrong passcode or an old host link is told."""
    try:
        found = service.find(meeting)
    except VendorRefused:
        return render(request, "sandbox/video_unknown.html", status=404)
    password, ticket = request.GET.get("pwd", ""), request.GET.get("zak", "")
    role = _role(found, password, ticket)
    if not role:
        return render(request, "sandbox/video_refused.html", {"was_host": bool(ticket)}, status=403)
    people = list(found.participants.order_by("joined_at"))
    context = {
        "room": found,
        "role": role,
        "here": [one for one in people if one.left_at is None],
        "gone": [one for one in people if one.left_at is not None],
        "is_in": any(one.role == role and one.left_at is None for one in people),
        "key": {"name": "zak" if role == "host" else "pwd", "value": ticket if role == "host" else password},
        "now": clock.now(),
    }
    template = "sandbox/_people.html" if request.headers.get("HX-Target") == "people" else "sandbox/video.html"
    return render(request, template, context)


@csrf_exempt
@require_POST
def move(request: HttpRequest, meeting: str, step: str) -> HttpResponse:
    """Join or leave, with the link's own key: {"pwd": …} or {"zak": …}."""
    if step not in {"join", "leave"}:
        raise Http404
    fields = request.GET.dict() | posted(request)
    try:
        found = service.find(meeting)
    except VendorRefused as refused:
        return problem(404, "unknown-meeting", refused.message)
    role = _role(found, str(fields.get("pwd", "")), str(fields.get("zak", "")))
    if not role:
        return problem(403, "wrong-key", "The passcode is wrong, or the host's link is older than two hours.")
    service.join(found, role) if step == "join" else service.leave(found, role)
    if speaks_json(request):
        return JsonResponse({"meeting": found.meeting_id, "role": role, "step": step})
    name = "zak" if role == "host" else "pwd"
    response = redirect("sandbox:room", meeting=meeting)
    response["Location"] += f"?{name}={fields[name]}"
    return response


def _role(found: Room, password: str, ticket: str) -> str:
    """ "host", "guest" or ""."""
    if ticket:
        return "host" if service.is_host(found, ticket) else ""
    return "guest" if hmac.compare_digest(password.encode(), found.passcode.encode()) else ""
