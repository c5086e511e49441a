"""What every benchmark shares: a throwaway database, a practice in it, and figures worth printing.

A benchmark starts with ``with throwaway_bedside(): ...`` and imports Bedside's models inside: Django is ready then.
"""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Quicker to fill. A benchmark that writes asks for ``durable=True`` instead: its figures would be too good.
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@contextmanager
def throwaway_bedside(*, durable: bool = False) -> Iterator[None]:
    """A PostgreSQL of its own with Bedside's empty tables, and Django set up on it; all gone afterwards."""
    from bedside.runtime.cluster import Cluster
    from bedside.runtime.secrets import ensure_secrets

    data = Path(tempfile.mkdtemp(prefix="bedside-bench-"))
    cluster = Cluster(data, {} if durable else QUICK)
    try:
        os.environ |= {
            "DATABASE_URL": cluster.start(),
            "BEDSIDE_DATA": str(data),
            "BEDSIDE_SECRETS": str(ensure_secrets(data)),
            "BEDSIDE_PUBLIC_URL": "http://127.0.0.1:8000",
            "BEDSIDE_LOG_FORMAT": "text",
            "DJANGO_SETTINGS_MODULE": "tests.settings",
        }
        _set_django_up()
        yield
    finally:
        cluster.stop(10.0)
        shutil.rmtree(data, ignore_errors=True)


def _set_django_up() -> None:
    import logging

    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    # As many requests as it takes, and no line of log for each: the benchmark measures the answer.
    settings.RATE_LIMITS = {}
    logging.disable(logging.WARNING)
    call_command("migrate", verbosity=0)


def resident_mb() -> float:
    """The memory that this process holds at the moment."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return int(fields["VmRSS"].split()[0]) / 1024


def work_done() -> float:
    """Seconds of processor time that this process and its PostgreSQL connection have spent so far.

    What a call takes on a machine with nothing else to do; the wall clock also counts what others make it wait.
    """
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    fields = Path(f"/proc/{backend}/stat").read_text().rsplit(")", 1)[1].split()
    return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure_work(name: str, function: Callable[[], Any], times: int = 50) -> float:
    """Print the milliseconds of processor time of one call, PostgreSQL's included."""
    function()
    before = work_done()
    for _ in range(times):
        function()
    spent = (work_done() - before) / times * 1000
    print(f"{name:<58} work {spent:7.2f} ms (processor time, PostgreSQL's included)")
    return spent


@dataclass(frozen=True)
class Figure:
    """How long something took, in milliseconds; ``cpu`` is this process's own work, whatever else runs."""

    name: str
    p50: float
    p95: float
    cpu: float
    result: Any = None

    def __str__(self) -> str:
        return f"{self.name:<58} p50 {self.p50:8.2f} ms   p95 {self.p95:8.2f} ms   cpu {self.cpu:7.2f} ms"


def measure(name: str, function: Callable[[], Any], times: int = 50, warm_up: int = 3) -> Figure:
    """Run ``function`` so many times, one after the other, and print its figure. The last result is kept."""
    for _ in range(warm_up):
        result = function()
    taken, worked = [], []
    for _ in range(times):
        began, work_began = time.perf_counter(), time.process_time()
        result = function()
        worked.append((time.process_time() - work_began) * 1000)
        taken.append((time.perf_counter() - began) * 1000)
    cuts = statistics.quantiles(taken, n=20, method="inclusive")
    figure = Figure(name, statistics.median(taken), cuts[18], statistics.median(worked), result)
    print(figure)
    return figure


@contextmanager
def served(*, worker: bool = True) -> Iterator[int]:
    """One web process, and the worker, on the throwaway database; the port that answers. Ended by their own pids."""
    import socket
    import subprocess
    import sys

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "bedside.config.settings",
        "BEDSIDE_PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    commands = [["serve", "--port", str(port)], *([["worker", "--alone"]] if worker else [])]
    collect = [sys.executable, "-m", "bedside.runtime.prepare", "--static"]
    subprocess.run(collect, env=environment, check=True)
    running = [
        subprocess.Popen([sys.executable, "-m", "bedside", *command], env=environment, stderr=subprocess.DEVNULL)
        for command in commands
    ]
    try:
        _await(port)
        yield port
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(timeout=20)


def _await(port: int, seconds: float = 60) -> None:
    import http.client

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise RuntimeError("The pages don't answer.")
