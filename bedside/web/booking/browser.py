"""What a request tells of the browser behind it: its address for rate limits, and the key of its own hold."""

from __future__ import annotations

import secrets

from django.http import HttpRequest, HttpResponse

from bedside.core import crypto

HOLD_COOKIE = "hold"
HOLD_COOKIE_SECONDS = 24 * 3600


def address_of(request: HttpRequest) -> str:
    """The address that the request came from, as the server in front of us or the socket says."""
    return str(request.META.get("REMOTE_ADDR", ""))


def hold_key_of(request: HttpRequest) -> bytes | None:
    """The keyed hash that this browser's holds bear, or None where it has none yet."""
    cookie = request.COOKIES.get(HOLD_COOKIE, "")
    return crypto.blind_index("hold", cookie) if 16 <= len(cookie) <= 64 else None


def give_hold_key(request: HttpRequest) -> tuple[str, bytes]:
    """The browser's hold cookie, a new one where it has none, and its key."""
    cookie = request.COOKIES.get(HOLD_COOKIE, "") if hold_key_of(request) else secrets.token_urlsafe(24)
    return cookie, crypto.blind_index("hold", cookie)


def keep_hold_cookie(request: HttpRequest, response: HttpResponse, cookie: str) -> None:
    """So that choosing another time replaces this browser's own hold instead of standing in its way."""
    response.set_cookie(
        HOLD_COOKIE, cookie, max_age=HOLD_COOKIE_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure()
    )
