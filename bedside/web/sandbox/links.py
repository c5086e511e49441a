"""Plain text with its links found, so that a page can make them pressable without trusting the text."""

from __future__ import annotations

import re

LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)]")


def with_links(text: str) -> list[tuple[str, str]]:
    """Pieces as (text, link): the link is empty for plain pieces."""
    pieces: list[tuple[str, str]] = []
    end = 0
    for found in LINK.finditer(text):
        pieces += [(text[end : found.start()], ""), (found.group(), found.group())]
        end = found.end()
    return [piece for piece in [*pieces, (text[end:], "")] if piece[0]]
