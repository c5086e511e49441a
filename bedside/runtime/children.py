"""A child of the supervisor: started, watched, started again when it dies, stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from bedside.runtime import processes

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 15.0
# Whoever has lived this long starts again without a pause.
STEADY_SECONDS = 20.0


class Child:
    """One Python process of Bedside, its output in ``data/log/NAME.log``."""

    def __init__(self, name: str, arguments: list[str], environment: Mapping[str, str], data: Path) -> None:
        self.name = name
        self.arguments = arguments
        self.environment = dict(environment)
        self.data = data
        self.process: subprocess.Popen[bytes] | None = None
        self.deaths = 0
        self._started = 0.0
        self._not_before = 0.0

    @property
    def log(self) -> Path:
        return self.data / "log" / f"{self.name}.log"

    def start(self, *, output: bool = False) -> None:
        """``output``: keep what it prints for the caller to read, instead of logging it."""
        log = processes.fresh_log(self.data, self.name)
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if output else file,
                stderr=file,
                env=os.environ | self.environment,
                # Ctrl-C reaches the supervisor alone, which stops its children in order.
                process_group=0,
                preexec_fn=processes.die_with_parent(signal.SIGTERM),
            )
        self._started = time.monotonic()

    def tend(self) -> str | None:
        """Notice a death, and start again when its pause is over. Returns what is worth telling."""
        if self.process is not None:
            status = self.process.poll()
            if status is None:
                return None
            lived = time.monotonic() - self._started
            self.deaths = 1 if lived > STEADY_SECONDS else self.deaths + 1
            pause = min(FIRST_PAUSE_SECONDS * 2 ** (self.deaths - 1), LONGEST_PAUSE_SECONDS)
            self._not_before = time.monotonic() + pause
            processes.stop_process(self.process, signal.SIGKILL, 1.0)
            self.process = None
            return f"The {self.name} process ended ({_reason(status)}); starting it again. Its log: {self.log}"
        if time.monotonic() >= self._not_before:
            self.start()
        return None

    def stop(self, seconds: float) -> None:
        process, self.process = self.process, None
        if process is not None:
            processes.stop_process(process, signal.SIGTERM, seconds)


def _reason(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"status {status}"
