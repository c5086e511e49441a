"""Random identifiers: tokens that open a patient's page, and short codes that a person can say on the phone."""

from __future__ import annotations

import secrets
import string

TOKEN_ALPHABET = string.ascii_letters + string.digits
# No 0, O, 1, I, L, U: they are misheard and misread.
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_token(length: int = 20) -> str:
    """A capability: 20 letters and digits carry 119 bits."""
    return "".join(secrets.choice(TOKEN_ALPHABET) for _ in range(length))


def new_code(length: int = 7) -> str:
    """A reference for the phone and the desk; not a secret."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(length))
