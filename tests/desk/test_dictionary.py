"""The data dictionary: nothing that is exported goes without a word about what it means."""

from __future__ import annotations

import csv
import io

import pytest
from django.test import Client

from bedside.clinic.models import Practice
from bedside.reports.export import dictionary
from bedside.reports.export.tables import TABLES

pytestmark = pytest.mark.django_db


def test_every_exported_column_has_a_meaning_and_its_zone_and_unit(desk: Client) -> None:
    chapters = dictionary.exported(Practice.current())
    assert [chapter.name for chapter in chapters] == list(TABLES)
    for chapter in chapters:
        assert [entry.column for entry in chapter.entries if not entry.meaning] == [], chapter.name
        assert all(entry.zone for entry in chapter.entries if "time, ISO" in entry.type)
        assert all(entry.unit for entry in chapter.entries if "amount" in entry.type)
        assert len({entry.column for entry in chapter.entries}) == len(chapter.entries)


def test_every_field_of_what_is_exported_has_one_too(desk: Client) -> None:
    exported = {table.model._meta.db_table for table in TABLES.values()} | {"payments_payment", "payments_refund"}
    chapters = [chapter for chapter in dictionary.stored() if chapter.name in exported]
    assert {chapter.name for chapter in chapters} == exported
    assert {f"{c.name}.{e.column}" for c in chapters for e in c.entries if not e.meaning} == set()


def test_sealed_values_are_personal(desk: Client) -> None:
    entries = {entry.column: entry for entry in dictionary.exported(Practice.current())[0].entries}
    assert {"patient_name", "patient_email", "patient_mobile", "provider", "cancellation_reason"} == {
        name for name, entry in entries.items() if entry.personal
    }


def test_the_page_and_the_file_say_the_same(desk: Client) -> None:
    page = desk.get("/desk/data-dictionary")
    assert page.status_code == 200
    assert "What was received by the latest payment." in page.content.decode()
    file = desk.get("/desk/data-dictionary.csv")
    lines = list(csv.DictReader(io.StringIO(file.content.decode(), newline="")))
    assert {line["part"] for line in lines} == {"export", "database"}
    (start,) = [line for line in lines if line["table"] == "appointments" and line["column"] == "start"]
    assert (start["time_zone"], start["personal"], start["meaning"]) == (
        "America/New_York", "no", "When the visit begins.",
    )  # fmt: skip
    (name,) = [
        line for line in lines if line["table"] == "appointments_appointment" and line["column"] == "patient_name"
    ]
    assert (name["type"], name["personal"]) == ("sealed text", "yes")
    assert not any(line["table"].startswith("sandbox") for line in lines)
