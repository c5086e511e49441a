"""Contact details as a page shows them until somebody asks to see them."""

from __future__ import annotations

DOTS = "•••"


def masked_email(address: str) -> str:
    """ "j•••@example.com" of jamie@example.com; the first letter and the house it goes to."""
    name, at, house = address.partition("@")
    return f"{name[:1]}{DOTS}{at}{house}" if at else DOTS


def masked_number(number: str) -> str:
    """ "•••-•••-0144" of +12025550144: the last four digits, where there are more than those."""
    digits = [c for c in number if c.isdigit()]
    return f"{DOTS}-{DOTS}-{''.join(digits[-4:])}" if len(digits) > 6 else DOTS


def masked(contact: str) -> str:
    """An address or a number, whichever it is; nothing of nothing."""
    return "" if not contact else masked_email(contact) if "@" in contact else masked_number(contact)
