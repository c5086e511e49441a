"""The fallback for browsers and networks that block event streams: the same events, asked for by cursor."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from bedside.core.events import events_after
from bedside.web.live.tickets import topics_of


@require_safe
def poll(request: HttpRequest) -> JsonResponse:
    """``?ticket=...&after=CURSOR`` -> ``{"events": [...], "cursor": ...}``. Without a cursor: from now on."""
    topics = topics_of(request.GET.get("ticket", ""))
    if not topics:
        return JsonResponse({"error": "This page's live ticket has run out. Reload the page."}, status=403)
    events, cursor = events_after(request.GET.get("after", "")[:60], topics)
    found = [{"id": event.pk, "name": event.name, "topics": event.topics} for event in events]
    response = JsonResponse({"events": found, "cursor": cursor})
    response["Cache-Control"] = "no-store"
    return response
