"""The real Zoom client, against a server on loopback that holds each request to Zoom's own description of meetings."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from jsonschema import Draft4Validator
from procrastinate.jobs import Job

from bedside.core import clock as house_clock
from bedside.core.jobs import PATIENT_RETRY
from bedside.video.models import HostUse, VendorToken
from bedside.video.services import zoom, zoom_limits, zoom_token
from bedside.video.services.base import VideoError
from bedside.video.services.zoom import ZoomVideo
from tests.conftest import TestClock

pytestmark = pytest.mark.django_db
CONTRACT = Path(__file__).parents[3] / "shared" / "contracts" / "zoom_meetings.json"
START = datetime(2026, 12, 3, 15, tzinfo=UTC)
MEETING = {
    "id": 85012345678,
    "host_id": "host-1",
    "topic": "Video visit ABC",
    "join_url": "https://zoom.example.com/j/85012345678",
    "start_url": "https://zoom.example.com/s/85012345678?zak=secret",
    "password": "417",
}


class Zoom(ThreadingHTTPServer):
    """Tokens at /oauth/token, everything else as ``answers`` says, else the meeting."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.answers: list[tuple[int, dict[str, Any], dict[str, str]] | None] = []
        self.tokens = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Zoom

    def handle_it(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        parts = urlsplit(self.path)
        if parts.path == "/oauth/token":
            assert parse_qs(body.decode()) == {"grant_type": ["account_credentials"], "account_id": ["acc"]}
            self.server.tokens += 1
            return self.say(200, {"access_token": f"token-{self.server.tokens}", "expires_in": 3600})
        sent = json.loads(body) if body else {key: value[0] for key, value in parse_qs(parts.query).items()}
        self.server.asked.append((self.command, parts.path.removeprefix("/v2"), sent))
        answer = self.server.answers.pop(0) if self.server.answers else (200, MEETING, {})
        if answer is None:
            self.connection.close()
            return None
        return self.say(*answer)

    do_GET = do_POST = do_PATCH = do_DELETE = handle_it

    def say(self, status: int, answer: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        payload = b"" if status == 204 else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Zoom]:
    server = Zoom()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setattr(settings.ENV, "zoom_account_id", "acc")
    monkeypatch.setattr(settings.ENV, "zoom_client_id", "client")
    monkeypatch.setattr(settings.ENV, "zoom_client_secret", "for tests")
    monkeypatch.setattr(zoom, "API", f"{server.address}/v2")
    monkeypatch.setattr(zoom_token, "TOKEN_URL", f"{server.address}/oauth/token")
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def create(**fields: Any) -> Any:
    asked = {"topic": "Video visit ABC", "start": START, "duration_minutes": 30, "host_id": "host-1", "reference": "a"}
    return ZoomVideo().create(**asked | fields)


def test_a_meeting_is_made_on_the_host_with_a_waiting_room(server: Zoom) -> None:
    made = create(alternative_hosts="ops@example.com")
    assert (made.meeting_id, made.host_id, made.passcode) == ("85012345678", "host-1", "417")
    method, path, body = server.asked[0]
    assert (method, path) == ("POST", "/users/host-1/meetings")
    assert body["start_time"] == "2026-12-03T15:00:00Z"
    assert body["type"] == 2
    assert re.fullmatch("[0-9]{6}", body["password"])
    assert body["settings"]["waiting_room"] is True
    assert body["settings"]["join_before_host"] is False
    assert body["settings"]["alternative_hosts"] == "ops@example.com"


def test_requests_are_as_zoom_describes_them(server: Zoom) -> None:
    if not CONTRACT.exists():
        pytest.skip("Zoom's API description (shared/contracts) is not here")
    api = json.loads(CONTRACT.read_text())
    create()
    ZoomVideo().update("85012345678", host_id="host-1", start=START, duration_minutes=45)
    ZoomVideo().start_url("85012345678")
    ZoomVideo().delete("85012345678")
    described = {"/users/host-1/meetings": "/users/{userId}/meetings", "/meetings/85012345678": "/meetings/{meetingId}"}
    assert [method for method, _, _ in server.asked] == ["POST", "PATCH", "GET", "DELETE"]
    for method, path, sent in server.asked:
        operation = api["paths"][described[path]][method.lower()]
        schema = next((one["schema"] for one in operation["parameters"] if one.get("in") == "body"), None)
        if schema is not None:
            Draft4Validator(schema | {"definitions": api["definitions"]}).validate(sent)


def test_one_token_serves_many_calls_and_a_new_one_is_asked_for_before_it_ends(server: Zoom, clock: TestClock) -> None:
    create()
    create()
    assert server.tokens == 1
    clock.forward(timedelta(minutes=59, seconds=30))
    create()
    assert server.tokens == 2


def test_a_token_that_is_no_longer_taken_is_replaced_once(server: Zoom) -> None:
    create()
    server.answers = [(401, {"code": 124, "message": "Invalid access token."}, {})]
    create()
    assert server.tokens == 2
    server.answers = [(401, {"code": 124}, {}), (401, {"code": 124}, {})]
    with pytest.raises(VideoError) as caught:
        create()
    assert not caught.value.permanent


def test_the_token_is_sealed_in_its_row(server: Zoom) -> None:
    create()
    assert VendorToken.objects.get().token == "token-1"
    with connection.cursor() as cursor:
        cursor.execute("SELECT token FROM video_vendortoken")
        assert b"token-1" not in bytes(cursor.fetchone()[0])


@pytest.mark.parametrize(
    ("status", "answer", "code", "permanent"),
    [
        (500, {}, "500", False),
        (404, {"code": 1001, "message": "User does not exist"}, "1001", True),
        (400, {"code": 300}, "300", True),
    ],
)
def test_refusals_carry_zooms_code(
    server: Zoom, status: int, answer: dict[str, Any], code: str, permanent: bool
) -> None:
    server.answers = [(status, answer, {})]
    with pytest.raises(VideoError) as caught:
        create()
    assert (caught.value.code, caught.value.permanent) == (code, permanent)


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("30", timedelta(seconds=30)),
        ("2026-12-02T00:00:00Z", timedelta(hours=9)),  # a day's limit; the tests' clock says 15:00 UTC
        ("2026-11-30T00:00:00Z", timedelta(0)),
        ("soon", None),
        ("2026-12-02", None),
        ("", None),
    ],
)
def test_too_many_requests_tell_how_long_to_wait(server: Zoom, said: str, wait: timedelta | None) -> None:
    server.answers = [(429, {"code": 429}, {"Retry-After": said})]
    with pytest.raises(VideoError) as caught:
        create()
    assert (caught.value.permanent, caught.value.retry_after) == (False, wait)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [(None, 3), (timedelta(seconds=1), 3), (timedelta(minutes=10), 600)],
    ids=["nothing", "less than we wait anyway", "ten minutes"],
)
def test_the_job_comes_back_when_the_vendor_said(asked: timedelta | None, expected: int) -> None:
    job = Job(id=1, queue="default", lock=None, queueing_lock=None, task_name="flows.prepare_visit", attempts=0)
    with time_machine.travel(house_clock.now(), tick=False):
        decision = PATIENT_RETRY.get_retry_decision(exception=VideoError("429", retry_after=asked), job=job)
    assert decision is not None
    assert decision.retry_at == house_clock.now() + timedelta(seconds=expected)


def test_patience_ends() -> None:
    job = Job(id=1, queue="default", lock=None, queueing_lock=None, task_name="flows.prepare_visit", attempts=8)
    assert PATIENT_RETRY.get_retry_decision(exception=VideoError("429", retry_after=timedelta(1)), job=job) is None


def test_after_a_lost_answer_the_meeting_is_looked_for_before_another_is_made(server: Zoom) -> None:
    server.answers = [None]
    with pytest.raises(VideoError):
        create()
    server.asked.clear()
    listed = {"meetings": [{"id": 1, "topic": "other"}, {"id": 85012345678, "topic": "Video visit ABC"}]}
    server.answers = [(200, listed, {}), (200, MEETING, {})]
    assert create(ask_first=True).meeting_id == "85012345678"
    assert [(method, path) for method, path, _ in server.asked] == [
        ("GET", "/users/host-1/meetings"),
        ("GET", "/meetings/85012345678"),
    ]


def test_where_none_is_found_one_is_made(server: Zoom) -> None:
    server.answers = [(200, {"meetings": [], "next_page_token": "p2"}, {}), (200, {"meetings": []}, {})]
    create(ask_first=True)
    assert [method for method, _, _ in server.asked] == ["GET", "GET", "POST"]


def test_a_hosts_day_is_counted_and_nothing_is_asked_beyond_it(server: Zoom, clock: TestClock) -> None:
    HostUse.objects.create(host_id="host-1", day=house_clock.now().date(), count=zoom_limits.A_DAY - 1)
    create()
    server.asked.clear()
    with pytest.raises(VideoError) as caught:
        create()
    assert (caught.value.code, caught.value.permanent) == ("host-limit", False)
    assert server.asked == []
    create(host_id="host-2")
    clock.forward(timedelta(days=1))
    create()


def test_removing_what_is_gone_is_fine_and_the_start_link_is_fresh(server: Zoom) -> None:
    server.answers = [(404, {"code": 3001, "message": "Meeting does not exist"}, {}), (204, {}, {})]
    ZoomVideo().delete("1")
    ZoomVideo().delete("1")
    assert ZoomVideo().start_url("85012345678").endswith("zak=secret")
