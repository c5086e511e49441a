"""The data dictionary: every exported column, and every field of every table, from the models' own words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import DateTimeField, Model

from bedside.accounts.models import User
from bedside.clinic.models import Practice, Provider
from bedside.core.fields import BlindIndexField, EncryptedTextField
from bedside.reports.export.columns import Column, Kind
from bedside.reports.export.tables import TABLES, Table
from bedside.reports.export.words import type_of, words_of

FILE, DATABASE = "export", "database"
HEAD = ("part", "table", "column", "type", "unit", "time_zone", "personal", "meaning")
# Not sealed, and about a person all the same.
ABOUT_PEOPLE = {
    (Provider, "name"), (Provider, "slug"), (Provider, "email"), (Provider, "npi"), (Provider, "bio"),
    (Provider, "zoom_user_id"), (User, "name"), (User, "email"),
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One column; ``personal`` is whether a redacted export leaves it out, or why it is kept apart."""

    part: str
    table: str
    column: str
    type: str
    unit: str
    zone: str
    personal: bool
    meaning: str

    def cells(self) -> tuple[str, ...]:
        personal = "yes" if self.personal else "no"
        return (self.part, self.table, self.column, self.type, self.unit, self.zone, personal, self.meaning)


@dataclass(frozen=True)
class Chapter:
    """A table: ``title`` as people know it, ``name`` as files and the database do, ``about`` in a sentence."""

    title: str
    name: str
    about: str
    entries: tuple[Entry, ...]


def exported(practice: Practice) -> list[Chapter]:
    """The tables that can be taken out as files."""
    return [
        Chapter(str(table.title), table.key, _about(table.model), tuple(_columns(table, practice)))
        for table in TABLES.values()
    ]


def stored() -> list[Chapter]:
    """The database's tables; the stand-in vendors' own are left out."""
    models = [one for one in apps.get_models() if _is_ours(one)]
    return [
        Chapter(
            str(model._meta.verbose_name_plural).capitalize(),
            model._meta.db_table,
            _about(model),
            tuple(_fields(model)),
        )
        for model in sorted(models, key=lambda one: one._meta.db_table)
    ]


def _is_ours(model: type[Model]) -> bool:
    return model.__module__.startswith("bedside.") and model._meta.app_label != "sandbox"


def _about(model: type[Model]) -> str:
    return (model.__doc__ or "").split("\n")[0]


def _columns(table: Table, practice: Practice) -> Iterator[Entry]:
    for column in table.columns:
        zone = practice.timezone if column.kind in {Kind.INSTANT, Kind.DAY} else ""
        yield Entry(
            part=FILE,
            table=table.key,
            column=column.name,
            type=column.kind.value,
            unit=_unit(column),
            zone=zone,
            personal=column.is_personal(table.model),
            meaning=column.means(table.model),
        )


def _unit(column: Column) -> str:
    return "currency beside it" if column.kind is Kind.MONEY else column.unit


def _fields(model: type[Model]) -> Iterator[Entry]:
    for field in model._meta.concrete_fields:
        sealed = isinstance(field, EncryptedTextField | BlindIndexField)
        yield Entry(
            part=DATABASE,
            table=model._meta.db_table,
            column=str(field.column),
            type="sealed text" if isinstance(field, EncryptedTextField) else type_of(field),
            unit=_stored_unit(field),
            zone="UTC" if isinstance(field, DateTimeField) else "",
            personal=sealed or (model, field.name) in ABOUT_PEOPLE,
            meaning=words_of(field),
        )


def _stored_unit(field: Any) -> str:
    """By the house's names: ``_minor`` and ``_amount`` are minor units, ``_minutes`` and ``_hours`` say themselves."""
    for ending, unit in (("_minor", "minor units"), ("_amount", "minor units"), ("_minutes", "minutes"),
                         ("_hours", "hours"), ("_days", "days"), ("_seconds", "seconds")):  # fmt: skip
        if field.name.endswith(ending):
            return unit
    return ""
