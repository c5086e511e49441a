"""Every page, on a desk's screen and on a phone, in both themes: no accessibility violation, nothing refused, small."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.journey import steps
from tests.journey.conftest import House

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journey")]

PUBLIC = [
    "/",
    "/book/first-visit",
    "/my/",
    "/nothing-here",
    "/visits/unknowntoken",
    "/accounts/login/",
    "/sandbox/",
    "/sandbox/inbox",
    "/sandbox/phone",
    "/sandbox/clock",
    "/sandbox/design",
]
DESK = ["/desk/", "/desk/metrics", "/desk/sales", "/desk/appointments"]


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['help']} ({v['nodes'][0]['html'][:120]})" for v in found]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_an_accessibility_violation(browser: Browser, house: House, width: int, scheme: str) -> None:
    context = browser.new_context(
        base_url=house.url,
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        reduced_motion="reduce",  # type: ignore[arg-type]
    )
    page = context.new_page()
    found: dict[str, list[str]] = {}
    for path in PUBLIC:
        page.goto(path)
        found[path] = violations(page)
    steps.choose_time(page)
    page.get_by_role("button", name="Continue to payment").click()
    expect(page.locator(".error-summary")).to_be_focused()
    found["details with mistakes"] = violations(page)
    steps.fill_details(page)
    steps.go_to_payment(page)
    found["checkout"] = violations(page)
    steps.pay(page)
    expect(page.locator("#join-url")).to_be_visible(timeout=30_000)
    found["visit"] = violations(page)
    steps.sign_in(page, house, "admin")
    for path in DESK:
        page.goto(path)
        found[path] = violations(page)
    page.locator("tbody tr a").first.click()
    page.wait_for_load_state()
    found["appointment"] = violations(page)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    context.close()
    assert {path: problems for path, problems in found.items() if problems} == {}
    assert wide <= 0, "The page scrolls sideways."


@pytest.mark.parametrize("path", ["/", "/book/first-visit"])
def test_a_booking_page_weighs_at_most_sixty_kilobytes_on_first_load(browser: Browser, house: House, path: str) -> None:
    context = browser.new_context(base_url=house.url)
    page = context.new_page()
    client = context.new_cdp_session(page)
    client.send("Network.enable")
    received: list[float] = []
    client.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.goto(path)
    page.wait_for_timeout(300)
    html = len(page.content())
    context.close()
    assert sum(received) <= 60_000, f"{sum(received):.0f} bytes over the wire"
    assert html < 40_000
