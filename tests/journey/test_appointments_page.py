"""The appointments page in a real browser: filter, sort, page, save a view; by mouse and by keyboard, with axe."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.journey import steps
from tests.journey.conftest import House

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journey")]
LIST = "/desk/appointments"


@pytest.fixture
def desk(browser: Browser, house: House) -> Iterator[Page]:
    """The list, signed in; anything that the browser refuses fails the test."""
    context = browser.new_context(base_url=house.url, locale="en-US", reduced_motion="reduce")
    context.set_default_timeout(30_000)
    page = context.new_page()
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if "Content Security Policy" in said.text else None)
    page.on("pageerror", lambda error: refused.append(str(error)))
    steps.sign_in(page, house, "admin")
    page.goto(LIST)
    yield page
    context.close()
    assert refused == []


def is_accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in found] == []


def rows(page: Page) -> list[str]:
    """The addresses of the rows' visits, from the top."""
    links = page.locator("tbody th.table__main a").all()
    return [link.get_attribute("href") or "" for link in links]


def focus(page: Page, selector: str) -> None:
    """By the Tab key alone."""
    for _ in range(250):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} can't be reached with the Tab key")


def press(page: Page, selector: str) -> None:
    focus(page, selector)
    with page.expect_event("load"):
        page.keyboard.press("Enter")


def test_filter_sort_page_and_save_by_mouse(desk: Page) -> None:
    desk.get_by_label("Rows").select_option("25")
    desk.get_by_label("Appointment", exact=True).select_option("completed")
    desk.get_by_role("button", name="Filter").click()
    desk.wait_for_url("**status=completed**")
    is_accessible(desk)
    expect(desk.locator("#rows-box tbody tr").first).to_contain_text("Completed")

    desk.locator("#sort-paid").click()
    desk.wait_for_url("**sort=-paid**")
    expect(desk.locator("th[aria-sort=descending]")).to_contain_text("Amount")
    first = rows(desk)
    desk.locator("#page-next").click()
    desk.wait_for_url("**cursor=**")
    second = rows(desk)
    assert not set(first) & set(second)
    desk.locator("#page-previous").click()
    expect(desk.locator("tbody th.table__main a").first).to_have_attribute("href", first[0])
    assert rows(desk) == first

    desk.get_by_role("link", name="Save this view…").click()
    is_accessible(desk)
    desk.get_by_role("button", name="Save").click()
    expect(desk.locator(".error-summary")).to_be_focused()
    desk.locator("input[name=name]").fill("Done, by price")
    desk.get_by_role("button", name="Save").click()
    desk.wait_for_url("**sort=-paid**")
    views = desk.get_by_role("navigation", name="Saved views")
    expect(views.get_by_role("link", name="Done, by price")).to_have_attribute("aria-current", "true")
    views.get_by_role("link", name="All appointments").click()
    expect(views.get_by_role("link", name="Done, by price")).not_to_have_attribute("aria-current", "true")

    views.get_by_role("link", name="Edit views").click()
    is_accessible(desk)
    desk.get_by_role("link", name=re.compile("^Delete Done, by price")).click()
    is_accessible(desk)
    desk.get_by_role("button", name="Delete it").click()
    expect(desk.get_by_role("link", name="Done, by price")).to_have_count(0)


def test_filter_sort_page_and_save_by_keyboard_alone(desk: Page) -> None:
    focus(desk, "select[name=status]")
    desk.keyboard.type("Completed")
    press(desk, "form.filters button[type=submit]")
    assert "status=completed" in desk.url
    press(desk, "#sort-created")
    assert "sort=-created" in desk.url
    shown = rows(desk)
    press(desk, "#page-next")
    assert not set(shown) & set(rows(desk))
    press(desk, "#page-first")
    assert rows(desk) == shown
    press(desk, "a[href*='views/new']")
    focus(desk, "input[name=name]")
    desk.keyboard.type("Done lately")
    with desk.expect_event("load"):
        desk.keyboard.press("Enter")
    expect(desk.locator(".views a[aria-current=true]")).to_have_text("Done lately")
    press(desk, "a[href$='appointments/views']")
    press(desk, "a[href$='/delete']")
    press(desk, "main form button[type=submit]")
    expect(desk.get_by_role("link", name="Done lately")).to_have_count(0)


def test_the_chart_and_its_table_are_within_reach_of_the_keyboard(desk: Page) -> None:
    focus(desk, "#sold-chart")
    focus(desk, ".chart__bar")
    assert "gross" in (desk.evaluate("document.activeElement.getAttribute('aria-label')") or "")
    focus(desk, "#sold-days summary")
    desk.keyboard.press("Enter")
    expect(desk.locator("#sold-days table")).to_be_visible()
    is_accessible(desk)


def test_an_event_brings_new_rows_and_keeps_the_readers_place(desk: Page, house: House, browser: Browser) -> None:
    desk.goto(f"{LIST}?sort=-created")
    desk.locator("#sold-days summary").click()
    desk.locator("#sort-start").focus()
    before = rows(desk)
    context = browser.new_context(base_url=house.url, timezone_id="America/Chicago", locale="en-US")
    context.set_default_timeout(30_000)
    steps.book(context.new_page())
    context.close()
    expect(desk.locator("tbody th.table__main a").first).not_to_have_attribute("href", before[0], timeout=30_000)
    expect(desk.locator("#sort-start")).to_be_focused()
    expect(desk.locator("#sold-days table")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(browser: Browser, house: House, scheme: str) -> None:
    context = browser.new_context(
        base_url=house.url,
        viewport={"width": 390, "height": 800},
        color_scheme=scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    steps.sign_in(page, house, "admin")
    for path in (LIST, f"{LIST}?period=year&date=payment&sort=-paid", f"{LIST}?from=2026-01-02&to=2026-01-01"):
        page.goto(path)
        is_accessible(page)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{path} scrolls sideways"
    expect(page.get_by_text(re.compile("isn't before the first"))).to_be_visible()
    context.close()
