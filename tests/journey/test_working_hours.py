"""Working hours edited in a real browser by keyboard alone: no press of a mouse from the desk's first page on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.journey import steps
from tests.journey.conftest import House

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journey")]

FOCUSED = """() => {
  const at = document.activeElement;
  const label = at.labels && at.labels.length ? at.labels[0].textContent : at.textContent;
  return (at.getAttribute('aria-label') || label || '').replace(/\\s+/g, ' ').trim();
}"""


@pytest.fixture
def desk(browser: Browser, house: House) -> Iterator[Page]:
    """The desk's first page, signed in; anything the browser refuses fails the test."""
    context = browser.new_context(base_url=house.url, locale="en-US", reduced_motion="reduce")
    context.set_default_timeout(30_000)
    page = context.new_page()
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if "Content Security Policy" in said.text else None)
    page.on("pageerror", lambda error: refused.append(str(error)))
    steps.sign_in(page, house, "admin")
    yield page
    context.close()
    assert refused == []


def go_to(page: Page, label: str) -> None:
    """Press Tab until what has the focus is called so."""
    for _ in range(400):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED).startswith(label):
            return
    raise AssertionError(f"{label} can't be reached with the Tab key")


def press(page: Page, label: str) -> None:
    """Go there and press Enter; wait for the page that comes."""
    go_to(page, label)
    with page.expect_event("load"):
        page.keyboard.press("Enter")


def write(page: Page, text: str) -> None:
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


def is_accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in found] == []


def fits(page: Page) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} scrolls sideways"


def test_weekly_hours_time_off_and_a_single_day_by_keyboard_alone(desk: Page, house: House) -> None:
    press(desk, "People")
    is_accessible(desk)
    press(desk, "Working hours")
    overview = desk.url
    is_accessible(desk)
    press(desk, "Edit Weekly hours")
    is_accessible(desk)

    go_to(desk, "Monday, hours 1")
    write(desk, "nine to five")
    with desk.expect_event("load"):
        desk.keyboard.press("Enter")
    expect(desk.locator(".error-summary")).to_be_focused()
    is_accessible(desk)
    go_to(desk, "Monday, hours 1")
    write(desk, "10:00-12:30")
    press(desk, "Add hours on Monday")
    assert desk.evaluate(FOCUSED).startswith("Monday, hours"), "A new row takes the focus"
    write(desk, "9 pm - 10 pm")
    with desk.expect_event("load"):
        desk.keyboard.press("Enter")
    expect(desk.get_by_text("Nothing is saved yet.")).to_be_visible()
    is_accessible(desk)
    press(desk, "Save")
    desk.wait_for_url(overview)
    expect(desk.locator("#main")).to_contain_text("10:00–12:30")
    expect(desk.locator("#main")).to_contain_text("21:00–22:00")

    first = datetime.now(UTC) + timedelta(days=20)  # noqa: TID251 - a date typed by a person
    press(desk, "Add time off")
    is_accessible(desk)
    go_to(desk, "First day")
    desk.keyboard.type(f"{first:%m%d%Y}")
    go_to(desk, "Reason")
    desk.keyboard.type("Moving house")
    press(desk, "Look at the change")
    press(desk, "Save")
    desk.wait_for_url(overview)
    expect(desk.locator("#main")).to_contain_text("Moving house")

    press(desk, "Change one day")
    is_accessible(desk)
    go_to(desk, "Day")
    desk.keyboard.type(f"{first + timedelta(days=1):%m%d%Y}")
    go_to(desk, "Hours on that day")
    desk.keyboard.type("6-6:30")
    with desk.expect_event("load"):
        desk.keyboard.press("Enter")
    is_accessible(desk)
    press(desk, "Save")
    desk.wait_for_url(overview)
    expect(desk.locator("#main")).to_contain_text("6:00–6:30")
    press(desk, "Remove time off")
    press(desk, "Save")
    desk.wait_for_url(overview)
    expect(desk.get_by_text("Moving house")).to_have_count(0)


def test_the_pages_fit_a_phone_and_the_dark(browser: Browser, house: House) -> None:
    context = browser.new_context(
        base_url=house.url, viewport={"width": 390, "height": 800}, color_scheme="dark", reduced_motion="reduce"
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    steps.sign_in(page, house, "admin")
    page.goto("/desk/people")
    overview = page.locator("td a", has_text="Working hours").first.get_attribute("href")
    for path in ("/desk/people", "/desk/holidays", f"{overview}", f"{overview}/hours/1", f"{overview}/time-off"):
        page.goto(path)
        is_accessible(page)
        fits(page)
    context.close()
