"""Random histories of money. However the pieces fall, the books balance to the cent in the end.

Each history is made from its seed: ``BEDSIDE_HISTORY=17`` runs that one and prints it. ``BEDSIDE_HISTORIES=5000`` runs
more than those that fit into fifteen seconds, ``BEDSIDE_HISTORIES_FROM=2000`` starts there.
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from bedside.core import clock as house_clock
from bedside.flows import announce
from bedside.payments.processors.sandbox import SandboxProcessor
from bedside.schedule.openings import openings
from tests.conftest import START_OF_TESTS
from tests.factories import make_service
from tests.payments.books_balance import wrongs
from tests.payments.world import CALLS, World

HISTORIES, FIRST = int(os.environ.get("BEDSIDE_HISTORIES", "0")), int(os.environ.get("BEDSIDE_HISTORIES_FROM", "0"))
ONLY = os.environ.get("BEDSIDE_HISTORY", "")
SECONDS, STEPS = 15.0, 24


@pytest.mark.django_db
def test_the_books_balance_whatever_happens(clock: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    offers = make_offers()
    seeds: Iterator[int] = iter([int(ONLY)] if ONLY else range(FIRST, FIRST + (HISTORIES or 100_000)))
    failures: list[str] = []
    began, count, calls, failed = time.perf_counter(), 0, 0, 0
    for seed in seeds:
        if not (HISTORIES or ONLY) and time.perf_counter() - began > SECONDS:
            break
        clock.set(START_OF_TESTS)
        with history(seed, offers, clock, monkeypatch) as world:
            found = lived(world)
            if found or ONLY:
                failures.append(f"BEDSIDE_HISTORY={seed}: {found}") if found else None
                with capsys.disabled():
                    print(f"\nhistory {seed}", *world.log, *found, sep="\n")  # noqa: T201
        assert not failures or HISTORIES, failures
        count, calls, failed = count + 1, calls + world.calls, failed + world.failed_calls
    with capsys.disabled():
        took = time.perf_counter() - began
        print(f"\n{count} histories, {calls} calls of the processor, {failed} of them failing, {took:.0f} s")  # noqa: T201
    assert count >= 1
    assert not failures, failures


def lived(world: World) -> list[str]:
    """A whole history; what is wrong at its end. In a long run an error is one history's, and the others go on."""
    try:
        world.live(STEPS)
        world.settle_down()
    except Exception as error:
        if not HISTORIES:
            raise
        where = traceback.extract_tb(error.__traceback__)[-1]
        return [f"{type(error).__name__} {error} at {where.filename}:{where.lineno}"]
    return list(wrongs())


def make_offers() -> list[tuple[Any, list[Any]]]:
    """Two services, one below what most credits hold, each with some times of the next two days."""
    dear = make_service(price_minor=8500, free_cancellation_hours=1)
    offers = [dear, make_service(dear.providers.get(), price_minor=2000, free_cancellation_hours=24)]
    first = house_clock.now().date() + timedelta(days=1)
    days = {"first": first, "last": first + timedelta(days=1), "timezone": "America/New_York"}
    return [(service, [one.start for one in openings(service=service, **days)][:80:16]) for service in offers]


@contextmanager
def history(seed: int, offers: list[Any], clock: Any, monkeypatch: Any) -> Iterator[World]:
    """A world of its own, and no trace of it afterwards."""
    with transaction.atomic(), monkeypatch.context() as patched:
        world = World(seed, offers, clock)
        for name in CALLS:
            patched.setattr(SandboxProcessor, name, world.around(name, getattr(SandboxProcessor, name)))
        # Messages have tests of their own, and would be a third of the work here.
        for name in ("confirmed", "canceled", "refunded", "credit_issued", "moved", "payment_link", "payment_failed"):
            patched.setattr(announce, name, lambda *_, **__: None)
        yield world
        transaction.set_rollback(True)
