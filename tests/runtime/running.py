"""A real ``bedside run`` in a process of its own, as these tests start, kill and stop it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bedside.runtime.cluster import Cluster
from bedside.runtime.place import CHECKOUT
from bedside.runtime.processes import is_alive, wait_until, working_in

STARTING_SECONDS = 90.0


def clean_environment() -> dict[str, str]:
    """Without what pytest's own throwaway database needs."""
    ours = ("BEDSIDE_", "PYTEST_", "DJANGO_")
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(ours) and name not in {"DATABASE_URL", "PYTHONDONTWRITEBYTECODE"}
    }


def bedside(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """One command, to its end."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "bedside", *map(str, arguments)],
        cwd=CHECKOUT,
        env=clean_environment() | environment,
        capture_output=True,
        text=True,
        timeout=STARTING_SECONDS,
        check=False,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Running:
    """Started with ``start()``; what it printed is in ``output``."""

    data: Path
    port: int = field(default_factory=free_port)
    arguments: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def output(self) -> str:
        return self._printed.read_text(encoding="utf-8")

    @property
    def _printed(self) -> Path:
        return self.data.with_name(f"{self.data.name}.printed")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database_url(self) -> str:
        return Cluster(self.data).url

    def start(self) -> Running:
        command = [sys.executable, "-P", "-m", "bedside", "run", "--port", str(self.port), "--data", str(self.data)]
        with self._printed.open("wb") as printed:
            self.process = subprocess.Popen(
                [*command, *self.arguments],
                cwd=CHECKOUT,
                env=clean_environment(),
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                start_new_session=True,
            )
        said = wait_until(
            lambda: "Sign in at" in self.output or self.process is None or self.process.poll() is not None,
            STARTING_SECONDS,
        )
        assert said, self.output
        assert self.process.poll() is None, self.output
        return self

    def stop(self, sent: signal.Signals = signal.SIGINT, seconds: float = 15.0) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(sent)
        return self.process.wait(seconds)

    def child(self, name: str) -> int:
        """Process id of the supervisor's "serve", "worker" or "postgres"; 0 if there is none just now."""
        assert self.process is not None
        for pid in children_of(self.process.pid):
            if name in command_of(pid):
                return pid
        return 0

    def everybody(self) -> set[int]:
        assert self.process is not None
        found, added = {self.process.pid}, {self.process.pid}
        while added:
            added = {child for pid in added for child in children_of(pid)} - found
            found |= added
        return found | set(working_in(self.data / "postgres"))

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}{path}", timeout=10) as answer:
            body = answer.read()
            return json.loads(body) if "json" in answer.headers["content-type"] else body.decode()

    def answers(self, path: str = "/readyz") -> bool:
        try:
            self.get(path)
        except OSError:
            return False
        return True

    def book(self) -> str:
        """Take the first opening there is; returns the booking's token."""
        today = datetime.now(UTC).date()  # noqa: TID251  # the clock of another process, which isn't frozen
        days = f"from={today}&to={today + timedelta(days=14)}&timezone=America/New_York"
        for service in self.get("/api/v1/services")["services"]:
            openings = self.get(f"/api/v1/openings?service={service['slug']}&{days}")["openings"]
            if openings:
                wanted = {
                    "service": service["slug"],
                    "start": openings[0]["start"],
                    "timezone": "America/New_York",
                    "patient": {"name": "Robin Doe", "email": "robin@example.com", "mobile": "+12025550143"},
                    "sms_consent": True,
                }
                request = urllib.request.Request(
                    f"{self.url}/api/v1/bookings", json.dumps(wanted).encode(), {"content-type": "application/json"}
                )
                with urllib.request.urlopen(request, timeout=10) as answer:
                    return str(json.load(answer)["token"])
        raise AssertionError("the demo practice has no openings")


def children_of(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
    except OSError:
        return []


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def all_gone(pids: set[int], seconds: float) -> bool:
    return wait_until(lambda: not any(is_alive(pid) for pid in pids), seconds, step=0.05)
