"""The Spanish catalogue: complete where patients read, exact in its placeholders, and compiled as it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

import bedside

PACKAGE = Path(bedside.__file__).parent
FOLDER = PACKAGE / "locale" / "es" / "LC_MESSAGES"
PATIENTS_TEMPLATES = (
    "notifications/templates",
    "web/templates/booking",
    "web/templates/components",
    "web/templates/errors",
    "web/templates/base.html",
)
PATIENTS_MODULES = (
    "appointments/errors.py",
    "clinic/policy_words.py",
    "core/ratelimit.py",
    "flows/details.py",
    "flows/guests.py",
    "flows/inbound.py",
    "flows/promo.py",
    "flows/waitlist.py",
    "notifications/calendar.py",
    "reports/receipt_pdf.py",
    "reports/receipts.py",
    "schedule/waiting/errors.py",
    "web/booking",
    "web/templatetags/when.py",
)
NOT_FOR_PATIENTS = ("design.py",)  # the sandbox's page of all components
CALLS = ["_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "npgettext"]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%|\{\w*\}")
MARKUP = re.compile(r"</?\w+[^>]*>")


@pytest.fixture(scope="module")
def spanish() -> Catalog:
    with (FOLDER / "django.po").open("rb") as file:
        return read_po(file)


def translated(catalog: Catalog) -> list[Message]:
    return [message for message in catalog if message.id and any(_forms(message.string))]


def _forms(text: object) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, list | tuple) else (str(text or ""),)


def files(places: tuple[str, ...], ends: str) -> Iterator[Path]:
    for place in places:
        path = PACKAGE / place
        yield from [path] if path.is_file() else sorted(found for found in path.rglob("*") if found.name.endswith(ends))


def said_in(path: Path) -> Iterator[str]:
    """Each string that a template or a module has translated; of a plural, the singular."""
    source = path.read_text()
    code = source if path.suffix == ".py" else re.sub(r"(?m)^\s+", "", templatize(source, origin=str(path)))
    for _line, _call, texts, _comments in extract_python(BytesIO(code.encode()), CALLS, (), {"encoding": "utf-8"}):
        first = _forms(texts)[0]
        if first:
            yield first


def test_all_that_patients_read_is_translated(spanish: Catalog) -> None:
    known = {_forms(message.id)[0] for message in translated(spanish)}
    templates = [path for path in files(PATIENTS_TEMPLATES, ".html") if path.suffix == ".html"]
    templates += list(files(("notifications/templates",), ".txt"))
    templates = [path for path in templates if not path.name.startswith("staff.")]
    modules = [path for path in files(PATIENTS_MODULES, ".py") if path.name not in NOT_FOR_PATIENTS]
    assert len(templates) > 100
    missing = {text: path.name for path in (*templates, *modules) for text in said_in(path) if text not in known}
    assert missing == {}


def test_every_translation_keeps_its_placeholders_and_its_markup(spanish: Catalog) -> None:
    for message in translated(spanish):
        assert len(_forms(message.string)) == len(_forms(message.id)), message.id
        for english, said in zip(_forms(message.id), _forms(message.string), strict=True):
            assert sorted(PLACEHOLDER.findall(said)) == sorted(PLACEHOLDER.findall(english)), english
            assert MARKUP.findall(said) == MARKUP.findall(english), english
            assert said.strip() == said, english
            assert "!" not in said, english


def test_nothing_is_fuzzy_or_left_over(spanish: Catalog) -> None:
    assert [message.id for message in spanish if message.id and message.fuzzy] == []
    assert not spanish.fuzzy
    assert spanish.obsolete == {}
    assert len(translated(spanish)) > 700


def test_the_compiled_catalogue_is_the_written_one(spanish: Catalog) -> None:
    with (FOLDER / "django.mo").open("rb") as file:
        compiled = {_forms(message.id): _forms(message.string) for message in read_mo(file) if message.id}
    written = {_forms(message.id): _forms(message.string) for message in translated(spanish)}
    assert {known: said for known, said in compiled.items() if known in written} == written
    # What has no Spanish yet is said in English.
    assert all(said == known for known, said in compiled.items() if known not in written)
