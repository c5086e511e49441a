"""One port: the live stream runs natively on the event loop, everything else goes to the WSGI pages in threads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from a2wsgi import WSGIMiddleware
from django.conf import settings

from bedside.config.wsgi import application as pages
from bedside.web.live.shared import ARRIVED
from bedside.web.live.stream import LiveStream

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_pages = WSGIMiddleware(pages, workers=settings.ENV.web_threads)  # type: ignore[arg-type]
_stream = LiveStream()


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Route one connection; start and stop the listener with the server."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "http" and scope["path"] == "/live/stream":
        await _stream(scope, receive, send)
    elif scope["type"] == "http":
        scope[ARRIVED] = time.monotonic()
        await _pages(scope, _as_coroutine(receive), send)  # type: ignore[arg-type]


def _as_coroutine(receive: Receive) -> Receive:
    """granian's ``receive`` gives a future of its own; a2wsgi hands it to asyncio, which takes coroutines only."""

    async def read() -> dict[str, Any]:
        return await receive()

    return read


async def _lifespan(receive: Receive, send: Send) -> None:
    listener: asyncio.Task[None] | None = None
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            listener = asyncio.create_task(_stream.listen())
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            if listener is not None:
                listener.cancel()
            await send({"type": "lifespan.shutdown.complete"})
            return
