"""The senders: they take what is due, in order, and keep many calls to a vendor on the way at once.

One `Postman` for each channel, so that a mail server that hangs holds up no text. It alone talks to the database about
its messages, many at a time; a pool of threads makes the calls. Jobs (payments, meetings) have their own process, so
ten thousand reminders never stand before a refund.
"""

from __future__ import annotations

import contextvars
import queue as queues
import threading
from concurrent.futures import ThreadPoolExecutor

import structlog
from django.db import DatabaseError, InterfaceError, connection

from bedside.core import clock, remember
from bedside.core.connections import release
from bedside.notifications import claiming, claims, recording, sending
from bedside.notifications.claiming import Attempt, CannotTake, Taken
from bedside.notifications.models import Channel
from bedside.notifications.presence import Presence
from bedside.notifications.recording import Outcome

log = structlog.get_logger(__name__)
# Calls on the way at once, for each channel of each process; and how many more are taken and written meanwhile.
AT_ONCE = 16
AHEAD = 8
# Fewer are not worth a transaction, unless nothing else is on the way.
WORTH_TAKING = 8
LOOK_EVERY_SECONDS = 1.0
GIVE_BACK_EVERY_SECONDS = 3.0


class Postman:
    """Sends what is due on one channel, until told to stop."""

    def __init__(self, channel: str, presence: Presence) -> None:
        self.channel = channel
        self.presence = presence
        self.done: queues.SimpleQueue[Outcome] = queues.SimpleQueue()
        self.unrecorded: list[Outcome] = []
        self.on_the_way = 0
        self.heard = 0
        self.pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix=f"send-{channel}")

    def run(self, stopping: threading.Event) -> None:
        """Until ``stopping``, and then until what is on the way has arrived. A lost database is waited for."""
        while not stopping.is_set() or self.on_the_way or self.unrecorded:
            try:
                self.look(taking=not stopping.is_set())
            except Exception as error:
                # The database went away, most likely: what has come back is kept, and recorded when it is there again.
                log.warning("sender_stumbled", channel=self.channel, error=type(error).__name__)
                connection.close()
                stopping.wait(LOOK_EVERY_SECONDS)
                if stopping.is_set() and not self.on_the_way:
                    break
        self.pool.shutdown(wait=False)
        connection.close()

    def look(self, *, taking: bool = True) -> None:
        """One round: record what has come back, take what there is room for, else wait for either."""
        self._collect()
        if self.unrecorded:
            release()
            self._record()
        room = AT_ONCE + AHEAD - self.on_the_way
        if not taking or (self.on_the_way and room < WORTH_TAKING):
            return
        if self._take(room) or self.on_the_way:
            return
        release()
        self.heard = self.presence.wait(self.heard, LOOK_EVERY_SECONDS)

    def _record(self) -> None:
        try:
            recording.record(self.unrecorded)
        except Exception:
            if connection.connection is None or not connection.is_usable():
                raise
            _record_one_by_one(self.unrecorded)
        self.unrecorded = []

    def _collect(self) -> None:
        """What has come back; where something is on the way, at least one of it, within a second."""
        if not self.on_the_way:
            return
        try:
            came = [self.done.get(timeout=LOOK_EVERY_SECONDS)]
            while True:
                self.unrecorded.append(came.pop())
                self.on_the_way -= 1
                came.append(self.done.get_nowait())
        except queues.Empty:
            return

    def _take(self, room: int) -> bool:
        """Send off up to ``room`` messages that are due; says whether there were any."""
        sender = self.presence.number
        if not sender:
            return False
        clock.refresh()
        with remember.while_it_lasts():
            taken = self._taken(room, sender)
            self.unrecorded += [sending.cannot_be_written(pk) for pk in taken.unwritten]
            for attempt in taken.attempts:
                self.on_the_way += 1
                # With what the batch remembers: the practice's row is asked once.
                self.pool.submit(contextvars.copy_context().run, self._send, attempt)
        return bool(taken.attempts or taken.unwritten)

    def _taken(self, room: int, sender: int) -> Taken:
        try:
            return claiming.take_next(self.channel, room, sender=sender)
        except CannotTake as error:
            return _one_by_one(error.ids, sender)

    def _send(self, attempt: Attempt) -> None:
        try:
            self.done.put(sending.hand_over(attempt))
        finally:
            release()


def _one_by_one(ids: list[int], sender: int) -> Taken:
    """One of them is at fault: it is put off, and the others go."""
    together = Taken()
    for pk in ids:
        try:
            taken = claiming.take_one(pk, sender=sender)
        except Exception as error:
            log.error("notification_not_taken", notification_id=pk, error=type(error).__name__)
            recording.put_off(pk)
        else:
            together.attempts += taken.attempts
            together.unwritten += taken.unwritten
    return together


def _record_one_by_one(outcomes: list[Outcome]) -> None:
    """One of them is at fault: its message is tried again later, after asking the vendor."""
    for outcome in outcomes:
        try:
            recording.record([outcome])
        except DatabaseError as error:
            log.error("outcome_not_recorded", notification_id=outcome.notification_id, error=type(error).__name__)
            recording.put_off(outcome.notification_id)


def deliver(stopping: threading.Event, grace_seconds: float) -> None:
    """Send on all channels until ``stopping``; then let calls end for at most ``grace_seconds``."""
    presence = Presence()
    postmen = [Postman(channel, presence) for channel in Channel]
    threads = [threading.Thread(target=one.run, args=[stopping], daemon=True) for one in postmen]
    watching = threading.Thread(target=presence.keep, daemon=True)
    for thread in (watching, *threads):
        thread.start()
    while not stopping.wait(GIVE_BACK_EVERY_SECONDS):
        _give_back()
    presence.call()
    for thread in threads:
        thread.join(grace_seconds)
    presence.end()


def _give_back() -> None:
    try:
        release()
        clock.refresh()
        if count := claims.give_back_lost():
            log.warning("lost_messages_given_back", count=count)
    except (DatabaseError, InterfaceError) as error:
        log.warning("lost_messages_not_given_back", error=type(error).__name__)
        connection.close()
    finally:
        release()
