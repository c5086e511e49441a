"""The stand-in text gateway's phone: a thread for each number, and a box to answer from."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from bedside.core.crypto import blind_index
from bedside.sandbox import inbox as gateway
from bedside.sandbox.models import Message
from bedside.web.sandbox.answers import posted, problem, speaks_json
from bedside.web.sandbox.links import with_links

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
RECENT, SHOWN = 400, 60


@require_safe
@never_cache
def phone(request: HttpRequest) -> HttpResponse:
    """Threads, newest first, one of them open: ``?number=+1202…``, else the newest."""
    threads = _threads()
    asked = request.GET.get("number", "").strip()
    asked = f"+{asked}" if asked.isdigit() else asked
    number = asked if E164.fullmatch(asked) else (threads[0]["number"] if threads else "")
    shown = _texts(number) if number else []
    context: dict[str, Any] = {
        "threads": threads,
        "number": number,
        "chosen": bool(asked),
        "texts": shown,
        "opted_out": bool(number) and gateway.is_opted_out(number),
        "area": "phone",
    }
    template = "sandbox/_texts.html" if request.headers.get("HX-Target") == "texts" else "sandbox/phone.html"
    return render(request, template, context)


@csrf_exempt
@require_POST
def reply(request: HttpRequest) -> HttpResponse:
    """Write as the owner of a number: {"number", "body"}. STOP, START and HELP act as at Twilio."""
    fields = posted(request)
    number, body = fields.get("number", "").strip(), fields.get("body", "").strip()
    if not E164.fullmatch(number) or not body:
        return problem(422, "invalid-reply", "Send a number in international form (+12025550143) and some words.")
    kept = gateway.reply(number, body)
    if speaks_json(request):
        return JsonResponse({"id": kept.vendor_id, "opted_out": gateway.is_opted_out(number)}, status=201)
    return redirect(f"{reverse('sandbox:phone')}?{urlencode({'number': number})}")


def _texts(number: str) -> list[dict[str, Any]]:
    """The thread with one number, oldest first."""
    texts = Message.objects.filter(channel="sms", to_index=blind_index("email", number)).order_by("-pk")[:SHOWN]
    return [{"row": one, "parts": with_links(one.body)} for one in reversed(texts)]


def _threads() -> list[dict[str, Any]]:
    """One for each number among the recent texts."""
    threads: dict[bytes, dict[str, Any]] = {}
    for text in Message.objects.filter(channel="sms").defer("html", "subject").order_by("-pk")[:RECENT]:
        key = bytes(text.to_index)
        if key not in threads:
            threads[key] = {"number": text.to, "last": text, "count": 0}
        threads[key]["count"] += 1
    return list(threads.values())
