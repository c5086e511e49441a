"""Plain words as an email's HTML: paragraphs, line ends, links. Everything in them is escaped."""

from __future__ import annotations

import re

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

# "Add to calendar: https://..." on a line of its own: the words become the link.
LABELED = re.compile(r"(?P<label>[^:\n]{2,80}): (?P<url>https?://\S+)")
LINK = re.compile(r"(https?://[^\s<>\"']*[^\s<>\"'.,;:!?)])")
STYLE = "color:#0b6b63;"


def as_html(text: str) -> SafeString:
    """Paragraphs with the styles that mail programs need beside each."""
    found = [block for block in re.split(r"\n\s*\n", text.strip()) if block.strip()]
    last = len(found) - 1
    laid = [
        f'<p style="margin:0{"" if place == last else " 0 12px"};">{"<br>".join(map(_line, block.splitlines()))}</p>'
        for place, block in enumerate(found)
    ]
    return mark_safe("\n".join(laid))  # noqa: S308  # each line is escaped below


def _line(line: str) -> str:
    line = line.strip()
    if labeled := LABELED.fullmatch(line):
        return _link(labeled["url"], labeled["label"])
    return "".join(_link(piece, piece) if place % 2 else escape(piece) for place, piece in enumerate(LINK.split(line)))


def _link(url: str, label: str) -> str:
    return format_html('<a class="link" href="{}" style="{}">{}</a>', url, STYLE, label)
