"""Bulk runs in a real browser: by mouse to the end, by keyboard alone, on a phone in the dark; exports and words."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.journey import steps
from tests.journey.conftest import House
from tests.journey.test_working_hours import desk as desk  # a fixture: the desk, signed in
from tests.journey.test_working_hours import fits, go_to, is_accessible, press

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journey")]
COMING = "/desk/appointments?status=paid"


def tick(page: Page, nth: int) -> None:
    box = page.locator("[data-bulk-tick]").nth(nth)
    box.check()
    expect(box).to_be_checked()


def is_finished(page: Page) -> None:
    """The page follows by itself: nobody reloads it."""
    expect(page.locator("#bulk-run .badge").first).to_have_text("Finished", timeout=60_000)


def test_confirmations_are_sent_again_by_mouse(desk: Page, house: House) -> None:
    steps.coming_visits(house, 2)
    desk.goto(COMING)
    tick(desk, 0)
    expect(desk.locator("[data-bulk-said]")).to_have_text("1 chosen")
    tick(desk, 1)
    expect(desk.locator("[data-bulk-said]")).to_have_text("2 chosen")
    # What others do meanwhile takes no tick away.
    with desk.expect_response(lambda answer: "/desk/appointments" in answer.url):
        desk.locator("#appointments").dispatch_event("live")
    expect(desk.locator("[data-bulk-tick]:checked")).to_have_count(2)
    expect(desk.locator("[data-bulk-said]")).to_have_text("2 chosen")
    is_accessible(desk)

    desk.get_by_role("button", name="Send confirmations again").click()
    expect(desk.get_by_role("heading", name="Send the confirmations again?")).to_be_visible()
    expect(desk.locator(".bulk__count")).to_have_text("2 appointments are chosen.")
    is_accessible(desk)
    desk.get_by_role("button", name="Send again").click()
    desk.wait_for_url(re.compile(r"/desk/bulk/\d+$"))
    is_finished(desk)
    expect(desk.locator("#bulk-progress")).to_have_attribute("value", "2")
    expect(desk.locator("tbody tr")).to_have_count(2)
    is_accessible(desk)


def test_all_that_match_by_keyboard_alone(desk: Page) -> None:
    desk.goto("/desk/appointments?status=canceled")
    count = desk.locator("[data-bulk-tick]").count()
    assert count, "The demo practice has canceled visits"
    go_to(desk, "This page")
    desk.keyboard.press("Space")
    expect(desk.locator("[data-bulk-tick]:checked")).to_have_count(count)
    go_to(desk, "All that match")
    desk.keyboard.press("Space")
    expect(desk.locator("[data-bulk-said]")).to_have_text("All chosen")
    press(desk, "Export chosen")
    expect(desk.get_by_role("heading", name="Export these appointments?")).to_be_visible()
    expect(desk.locator(".kept")).to_contain_text("Appointment: Canceled")
    with desk.expect_event("load"):
        desk.keyboard.press("Enter")  # the button has the focus
    expect(desk.get_by_text("appointments are in this choice.")).to_be_visible()
    go_to(desk, "Without personal values")
    with desk.expect_download() as download:
        desk.keyboard.press("Enter")
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(), newline="")))
    assert len(rows) >= count
    assert {row["status"] for row in rows} == {"canceled"}
    assert {row["patient_name"] for row in rows} == {"[redacted]"}


def test_an_export_by_keyboard_and_its_words(desk: Page) -> None:
    desk.goto("/desk/")
    press(desk, "Exports")
    is_accessible(desk)
    go_to(desk, "Download")
    with desk.expect_download() as download:
        desk.keyboard.press("Enter")
    assert Path(download.value.path()).read_text().startswith("code,patient_name,")
    # The list of exports hears of it by itself.
    expect(desk.locator("#exported tbody tr").first).to_contain_text("Complete")
    is_accessible(desk)
    press(desk, "Data dictionary")
    is_accessible(desk)
    expect(desk.get_by_text("What was received by the latest payment.")).to_be_visible()


def test_the_pages_fit_a_phone_and_the_dark(browser: Browser, house: House) -> None:
    context = browser.new_context(
        base_url=house.url, viewport={"width": 390, "height": 800}, color_scheme="dark", reduced_motion="reduce"
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    steps.sign_in(page, house, "admin")
    page.goto(COMING)
    tick(page, 0)
    page.get_by_role("button", name="Export chosen").click()
    page.get_by_role("button", name="Keep this choice").click()
    page.wait_for_url(re.compile(r"/desk/bulk/\d+$"))
    run = page.url
    for path in ("/desk/exports", "/desk/data-dictionary", "/desk/bulk", run, COMING):
        page.goto(path)
        assert Axe().run(page).response["violations"] == [], path
        fits(page)
    context.close()
