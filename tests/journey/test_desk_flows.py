"""What the desk does with one visit, from the phone call to the end: each by mouse, and each by keyboard alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journey.conftest import House
from tests.journey.hands import Hand, Keys, Mouse
from tests.journey.test_working_hours import desk as desk  # a fixture: the desk, signed in
from tests.journey.test_working_hours import is_accessible

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journey")]
ZONE = ZoneInfo("America/New_York")
HANDS = pytest.mark.parametrize("kind", [Mouse, Keys], ids=["mouse", "keyboard"])


def day_with_openings(house: House) -> str:
    """Three weeks ahead, by the practice's days: no other test books there."""
    first = house.forward("1s").astimezone(ZONE).date() + timedelta(days=21)
    asked = {"service": "follow-up", "from": str(first), "to": str(first + timedelta(days=9)), "timezone": ZONE.key}
    with house.client() as client:
        found = client.get("/api/v1/openings", params=asked).raise_for_status().json()["openings"]
    days = [datetime.fromisoformat(one["start"]).astimezone(ZONE).date() for one in found]
    return str(max(set(days), key=days.count))


def take_the_call(page: Page, hand: Hand) -> None:
    """Who calls, their consent, and cash."""
    hand.fill(page.get_by_label("Full name"), "Robin Sample")
    hand.fill(page.get_by_label("Email", exact=True), "robin.phone@example.com")
    hand.fill(page.get_by_label("Mobile number"), "(202) 555-0143")
    hand.press(page.get_by_label("I read this to the patient"))
    hand.press(page.get_by_role("radio", name="Cash"))
    hand.follow(page.get_by_role("button", name="Book", exact=True))
    expect(badge(page)).to_have_text("Paid")


def badge(page: Page) -> Locator:
    return page.locator(".desk__head .badge").first


def button(page: Page, name: str) -> Locator:
    return page.locator("#main").get_by_role("button", name=name)


def way(page: Page, name: str) -> Locator:
    return page.locator("#main").get_by_role("link", name=name)


@HANDS
def test_booked_by_phone_moved_handed_over_refunded_in_part_and_canceled_for_a_credit(
    desk: Page, house: House, kind: type[Mouse] | type[Keys]
) -> None:
    hand: Hand = kind(desk)
    desk.goto(f"/desk/appointments/new?service=follow-up&day={day_with_openings(house)}")
    is_accessible(desk)
    hand.press(desk.locator("input[name=start]").first)
    take_the_call(desk, hand)
    is_accessible(desk)

    hand.follow(way(desk, "Reschedule…"))
    is_accessible(desk)
    hand.follow(desk.locator("#main ul a.btn").nth(3))
    expect(desk.get_by_role("heading", name="Move Robin Sample's visit?")).to_be_visible()
    is_accessible(desk)
    hand.follow(button(desk, "Move the visit"))
    expect(badge(desk)).to_have_text("Paid")
    expect(desk.get_by_text("Moved · Sam Ortega")).to_be_visible()

    hand.follow(way(desk, "Change provider…"))
    is_accessible(desk)
    hand.press(desk.locator("input[name=provider]").first)
    hand.fill(desk.get_by_role("textbox", name="Reason"), "Asked for by the patient")
    hand.follow(button(desk, "See what it will do"))
    is_accessible(desk)
    hand.follow(desk.locator("button[name=confirm]"))
    expect(desk.get_by_text("Provider changed · Sam Ortega")).to_be_visible()

    hand.follow(way(desk, "Refund…"))
    hand.fill(desk.get_by_role("textbox", name="Amount"), "10")
    hand.fill(desk.get_by_role("textbox", name="Reason"), "Waited on the phone")
    is_accessible(desk)
    hand.follow(button(desk, "See what it will do"))
    is_accessible(desk)
    hand.follow(button(desk, "Refund $10.00"))
    expect(desk.get_by_text("“Waited on the phone”").first).to_be_visible()
    expect(desk.locator("#main")).to_contain_text("$10.00")

    hand.follow(way(desk, "Cancel the visit…"))
    is_accessible(desk)
    hand.press(desk.get_by_role("radio", name="A credit of"))
    hand.fill(desk.get_by_role("textbox", name="Reason"), "Comes back in spring")
    hand.follow(button(desk, "See what it will do"))
    is_accessible(desk)
    expect(desk.locator("#main")).to_contain_text("The patient gets a credit of")
    hand.follow(desk.locator("button[name=confirm]"))
    expect(badge(desk)).to_have_text("Canceled")
    expect(desk.locator("#main")).to_contain_text("Turned into credit")
    is_accessible(desk)


@HANDS
def test_a_visit_outside_the_hours_is_completed_taken_back_and_missed(
    desk: Page, house: House, kind: type[Mouse] | type[Keys]
) -> None:
    """Its time is a quarter of an hour away, and the clock is moved by little more than that."""
    hand: Hand = kind(desk)
    now = house.forward("1s").astimezone(ZONE)
    start = now.replace(minute=0, second=0, microsecond=0) + timedelta(minutes=5 * (now.minute // 5) + 15)
    desk.goto(f"/desk/appointments/new?service=follow-up&day={start:%Y-%m-%d}")
    hand.press(desk.get_by_text("Another time, although it isn't offered"))
    hand.set_time(desk.get_by_label("Another time", exact=True), start)
    doctors = desk.get_by_label("With", exact=True)
    hand.choose(doctors, doctors.locator("option").all_inner_texts()[-1])
    hand.fill(desk.get_by_label("Why this time"), "The doctor agreed")
    take_the_call(desk, hand)
    expect(desk.get_by_text("“The doctor agreed”")).to_be_visible()

    house.forward("20m")
    desk.reload()
    hand.follow(button(desk, "Completed"))
    expect(badge(desk)).to_have_text("Completed")
    hand.follow(button(desk, "Undo"))
    expect(badge(desk)).to_have_text("Paid")

    house.forward("40m")
    desk.reload()
    hand.follow(way(desk, "No-show…"))
    is_accessible(desk)
    hand.press(desk.get_by_role("radio", name="Nothing"))
    hand.fill(desk.get_by_role("textbox", name="Reason"), "Didn't answer the phone either")
    hand.follow(button(desk, "Mark as missed"))
    expect(badge(desk)).to_have_text("No-show")
    is_accessible(desk)
