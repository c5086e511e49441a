"""What the sandbox's views share: they are called by people with a page and by programs with JSON."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, JsonResponse


def speaks_json(request: HttpRequest) -> bool:
    """A program: it sends JSON, or asks for it."""
    asked_for = request.headers.get("Accept", "")
    return request.content_type == "application/json" or asked_for.startswith("application/json")


def posted(request: HttpRequest) -> dict[str, str]:
    """The fields of a posted form or JSON object, as text. Anything unreadable is an empty answer."""
    if request.content_type != "application/json":
        return {key: str(value) for key, value in request.POST.items()}
    try:
        body: Any = json.loads(request.body)
    except ValueError:
        return {}
    return {str(key): str(value) for key, value in body.items()} if isinstance(body, dict) else {}


def problem(status: int, code: str, detail: str, **members: Any) -> JsonResponse:
    """Problem details (RFC 9457)."""
    body = {"type": code, "status": status, "detail": detail, **members}
    return JsonResponse(body, status=status, content_type="application/problem+json")
