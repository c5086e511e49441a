"""Reminders as a patient gets them: both, on both channels, and none once the visit is canceled.

It moves the clock of the session's house by days, so it stands last among the journeys.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.journey import steps
from tests.journey.conftest import House
from tests.journey.steps import eventually

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journey")]
ZONE = ZoneInfo("America/Chicago")
# A busy machine takes its time.
PATIENCE = 90.0


def two_times(house: House) -> tuple[datetime, datetime]:
    """Two openings of one day, some days ahead, in the middle of the patient's day: no quiet hours are near.

    So far apart that neither visit stands in the other's way.
    """
    first = house.forward("1s").astimezone(ZONE).date() + timedelta(days=3)
    asked = {"service": "follow-up", "from": first, "to": first + timedelta(days=11), "timezone": ZONE.key}
    with house.client() as client:
        found = client.get("/api/v1/openings", params={name: str(value) for name, value in asked.items()}).json()
    starts = sorted({datetime.fromisoformat(one["start"]) for one in found["openings"]})
    daily: dict[object, list[datetime]] = {}
    for start in starts:
        if 11 <= start.astimezone(ZONE).hour < 17:
            daily.setdefault(start.astimezone(ZONE).date(), []).append(start)
    apart = timedelta(hours=2)
    return next((times[0], times[-1]) for times in daily.values() if times[-1] - times[0] >= apart)


def book_at(page: Page, start: datetime) -> tuple[str, str, str]:
    """Book and pay in the browser; the patient's email address, the visit's page and its video link."""
    page.goto("/book/follow-up")
    page.goto(f"/book/follow-up?day={start.astimezone(ZONE).date()}")
    buttons = page.locator("#times li button")
    buttons.first.wait_for()
    values = buttons.evaluate_all("all => all.map(one => one.value)")
    buttons.nth([datetime.fromisoformat(value) for value in values].index(start)).click()
    email = steps.fill_details(page)
    steps.go_to_payment(page)
    steps.pay(page)
    expect(page.get_by_role("heading", name="You're booked")).to_be_visible(timeout=60_000)
    expect(page.locator("#join-url")).to_be_visible(timeout=60_000)
    return email, page.url.split("?")[0], page.locator("#join-url").inner_text()


def reminders(house: House, email: str, link: str) -> tuple[int, int]:
    """How many came by email, and how many by text: all patients have one number, the link tells them apart."""
    texts = house.messages(kind="reminder", channel="sms")
    mine = [text for text in texts if text["audience"] == "patient" and link in text["body"]]
    return len(house.messages(to=email, kind="reminder")), len(mine)


def forward_to(house: House, instant: datetime) -> None:
    now = house.forward("1s")
    house.forward(f"{int((instant - now).total_seconds())}s")


def test_both_reminders_arrive_and_nothing_more_after_a_cancellation(page: Page, house: House) -> None:
    earlier, later = two_times(house)
    off_email, off_page, off_link = book_at(page, earlier)
    email, _address, link = book_at(page, later)

    def confirmed() -> set[str]:
        return {m["channel"] for m in house.messages(kind="confirmation") if link in m["body"]}

    eventually(lambda: confirmed() == {"email", "sms"}, PATIENCE)
    assert reminders(house, email, link) == (0, 0)

    # The day before.
    forward_to(house, later - timedelta(hours=24) + timedelta(minutes=5))
    eventually(lambda: reminders(house, email, link) == (1, 1), PATIENCE)
    eventually(lambda: reminders(house, off_email, off_link) == (1, 1), PATIENCE)
    page.goto("/sandbox/inbox")
    expect(page.get_by_text("coming up").first).to_be_visible()

    page.goto(off_page)
    page.get_by_role("link", name="Cancel this visit").click()
    page.get_by_role("button", name=re.compile("Cancel")).last.click()
    expect(page.get_by_role("heading", name=re.compile("canceled", re.IGNORECASE))).to_be_visible()
    eventually(lambda: bool(house.messages(to=off_email, kind="canceled")), PATIENCE)

    # Shortly before both: the canceled one's would have come before the other's.
    forward_to(house, later - timedelta(minutes=50))
    eventually(lambda: reminders(house, email, link) == (2, 2), PATIENCE)
    assert reminders(house, off_email, off_link) == (1, 1)
    # And on: nothing comes twice, nothing comes late.
    house.forward("25h")
    kinds = [m["kind"] for m in house.messages(to=off_email)]
    assert kinds.count("canceled") == 1
    assert "confirmation" not in kinds[kinds.index("canceled") :]
    assert reminders(house, off_email, off_link) == (1, 1)
    assert reminders(house, email, link) == (2, 2)
