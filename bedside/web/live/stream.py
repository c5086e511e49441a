"""Server-sent events, native on the event loop: one LISTEN connection a process, any number of readers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import psycopg
import structlog
from django.conf import settings
from django.db import DatabaseError, connection

from bedside.core.events import CHANNEL, told_since
from bedside.web.live.tickets import topics_of

log = structlog.get_logger(__name__)
KEEP_ALIVE_SECONDS = 20
BREATH_SECONDS = 0.1
MOST_WAITING = 200
REFRESH = "event: refresh\ndata: {}\n\n"
HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


def _change(number: int, data: str) -> str:
    return f"id: {number}\nevent: change\ndata: {data}\n\n"


def _missed(since: str, topics: frozenset[str]) -> str:
    """What came since the page was drawn. Where that can't be told the page looks again, at worst for nothing."""
    if not since:
        return ""
    try:
        found = told_since(since, topics)
    except DatabaseError as error:
        log.warning("live_missed_unknown", error=type(error).__name__)
        return REFRESH
    finally:
        connection.close()
    if found is None:
        return REFRESH
    return "".join(_change(one.pk, json.dumps({"id": one.pk, "name": one.name, "topics": one.topics})) for one in found)


class Reader:
    """What waits to be sent to one open page."""

    def __init__(self, topics: frozenset[str]) -> None:
        self.topics = topics
        self.waiting: list[str] = []
        self.wake = asyncio.Event()

    def put(self, message: str) -> None:
        if len(self.waiting) >= MOST_WAITING:
            # A reader this slow is told once to look at everything again.
            self.waiting = [REFRESH]
        else:
            self.waiting.append(message)

    def take(self) -> str:
        """All that waits, in one piece."""
        text = "".join(self.waiting)
        self.waiting.clear()
        self.wake.clear()
        return text


class LiveStream:
    """An ASGI application for ``/live/stream?ticket=...&since=...``. A reader gets the name and topics of its events.

    ``since`` is where events stood before the page was drawn (`core.events.position`): what came between then and now
    is told first, so that nothing falls between a page and its stream.

    A change is passed on at once; while many come, readers are woken every `BREATH_SECONDS` and get what came together:
    two hundred readers and fifty changes a second are ten thousand sends a second otherwise.
    """

    def __init__(self) -> None:
        self.readers: set[Reader] = set()
        self._woken_at = 0.0
        self._waking: asyncio.TimerHandle | None = None

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        query = parse_qs(scope["query_string"].decode("latin-1"))
        topics = frozenset(topics_of(query.get("ticket", [""])[0]))
        if not topics:
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
            await send(
                {"type": "http.response.body", "body": b"This page's live ticket has run out. Reload the page.\n"}
            )
            return
        reader = Reader(topics)
        self.readers.add(reader)
        gone = asyncio.create_task(self._gone(receive))
        gone.add_done_callback(lambda _task: reader.wake.set())
        try:
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            # The reader is known by now: what is committed after this question is passed on by the listener.
            missed = await asyncio.to_thread(_missed, query.get("since", [""])[0], topics)
            await self._send(send, "retry: 2000\nevent: hello\ndata: {}\n\n" + missed)
            while text := await self._next(reader, gone):
                await self._send(send, text)
        finally:
            gone.cancel()
            self.readers.discard(reader)

    @staticmethod
    async def _gone(receive: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    @staticmethod
    async def _send(send: Callable[[dict[str, Any]], Awaitable[None]], text: str) -> None:
        await send({"type": "http.response.body", "body": text.encode(), "more_body": True})

    @staticmethod
    async def _next(reader: Reader, gone: asyncio.Task[None]) -> str:
        """What to send; nothing when the reader is gone."""
        try:
            async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                await reader.wake.wait()
        except TimeoutError:
            return ": still here\n\n"
        return "" if gone.done() else reader.take()

    async def listen(self) -> None:
        """Hand each committed event to its readers; come back by itself when the database went away."""
        while True:
            try:
                await self._listen_once()
            except (psycopg.Error, OSError) as error:
                log.warning("live_listener_lost", error=type(error).__name__)
                await asyncio.sleep(1)

    async def _listen_once(self) -> None:
        listening = await psycopg.AsyncConnection.connect(settings.ENV.database_url, autocommit=True)
        async with listening:
            await listening.execute(f"LISTEN {CHANNEL}")
            # What was missed while away can't be known: everyone looks again.
            self._broadcast(REFRESH, None)
            async for notice in listening.notifies():
                event = json.loads(notice.payload)
                self._broadcast(_change(event["id"], notice.payload), frozenset(event["topics"]))

    def _broadcast(self, message: str, topics: frozenset[str] | None) -> None:
        for reader in self.readers:
            if topics is None or not topics.isdisjoint(reader.topics):
                reader.put(message)
        if self._waking is None:
            loop = asyncio.get_running_loop()
            self._waking = loop.call_at(max(loop.time(), self._woken_at + BREATH_SECONDS), self._wake)

    def _wake(self) -> None:
        self._waking = None
        self._woken_at = asyncio.get_running_loop().time()
        for reader in self.readers:
            if reader.waiting:
                reader.wake.set()
