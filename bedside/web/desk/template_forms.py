"""Forms and rows of the pages about messages' words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bedside.notifications.gsm7 import is_gsm7, segments
from bedside.notifications.models import Channel
from bedside.notifications.rendering import Message, preheader_of, write_draft
from bedside.notifications.template_models import TemplateVersion
from bedside.notifications.wording import samples
from bedside.notifications.wording.defaults import default_parts
from bedside.notifications.wording.slots import LINES, MOST, OPTIONAL, Slot

LABELS = {
    "subject": _("Subject"),
    "preheader": _("Preheader"),
    "heading": _("Heading"),
    "lead": _("Opening words"),
    "more": _("Closing words"),
    "text": _("Text"),
}
HELP = {
    "preheader": _("What mail programs show beside the subject."),
    "lead": _("Before the visit's facts and the button, which are always there."),
    "more": _("After the button. An address after a colon, alone on its line, becomes a link."),
    "text": _("Say nothing about health. A text takes 160 characters, longer ones 153 each."),
}


class WordsForm(forms.Form):
    """A field for each part of a slot, and the version that the words were written over."""

    version = forms.IntegerField(min_value=0, max_value=1_000_000, widget=forms.HiddenInput)

    def __init__(self, slot: Slot, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for part in slot.parts:
            rows = 2 if part in LINES and part != "text" else 10 if part == "more" else 6
            self.fields[part] = forms.CharField(
                label=LABELS[part],
                help_text=HELP.get(part, ""),
                required=False,
                strip=False,
                max_length=MOST[part] * 4,
                widget=forms.Textarea(attrs={"rows": rows, "spellcheck": "true"}),
            )
        self.words = [self[part] for part in slot.parts]
        self.optional = OPTIONAL

    @property
    def parts(self) -> dict[str, str]:
        return {name: text for name, text in self.cleaned_data.items() if name != "version"}


@dataclass(frozen=True)
class Shown:
    """A message on a sample visit."""

    case: samples.Case
    message: Message
    preheader: str
    characters: int
    segments: int
    gsm7: bool


def shown(slot: Slot, parts: Mapping[str, str], practice: Mapping[str, str]) -> list[Shown]:
    """The words (none: the default) in every case of the kind. Raises BrokenWords."""
    found = []
    for case in samples.cases(slot.kind, slot.audience):
        message = on_sample(slot, parts, case, practice)
        body = message.body
        found.append(Shown(case, message, preheader_of(message.html), len(body), segments(body), is_gsm7(body)))
    return found


def on_sample(slot: Slot, parts: Mapping[str, str], case: samples.Case, practice: Mapping[str, str]) -> Message:
    return write_draft(slot, parts, samples.facts(slot, case, **practice), variant=case.variant, words=case.words)


@dataclass(frozen=True)
class Change:
    """A part of a version beside the one before: pieces of ("same" | "gone" | "new", text)."""

    label: Any
    pieces: list[tuple[str, str]]


@dataclass(frozen=True)
class VersionRow:
    """A version with who saved it and what it changed."""

    version: TemplateVersion
    who: str
    changes: list[Change]


def rows(slot: Slot, versions: list[TemplateVersion], names: Mapping[int, str]) -> list[VersionRow]:
    """Newest first, each beside the one before it; the first beside the default."""
    found = []
    for place, version in enumerate(versions):
        older = versions[place + 1].parts if place + 1 < len(versions) else {}
        before, after = older or default_parts(slot), version.parts or default_parts(slot)
        changes = [
            Change(LABELS[part], _pieces(before.get(part, ""), after.get(part, "")))
            for part in slot.parts
            if before.get(part, "") != after.get(part, "")
        ]
        found.append(VersionRow(version, names.get(version.created_by_id or 0, "Bedside"), changes))
    return found


def _pieces(before: str, after: str) -> list[tuple[str, str]]:
    old, new = (re.findall(r"\{[{%].*?[%}]\}|\s+|[^\s{]+|\{", text) for text in (before, after))
    found: list[tuple[str, str]] = []
    for what, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            found.append(("same", "".join(old[a:b])))
            continue
        found += [(sort, text) for sort, text in (("gone", "".join(old[a:b])), ("new", "".join(new[c:d]))) if text]
    return found


def is_text(slot: Slot) -> bool:
    return slot.channel == Channel.SMS
