"""One fresh start for all of these tests; each of them works on its own copy of the folder that it made."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.runtime.running import Running, all_gone


@dataclass
class FreshStart:
    """What happened at the first start on an empty folder, and the first stop."""

    data: Path
    output: str
    first_page: str
    exit_status: int
    stopping_seconds: float
    all_processes_gone: bool


@pytest.fixture(scope="session")
def workspace() -> Iterator[Path]:
    """A short path (a socket's is limited), private, and not below a folder that other users can't reach anyway."""
    folder = Path(tempfile.mkdtemp(prefix="bedside-run-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def fresh(workspace: Path) -> FreshStart:
    running = Running(workspace / "fresh").start()
    page = running.get("/")
    everybody = running.everybody()
    started = time.monotonic()
    status = running.stop()
    return FreshStart(
        data=running.data,
        output=running.output.replace(running.url, "URL"),
        first_page=page,
        exit_status=status,
        stopping_seconds=time.monotonic() - started,
        all_processes_gone=all_gone(everybody, 1.0),
    )


@pytest.fixture(scope="session")
def copy(fresh: FreshStart, workspace: Path) -> Iterator[Callable[[str], Running]]:
    """Starts Bedside on a copy of the prepared folder; stops it at the end if the test hasn't."""
    started: list[Running] = []

    def make(name: str) -> Running:
        data = workspace / name
        shutil.copytree(fresh.data, data, ignore=shutil.ignore_patterns(".s.PGSQL*"))
        started.append(Running(data))
        return started[-1].start()

    yield make
    for running in started:
        if running.process is not None and running.process.poll() is None:
            running.stop()


@pytest.fixture(scope="session")
def running(copy: Callable[[str], Running]) -> Running:
    """A Bedside that is running, for tests that leave it so."""
    return copy("shared")
