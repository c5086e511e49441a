"""A sender's life as the database sees it: a connection that holds an advisory lock and hears what is due."""

from __future__ import annotations

import secrets
import threading
from typing import Any

import psycopg
import structlog
from django.db import connection as django_connection

from bedside.notifications.claims import NAMESPACE
from bedside.notifications.queue import WAKE_CHANNEL

log = structlog.get_logger(__name__)
# A machine that vanishes without a word is noticed within half a minute. Means nothing on a local socket.
_KEEPALIVE = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"
PAUSE_SECONDS = 1.0


class Presence:
    """``number`` is the sender's while it holds its lock, else 0: nothing is taken then.

    ``wake`` is set when something may be due.
    """

    def __init__(self) -> None:
        self.number = 0
        self.wake = threading.Condition()
        self.calls = 0
        self._stopping = threading.Event()

    def keep(self) -> None:
        """Live until `end`; a lost connection is replaced, under another number. Runs in a thread of its own."""
        while not self._stopping.is_set():
            try:
                with self._connect() as own:
                    self.number = _take_number(own)
                    self._listen(own)
            except psycopg.Error as error:
                log.warning("sender_lost_its_database", error=type(error).__name__)
                self._stopping.wait(PAUSE_SECONDS)
            finally:
                self.number = 0

    def end(self) -> None:
        self._stopping.set()
        self.call()

    def call(self) -> None:
        """Wake whoever waits."""
        with self.wake:
            self.calls += 1
            self.wake.notify_all()

    def wait(self, heard: int, seconds: float) -> int:
        """Until somebody calls, at most so long. ``heard`` is what the last wait returned: no call is missed."""
        with self.wake:
            self.wake.wait_for(lambda: self.calls != heard, seconds)
            return self.calls

    def _connect(self) -> psycopg.Connection[Any]:
        asked = django_connection.get_connection_params()
        parameters = {name: value for name, value in asked.items() if name not in {"cursor_factory", "context", "pool"}}
        return psycopg.connect(**parameters, autocommit=True)

    def _listen(self, own: psycopg.Connection[Any]) -> None:
        own.execute(f"LISTEN {WAKE_CHANNEL}")
        self.call()
        while not self._stopping.is_set():
            for _notice in own.notifies(timeout=PAUSE_SECONDS, stop_after=1):
                self.call()
            own.execute("SELECT 1")


def _take_number(own: psycopg.Connection[Any]) -> int:
    own.execute(_KEEPALIVE)
    while True:
        number = secrets.randbelow(2**31 - 2) + 1
        row = own.execute("SELECT pg_try_advisory_lock(%s, %s)", [NAMESPACE, number]).fetchone()
        if row is not None and row[0]:
            return number
