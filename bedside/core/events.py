"""Events: what happened, written in the transaction that made it happen, told to listeners when it commits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from django.db import connection, transaction

from bedside.core import clock
from bedside.core.models import Event

CHANNEL = "bedside_events"
# The row and its notice in one step: every change publishes.
_PUBLISH = """
    WITH row AS (
        INSERT INTO core_event (name, at, ids, topics, transaction)
        VALUES (%s, %s, %s, %s, pg_current_xact_id()::text::bigint) RETURNING id
    )
    SELECT id, pg_notify(%s, '{"id":' || id || %s) FROM row
"""
_PUBLISH_ALL = """
    WITH rows AS (
        INSERT INTO core_event (name, at, ids, topics, transaction)
        SELECT name, %s, ids::jsonb, topics::jsonb, pg_current_xact_id()::text::bigint
        FROM unnest(%s::text[], %s::text[], %s::text[]) WITH ORDINALITY AS one (name, ids, topics, place)
        ORDER BY place RETURNING id
    )
    SELECT pg_notify(%s, '{"id":' || id || told) FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM rows) r
    JOIN unnest(%s::text[]) WITH ORDINALITY AS t (told, place) USING (place)
"""
Reaction = Callable[["DomainEvent"], None]
_reactions: list[Reaction] = []


@dataclass(frozen=True, kw_only=True)
class DomainEvent:
    """Base of all events: a frozen dataclass of ids. Its class name is its name; no personal data, ever."""

    topics_of: ClassVar[tuple[str, ...]] = ("appointment", "provider", "service")

    def ids(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}

    def topics(self) -> list[str]:
        """Whom it concerns, as live pages subscribe to it. Everything concerns the desk."""
        ids = self.ids()
        return ["desk", *(f"{kind}:{ids[kind + '_id']}" for kind in self.topics_of if f"{kind}_id" in ids)]


def react_with(reaction: Reaction) -> None:
    """Register what runs, inside the publishing transaction, at each event. Used once, by flows.reactions."""
    if reaction not in _reactions:
        _reactions.append(reaction)


def publish(event: DomainEvent) -> Event:
    """Write the event, tell listeners on commit, and let the reactions defer their jobs in this same transaction."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("An event is published in the transaction that caused it.")
    row = Event(name=type(event).__name__, at=clock.now(), ids=event.ids(), topics=event.topics())
    told = json.dumps({"name": row.name, "topics": row.topics}, separators=(",", ":"))
    with connection.cursor() as cursor:
        cursor.execute(
            _PUBLISH, [row.name, row.at, json.dumps(row.ids), json.dumps(row.topics), CHANNEL, "," + told[1:]]
        )
        row.pk = cursor.fetchone()[0]
    for reaction in _reactions:
        reaction(event)
    return row


def publish_all(events: Sequence[DomainEvent]) -> None:
    """The same for many at once, in one step."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("An event is published in the transaction that caused it.")
    if not events:
        return
    rows = [(type(event).__name__, event.ids(), event.topics()) for event in events]
    told = [json.dumps({"name": name, "topics": topics}, separators=(",", ":")) for name, _ids, topics in rows]
    names, ids = [row[0] for row in rows], [json.dumps(row[1]) for row in rows]
    topics = [json.dumps(row[2]) for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(_PUBLISH_ALL, [clock.now(), names, ids, topics, CHANNEL, ["," + one[1:] for one in told]])
    for event in events:
        for reaction in _reactions:
            reaction(event)


def position() -> str:
    """A cursor before all that isn't committed yet. Asked for before a page reads, it misses nothing after that."""
    return f"{_oldest_open()}-0"


def told_since(cursor: str, topics: Iterable[str], limit: int = 100) -> list[Event] | None:
    """What of these topics was committed since a page asked for its `position`; None where that is too much to tell.

    Unlike `events_after` this doesn't stop before open transactions: theirs are told when they commit.
    """
    transaction_id = cursor.partition("-")[0]
    if not (transaction_id.isascii() and transaction_id.isdigit() and len(transaction_id) < 19):
        return None
    rows = Event.objects.filter(transaction__gte=int(transaction_id)).extra(
        where=["topics ?| %s"], params=[list(topics)]
    )
    found = list(rows.order_by("transaction", "id")[:limit])
    return found if len(found) < limit else None


def _oldest_open() -> int:
    """The id of the oldest transaction that isn't over; what is below it is decided and can be seen."""
    with connection.cursor() as db:
        db.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        return int(db.fetchone()[0])


def events_after(cursor: str, topics: Iterable[str], limit: int = 100) -> tuple[list[Event], str]:
    """Events of these topics after a cursor ("" = from now on), oldest first, and the cursor to ask with next.

    Ids are handed out before commit, so a lower id can appear after a higher one. Reading stops before the oldest
    transaction that is still open, and so misses none.
    """
    horizon = _oldest_open()
    if not cursor:
        return [], f"{horizon}-0"
    try:
        last_transaction, last_id = (int(part) for part in cursor.split("-"))
    except ValueError:
        return [], f"{horizon}-0"
    rows = Event.objects.filter(transaction__lt=horizon, transaction__gte=last_transaction).extra(
        where=["(transaction, id) > (%s, %s)", "topics ?| %s"], params=[last_transaction, last_id, list(topics)]
    )
    found = list(rows.order_by("transaction", "id")[:limit])
    if len(found) == limit:
        return found, f"{found[-1].transaction}-{found[-1].pk}"
    return found, f"{max(horizon, last_transaction)}-0" if horizon > last_transaction else cursor
