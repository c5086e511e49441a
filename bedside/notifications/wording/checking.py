"""Edited words: what is wrong with them, in a sentence that names it, and what they say with a message's values."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import ClassVar

from django.template import Context, Engine, TemplateSyntaxError
from django.template.base import Lexer, Template, TokenType
from django.utils.translation import gettext as _

from bedside.notifications.wording.slots import LINES, MOST, OPTIONAL, Slot

TAGS = frozenset({"if", "elif", "else", "endif"})
OPERATORS = frozenset({"and", "or", "not", "==", "!="})
MOST_TAGS = 60
LITERAL = re.compile(r'"[^"]*"|\'[^\']*\'')
STRAY = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class _Restricted(Engine):
    """Django's template language with `if` and nothing else."""

    default_builtins: ClassVar[list[str]] = ["bedside.notifications.wording.tags"]


ENGINE = _Restricted(dirs=[], app_dirs=False, loaders=[], autoescape=False, debug=False)


class BrokenWords(Exception):
    """Stored words that can no longer be used: a variable is gone, or nothing is left to say."""


def tidy(part: str, text: str) -> str:
    """As it is kept: one kind of line end, no spaces at the ends, one line where there is one."""
    text = UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    return " ".join(text.split()) if part in LINES else text


def problems(slot: Slot, parts: Mapping[str, str], *, allowed: frozenset[str]) -> dict[str, str]:
    """By part, what is wrong; empty where it can be kept. ``parts`` are tidy."""
    found: dict[str, str] = {}
    for part in slot.parts:
        wrong = _problem(part, parts.get(part, ""), allowed)
        if wrong:
            found[part] = wrong
    return found


def _problem(part: str, text: str, allowed: frozenset[str]) -> str:
    if not text:
        return "" if part in OPTIONAL else _("Write something here.")
    if len(text) > MOST[part]:
        return _("Use at most %(most)d characters; these are %(count)d.") % {"most": MOST[part], "count": len(text)}
    tags = 0
    for token in Lexer(text).tokenize():
        wrong = ""
        if token.token_type == TokenType.VAR:
            wrong = _wrong_name(token.contents, allowed)
        elif token.token_type == TokenType.BLOCK:
            tags += 1
            wrong = _wrong_tag(token.contents, allowed)
        elif token.token_type == TokenType.COMMENT:
            wrong = _("Comments ({# … #}) can't be used here.")
        elif stray := STRAY.search(token.contents):
            wrong = _("There is a “%(mark)s” without its other half.") % {"mark": stray[0]}
        if wrong:
            return wrong
    if tags > MOST_TAGS:
        return _("Use at most %(most)d conditions.") % {"most": MOST_TAGS // 3}
    try:
        ENGINE.from_string(text)
    except (TemplateSyntaxError, RecursionError):
        return _("The conditions don't fit together: each {% if … %} needs its {% endif %}.")
    return ""


def _wrong_name(name: str, allowed: frozenset[str]) -> str:
    if name in allowed:
        return ""
    if "|" in name:
        return _("Filters can't be used here: write {{ %(name)s }} alone.") % {"name": name.partition("|")[0].strip()}
    shown = name if len(name) <= 60 else f"{name[:60]}…"
    near = difflib.get_close_matches(name, allowed, n=1, cutoff=0.6)
    if near:
        return _("There is no {{ %(name)s }} in this message. Did you mean {{ %(near)s }}?") % {
            "name": shown,
            "near": near[0],
        }
    return _("There is no {{ %(name)s }} in this message.") % {"name": shown}


def _wrong_tag(contents: str, allowed: frozenset[str]) -> str:
    word, _space, rest = contents.partition(" ")
    if word not in TAGS:
        return _("{%% %(tag)s %%} can't be used here: only if, elif, else and endif.") % {"tag": word[:40]}
    if word in {"else", "endif"}:
        return ""
    for piece in LITERAL.sub("", rest).split():
        if piece not in OPERATORS and (wrong := _wrong_name(piece, allowed)):
            return wrong
    return ""


def names_in(text: str) -> frozenset[str]:
    """The variables that a text says or asks about."""
    found: set[str] = set()
    for token in Lexer(text).tokenize():
        if token.token_type == TokenType.VAR:
            found.add(token.contents)
        elif token.token_type == TokenType.BLOCK:
            found.update(LITERAL.sub("", token.contents).split())
    return frozenset(found - TAGS - OPERATORS)


def said_in(text: str) -> frozenset[str]:
    """The variables whose values a text says; asking about one in a condition says nothing."""
    return frozenset(token.contents for token in Lexer(text).tokenize() if token.token_type == TokenType.VAR)


def fill(
    slot: Slot, parts: Mapping[str, str], values: Mapping[str, str | bool], allowed: frozenset[str]
) -> dict[str, str]:
    """Each part with a message's values in it, as plain text. Raises BrokenWords rather than send what isn't right."""
    if found := problems(slot, parts, allowed=allowed):
        raise BrokenWords(*found.values())
    known = {name: value for name, value in values.items() if name in allowed}
    filled = {}
    for part in slot.parts:
        template: Template = ENGINE.from_string(parts.get(part, ""))
        filled[part] = template.render(Context(dict(known), autoescape=False)).strip()
        if not filled[part] and part not in OPTIONAL:
            raise BrokenWords(part)
    return filled
