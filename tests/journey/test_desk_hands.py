"""The desk by hand: the palette and the keys, two desks side by side, what somebody types, and no event stream."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.journey import steps
from tests.journey.conftest import House
from tests.journey.test_accessible import violations

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journey")]


@pytest.fixture
def desk(browser: Browser, house: House) -> Iterator[BrowserContext]:
    """A browser in which the front desk is signed in."""
    made = browser.new_context(base_url=house.url, viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    made.set_default_timeout(20_000)
    expect.set_options(timeout=20_000)
    page = made.new_page()
    steps.sign_in(page, house, "admin")
    page.close()
    yield made
    made.close()


def opened(desk: BrowserContext, path: str) -> Page:
    """A page at ``path``, its scripts ready."""
    page = desk.new_page()
    page.goto(path)
    expect(page.locator(".shortcuts__off")).to_have_js_property("hidden", False)
    return page


def options_of(page: Page) -> Locator:
    return page.locator("#palette").get_by_role("option")


def ask(page: Page, text: str) -> None:
    """Type into the palette, and wait until its first answer says it."""
    page.get_by_role("combobox", name="A patient, a code, a page").fill(text)


def test_the_palette_goes_to_a_page_by_keyboard_alone(desk: BrowserContext) -> None:
    page = opened(desk, "/desk/")
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="A patient, a code, a page")
    expect(box).to_be_focused()
    expect(options_of(page).first).to_have_attribute("aria-selected", "true")
    assert violations(page) == []
    page.keyboard.type("reconc")
    expect(options_of(page)).to_have_count(1)
    active = box.get_attribute("aria-activedescendant")
    expect(page.locator(f"#{active}")).to_contain_text("Reconciliation")
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/sales/reconciliation")


def test_the_arrows_go_through_the_options_and_around(desk: BrowserContext) -> None:
    page = opened(desk, "/desk/")
    page.get_by_role("link", name="Go to").click()
    options = options_of(page)
    expect(options.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).not_to_have_attribute("open", "")
    expect(page.get_by_role("link", name="Go to")).to_be_focused()


def test_enter_before_the_answer_opens_what_is_meant(desk: BrowserContext) -> None:
    page = opened(desk, "/desk/")
    page.keyboard.press("Control+k")
    page.keyboard.type("waitl")
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/waitlist")


def test_the_palette_jumps_to_a_patient_and_to_a_visit(desk: BrowserContext) -> None:
    page = opened(desk, "/desk/appointments")
    link = page.locator(".table__main a").first
    name, code = link.inner_text(), (link.get_attribute("href") or "").rsplit("/", 1)[1]
    page.keyboard.press("Control+k")
    ask(page, name)
    expect(page.get_by_role("group", name="Patients")).to_contain_text("•••")
    assert violations(page) == []
    ask(page, code)
    expect(options_of(page).first).to_contain_text(code)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/appointments/{code}")


def test_keys_go_to_pages_and_through_lists(desk: BrowserContext) -> None:
    page = opened(desk, "/desk/")
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url("**/desk/appointments")
    expect(page.locator(".shortcuts__off")).to_have_js_property("hidden", False)
    rows = page.locator(".table__main a")
    page.keyboard.press("j")
    expect(rows.first).to_be_focused()
    page.keyboard.press("j")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(rows.first).to_be_focused()
    address = rows.first.get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{address}")


def test_no_key_fires_while_somebody_types(desk: BrowserContext) -> None:
    page = opened(desk, "/desk/")
    page.keyboard.press("/")
    search = page.get_by_label("Search by name, email, mobile or code")
    expect(search).to_be_focused()
    page.keyboard.type("gaj?n/")
    expect(search).to_have_value("gaj?n/")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).not_to_have_attribute("open", "")
    expect(page.locator("#shortcuts")).not_to_have_attribute("open", "")
    assert page.url.endswith("/desk/")


def test_the_keys_are_told_and_can_be_switched_off(desk: BrowserContext) -> None:
    page = opened(desk, "/desk/")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    assert violations(page) == []
    dialog.get_by_label("Single keys work on this device").uncheck()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("/")
    expect(page.get_by_label("Search by name, email, mobile or code")).not_to_be_focused()


_people = itertools.count(1)


def somebody() -> str:
    return f"Jo Elsewhere {next(_people)}"


def book_elsewhere(house: House, name: str) -> None:
    """Through the API, as another program would."""
    n = next(_people)
    first = house.forward("1s").date() + timedelta(days=7)
    with house.client() as client:
        services = client.get("/api/v1/services").json()["services"]
        service = next(one["slug"] for one in services if "Follow" in one["name"])
        asked = {"service": service, "from": f"{first}", "to": f"{first + timedelta(days=9)}", "timezone": "UTC"}
        found = client.get("/api/v1/openings", params=asked).raise_for_status().json()["openings"]
        body = {
            "service": service,
            "start": found[-n]["start"],
            "timezone": "UTC",
            "patient": {"name": name, "email": f"jo{n}@example.com", "mobile": "+12025550143"},
            "sms_consent": True,
        }
        assert client.post("/api/v1/bookings", json=body).status_code == 201


def visits_of(name: str) -> str:
    return f"/desk/appointments?{urlencode({'q': name})}"


def rows(page: Page) -> Locator:
    return page.locator("#appointments .table__main a")


def test_two_desks_side_by_side_follow_what_happens(desk: BrowserContext, house: House) -> None:
    name = somebody()
    one, other = opened(desk, visits_of(name)), opened(desk, visits_of(name))
    expect(rows(one)).to_have_count(0)
    book_elsewhere(house, name)
    expect(rows(one)).to_have_count(1)
    expect(rows(other)).to_have_count(1)


def test_the_focus_stays_when_its_part_is_fetched_anew(desk: BrowserContext, house: House) -> None:
    page = opened(desk, "/desk/")
    page.locator("#visits-calendar").focus()
    page.evaluate("document.getElementById('today').dataset.old = 'yes'")
    book_elsewhere(house, somebody())
    expect(page.locator("#today[data-old]")).to_have_count(0)
    expect(page.locator("#visits-calendar")).to_be_focused()


def test_what_somebody_types_is_kept_and_the_change_is_told(desk: BrowserContext, house: House) -> None:
    name = somebody()
    page = opened(desk, visits_of(name))
    # Any field in a part that is live.
    page.evaluate(
        """() => {
            const field = Object.assign(document.createElement("input"), { name: "words", type: "text" });
            field.setAttribute("aria-label", "Words");
            document.getElementById("appointments").prepend(field);
        }"""
    )
    field = page.get_by_label("Words")
    field.fill("half a sent")
    book_elsewhere(house, name)
    notice = page.locator(".changed-notice")
    expect(notice).to_be_visible()
    expect(field).to_have_value("half a sent")
    expect(rows(page)).to_have_count(0)
    assert violations(page) == []
    notice.get_by_role("button", name="Show").click()
    expect(rows(page)).to_have_count(1)
    expect(notice).to_have_count(0)


def test_without_an_event_stream_the_page_asks_again_by_itself(desk: BrowserContext, house: House) -> None:
    name = somebody()
    desk.route("**/live/stream*", lambda route: route.abort())
    page = desk.new_page()
    with page.expect_response("**/live/poll*"):
        page.goto(visits_of(name))
    expect(rows(page)).to_have_count(0)
    book_elsewhere(house, name)
    expect(rows(page)).to_have_count(1)
