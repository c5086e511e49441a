"""The hosted payment page: for people with a card field, for programs with JSON."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from bedside.sandbox import processor as server
from bedside.sandbox.cards import CARDS, DECLINES, read_card
from bedside.sandbox.models import Checkout
from tests.sandbox.conftest import DECLINED, GOOD

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(open_checkout: Callable[..., Any]) -> str:
    url: str = open_checkout().url
    return url.removeprefix("http://127.0.0.1:8000")


def post(client: Client, page: str, card: object) -> Any:
    return client.post(f"{page}/pay", {"card": card}, content_type="application/json")


def test_the_page_says_what_is_paid_to_whom_and_that_it_is_a_sandbox(client: Client, page: str) -> None:
    text = client.get(page).content.decode()
    for expected in ("$85.00", "BK7F3K9", "Sandbox", "4242 4242 4242 4242", "no money moves"):
        assert expected in text


def test_a_program_pays_without_cookies_or_tokens_and_learns_where_to_go(page: str) -> None:
    response = post(Client(enforce_csrf_checks=True), page, GOOD)
    assert response.status_code == 200
    assert response.json() == {"status": "complete", "redirect_url": "http://127.0.0.1:8000/visits/abc?paid=1"}


def test_a_program_learns_why_a_card_was_declined(client: Client, page: str) -> None:
    response = post(client, page, DECLINED)
    assert response.status_code == 402
    assert response.json() | {"message": ""} == {"status": "open", "decline_code": "generic_decline", "message": ""}


def test_paying_again_is_answered_as_the_first_time(client: Client, page: str) -> None:
    assert post(client, page, GOOD).json() == post(client, page, GOOD).json()


def test_a_form_leads_back_to_the_visit(client: Client, page: str) -> None:
    response = client.post(f"{page}/pay", {"card": "4242 4242 4242 4242"})
    assert (response.status_code, response["Location"]) == (302, "http://127.0.0.1:8000/visits/abc?paid=1")


def test_a_declined_form_says_so_on_the_page_and_can_be_tried_again(client: Client, page: str) -> None:
    response = client.post(f"{page}/pay", {"card": DECLINED})
    assert response.status_code == 402
    assert DECLINES["generic_decline"] in response.content.decode()
    assert Checkout.objects.get().status == "open"


def test_an_expired_page_says_so_and_shows_the_way_back(client: Client, page: str, clock: Any) -> None:
    clock.forward(timedelta(minutes=32))
    for response in (client.get(page), client.post(f"{page}/pay", {"card": GOOD})):
        assert response.status_code == 410
        assert "expired" in response.content.decode()
        assert "/visits/abc?unpaid=1" in response.content.decode()
    refused = post(client, page, GOOD)
    assert (refused.status_code, refused.json()["type"]) == (410, "checkout-session-expired")


def test_an_unknown_page_is_a_helpful_404(client: Client) -> None:
    assert client.get("/sandbox/checkout/cs_test_nothing").status_code == 404
    assert post(client, "/sandbox/checkout/cs_test_nothing", GOOD).status_code == 404


@pytest.mark.parametrize("card", ["", "hello", "4242", "4111111111111111", "9" * 500, "４２４２", None])
def test_what_is_no_test_card_is_declined(client: Client, page: str, card: object) -> None:
    response = post(client, page, card)
    assert response.status_code == 402
    assert response.json()["decline_code"] in {"incorrect_number", "test_mode_live_card"}


def test_broken_json_is_declined_and_charges_nothing(client: Client, page: str) -> None:
    assert client.post(f"{page}/pay", "{", content_type="application/json").status_code == 402
    assert Checkout.objects.get().payment_status == "unpaid"


@pytest.mark.parametrize("number", sorted(CARDS))
def test_every_test_card_does_what_the_table_says(open_checkout: Callable[..., Any], number: str) -> None:
    session = open_checkout()
    state = server.pay(session.session_id, number)
    declines = bool(read_card(number).decline_code)
    assert (state["status"], state["payment_status"]) == (("open", "unpaid") if declines else ("complete", "paid"))


def test_every_decline_has_a_sentence() -> None:
    codes = {card.decline_code for card in CARDS.values()} - {""}
    assert codes <= set(DECLINES)
