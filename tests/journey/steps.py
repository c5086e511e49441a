"""What a patient and the desk do, in their own words."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import Page, expect

from tests.journey.conftest import House

PAID, DECLINED, LATE = "4242 4242 4242 4242", "4000 0000 0000 0002", "4000 0000 0000 0077"
_patients = itertools.count(1)


def choose_time(page: Page, service: str = "Follow-up visit", nth: int = 2) -> str:
    """From the services page to the details; the time that was chosen, as it was said."""
    page.goto("/")
    page.get_by_role("link", name=service).click()
    times = page.locator("#times li button")
    times.first.wait_for()
    if times.count() <= nth:
        # Late in the day: the next day with openings has more.
        day = page.locator("#calendar td a:visible").nth(1)
        label = day.get_attribute("id") or ""
        day.click()
        expect(page.locator(f"#{label}")).to_have_attribute("aria-current", "date")
    time = times.nth(nth)
    said = time.inner_text().splitlines()[0]
    time.click()
    expect(page.get_by_role("heading", name="Your details")).to_be_visible()
    return said


def choose_day(page: Page, service: str, nth: int) -> None:
    """The nth day with openings of the next month, by its link; waits until its times are there."""
    page.goto(f"/book/{service}")
    title = page.locator(".month__title").inner_text()
    page.locator("#turn-next").click()
    expect(page.locator(".month__title")).not_to_have_text(title)
    day = page.locator("td:not(.is-outside) a").nth(nth)
    label = day.get_attribute("id") or ""
    day.click()
    expect(page.locator(f"#{label}")).to_have_attribute("aria-current", "date")


def fill_details(page: Page) -> str:
    """An invented patient's details and consent; the email address."""
    email = f"robin.{next(_patients)}@example.com"
    page.get_by_label("Full name").fill("Robin Sample")
    page.get_by_label("Email").fill(email)
    page.get_by_role("textbox", name="Mobile number").fill("(202) 555-0143")
    page.get_by_role("checkbox").check()
    return email


def go_to_payment(page: Page) -> None:
    page.get_by_role("button", name="Continue to payment").click()
    page.wait_for_url("**/sandbox/checkout/**")


def pay(page: Page, card: str = PAID) -> None:
    page.get_by_label("Card number").fill(card)
    page.get_by_role("button", name="Pay $").click()


def book(page: Page, card: str = PAID, nth: int = 2) -> str:
    """The whole way to "You're booked"; the patient's email address."""
    choose_time(page, nth=nth)
    email = fill_details(page)
    go_to_payment(page)
    pay(page, card)
    expect(page.get_by_role("heading", name="You're booked")).to_be_visible(timeout=30_000)
    return email


def coming_visits(house: House, count: int) -> None:
    """So many paid visits, two weeks ahead: wherever other tests have moved the clock to, they are still to come."""
    day = house.forward("1s").date() + timedelta(days=14)
    asked = {"service": "follow-up", "from": str(day), "to": str(day + timedelta(days=6)), "timezone": "UTC"}
    with house.client() as client:
        found = client.get("/api/v1/openings", params=asked).raise_for_status().json()["openings"]
        for opening in found[:: max(1, len(found) // count)][:count]:
            patient = {
                "name": "Robin Sample",
                "email": f"robin.{next(_patients)}@example.com",
                "mobile": "+12025550143",
            }
            wanted = {"service": "follow-up", "start": opening["start"], "timezone": "UTC", "patient": patient}
            made = client.post("/api/v1/bookings", json=wanted | {"sms_consent": True}).raise_for_status().json()
            session = made["checkout_url"].rstrip("/").rpartition("/")[2]
            client.post(f"/sandbox/checkout/{session}/pay", json={"card": PAID}).raise_for_status()
            eventually(lambda token=made["token"]: client.get(f"/api/v1/bookings/{token}").json()["status"] == "paid")  # type: ignore[misc]


def eventually(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Another process is at work: ask again until it holds."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "It did not happen in time."
        time.sleep(0.2)


def sign_in(page: Page, house: House, role: str) -> None:
    email, password = house.accounts[role]
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(email)
    page.locator("input[type=password]").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/desk/**" if role == "admin" else "**/portal/**")
