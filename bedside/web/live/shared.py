"""A part of a page that is drawn once for all who are told of the same change at the same moment.

Two hundred open desks that fetch the same list are two hundred drawings of one thing. Whoever may see the part still
signs in, is asked for the role and gets an answer of their own; only the drawing is shared.

What is shown stays true: a page hears of what is committed, fetches at least ``SETTLE_MS`` (live.js) after that, and
gets a drawing that began at most ``SHARE_SECONDS`` before it asked. The first has to be longer than the second;
`tests/live/test_shared.py` holds it.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.utils.cache import patch_vary_headers
from django.utils.text import compress_string

from bedside.core import remember

SHARE_SECONDS = 0.2
# Longer than any drawing takes: whoever has waited so long draws for themselves.
PATIENCE_SECONDS = 10.0
FORGOTTEN_AFTER_SECONDS = 2.0
ARRIVED = "bedside.arrived"
View = Callable[..., HttpResponse]
_TOKEN = re.compile(rb'(name="csrfmiddlewaretoken" value=")[A-Za-z0-9]{64}"')


@dataclass
class Drawing:
    """One drawing, under way or done. ``began`` is in seconds of the machine's monotonic clock."""

    began: float
    status: int = 0
    content: bytes = b""
    kind: str = ""
    done: threading.Event = field(default_factory=threading.Event)

    @cached_property
    def has_forms(self) -> bool:
        return _TOKEN.search(self.content) is not None

    @cached_property
    def compressed(self) -> bytes:
        """With a name of random length, as GZipMiddleware does it: the length gives nothing away."""
        return compress_string(self.content, max_random_bytes=100)

    def answer(self, request: HttpRequest) -> HttpResponse:
        """For one of those who wait: forms get the token of their own session."""
        content = self.content
        if self.has_forms:
            content = _TOKEN.sub(rb'\g<1>%b"' % get_token(request).encode("ascii"), content)
        elif "gzip" in request.headers.get("Accept-Encoding", ""):
            response = HttpResponse(self.compressed, status=self.status, content_type=self.kind)
            response["Content-Encoding"] = "gzip"
            patch_vary_headers(response, ("Accept-Encoding",))
            return response
        return HttpResponse(content, status=self.status, content_type=self.kind)


class Drawings:
    """The last drawing of each address, in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[str, Drawing] = {}

    def get(self, key: str, asked: float, draw: Callable[[], HttpResponse]) -> Drawing:
        """One that began at ``asked`` or later, or just before it: made by another, or now."""
        with self._lock:
            found = self._last.get(key)
            if found is None or found.began < asked - SHARE_SECONDS:
                mine = self._begin(key)
                found = None
        if found is None:
            return self._draw(key, mine, draw)
        if found.done.wait(PATIENCE_SECONDS) and found.status:
            return found
        # Its drawer failed, with an error of its own to tell: this one finds out by itself.
        return self._draw(key, Drawing(time.monotonic()), draw)

    def _begin(self, key: str) -> Drawing:
        now = time.monotonic()
        for old in [k for k, one in self._last.items() if one.began < now - FORGOTTEN_AFTER_SECONDS]:
            del self._last[old]
        self._last[key] = Drawing(now)
        return self._last[key]

    def _draw(self, key: str, drawing: Drawing, draw: Callable[[], HttpResponse]) -> Drawing:
        try:
            # What this request has read before the drawing began is asked again.
            with remember.while_it_lasts():
                response = draw()
            drawing.content, drawing.kind = response.content, response["Content-Type"]
            drawing.status = response.status_code
        finally:
            drawing.done.set()
            if not drawing.status:
                with self._lock:
                    if self._last.get(key) is drawing:
                        del self._last[key]
        return drawing


_drawings = Drawings()


def drawn_once(view: View) -> View:
    """For a view whose part depends on its address alone, not on who asks. Goes inside of what asks for the role."""

    @wraps(view)
    def shared(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "GET" or request.headers.get("X-Live") != "1" or "HX-Request" not in request.headers:
            return view(request, *args, **kwargs)
        drawing = _drawings.get(request.get_full_path(), _arrival(request), lambda: view(request, *args, **kwargs))
        return drawing.answer(request)

    return shared


def _arrival(request: HttpRequest) -> float:
    """When the request reached the server: what it waited for a thread doesn't make its answer older."""
    arrived: float = request.META.get("asgi.scope", {}).get(ARRIVED, 0.0)
    return arrived or time.monotonic()
