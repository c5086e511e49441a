"""Starts a throwaway PostgreSQL for each process that runs tests, before pytest-django reads the settings.

Named in pyproject's addopts (``-p tests.postgres_plugin``): a conftest would be read too late. The workers of
pytest-xdist have a server each: transaction ids belong to a server, so on a common one an open transaction of one
worker's tests would hold back the events that another's wait for (see core.events).
``BEDSIDE_TEST_DATABASE_URL`` uses a server of yours instead.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bedside.runtime.cluster import Cluster
from bedside.runtime.processes import is_alive
from bedside.runtime.secrets import ensure_secrets

PREFIX = "bedside-tests-"
# Speed over safety: nothing here is worth keeping. The kernel stops the server if pytest is killed.
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

_cluster: Cluster | None = None
_data: Path | None = None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: Any, parser: Any, args: list[str]) -> Iterator[None]:
    if _cluster is None:
        # With -n the controller runs no test: it needs settings that can be read, and no server.
        distributes = getattr(early_config.known_args_namespace, "numprocesses", None)
        _start(serving="PYTEST_XDIST_WORKER" in os.environ or not distributes)
    return (yield)


def pytest_unconfigure(config: pytest.Config) -> None:
    global _cluster, _data
    if _cluster is not None:
        _cluster.stop(10.0)
    if _data is not None:
        shutil.rmtree(_data, ignore_errors=True)
    _cluster = _data = None


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What ./test ran before pytest, told again where it is seen."""
    checks = os.environ.get("BEDSIDE_CHECKS", "").strip()
    if checks:
        terminalreporter.section("other checks")
        terminalreporter.write_line(checks)


def _start(*, serving: bool) -> None:
    global _cluster, _data
    _sweep()
    _data = data = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    url = os.environ.get("BEDSIDE_TEST_DATABASE_URL")
    if url is None:
        cluster = Cluster(data, QUICK)
        url = cluster.url
        if serving:
            _cluster = cluster
            cluster.start()
    os.environ |= {
        "DATABASE_URL": url,
        "BEDSIDE_DATA": str(data),
        "BEDSIDE_SECRETS": str(ensure_secrets(data)),
        "BEDSIDE_PUBLIC_URL": "http://127.0.0.1:8000",
        "BEDSIDE_LOG_FORMAT": "text",
    }


def _sweep() -> None:
    """Remove what killed test runs left behind."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = left.name.removeprefix(PREFIX).split("-", 1)[0]
        if owner.isdigit() and not is_alive(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
