"""A patient turns back, or writes while the page changes: nothing typed is lost, and no form is sent a second time."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.journey import steps
from tests.journey.conftest import House
from tests.journey.test_working_hours import desk as desk  # a fixture: the desk, signed in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journey")]


def test_back_from_paying_after_a_mistake_finds_the_form_filled_in(page: Page) -> None:
    steps.choose_time(page)
    page.get_by_role("button", name="Continue to payment").click()
    expect(page.get_by_text("4 things need your attention")).to_be_visible()
    email = steps.fill_details(page)
    steps.go_to_payment(page)
    page.go_back()
    expect(page.get_by_role("heading", name="Your details")).to_be_visible()
    expect(page.get_by_label("Email")).to_have_value(email)


def test_what_is_being_typed_and_what_was_said_outlive_a_refresh(page: Page) -> None:
    steps.book(page)
    expect(page.locator("#join-url")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Send them again").click()
    expect(page.locator("#sent-note")).to_contain_text("On its way again")
    # The note takes the focus a moment after it came.
    expect(page.locator("[data-takes-focus]")).to_have_count(0)
    guest = page.locator("#guest-label")
    guest.press_sequentially("my daughter", delay=100)
    expect(guest).to_be_focused()
    page.get_by_role("heading", name="You're booked").click()
    page.evaluate("document.getElementById('visit').dispatchEvent(new CustomEvent('live'))")
    expect(page.locator("#sent .badge").first).to_contain_text("Delivered", timeout=30_000)
    expect(guest).to_have_value("my daughter")
    expect(page.locator("#sent-note")).to_contain_text("On its way again")


def test_back_after_canceling_at_the_desk_finds_what_is_true_now(desk: Page, house: House) -> None:
    steps.coming_visits(house, 1)
    desk.goto("/desk/appointments?status=paid")
    desk.locator("tbody th a").first.click()
    desk.get_by_role("link", name="Cancel the visit").click()
    desk.get_by_label("Reason").fill("Asked for on the phone")
    desk.get_by_role("button", name="See what it will do").click()
    desk.locator("button[name=confirm]").click()
    expect(desk.get_by_text("Canceled").first).to_be_visible()
    desk.go_back()
    expect(desk.get_by_role("heading", level=1)).to_be_visible()
    expect(desk.locator("button[name=confirm]")).to_have_count(0)
