"""Two people edit one provider's hours at once: one is first, the other is told; and no visit slips in between."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import time

import pytest
from django.db import connection

from bedside.core.audit import Actor
from bedside.flows import availability
from bedside.schedule import rebuild
from bedside.schedule.errors import ChangedMeanwhile
from bedside.schedule.models import WeeklyRule
from bedside.schedule.rules import Rule
from tests.factories import make_provider

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*works: Callable[[], str]) -> list[str]:
    start, results = threading.Barrier(len(works)), []

    def run(work: Callable[[], str]) -> None:
        try:
            start.wait()
            results.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(results)


def test_of_two_edits_of_the_same_hours_one_is_kept_whole() -> None:
    provider = make_provider()
    rebuild.rebuild_windows(provider)

    def edit(hour: int) -> Callable[[], str]:
        def work() -> str:
            rules = [Rule(day, time(hour), time(18)) for day in range(7)]
            try:
                availability.set_weekly_hours(provider_id=provider.pk, rules=rules, actor=Actor("admin", 1), version=0)
            except ChangedMeanwhile:
                return "told"
            return "kept"

        return work

    assert at_once(*(edit(hour) for hour in (8, 10, 12, 14))) == ["kept", "told", "told", "told"]
    assert WeeklyRule.objects.filter(provider=provider).values("start_time").distinct().count() == 1
    assert rebuild.verify_windows() == []
