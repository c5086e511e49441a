"""The door that every webhook comes through: method, size, signature, and no event twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

import structlog
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from bedside.core import clock
from bedside.payments.models import ProcessorEvent

log = structlog.get_logger(__name__)
LARGEST_BYTES = 256 * 1024
View = Callable[[HttpRequest], HttpResponse]


class Refused(Exception):
    """The bytes are not what they claim to be. ``why`` is for the log; the sender learns nothing from it."""

    def __init__(self, why: object) -> None:
        self.why = str(why)
        super().__init__(self.why)


def webhook(vendor: str) -> Callable[[View], View]:
    """Decorate a view that reads ``request.body`` and raises `Refused` where its signature doesn't fit (400)."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def door(request: HttpRequest) -> HttpResponse:
            if request.method != "POST":
                answer = problem(405, "method-not-allowed", "Webhooks are posted.")
                answer["Allow"] = "POST"
                return answer
            if _length(request) > LARGEST_BYTES:
                return problem(413, "too-large", f"A webhook has {LARGEST_BYTES} bytes at most.")
            try:
                return view(request)
            except Refused as refused:
                log.warning("webhook_refused", vendor=vendor, why=refused.why)
                return problem(400, "bad-signature", "This webhook is not signed as it should be. Nothing was changed.")

        return door

    return decorate


def first_time(vendor: str, event_id: str, kind: str, object_id: str = "", *, note: str = "") -> ProcessorEvent | None:
    """Keep the event, in the caller's transaction; None where it came before. Vendors send the same one again.

    One statement: two that come at once wait for each other on the unique key. With a ``note`` it is done with already.
    """
    now = clock.now()
    event = ProcessorEvent(
        processor=vendor, event_id=event_id[:120], kind=kind[:80], object_id=object_id[:120], received_at=now, note=note
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO payments_processorevent "
            "(processor, event_id, kind, object_id, received_at, processed_at, error, attempts, note) "
            "VALUES (%s, %s, %s, %s, %s, %s, '', 0, %s) ON CONFLICT (processor, event_id) DO NOTHING RETURNING id",
            [vendor, event.event_id, event.kind, event.object_id, now, now if note else None, note],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    event.pk = row[0]
    return event


def taken() -> HttpResponse:
    """The short answer that vendors wait for."""
    return HttpResponse('{"received":true}', content_type="application/json")


def problem(status: int, code: str, detail: str) -> HttpResponse:
    """Problem details (RFC 9457)."""
    body = {"type": code, "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return HttpResponse(json.dumps(body), content_type="application/problem+json", status=status)


def _length(request: HttpRequest) -> int:
    """What the sender announces; a body is never read past that."""
    announced = request.META.get("CONTENT_LENGTH") or "0"
    return int(announced) if announced.isascii() and announced.isdigit() else LARGEST_BYTES + 1
