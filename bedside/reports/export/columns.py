"""A column of an export: where its value comes from, how it is written, and what it means.

What a column means is said once, beside the model's own field (``help_text``), or here where it is worked out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import BooleanField, Func, Model

from bedside.clinic.models import Practice
from bedside.core import crypto
from bedside.core.fields import EncryptedTextField
from bedside.reports.export import cells
from bedside.reports.export.words import words_of

Row = Sequence[Any]


class Kind(StrEnum):
    """How a value is written; the data dictionary calls it the type."""

    TEXT = "text"
    INTEGER = "integer"
    MONEY = "decimal amount"
    INSTANT = "date and time, ISO 8601 with offset"
    DAY = "date, ISO 8601"
    FLAG = "yes or no"
    LIST = "texts, separated by semicolons"
    ZONE = "IANA time zone"


@dataclass(frozen=True)
class Column:
    """``source`` is a path from the table's model, or an annotation; ``currency`` the path beside an amount.

    ``meaning`` empty: the model's field says it. ``personal`` None: whatever is sealed is personal.
    """

    name: str
    source: str = ""
    kind: Kind = Kind.TEXT
    meaning: str = ""
    unit: str = ""
    personal: bool | None = None
    currency: str = ""

    @property
    def sources(self) -> list[str]:
        return [path for path in (self.source, self.currency) if path]

    def is_sealed(self, model: type[Model]) -> bool:
        return isinstance(field_of(model, self.source), EncryptedTextField)

    def means(self, model: type[Model]) -> str:
        field = field_of(model, self.source)
        return self.meaning or (words_of(field) if field is not None else "")

    def is_personal(self, model: type[Model]) -> bool:
        return self.is_sealed(model) if self.personal is None else self.personal

    def reader(
        self, model: type[Model], at: dict[str, int], practice: Practice, *, redact: bool
    ) -> Callable[[Row], Any]:
        """What writes this column of a row of ``sources``; ``at`` is where each source stands in the row."""
        if self.kind is Kind.ZONE:
            return lambda row: practice.timezone
        index = at[self.source]
        if redact and self.is_personal(model):
            return lambda row: cells.redacted(row[index])
        if self.kind is Kind.MONEY:
            currency = at[self.currency]
            return lambda row: cells.amount(row[index], row[currency])
        write = cells.instant_in(practice.zone) if self.kind is Kind.INSTANT else WRITERS[self.kind]
        return lambda row: write(row[index])


class Holds(Func):
    """Whether a sealed value is more than the empty text, told by its length: no seal is opened for it."""

    template = f"octet_length(%(expressions)s) > {crypto.HEADER_BYTES + crypto.TAG_BYTES}"
    output_field = BooleanField()


WRITERS: dict[Kind, cells.Cell] = {
    Kind.TEXT: cells.text,
    Kind.INTEGER: cells.integer,
    Kind.DAY: cells.day,
    Kind.FLAG: cells.flag,
    Kind.LIST: cells.several,
}


def field_of(model: type[Model], path: str) -> Any:
    """The model's field at the end of a path such as ``service__name``; None where it is worked out."""
    field: Any = None
    at: Any = model
    for name in path.split("__"):
        try:
            field = at._meta.get_field(name if name != "pk" else at._meta.pk.name)
        except FieldDoesNotExist:
            return None
        at = field.related_model
    return field
