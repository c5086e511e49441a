"""Fixtures for every test: a clock that stands still until it is moved, and a practice with people in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings

from bedside.core import clock as house_clock

# A property that holds is no less true on a machine that is busy.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

# A Tuesday, 10:00 in New York, with no clock change near.
START_OF_TESTS = datetime(2026, 12, 1, 15, 0, tzinfo=UTC)


class TestClock:
    """Stands still; ``set`` and ``forward`` move it, for every thread."""

    __test__ = False

    def __init__(self) -> None:
        self.present = START_OF_TESTS

    def set(self, instant: datetime) -> None:
        self.present = instant

    def forward(self, delta: timedelta) -> datetime:
        self.present += delta
        return self.present

    def now(self) -> datetime:
        return self.present


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> TestClock:
    test_clock = TestClock()
    monkeypatch.setattr(house_clock, "now", test_clock.now)
    monkeypatch.setattr(house_clock, "refresh", lambda: None)
    return test_clock


@pytest.fixture(autouse=True)
def standings_at_once(request: pytest.FixtureRequest) -> None:
    """What the desk's figures are kept by runs at commit: in a test's one transaction, which never commits, at once."""
    if "db" not in request.fixturenames and not request.node.get_closest_marker("django_db"):
        return
    request.getfixturevalue("_django_db_helper")
    from django.db import connection

    from bedside.reports.standing_sql import AT_ONCE

    if connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute(AT_ONCE)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: object) -> None:
    """Tests with real transactions empty the tables afterwards: the guard against that is off for them only."""
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute(
            "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE 'pgtrigger_no_truncate%'"
        )
        for trigger, table in cursor.fetchall():
            cursor.execute(f'DROP TRIGGER "{trigger}" ON {table}')
