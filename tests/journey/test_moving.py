"""A patient moves a visit in a real browser: the new time stands everywhere, and can be canceled like any other."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journey import steps
from tests.journey.conftest import House
from tests.journey.steps import eventually

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journey")]


def violations(page: Page) -> list[str]:
    return [violation["id"] for violation in Axe().run(page).response["violations"]]


def test_a_patient_books_pays_moves_sees_the_new_time_and_cancels(page: Page, house: House) -> None:
    steps.choose_day(page, "follow-up", -2)
    page.locator("#times li button").first.click()
    email = steps.fill_details(page)
    steps.go_to_payment(page)
    steps.pay(page)
    expect(page.get_by_role("heading", name="You're booked")).to_be_visible(timeout=30_000)
    expect(page.locator("#join-url")).to_be_visible(timeout=30_000)
    before = page.locator(".visit__when").inner_text()
    address = page.url.split("?")[0]

    page.get_by_role("link", name="Move this visit").click()
    expect(page.get_by_role("heading", name="Move your visit")).to_be_visible()
    expect(page.locator(".choose__summary s")).to_contain_text(before)
    assert violations(page) == []
    # A day so far ahead that the new time, too, can be canceled for free.
    day = page.locator("td:not(.is-outside) a").last
    label = day.get_attribute("id")
    day.click()
    expect(page.locator(f"#{label}")).to_have_attribute("aria-current", "date")
    time = page.locator("#times li button").last
    said = time.inner_text().splitlines()[0]
    time.click()
    expect(page.get_by_role("heading", name="Move to this time?")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Move my visit").click()

    expect(page.get_by_role("heading", name="You're booked")).to_be_visible()
    assert page.url.split("?")[0] == address
    expect(page.locator(".visit__when")).to_contain_text(said)
    expect(page.get_by_text("Moved from", exact=True)).to_be_visible()
    expect(page.locator("#join-url")).to_be_visible(timeout=30_000)
    eventually(lambda: {m["channel"] for m in house.messages(to=email, kind="rescheduled")} >= {"email"})
    token = address.split("/visits/")[1]
    booked = house.client().get(f"/api/v1/bookings/{token}").json()
    assert (booked["status"], booked["move"]["moves_left"]) == ("paid", 2)

    page.get_by_role("link", name="Cancel this visit").click()
    page.get_by_role("button", name=re.compile("Cancel")).last.click()
    expect(page.get_by_role("heading", name=re.compile("canceled", re.IGNORECASE))).to_be_visible()
    eventually(lambda: {"canceled", "refunded"} <= {m["kind"] for m in house.messages(to=email)})
