"""The grid of messages: every kind, audience, channel and language on sample visits, as it was read and found good.

`golden/<case>.txt` holds all of a case as people read it; `golden/<case>.<audience>.<language>.html` is for a browser.
After a change that is meant: `BEDSIDE_GOLDEN=write ./test tests/notifications/test_golden.py`; then read what differs.
"""

from __future__ import annotations

import os
import re
from html import unescape
from pathlib import Path

import pytest

from bedside.notifications.gsm7 import is_gsm7, segments
from bedside.notifications.models import Channel, Kind
from bedside.notifications.rendering import Message, preheader_of, write_draft
from bedside.notifications.wording.defaults import default_parts
from bedside.notifications.wording.samples import CASES, Case, cases, facts
from bedside.notifications.wording.slots import Slot, slots

GOLDEN = Path(__file__).parent / "golden"
WRITING = os.environ.get("BEDSIDE_GOLDEN") == "write"
SLOTS = list(slots())
GRID = [(case, slot) for slot in SLOTS for case in cases(slot.kind, slot.audience)]
IDS = [f"{case.name}-{slot.audience}-{slot.channel}-{slot.language}" for case, slot in GRID]
grid = pytest.mark.parametrize(("case", "slot"), GRID, ids=IDS)


def written(case: Case, slot: Slot, parts: dict[str, str] | None = None) -> Message:
    return write_draft(slot, parts or {}, facts(slot, case), variant=case.variant, words=case.words)


def in_words(slot: Slot, message: Message) -> str:
    """One message as a person reads about it."""
    head = f"=== to the {slot.audience} · {slot.channel} · {slot.language}"
    if slot.channel == Channel.SMS:
        size = f"{len(message.body)} characters, {segments(message.body)} segments, GSM-7: {is_gsm7(message.body)}"
        return f"{head}\n({size})\n\n{message.body}\n"
    return f"{head}\nSubject: {message.subject}\nPreheader: {preheader_of(message.html)}\n\n{message.body}"


def same(path: Path, text: str) -> None:
    if WRITING:
        path.write_text(text, encoding="utf-8")
    assert path.is_file(), f"{path.name} is missing: BEDSIDE_GOLDEN=write ./test tests/notifications/test_golden.py"
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_every_case_reads_as_it_was_read_and_found_good(case: Case) -> None:
    here = [slot for one, slot in GRID if one is case]
    same(GOLDEN / f"{case.name}.txt", "\n".join(in_words(slot, written(case, slot)) for slot in here))
    for slot in here:
        if slot.channel == Channel.EMAIL:
            same(GOLDEN / f"{case.name}.{slot.audience}.{slot.language}.html", written(case, slot).html)


def test_no_file_is_left_over() -> None:
    wanted = {f"{case.name}.txt" for case in CASES}
    wanted |= {f"{c.name}.{s.audience}.{s.language}.html" for c, s in GRID if s.channel == Channel.EMAIL}
    assert {path.name for path in GOLDEN.iterdir()} == wanted


def test_every_kind_is_in_the_grid() -> None:
    assert {case.kind for case in CASES} == set(Kind.values)


@grid
def test_a_message_has_what_a_person_needs(case: Case, slot: Slot) -> None:
    message = written(case, slot)
    both = message.subject + message.body + message.html
    assert "None" not in both
    assert not re.search(r"\{[{%#]|[%#}]\}", message.body + message.subject)
    assert "  " not in message.body
    # Nothing is left to do for a provider whose visit is off.
    assert "https://" in message.body or slot.audience == "provider"
    if slot.channel == Channel.SMS:
        assert is_gsm7(message.body)
        assert message.body.startswith("Lakeside Clinic: ")
        assert segments(message.body) <= 2, message.body
    else:
        assert message.subject
        assert len(message.subject) <= 78
        assert preheader_of(message.html)
        heading = re.search(r"<h1[^>]*>(.*?)</h1>", message.html)
        assert heading is not None
        assert unescape(heading[1]) in message.body


@grid
def test_the_editor_starts_from_words_that_say_what_the_default_says(case: Case, slot: Slot) -> None:
    default, edited = written(case, slot), written(case, slot, default_parts(slot))
    assert edited.body == default.body
    assert edited.subject == default.subject
    assert preheader_of(edited.html) == preheader_of(default.html)
    assert plain(edited.html) == plain(default.html)


def plain(html: str) -> str:
    """What is read of a page, without any space."""
    return re.sub(r"\s+", "", unescape(re.sub(r"<[^>]+>", " ", html)))
