"""The live stream by itself: a reader gets its own topics, what came together in one piece, and never a flood."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from bedside.appointments.bulk.events import BulkRunChanged
from bedside.core.events import publish
from bedside.web.live import stream as streams
from bedside.web.live.stream import MOST_WAITING, REFRESH, LiveStream
from bedside.web.live.tickets import ticket


class Page:
    """An open page: what it was sent, and a way to leave."""

    def __init__(self, stream: LiveStream, text: str, since: str = "") -> None:
        self.stream, self.text, self.since = stream, text, since
        self.sent: list[str] = []
        self.status = 0
        self.came = asyncio.Event()
        self.left = asyncio.Event()
        self.task = asyncio.create_task(self._open())

    async def _open(self) -> None:
        async def receive() -> dict[str, Any]:
            await self.left.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
            else:
                self.sent.append(message["body"].decode())
            self.came.set()

        await self.stream({"query_string": f"ticket={self.text}&since={self.since}".encode()}, receive, send)

    async def hears(self, text: str) -> None:
        """Wait until it was told so; the test fails by its own limit if it never is."""
        async with asyncio.timeout(20):
            while text not in "".join(self.sent):
                self.came.clear()
                await self.came.wait()


def change(n: int, topic: str = "desk") -> tuple[str, frozenset[str]]:
    return f"id: {n}\nevent: change\ndata: {{}}\n\n", frozenset([topic])


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """In a thread of its own: the browser tests of the same process leave a loop running in this one."""
    failed: list[BaseException] = []

    def work() -> None:
        try:
            asyncio.run(test())
        except BaseException as error:  # told below, where the test can see it
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def test_a_reader_hears_of_its_own_topics_only() -> None:
    async def test() -> None:
        stream = LiveStream()
        desk, visit = Page(stream, ticket("desk")), Page(stream, ticket("appointment:7"))
        await desk.hears("event: hello")
        await visit.hears("event: hello")
        stream._broadcast(*change(1))
        stream._broadcast(*change(2, "appointment:7"))
        await desk.hears("id: 1\n")
        await visit.hears("id: 2\n")
        assert "id: 2\n" not in "".join(desk.sent)
        assert "id: 1\n" not in "".join(visit.sent)
        for page in (desk, visit):
            page.left.set()
            await page.task

    run(test)


def test_what_comes_together_is_sent_in_one_piece_and_in_order() -> None:
    async def test() -> None:
        stream = LiveStream()
        page = Page(stream, ticket("desk"))
        await page.hears("event: hello")
        for n in range(50):
            stream._broadcast(*change(n))
        await page.hears("id: 49\n")
        assert len(page.sent) == 2  # the hello, and all fifty
        assert page.sent[1] == "".join(change(n)[0] for n in range(50))
        page.left.set()
        await page.task

    run(test)


def test_who_is_too_slow_is_told_once_to_look_again() -> None:
    async def test() -> None:
        stream = LiveStream()
        page = Page(stream, ticket("desk"))
        await page.hears("event: hello")
        for n in range(MOST_WAITING + 1):
            stream._broadcast(*change(n))
        await page.hears("event: refresh")
        assert page.sent[1] == REFRESH
        page.left.set()
        await page.task

    run(test)


def test_a_page_that_closes_is_forgotten_and_gets_nothing_more() -> None:
    async def test() -> None:
        stream = LiveStream()
        page = Page(stream, ticket("desk"))
        await page.hears("event: hello")
        page.left.set()
        async with asyncio.timeout(20):
            await page.task
        assert stream.readers == set()
        assert len(page.sent) == 1

    run(test)


def test_silence_is_broken_before_a_proxy_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "KEEP_ALIVE_SECONDS", 0.01)

    async def test() -> None:
        page = Page(LiveStream(), ticket("desk"))
        await page.hears(": still here")
        page.left.set()
        await page.task

    run(test)


@pytest.mark.django_db(transaction=True)
def test_what_happened_between_a_page_and_its_stream_is_told_first(client: Client) -> None:
    """A bulk run of two rows is over before the browser has its scripts: the page must not say "Under way" for good."""
    answer = client.get("/sandbox/messages")
    since = answer.context["live_since"]
    with transaction.atomic():
        event = publish(BulkRunChanged(bulk_run_id=1))

    async def test() -> None:
        desk, visit = (Page(LiveStream(), ticket(topic), since) for topic in ("desk", "appointment:7"))
        for page in (desk, visit):
            await page.hears("event: hello")
        assert f"id: {event.pk}\n" in desk.sent[0]
        assert '"name": "BulkRunChanged"' in desk.sent[0]
        assert "event: change" not in visit.sent[0]
        for page in (desk, visit):
            page.left.set()
            await page.task

    run(test)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("since", ["forged", "1" * 30])
def test_a_page_that_can_t_say_when_it_was_drawn_looks_again(since: str) -> None:
    async def test() -> None:
        page = Page(LiveStream(), ticket("desk"), since)
        await page.hears(REFRESH)
        page.left.set()
        await page.task

    run(test)


@pytest.mark.parametrize("text", ["", "forged", "x" * 5000])
def test_without_a_good_ticket_there_is_no_stream(text: str) -> None:
    async def test() -> None:
        stream = LiveStream()
        page = Page(stream, text)
        await page.task
        assert page.status == 403
        assert stream.readers == set()

    run(test)
