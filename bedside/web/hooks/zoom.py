"""The video service's webhooks: who came and who went, and Zoom's question whether this address is ours."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse

from bedside.core import clock
from bedside.video import participants
from bedside.video.services import video_service, zoom_signature
from bedside.video.services.base import BadSignature
from bedside.web.hooks.door import Refused, first_time, taken, webhook


@webhook("zoom")
def zoom(request: HttpRequest) -> HttpResponse:
    """Participants' comings and goings are written down at once: one row changes, and no vendor is asked."""
    try:
        event = video_service().read_webhook(request.body, request.headers)
        if event is None:
            question = zoom_signature.read_event(request.body)
            answer = zoom_signature.answer_to_validation(question, settings.ENV.secret("zoom_webhook_secret"))
            return JsonResponse(answer) if answer else taken()
    except BadSignature as error:
        raise Refused(error) from error
    with transaction.atomic():
        kept = first_time("zoom", event.event_id, f"participant.{event.kind}", event.meeting_id)
        if kept is not None:
            participants.record(event)
            kept.processed_at = clock.now()
            kept.save(update_fields=["processed_at"])
    return taken()
