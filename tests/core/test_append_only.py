"""The database itself keeps events, audit and ledger as they were written."""

from __future__ import annotations

import pytest
from django.db import ProgrammingError, connection, transaction

from bedside.core import audit
from bedside.core.audit import Actor
from bedside.core.events import DomainEvent, publish
from tests.factories import make_practice


@pytest.fixture
def rows() -> None:
    with transaction.atomic():
        publish(DomainEvent())
    audit.record(Actor.system(), "practice.made", make_practice())


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["core_event", "core_auditentry"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET at = now()", "DELETE FROM {}"])
def test_a_row_can_be_neither_changed_nor_deleted(rows: None, table: str, statement: str) -> None:
    refused = pytest.raises(ProgrammingError, match="Cannot update or delete")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table))
