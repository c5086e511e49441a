"""Two ways to use a page, with a mouse and with a keyboard alone: a test that takes a hand says once what is done."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from playwright.sync_api import Locator, Page

# Whether what has the focus is this element, or another radio button of its group: Tab stops at a group once.
THERE = """(element) => {
  const at = document.activeElement;
  return at === element || (element.type === "radio" && at.type === "radio" && at.name === element.name);
}"""
IS_FOCUSED = "(element) => element === document.activeElement"


class Hand(Protocol):
    def follow(self, target: Locator) -> None:
        """A link or a button that leads to another page."""

    def press(self, target: Locator) -> None:
        """What stays on the page: a disclosure, a checkbox, a radio button."""

    def fill(self, target: Locator, text: str) -> None: ...

    def choose(self, target: Locator, option: str) -> None:
        """One of a drop-down list."""

    def set_time(self, target: Locator, at: datetime) -> None:
        """A day and time into a field for both."""


class Mouse:
    def __init__(self, page: Page) -> None:
        self.page = page

    def follow(self, target: Locator) -> None:
        with self.page.expect_event("load"):
            target.click()

    def press(self, target: Locator) -> None:
        target.click()

    def fill(self, target: Locator, text: str) -> None:
        target.fill(text)

    def choose(self, target: Locator, option: str) -> None:
        target.select_option(label=option)

    def set_time(self, target: Locator, at: datetime) -> None:
        target.fill(f"{at:%Y-%m-%dT%H:%M}")


class Keys:
    """Reaches everything with the Tab key, from wherever the focus is."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def follow(self, target: Locator) -> None:
        self._reach(target)
        with self.page.expect_event("load"):
            self.page.keyboard.press("Enter")

    def press(self, target: Locator) -> None:
        self._reach(target)
        for _ in range(100):
            if target.evaluate(IS_FOCUSED):
                break
            self.page.keyboard.press("ArrowDown")
        self.page.keyboard.press("Space")

    def fill(self, target: Locator, text: str) -> None:
        self._reach(target)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def choose(self, target: Locator, option: str) -> None:
        self._reach(target)
        self.page.keyboard.type(option)

    def set_time(self, target: Locator, at: datetime) -> None:
        self._reach(target)
        self.page.keyboard.type(f"{at:%m%d%Y}")
        self.page.keyboard.press("ArrowRight")
        self.page.keyboard.type(f"{at:%I%M%p}")

    def _reach(self, target: Locator) -> None:
        target.wait_for()
        for _ in range(400):
            if target.evaluate(THERE):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{target} can't be reached with the Tab key")
