"""Rows by SQL that is written out: what every booking asks is put together once, not compiled again for each.

Building and compiling a query of Django's takes several times as long as PostgreSQL takes to answer it. Only for the
few reads that stand on the way of every booking; the condition is always one of ours, its values are parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeVar

from django.db import connection, models

M = TypeVar("M", bound=models.Model)


class _Reading(NamedTuple):
    select: str
    names: list[str]
    convert: list[tuple[int, Callable[[Any], Any]]]


def rows(model: type[M], condition: str, values: Sequence[Any] = (), *, without: tuple[str, ...] = ()) -> list[M]:
    """The ``model``'s rows for the SQL after its FROM: a WHERE, with joins before it and an order after it.

    Fields ``without`` which they come are fetched if somebody asks for them after all.
    """
    reading = _reading(model, without)
    with connection.cursor() as cursor:
        cursor.execute(f"{reading.select} {condition}", values)
        return [model.from_db(connection.alias, reading.names, _converted(row, reading)) for row in cursor.fetchall()]


def column(sql: str, *values: Any) -> list[Any]:
    """What the statement's first column holds, row by row."""
    return [row[0] for row in tuples(sql, *values)]


def tuples(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """The statement's rows, as they come."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def insert(row: M) -> M:
    """Insert a new instance as its ``save`` would, without signals and ``save`` methods: for models that have none."""
    statement, fields = _inserting(type(row))
    values = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row.pk = cursor.fetchone()[0]
    row._state.adding, row._state.db = False, connection.alias
    return row


@cache
def _inserting(model: type[models.Model]) -> tuple[str, list[models.Field[Any, Any]]]:
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]
    columns = ", ".join(_quoted(field.column) for field in fields)
    into, key = _quoted(model._meta.db_table), _quoted(model._meta.pk.column)
    marks = ", ".join(_mark(field) for field in fields)
    return f"INSERT INTO {into} ({columns}) VALUES ({marks}) RETURNING {key}", fields  # noqa: S608


def _mark(field: Any) -> str:
    """Where the value goes; ranges name their type there."""
    return str(field.get_placeholder(None, None, connection)) if hasattr(field, "get_placeholder") else "%s"


@cache
def _reading(model: type[models.Model], without: tuple[str, ...]) -> _Reading:
    fields = [field for field in model._meta.concrete_fields if field.name not in without]
    table = _quoted(model._meta.db_table)
    columns = ", ".join(f"{table}.{_quoted(field.column)}" for field in fields)
    convert = [
        (at, _converter(field, step)) for at, field in enumerate(fields) for step in field.get_db_converters(connection)
    ]
    select = f"SELECT {columns} FROM {table}"  # noqa: S608  # names of our own models
    return _Reading(select, [field.attname for field in fields], convert)


def _quoted(name: str | None) -> str:
    return connection.ops.quote_name(name or "")


def _converter(field: models.Field[Any, Any], step: Callable[..., Any]) -> Callable[[Any], Any]:
    expression = field.get_col(field.model._meta.db_table)
    return lambda value: step(value, expression, connection)


def _converted(row: Sequence[Any], reading: _Reading) -> list[Any]:
    values = list(row)
    for at, convert in reading.convert:
        values[at] = convert(values[at])
    return values
