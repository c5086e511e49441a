"""The list page by page: a page begins where the last one ended (keyset), so the thousandth costs what the first does.

A cursor is the order and the place of the row at a page's edge, signed. It holds no personal data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core import signing
from django.db.models import F
from django.db.models.expressions import OrderBy
from django.db.models.fields.tuple_lookups import (
    Tuple,
    TupleGreaterThan,
    TupleLessThan,
)
from django.db.models.functions import Greatest

from bedside.appointments.models import Appointment
from bedside.clinic.models import Practice
from bedside.reports.listing import PAYMENT, Filters, rows_of, standings

SALT = "bedside.list"
# What the list is sorted by; ties go by id, in the same direction. With a minus: greatest first.
COLUMNS = {"start": "start", "created": "created_at", "paid": "paid_minor"}
SORTS = tuple(f"{sign}{name}" for name in COLUMNS for sign in ("-", ""))
USUAL = "-start"
FEW = timedelta(days=92)


class BadCursor(ValueError):
    """Not one of ours, or of another order."""


@dataclass(frozen=True)
class Cursor:
    """The page after, or with ``back`` before, the row with this value and id."""

    sort: str
    value: Any
    pk: int
    back: bool = False

    def __str__(self) -> str:
        value = self.value.isoformat() if isinstance(self.value, datetime) else self.value
        return signing.dumps([self.sort, value, self.pk, int(self.back)], salt=SALT, compress=False)

    @classmethod
    def read(cls, text: str, sort: str) -> Cursor:
        """Raises BadCursor."""
        try:
            its_sort, value, pk, back = signing.loads(text, salt=SALT)
        except (signing.BadSignature, ValueError) as error:
            raise BadCursor from error
        if its_sort != sort:
            raise BadCursor
        return cls(sort, datetime.fromisoformat(value) if isinstance(value, str) else value, pk, bool(back))


@dataclass(frozen=True)
class Slice:
    """One page. ``previous`` and ``next`` are cursors, empty where there is nothing more that way."""

    rows: Sequence[Appointment]
    previous: str = ""
    next: str = ""
    is_first: bool = True

    def __iter__(self) -> Any:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def _order(filters: Filters, column: str, down: bool) -> list[OrderBy]:
    """Rows of few payment days are picked out, then sorted: walking the order's index would pass all the others first.

    GREATEST(x, x) is x, and has no index.
    """
    few = filters.date == PAYMENT and filters.first and filters.last and filters.last - filters.first <= FEW
    by = [Greatest(F(column), F(column)) if few else F(column), F("pk")]
    return [one.desc() if down else one.asc() for one in by]


def page(filters: Filters, practice: Practice, *, sort: str = USUAL, cursor: str = "", size: int = 25) -> Slice:
    """Two queries, whatever the size and the place. Raises BadCursor."""
    at = Cursor.read(cursor, sort) if cursor else None
    back = at is not None and at.back
    column = COLUMNS[sort.removeprefix("-")]
    down = sort.startswith("-") != back
    found = standings(filters, practice)
    if at is not None:
        beyond = TupleLessThan if down else TupleGreaterThan
        found = found.filter(beyond(Tuple(F(column), F("pk")), (at.value, at.pk)))
    keys = list(found.order_by(*_order(filters, column, down)).values_list(column, "pk")[: size + 1])
    more, keys = len(keys) > size, keys[:size]
    if back:
        keys.reverse()
    rows = rows_of([pk for _value, pk in keys])
    before, after = (more, True) if back else (at is not None, more)
    return Slice(
        rows=rows,
        previous=str(Cursor(sort, keys[0][0], keys[0][1], back=True)) if keys and before else "",
        next=str(Cursor(sort, keys[-1][0], keys[-1][1])) if keys and after else "",
        is_first=not before,
    )
