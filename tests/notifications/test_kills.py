"""kill -9 of a sender, wherever it is: the message goes out once, and the vendor is asked before another try."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from bedside.core import clock as house_clock
from bedside.notifications.models import Channel, Kind, Notification
from bedside.runtime.processes import die_with_parent, wait_until
from tests.conftest import TestClock
from tests.factories import make_appointment, make_service
from tests.notifications.conftest import a_message

pytestmark = [pytest.mark.django_db(transaction=True)]
ACCOUNT = "AC" + "0" * 32
# Far longer than anything takes: only a test that fails waits so long.
PATIENCE = 60.0


class Gateway(ThreadingHTTPServer):
    """Keeps every text that it was given, tells of them, and says nothing at all while ``answers`` is not set."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.texts: list[dict[str, str]] = []
        self.asked = 0
        self.answers = threading.Event()
        self.answers.set()


class Handler(BaseHTTPRequestHandler):
    server: Gateway

    def do_POST(self) -> None:
        fields = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        sid = f"SM{len(self.server.texts):032x}"
        text = {"sid": sid, "to": fields["To"][0], "body": fields["Body"][0], "status": "queued"}
        self.server.texts.append(text)
        self.server.answers.wait(PATIENCE)
        self.reply(201, text)

    def do_GET(self) -> None:
        self.server.asked += 1
        self.reply(200, {"messages": self.server.texts, "page": 0, "page_size": 50})

    def reply(self, status: int, told: object) -> None:
        payload = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: object) -> None:
        """Quiet."""


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    server = Gateway()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.answers.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def start(gateway: Gateway) -> Iterator[Start]:
    """Starts senders on the test's own database; ``dies``: where it stops to be killed."""
    asked = connection.get_connection_params()
    database = make_conninfo(**{name: asked[name] for name in ("dbname", "user", "host", "port") if asked.get(name)})
    started: list[subprocess.Popen[str]] = []

    def make(dies: str = "") -> subprocess.Popen[str]:
        environment = os.environ | {
            "DATABASE_URL": database,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "BEDSIDE_TWILIO_ACCOUNT_SID": ACCOUNT,
            "BEDSIDE_TWILIO_AUTH_TOKEN": "test",
            "BEDSIDE_TWILIO_FROM": "+12025550199",
            "BEDSIDE_TWILIO_API_BASE": f"http://127.0.0.1:{gateway.server_port}",
            "NO_PROXY": "127.0.0.1",
            "BEDSIDE_TEST_DIES": dies,
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.notifications.sender_process"],
            cwd=Path(__file__).parents[2],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent(signal.SIGKILL),
        )
        started.append(process)
        return process

    yield make
    for process in started:
        kill(process)


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait(PATIENCE)
    if process.stdout:
        process.stdout.close()


@pytest.fixture
def text(clock: TestClock) -> Notification:
    """A text that is due, by the clock of the machine: the senders have no other."""
    clock.set(datetime.now(UTC))  # noqa: TID251  # the clock of another process
    visit = make_appointment(make_service(), paid_at=house_clock.now())
    return a_message(visit, channel=Channel.SMS, kind=Kind.CONFIRMATION)


def is_sent(text: Notification) -> bool:
    text.refresh_from_db()
    return text.status == "sent"


def wait_for_its_end(process: subprocess.Popen[str]) -> None:
    """It has come to where it stops."""
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"


def test_killed_while_the_vendor_has_it_and_has_not_answered(
    text: Notification, gateway: Gateway, start: Start
) -> None:
    gateway.answers.clear()
    first = start()
    assert wait_until(lambda: bool(gateway.texts), PATIENCE)
    kill(first)
    gateway.answers.set()
    text.refresh_from_db()
    assert (text.status, text.attempts) == ("queued", 1)

    start()

    assert wait_until(lambda: is_sent(text), PATIENCE)
    assert (len(gateway.texts), text.vendor_id, text.attempts) == (1, gateway.texts[0]["sid"], 2)
    assert gateway.asked == 1


def test_killed_between_the_answer_and_recording_it(text: Notification, gateway: Gateway, start: Start) -> None:
    first = start("after")
    wait_for_its_end(first)
    kill(first)
    assert len(gateway.texts) == 1

    start()

    assert wait_until(lambda: is_sent(text), PATIENCE)
    assert (len(gateway.texts), text.vendor_id) == (1, gateway.texts[0]["sid"])
    assert gateway.asked == 1


def test_while_a_sender_lives_nobody_takes_what_it_has_in_hand(
    text: Notification, gateway: Gateway, start: Start
) -> None:
    """However long it says nothing: a later message passes by. Killed before its call, its own goes out once, too."""
    first = start("before")
    wait_for_its_end(first)
    first.send_signal(signal.SIGSTOP)
    later = a_message(text.appointment, channel=Channel.SMS, kind=Kind.MANUAL)

    start()

    assert wait_until(lambda: is_sent(later), PATIENCE)
    assert not is_sent(text)
    assert len(gateway.texts) == 1
    kill(first)
    assert wait_until(lambda: is_sent(text), PATIENCE)
    assert (len(gateway.texts), gateway.asked) == (2, 1)
