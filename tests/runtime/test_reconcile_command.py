"""``bedside reconcile``: what it says, and how it ends."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from bedside import cli
from bedside.core import clock as house_clock
from bedside.runtime import money_commands
from tests.factories import make_practice
from tests.flows.test_reconcile import charge_at_the_bank


@pytest.mark.django_db
def test_books_that_agree_end_with_0_and_others_with_1(clock: Any) -> None:
    make_practice()
    said: list[str] = []
    assert money_commands.reconcile(None, None, said.append) == 0
    assert "The books agree." in said
    charge_at_the_bank(4200, house_clock.now() - timedelta(days=1))
    assert money_commands.reconcile(date(2026, 11, 30), None, said.append) == 1
    assert any("pi_stranger" in line and "$42.00" in line for line in said)
    assert money_commands.reconcile(date(2026, 12, 1), date(2026, 11, 1), said.append) == 2


@pytest.mark.django_db
def test_without_a_practice_there_is_nothing_to_compare() -> None:
    assert money_commands.reconcile(None, None, lambda line: None) == 0


@pytest.mark.parametrize("days", [["--from", "yesterday"], ["--to", "2026-02-30"]])
def test_what_is_no_day_is_refused(days: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["reconcile", *days])
    assert end.value.code == 2
    assert "is not a day" in capsys.readouterr().err
