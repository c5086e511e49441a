"""Dates on pages: without the year where it is plain, with it where it isn't."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bedside.web.templatetags.when import when

NEAR, LAST_YEAR = datetime(2026, 12, 3, 19, 30, tzinfo=UTC), datetime(2025, 12, 1, 19, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "style", "said"),
    [
        (NEAR, "full", "Thursday, December 3 at 2:30 PM Eastern (New York)"),
        (NEAR, "short", "Thu Dec 3, 2:30 PM ET"),
        (LAST_YEAR, "full", "Monday, December 1, 2025, 2:30 PM Eastern (New York)"),
        (LAST_YEAR, "short", "Mon, Dec 1, 2025, 2:30 PM ET"),
        (LAST_YEAR, "soon", "Mon, Dec 1, 2025, 2:30 PM"),
        (LAST_YEAR, "day", "Monday, December 1, 2025"),
    ],
)
def test_a_day_far_from_now_is_said_with_its_year(at: datetime, style: str, said: str) -> None:
    assert f">{said}</time>" in when(at, "America/New_York", style).replace("\u202f", " ")
