"""The default words as an editor shows them: the files' own text in one language, with the editor's variables in it.

The files are written for translators (``{% blocktranslate %}``, ``{% include %}``); here those are resolved, and what
stays are words, variables and conditions. A test holds that both say the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.base import Lexer, Token, TokenType
from django.template.loader import get_template
from django.utils import translation
from django.utils.text import smart_split

from bedside.notifications.models import Channel
from bedside.notifications.wording import names
from bedside.notifications.wording.checking import names_in, said_in, tidy
from bedside.notifications.wording.slots import Slot

# Sentences that are one variable to an editor.
WHOLE = {"notifications/_window.txt": "{{ cancellation }}", "notifications/_stop.txt": "{{ opt_out }}"}
WORD = re.compile(r"[a-z_][\w.]*")
PLACE = re.compile(r"%\((\w+)\)s")


@lru_cache(maxsize=256)
def default_parts(slot: Slot) -> dict[str, str]:
    """The words of each part in the slot's language. Raises TemplateSyntaxError for a tag that words can't have."""
    with translation.override(slot.language):
        if slot.channel == Channel.SMS:
            return {"text": tidy("text", _flat(_tokens(f"{slot.folder}.txt")))}
        blocks = _blocks(f"{slot.folder}.txt")
        parts = {
            "subject": _flat(_tokens(f"{slot.folder}.subject.txt")),
            "preheader": _flat(_blocks(f"{slot.folder}.html").get("preheader", [])),
        }
        parts |= {part: _flat(blocks.get(part, [])) for part in ("heading", "lead", "more")}
        return {part: tidy(part, text) for part, text in parts.items()}


@lru_cache(maxsize=256)
def allowed(slot: Slot) -> frozenset[str]:
    """The variables for a slot: what every message may say, and what the defaults of this kind speak of."""
    found = set(names.given(slot.audience, slot.channel))
    for channel in Channel.values:
        for ending in ("txt", "subject.txt", "html"):
            found |= _spoken_of(f"notifications/{slot.kind}/{slot.audience}.{channel}.{ending}")
    if slot.channel != Channel.SMS:
        found.discard("opt_out")
    return frozenset(found)


@lru_cache(maxsize=256)
def kept(slot: Slot) -> tuple[tuple[str, ...], ...]:
    """Groups of variables of which an edit has to say one."""
    said = said_in("\n".join(default_parts(slot).values()))
    return tuple(group for group in names.KEPT if said & set(group) and set(group) & allowed(slot))


def missing(slot: Slot, parts: dict[str, str]) -> list[tuple[str, ...]]:
    """The groups of which the words say none."""
    said = said_in("\n".join(parts.values()))
    return [group for group in kept(slot) if not said & set(group)]


def _spoken_of(name: str) -> set[str]:
    """The editor's variables that a file or what it includes speaks of."""
    try:
        tokens = _tokens(name)
    except TemplateDoesNotExist:
        return set()
    found: set[str] = set()
    for token in tokens:
        if token.token_type == TokenType.BLOCK and token.contents.startswith("include "):
            included = token.split_contents()[1].strip("\"'")
            found |= set(names_in(WHOLE[included])) if included in WHOLE else _spoken_of(included)
        if token.token_type in {TokenType.VAR, TokenType.BLOCK} and not token.contents.startswith("translate "):
            found |= {names.SOURCES[word] for word in WORD.findall(token.contents) if word in names.SOURCES}
    return found


def _tokens(name: str) -> list[Token]:
    source = get_template(name).template.source  # type: ignore[attr-defined]
    return Lexer(source).tokenize()


def _blocks(name: str) -> dict[str, list[Token]]:
    """The tokens of each ``{% block %}`` of a file."""
    found: dict[str, list[Token]] = {}
    inside = ""
    for token in _tokens(name):
        if token.token_type == TokenType.BLOCK and token.contents.startswith("block "):
            inside = token.split_contents()[1]
            found[inside] = []
        elif token.token_type == TokenType.BLOCK and token.contents.split()[0] == "endblock":
            inside = ""
        elif inside:
            found[inside].append(token)
    return found


def _flat(tokens: list[Token]) -> str:
    stream = iter(tokens)
    return "".join(_one(token, stream) for token in stream)


def _one(token: Token, stream: Iterator[Token]) -> str:
    if token.token_type == TokenType.TEXT:
        return token.contents
    if token.token_type == TokenType.VAR:
        return f"{{{{ {_renamed(token.contents)} }}}}"
    if token.token_type == TokenType.COMMENT:
        return ""
    bits = list(smart_split(token.contents))
    match bits[0]:
        case "if" | "elif" | "else" | "endif":
            return f"{{% {' '.join([bits[0], *map(_renamed, bits[1:])])} %}}"
        case "translate":
            return translation.gettext(bits[1].strip("\"'"))
        case "blocktranslate":
            return _sentence(bits[1:], stream)
        case "include":
            name = bits[1].strip("\"'")
            return WHOLE.get(name) or _flat(_tokens(name))
    raise TemplateSyntaxError(f"words can't have {bits[0]}")


def _sentence(options: list[str], stream: Iterator[Token]) -> str:
    """A translated sentence with the editor's variables in their places."""
    meant = dict(option.split("=", 1) for option in options if "=" in option)
    source = ""
    for token in stream:
        if token.token_type == TokenType.BLOCK:  # its end
            break
        source += token.contents.replace("%", "%%") if token.token_type == TokenType.TEXT else f"%({token.contents})s"
    said = translation.gettext(source)
    return PLACE.sub(lambda place: f"{{{{ {_renamed(meant.get(place[1], place[1]))} }}}}", said).replace("%%", "%")


def _renamed(word: str) -> str:
    """The editor's name for what a file calls it; operators and literals stay."""
    return names.SOURCES.get(word, word)
