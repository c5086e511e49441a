"""The stand-in mail server's inbox, and everything that was sent as JSON."""

from __future__ import annotations

import base64
from typing import Any

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bedside.core.crypto import blind_index
from bedside.sandbox.models import Message, MessageFile
from bedside.web.sandbox.links import with_links

SHOWN = 60
MOST = 1000


@require_safe
@never_cache
def inbox(request: HttpRequest) -> HttpResponse:
    """The newest emails first, the first one open. htmx asks again for the list alone."""
    emails = list(Message.objects.filter(channel="email").defer("html").order_by("-pk")[:SHOWN])
    if request.headers.get("HX-Target") == "inbox-list":
        # What is open beside the list stays open.
        still_open = {"pk": request.GET.get("open", "")}
        return render(request, "sandbox/_inbox_list.html", {"emails": emails, "open": still_open})
    newest = emails[0] if emails else None
    parts = with_links(newest.body) if newest else []
    context = {"emails": emails, "open": newest, "parts": parts, "area": "inbox"}
    return render(request, "sandbox/inbox.html", context)


@require_safe
def message(request: HttpRequest, message: int) -> HttpResponse:
    """One email beside the list."""
    opened = get_object_or_404(Message, pk=message, channel="email")
    emails = list(Message.objects.filter(channel="email").defer("html").order_by("-pk")[:SHOWN])
    context = {"emails": emails, "open": opened, "parts": with_links(opened.body), "area": "inbox"}
    return render(request, "sandbox/inbox.html", context | {"chosen": True})


@require_safe
@never_cache
def attachment(request: HttpRequest, message: int, file: int) -> HttpResponse:
    """A file that came with an email, to download."""
    found = get_object_or_404(MessageFile, pk=file, message_id=message)
    response = HttpResponse(base64.b64decode(found.data), content_type=found.content_type)
    response["Content-Disposition"] = f'attachment; filename="{found.name}"'
    return response


@require_safe
@never_cache
def messages_json(request: HttpRequest) -> JsonResponse:
    """Every message that Bedside sent, newest last; ``?to=``, ``?kind=``, ``?channel=`` and ``?audience=`` narrow it.

    The last 1,000 that fit. ``body`` is the plain text.
    """
    rows = Message.objects.filter(inbound=False).defer("html")
    if to := request.GET.get("to", "").strip():
        # A plus sign in an address that nobody encoded arrives as a space.
        address = f"+{to}" if to.isdigit() else to
        rows = rows.filter(to_index=blind_index("email", address))
    for name in ("kind", "channel", "audience"):
        if wanted := request.GET.get(name):
            rows = rows.filter(**{name: wanted})
    newest = list(rows.prefetch_related(Prefetch("files", MessageFile.objects.defer("data"))).order_by("-pk")[:MOST])
    return JsonResponse({"messages": [_as_json(one) for one in reversed(newest)]})


def _as_json(message: Message) -> dict[str, Any]:
    return {
        "id": message.vendor_id,
        "channel": message.channel,
        "to": message.to,
        "subject": message.subject,
        "body": message.body,
        "kind": message.kind,
        "audience": message.audience,
        "at": message.at.isoformat(),
        "attachments": [file.name for file in message.files.all()],
    }
