"""The alphabet of texts (GSM 03.38) and how many segments a text takes. Pure: imports no Django.

One character outside the alphabet makes the whole text UCS-2, and its segments less than half as long.
"""

from __future__ import annotations

import unicodedata

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Each of these takes an escape before it: two places.
EXTENDED = frozenset("\f^{}\\[~]|€")

_PLAIN = {
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-", "…": "...", "•": "-", "·": "-",
    "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\t": " ", "´": "'", "`": "'",
}  # fmt: skip


def is_gsm7(text: str) -> bool:
    return all(char in BASIC or char in EXTENDED for char in text)


def to_gsm7(text: str) -> str:
    """The text within the alphabet: straight quotes and dashes, accents it lacks left off ("García" -> "Garcia").

    Where a letter can't be written at all (Cyrillic, an emoji), the text stays as it was: it is UCS-2 anyway.
    """
    folded = "".join(_fold(char) for char in text)
    return folded if is_gsm7(folded) else text


def _fold(char: str) -> str:
    if char in BASIC or char in EXTENDED:
        return char
    if char in _PLAIN:
        return _PLAIN[char]
    bare = "".join(part for part in unicodedata.normalize("NFKD", char) if not unicodedata.combining(part))
    return bare if bare and is_gsm7(bare) else char


def segments(text: str) -> int:
    """How many parts a gateway sends, and charges for: 160 places in one, else 153 each; UCS-2 70, else 67."""
    if not text:
        return 0
    if is_gsm7(text):
        return _parts([2 if char in EXTENDED else 1 for char in text], single=160, each=153)
    return _parts([len(char.encode("utf-16-be")) // 2 for char in text], single=70, each=67)


def _parts(widths: list[int], *, single: int, each: int) -> int:
    """An escaped character or a surrogate pair is never split between two parts."""
    if sum(widths) <= single:
        return 1
    parts, used = 1, 0
    for width in widths:
        if used + width > each:
            parts, used = parts + 1, 0
        used += width
    return parts
