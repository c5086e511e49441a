"""A part drawn once for all who are told: everybody gets it, nobody gets an old one, forms keep their own tokens."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

import bedside
from bedside.core import alerts
from bedside.core.models import Alert
from bedside.web.live import shared
from bedside.web.live.shared import SHARE_SECONDS, Drawings
from tests.factories import make_appointment, make_user

LIVE = {"HX-Request": "true", "X-Live": "1"}
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


class Pencil:
    """Draws a number that grows, when it is allowed to."""

    def __init__(self) -> None:
        self.drawn = 0
        self.may_end = threading.Event()
        self.began = threading.Event()

    def __call__(self) -> HttpResponse:
        self.drawn += 1
        said = str(self.drawn)
        self.began.set()
        assert self.may_end.wait(20)
        return HttpResponse(said)


def test_who_asks_while_it_is_drawn_shares_it() -> None:
    drawings, pencil = Drawings(), Pencil()
    asked = time.monotonic()
    with ThreadPoolExecutor(50) as pool:
        first = pool.submit(drawings.get, "/desk/", asked, pencil)
        assert pencil.began.wait(20)
        others = [pool.submit(drawings.get, "/desk/", asked + SHARE_SECONDS, pencil) for _ in range(49)]
        pencil.may_end.set()
        assert {one.result(20).content for one in [first, *others]} == {b"1"}
    assert pencil.drawn == 1


def test_what_began_too_long_before_the_question_is_drawn_anew() -> None:
    drawings, pencil = Drawings(), Pencil()
    pencil.may_end.set()
    began = drawings.get("/desk/", time.monotonic(), pencil).began
    assert drawings.get("/desk/", began + SHARE_SECONDS, pencil).content == b"1"
    assert drawings.get("/desk/", began + SHARE_SECONDS + 0.001, pencil).content == b"2"


def test_a_question_that_waited_for_a_thread_takes_what_was_drawn_meanwhile() -> None:
    drawings, pencil = Drawings(), Pencil()
    pencil.may_end.set()
    asked = time.monotonic()
    drawings.get("/desk/", asked, pencil)
    assert drawings.get("/desk/", asked, pencil).content == b"1"


def test_addresses_are_apart() -> None:
    drawings, pencil = Drawings(), Pencil()
    pencil.may_end.set()
    assert [drawings.get(f"/desk/?page={n}", 0, pencil).content for n in (1, 2, 1)] == [b"1", b"2", b"1"]


def test_a_drawing_that_fails_is_nobody_else_s_error() -> None:
    drawings, pencil, broken = Drawings(), Pencil(), Pencil()

    def fail() -> HttpResponse:
        broken()
        raise RuntimeError("the pencil broke")

    pencil.may_end.set()
    asked = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(drawings.get, "/desk/", asked, fail)
        assert broken.began.wait(20)
        second = pool.submit(drawings.get, "/desk/", asked, pencil)
        broken.may_end.set()
        assert second.result(20).content == b"1"
        with pytest.raises(RuntimeError, match="the pencil broke"):
            first.result(20)
    assert drawings.get("/desk/", 0, pencil).content == b"2", "A failed drawing is not kept"


def test_old_drawings_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "FORGOTTEN_AFTER_SECONDS", 0.0)
    drawings, pencil = Drawings(), Pencil()
    pencil.may_end.set()
    for n in range(20):
        drawings.get(f"/desk/?page={n}", 0, pencil)
    assert len(drawings._last) <= 2


def test_a_page_waits_longer_than_a_drawing_is_shared() -> None:
    """Else a page could be told of a change and get a drawing from before it."""
    script = (Path(bedside.__file__).parent / "web/static/bedside/js/live.js").read_text()
    settle = re.search(r"SETTLE_MS = (\d+);", script)
    assert settle is not None
    assert int(settle[1]) / 1000 > SHARE_SECONDS
    assert 'headers["X-Live"] = "1"' in script


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The desk's first pages that were drawn."""
    from bedside.web.desk import home

    said: list[str] = []
    real = home.render

    def render(request: Any, template: str, *args: Any, **kwargs: Any) -> HttpResponse:
        said.append(template)
        return real(request, template, *args, **kwargs)

    monkeypatch.setattr(home, "render", render)
    return said


@pytest.fixture
def desks(db: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[Client]]:
    monkeypatch.setattr(shared, "_drawings", Drawings())
    monkeypatch.setattr(shared, "SHARE_SECONDS", 60.0)  # a test takes its time

    def make(count: int) -> list[Client]:
        clients = [Client(enforce_csrf_checks=True) for _ in range(count)]
        for n, client in enumerate(clients):
            client.force_login(make_user("admin", email=f"desk{n}@example.com"))
        return clients

    return make


def test_two_desks_get_one_drawing_and_each_a_token_that_works(
    desks: Callable[[int], list[Client]], drawn: list[str]
) -> None:
    alerts.raise_alert("dispute", "1", "There is a dispute.")
    alert = Alert.objects.get().pk
    first, second = desks(2)
    bodies = [client.get("/desk/", headers=LIVE).content.decode() for client in (first, second)]
    assert drawn == ["desk/_today.html"]
    tokens = [TOKEN.search(body) for body in bodies]
    assert tokens[0] is not None
    assert tokens[1] is not None
    assert tokens[0][1] != tokens[1][1]
    assert TOKEN.sub("", bodies[0]) == TOKEN.sub("", bodies[1])
    done = f"/desk/alerts/{alert}/done"
    assert second.post(done, {"csrfmiddlewaretoken": tokens[0][1]}).status_code == 403, "Another desk's token"
    assert second.post(done, {"csrfmiddlewaretoken": tokens[1][1]}).status_code == 303


def test_only_who_may_see_it_gets_it(desks: Callable[[int], list[Client]], drawn: list[str]) -> None:
    (admin,) = desks(1)
    assert admin.get("/desk/", headers=LIVE).status_code == 200
    provider = Client()
    provider.force_login(make_user("provider", email="doctor@example.com"))
    assert provider.get("/desk/", headers=LIVE).status_code == 403
    assert Client().get("/desk/", headers=LIVE).status_code == 302


def test_what_somebody_asked_for_is_drawn_for_them(desks: Callable[[int], list[Client]], drawn: list[str]) -> None:
    (admin,) = desks(1)
    admin.get("/desk/", headers=LIVE)
    admin.get("/desk/", headers={"HX-Request": "true"})
    admin.get("/desk/")
    admin.get("/desk/", headers={"X-Live": "1"})
    assert drawn == ["desk/_today.html", "desk/_today.html", "desk/today.html", "desk/today.html"]


def test_the_list_goes_out_compressed_once(desks: Callable[[int], list[Client]]) -> None:
    import gzip

    make_appointment()
    bodies = []
    first, second = desks(2)
    for client in (first, second):
        answer = client.get("/desk/appointments", headers=LIVE | {"Accept-Encoding": "gzip"})
        assert answer["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in answer["Vary"]
        assert int(answer["Content-Length"]) == len(answer.content)
        bodies.append(answer.content)
    assert bodies[0] == bodies[1]
    assert b"Robin Sample" in gzip.decompress(bodies[0])
    assert b"Robin Sample" in first.get("/desk/appointments", headers=LIVE).content


def test_filters_that_make_no_sense_are_refused_for_each(desks: Callable[[int], list[Client]]) -> None:
    for client in desks(2):
        answer = client.get("/desk/appointments?status=nonsense", headers=LIVE)
        assert answer.status_code == 422
        assert b"Correct the marked ones" in answer.content
