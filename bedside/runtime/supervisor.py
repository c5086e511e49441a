"""``bedside run``: PostgreSQL, the pages and the worker as one; the dead are started again, one signal stops all."""

from __future__ import annotations

import http.client
import json
import os
import signal
import sys
import time
from contextlib import suppress
from types import FrameType
from typing import Any

from bedside.runtime import readiness
from bedside.runtime.children import Child
from bedside.runtime.cluster import Cluster
from bedside.runtime.errors import CannotStart, Interrupted
from bedside.runtime.external import check_server
from bedside.runtime.identity import server_user
from bedside.runtime.place import Place, check_port

ANSWERING_SECONDS = 120.0
PREPARING_SECONDS = 600.0
# Together below five seconds: who presses Ctrl-C wants the prompt back. Each step kills what is left after it.
WORKER_SECONDS, DATABASE_SECONDS = 1.5, 1.6
STOPPING_SECONDS = {"prepare": 0.5, "static": 0.2, "web": 1.2, "worker": WORKER_SECONDS}


def run(place: Place, *, port: int, empty: bool) -> int:
    """Run until SIGINT, SIGTERM or SIGHUP; returns the exit status. Raises CannotStart before anything is started."""
    os.umask(0o077)
    place.claim()
    check_port(port)
    return Supervisor(place, port, empty).run()


def say(line: str, *, error: bool = False) -> None:
    """To the terminal; whoever read it may have gone, which is no reason to stop."""
    with suppress(OSError):
        print(line, file=sys.stderr if error else sys.stdout, flush=True)


class Supervisor:
    def __init__(self, place: Place, port: int, empty: bool) -> None:
        self.place = place
        self.port = port
        self.empty = empty
        self.url = f"http://127.0.0.1:{port}"
        self.cluster = None if os.environ.get("DATABASE_URL") else Cluster(place.data)
        self.children: list[Child] = []
        self.stopping = False

    def run(self) -> int:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)
        try:
            self._start()
            while not self.stopping:
                self._tend()
                time.sleep(0.1)
        except Interrupted:
            pass
        finally:
            self._stop()
        return 0

    def _asked_to_stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _check_on(self) -> None:
        if self.stopping:
            raise Interrupted

    def _start(self) -> None:
        environment = self.place.environment(self._start_database(), self.url)
        database_url = environment["DATABASE_URL"]
        prepared = readiness.is_prepared(database_url, empty=self.empty) and readiness.static_is_made(self.place.data)
        self._make_children(environment)
        if prepared:
            # Nothing will change under the pages: they start while the sign-ins are looked up.
            self.web.start()
        else:
            say("Preparing the database and the pages; the next start is quicker.")
            self.static.start(output=True)
        self.database.start(output=True)
        sign_ins = json.loads(self._await_preparation(self.database))
        if not prepared:
            self._await_preparation(self.static)
            self.web.start()
        self._await_answer(self.web)
        self.worker.start()
        self._announce(sign_ins)

    def _make_children(self, environment: dict[str, str]) -> None:
        def child(name: str, *arguments: str) -> Child:
            return Child(name, list(arguments), environment, self.place.data)

        empty = ["--empty"] if self.empty else []
        self.database = child("prepare", "bedside.runtime.prepare", *empty)
        self.static = child("static", "bedside.runtime.prepare", "--static")
        self.web = child("web", "bedside", "serve", "--port", str(self.port))
        alone = ["--alone"] if self.cluster else []
        self.worker = child("worker", "bedside", "worker", "--grace", str(WORKER_SECONDS - 0.5), *alone)
        self.children = [self.database, self.static, self.web, self.worker]

    def _start_database(self) -> str:
        if self.cluster is None:
            url = os.environ["DATABASE_URL"]
            check_server(url)
            return url
        if server_user().notice:
            say(server_user().notice, error=True)
        return self.cluster.start(lambda: self.stopping)

    def _await_preparation(self, child: Child) -> bytes:
        """What it prints is short: it fits the pipe, and is read when the process has ended."""
        process = child.process
        assert process is not None and process.stdout is not None  # noqa: PT018
        deadline = time.monotonic() + PREPARING_SECONDS
        while process.poll() is None:
            self._check_on()
            if time.monotonic() > deadline:
                raise CannotStart(f"Preparing the database took too long; see {child.log}.")
            time.sleep(0.03)
        printed = process.stdout.read()
        process.stdout.close()
        if process.returncode != 0:
            raise CannotStart(f"Bedside couldn't be prepared; see the end of {child.log}.")
        return printed

    def _await_answer(self, web: Child) -> None:
        deadline = time.monotonic() + ANSWERING_SECONDS
        while not answers(self.port):
            self._check_on()
            told = web.tend()
            if told:
                say(told, error=True)
            if web.deaths >= 3 or time.monotonic() > deadline:
                raise CannotStart(f"The pages don't answer; see the end of {web.log}.")
            time.sleep(0.05)

    def _announce(self, sign_ins: dict[str, Any]) -> None:
        say(f"Bedside is ready at {self.url}")
        say(f"Sign in at {self.url}/accounts/login/")
        for role, email, password in sign_ins["accounts"]:
            say(f"{role}: {email} {password}")
        if not sign_ins["has_admin"]:
            say(f"Make the first admin: .venv/bin/bedside admin EMAIL --data '{self.place.data}'")

    def _tend(self) -> None:
        if self.cluster is not None and not self.cluster.running:
            say(f"PostgreSQL ended; starting it again. Its log: {self.place.data}/log/postgres.log", error=True)
            try:
                self.cluster.start(lambda: self.stopping)
            except CannotStart as problem:
                say(str(problem), error=True)
                time.sleep(1.0)
                return
        for child in (self.web, self.worker):
            told = child.tend()
            if told:
                say(told, error=True)

    def _stop(self) -> None:
        for child in self.children:
            child.stop(STOPPING_SECONDS[child.name])
        if self.cluster is not None:
            self.cluster.stop(DATABASE_SECONDS)
        self.place.release()


def answers(port: int) -> bool:
    """Whether ``/healthz`` says that it is well."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
