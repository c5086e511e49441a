"""The test cards. Pure. Where Stripe has a test card for a case, ours has the same number."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Card:
    """What a card number does. ``webhook`` is "", "late", "twice" or "lost"; ``refund`` is "", "slow" or "fails"."""

    number: str
    title: str
    decline_code: str = ""
    webhook: str = ""
    refund: str = ""
    disputed: bool = False

    @property
    def spaced(self) -> str:
        return " ".join(self.number[at : at + 4] for at in range(0, len(self.number), 4))


CARDS = {
    card.number: card
    for card in (
        Card("4242424242424242", "Paid"),
        Card("4000000000000002", "Declined", decline_code="generic_decline"),
        Card("4000000000000077", "Paid, webhook comes 20 seconds late", webhook="late"),
        Card("4000000000003220", "Paid, webhook comes twice", webhook="twice"),
        Card("4000000000000341", "Paid, webhook is lost", webhook="lost"),
        Card("4000000000009995", "Declined: insufficient funds", decline_code="insufficient_funds"),
        Card("4000000000000069", "Declined: card expired", decline_code="expired_card"),
        Card("4000000000000119", "Declined: processing error", decline_code="processing_error"),
        Card("4000000000007726", "Paid; a refund takes 10 seconds", refund="slow"),
        Card("4000000000005126", "Paid; a refund is refused later", refund="fails"),
        Card("4000000000000259", "Paid; disputed 10 seconds later", disputed=True),
    )
}

DECLINES = {
    "generic_decline": "The card was declined. Try another card, or ask the bank.",
    "insufficient_funds": "There isn't enough money on the card. Try another card.",
    "expired_card": "The card has expired. Try another card.",
    "processing_error": "The bank had a problem with this payment. Try again in a moment.",
    "incorrect_number": "That isn't a card number. Check it and try again.",
    "test_mode_live_card": "This is a sandbox: use one of the test cards.",
}


def read_card(number: str) -> Card:
    """The card with this number (spaces and dashes are ignored); one that isn't a test card is declined."""
    digits = number.replace(" ", "").replace("-", "")
    if digits in CARDS:
        return CARDS[digits]
    code = "test_mode_live_card" if _looks_real(digits) else "incorrect_number"
    return Card(digits[:19], "Not a test card", decline_code=code)


def _looks_real(digits: str) -> bool:
    """Thirteen to nineteen digits with a valid check digit (Luhn, ISO/IEC 7812-1)."""
    if not (digits.isascii() and digits.isdigit() and 13 <= len(digits) <= 19):
        return False
    doubled = [int(d) * (2 if at % 2 else 1) for at, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0
