"""The real Twilio client, against a server on loopback that holds each request to Twilio's own API description."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest

from bedside.notifications.transports.base import TransportError
from bedside.notifications.transports.twilio import TwilioTransport

CONTRACT = Path(__file__).parents[3] / "shared" / "contracts" / "twilio_messages.json"
ACCOUNT = "AC" + "0" * 32
SID = "SM" + "1" * 32
TO, BODY = "+12025550143", "Lakeside Clinic: you're booked."


class Gateway(ThreadingHTTPServer):
    """Answers as it is told; keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str, dict[str, list[str]]]] = []
        self.answer: tuple[int, dict[str, Any]] = (201, {"sid": SID, "status": "queued", "to": TO, "body": BODY})
        self.drop = False
        self.api: OpenAPI | None = None


class Handler(BaseHTTPRequestHandler):
    server: Gateway

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.reply("post", body)

    def do_GET(self) -> None:
        self.reply("get", b"")

    def reply(self, method: str, body: bytes) -> None:
        parts = urlsplit(self.path)
        fields = parse_qs(body.decode() or parts.query)
        self.server.asked.append((method, parts.path, fields))
        if self.server.api:
            self.server.api.validate_request(
                MockRequest(
                    "https://api.twilio.com",
                    method,
                    parts.path,
                    args={key: value[0] for key, value in parse_qs(parts.query).items()},
                    headers=dict(self.headers),
                    data=body or None,
                    content_type="application/x-www-form-urlencoded" if body else "",
                )
            )
        if self.server.drop:
            self.connection.close()
            return
        status, answer = self.server.answer
        payload = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    server = Gateway()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setattr(settings.ENV, "twilio_account_sid", ACCOUNT)
    monkeypatch.setattr(settings.ENV, "twilio_from", "+12025550199")
    monkeypatch.setattr(settings.ENV, "twilio_api_base", f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def by_contract(gateway: Gateway) -> Gateway:
    if not CONTRACT.exists():
        pytest.skip("Twilio's API description (shared/contracts) is not here")
    gateway.api = OpenAPI.from_dict(json.loads(CONTRACT.read_text()))
    return gateway


def send() -> str:
    return TwilioTransport().send(
        to=TO, subject="", body=BODY, html="", reference="n1", kind="confirmation", audience="patient"
    )


def test_a_text_is_created_with_its_status_callback(gateway: Gateway) -> None:
    assert send() == SID
    method, path, fields = gateway.asked[0]
    assert (method, path) == ("post", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
    assert fields == {
        "To": [TO],
        "From": ["+12025550199"],
        "Body": [BODY],
        "StatusCallback": [f"{settings.PUBLIC_URL}/hooks/twilio"],
    }


def test_a_messaging_service_sends_instead_of_a_number(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENV, "twilio_from", "MG" + "2" * 32)
    send()
    fields = gateway.asked[0][2]
    assert fields["MessagingServiceSid"] == ["MG" + "2" * 32]
    assert "From" not in fields


def test_requests_are_as_twilio_describes_them(by_contract: Gateway) -> None:
    assert send() == SID
    by_contract.answer = (200, {"messages": [], "page": 0, "page_size": 50})
    assert TwilioTransport().find("n1", to=TO, body=BODY, since=datetime(2026, 12, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("status", "code", "permanent", "advice"),
    [
        (400, 21211, True, "correct it"),
        (400, 21614, True, "not a mobile number"),
        (400, 21610, True, "START"),
        (429, 20429, False, "tried again"),
        (503, 20503, False, ""),
        (400, 99999, True, ""),
    ],
)
def test_twilios_codes_become_ours(gateway: Gateway, status: int, code: int, permanent: bool, advice: str) -> None:
    gateway.answer = (status, {"code": code, "message": f"about {TO}", "status": status})
    with pytest.raises(TransportError) as caught:
        send()
    assert (caught.value.code, caught.value.permanent) == (str(code), permanent)
    assert advice in caught.value.advice
    assert TO not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_dropped_connection_is_not_a_no(gateway: Gateway) -> None:
    gateway.drop = True
    with pytest.raises(TransportError) as caught:
        send()
    assert (caught.value.code, caught.value.permanent) == ("connection-dropped", False)


def test_a_text_that_was_taken_all_the_same_is_found_by_number_words_and_time(gateway: Gateway) -> None:
    message = {"sid": SID, "to": TO, "body": BODY, "date_sent": "Tue, 01 Dec 2026 15:00:00 +0000"}
    gateway.answer = (200, {"messages": [message | {"sid": "SMother", "body": "else"}, message], "page": 0})
    since = datetime(2026, 12, 1, 15, tzinfo=UTC)
    assert TwilioTransport().find("n1", to=TO, body=BODY, since=since) == SID
    fields = gateway.asked[0][2]
    assert fields["To"] == [TO]
    assert datetime.fromisoformat(fields["DateSent>"][0].replace("Z", "+00:00")) == since - timedelta(minutes=2)
