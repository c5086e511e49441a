"""The main job in a real browser: a patient books and pays, everyone is told."""

from __future__ import annotations

import re
import time
from collections import Counter
from datetime import datetime

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journey import steps
from tests.journey.conftest import House
from tests.journey.steps import eventually

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journey")]


def _texts(house: House, link: str) -> list[dict[str, str]]:
    return [m for m in house.messages(kind="confirmation") if m["channel"] == "sms" and link in m["body"]]


def test_a_patient_books_and_pays_and_everyone_is_told(page: Page, house: House) -> None:
    said = steps.choose_time(page)
    email = steps.fill_details(page)
    steps.go_to_payment(page)
    steps.pay(page)
    expect(page.get_by_role("heading", name="You're booked")).to_be_visible(timeout=30_000)
    expect(page.locator(".visit__when")).to_contain_text(said)
    expect(page.locator(".visit__when")).to_contain_text("Central (Chicago)")
    # The page follows along: the link and what was sent appear without reloading.
    expect(page.locator("#join-url")).to_be_visible(timeout=30_000)
    expect(page.locator("#sent .sent__one")).to_have_count(2)
    expect(page.locator("#sent")).to_contain_text("Sent", timeout=30_000)
    link = page.locator("#join-url").inner_text()

    eventually(lambda: len(house.messages(to=email)) == 1)
    (confirmation,) = house.messages(to=email)
    assert (confirmation["kind"], confirmation["audience"]) == ("confirmation", "patient")
    assert link in confirmation["body"]
    eventually(lambda: len(_texts(house, link)) == 1)
    token = re.search(r"/visits/(\w+)", page.url)
    assert token
    booked = house.client().get(f"/api/v1/bookings/{token[1]}").json()
    assert (booked["status"], booked["join_url"]) == ("paid", link)

    def to_provider() -> list[dict[str, str]]:
        sent = house.messages(kind="confirmation")
        return [m for m in sent if m["audience"] == "provider" and booked["code"] in m["body"]]

    eventually(lambda: {m["channel"] for m in to_provider()} == {"email", "sms"})
    assert all("/start" in m["body"] and "Robin Sample" in m["body"] for m in to_provider())


def test_a_webhook_that_is_late_shows_confirming_and_then_the_result_without_reloading(page: Page) -> None:
    steps.choose_time(page)
    steps.fill_details(page)
    steps.go_to_payment(page)
    page.evaluate("window.stillTheSamePage = true")
    steps.pay(page, steps.LATE)
    expect(page.get_by_role("heading", name="You're booked")).to_be_visible(timeout=40_000)


def test_a_declined_card_can_be_tried_again(page: Page) -> None:
    steps.choose_time(page)
    steps.fill_details(page)
    steps.go_to_payment(page)
    steps.pay(page, steps.DECLINED)
    expect(page.get_by_role("alert")).to_contain_text("didn't go through")
    steps.pay(page)
    expect(page.get_by_role("heading", name="You're booked")).to_be_visible(timeout=30_000)


def test_mistakes_are_told_beside_their_fields_and_nothing_typed_is_lost(page: Page) -> None:
    steps.choose_time(page)
    page.get_by_label("Full name").fill("Robin Sample")
    page.get_by_label("Email").fill("not an address")
    page.get_by_role("button", name="Continue to payment").click()
    expect(page.locator(".error-summary")).to_be_focused()
    expect(page.locator("#id_email-error")).to_contain_text("robin@example.com")
    expect(page.locator("#id_mobile-error")).to_contain_text("can receive texts")
    expect(page.get_by_label("Full name")).to_have_value("Robin Sample")
    expect(page.get_by_label("Email")).to_have_value("not an address")


def test_going_back_and_choosing_again_replaces_the_own_hold(page: Page, house: House) -> None:
    said = steps.choose_time(page)
    steps.fill_details(page)
    steps.go_to_payment(page)
    # The very time that is held is still there for the browser that holds it.
    assert steps.choose_time(page) == said
    steps.fill_details(page)
    steps.go_to_payment(page)
    steps.pay(page)
    expect(page.get_by_role("heading", name="You're booked")).to_be_visible(timeout=30_000)


def test_a_time_that_somebody_else_takes_disappears_from_the_open_calendar(page: Page, house: House) -> None:
    # Not today: a time so near that it could not be opened again makes the page go on to the next day.
    steps.choose_day(page, "skin-check", 1)
    first = page.locator("#times li button").first
    start = first.get_attribute("value") or ""
    with house.client() as client:
        answer = client.post(
            "/api/v1/bookings",
            json={
                "service": "skin-check",
                "start": start,
                "timezone": "America/Chicago",
                "patient": {"name": "Avery Brook", "email": "avery@example.com", "mobile": "+12025550144"},
                "sms_consent": True,
            },
        )
        assert answer.status_code == 201, answer.text
    expect(page.locator(f'#times button[value="{start}"]')).to_have_count(0)
    expect(page.locator("#taken")).to_be_visible()


def test_a_patient_cancels_and_is_told_before_what_comes_back(page: Page, house: House) -> None:
    steps.choose_day(page, "follow-up", -1)
    page.locator("#times li button").last.click()
    email = steps.fill_details(page)
    steps.go_to_payment(page)
    steps.pay(page)
    expect(page.get_by_role("heading", name="You're booked")).to_be_visible(timeout=30_000)
    page.get_by_role("link", name="Cancel this visit").click()
    expect(page.get_by_text("$75.00").first).to_be_visible()
    page.get_by_role("button", name=re.compile("Cancel")).last.click()
    expect(page.get_by_role("heading", name=re.compile("canceled", re.IGNORECASE))).to_be_visible()
    eventually(lambda: {"canceled", "refunded"} <= {m["kind"] for m in house.messages(to=email)})


def test_the_desk_sees_the_booking_with_its_messages(page: Page, context: BrowserContext, house: House) -> None:
    email = steps.book(page)
    desk = context.new_page()
    steps.sign_in(desk, house, "admin")
    desk.goto(f"/desk/appointments?q={email}")
    desk.locator("tbody tr a").first.click()
    expect(desk.locator("main")).to_contain_text("Confirmation")
    expect(desk.get_by_text(email)).to_have_count(0)
    desk.get_by_role("button", name="Show contact details").click()
    expect(desk.get_by_text(email).first).to_be_visible()


def test_a_provider_is_kept_out_of_the_desk(page: Page, house: House) -> None:
    steps.sign_in(page, house, "provider")
    answer = page.goto("/desk/appointments")
    assert answer is not None
    assert answer.status == 403


def test_reminders_come_when_due_and_nothing_comes_after_canceling(page: Page, house: House) -> None:
    """Book beyond tomorrow, forward to a day before: reminders. Cancel, forward past the start: nothing more."""
    steps.choose_day(page, "follow-up", 2)
    page.locator("#times li button").first.click()
    email = steps.fill_details(page)
    steps.go_to_payment(page)
    steps.pay(page)
    expect(page.get_by_role("heading", name="You're booked")).to_be_visible(timeout=30_000)
    token = page.url.split("/visits/")[1].split("?")[0]
    start = datetime.fromisoformat(house.client().get(f"/api/v1/bookings/{token}").json()["start"])

    def kinds() -> Counter[str]:
        return Counter(m["kind"] for m in house.messages(to=email))

    eventually(lambda: kinds() == {"confirmation": 1})
    now = house.forward("1m")
    house.forward(f"{int((start - now).total_seconds()) // 60 - 23 * 60}m")
    eventually(lambda: kinds() == {"confirmation": 1, "reminder": 1})
    (reminder,) = (m for m in house.messages(to=email) if m["kind"] == "reminder")
    assert "/sandbox/video/" in reminder["body"]

    canceled = house.client().post(f"/api/v1/bookings/{token}/cancel", json={"reason": "Feeling better"})
    assert canceled.status_code == 200
    eventually(lambda: kinds()["canceled"] == 1)
    house.forward("48h")
    time.sleep(2)
    assert kinds()["reminder"] == 1
