"""The page that tests camera, microphone and speaker: with Chromium's own stand-ins, and where they are refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journey.conftest import CHROMIUM, QUIET, House

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journey")]
DEVICES = "--use-fake-device-for-media-stream"
ALLOWED = "--use-fake-ui-for-media-stream"


@contextmanager
def a_page(browser: Browser, house: House, *switches: str) -> Iterator[Page]:
    """In a Chromium of its own, started with these switches; errors of the page fail the test."""
    own = browser.browser_type.launch(executable_path=CHROMIUM, args=[*QUIET, *switches])
    context = own.new_context(base_url=house.url, locale="en-US")
    context.set_default_timeout(30_000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    try:
        page.goto("/test-camera")
        yield page
        assert errors == []
    finally:
        own.close()


def test_with_devices_one_sees_oneself_and_the_bar_moves(browser: Browser, house: House) -> None:
    with a_page(browser, house, DEVICES, ALLOWED) as page:
        expect(page.locator("[data-state=camera]")).to_have_text("Not tested yet")
        page.get_by_role("button", name="Start the test").click()
        expect(page.locator("[data-state=camera]")).to_have_text("Working. You should see yourself.", timeout=30_000)
        expect(page.locator("video")).to_be_visible()
        page.wait_for_function("document.querySelector('video').videoWidth > 0")
        expect(page.locator("[data-state=microphone]")).to_have_text("Working. We hear you.", timeout=30_000)
        page.get_by_role("button", name="Play a sound").click()
        expect(page.locator("[data-state=speaker]")).to_contain_text("A short tone was played.")


def test_where_they_are_refused_it_says_what_to_do(browser: Browser, house: House) -> None:
    with a_page(browser, house, DEVICES) as page:
        page.get_by_role("button", name="Start the test").click()
        for device in ("camera", "microphone"):
            expect(page.locator(f"[data-state={device}]")).to_contain_text(
                "Allow the camera and microphone", timeout=30_000
            )
        expect(page.locator("video")).to_be_hidden()
