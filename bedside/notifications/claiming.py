"""Taking messages to send: rows that are free, due and still true, written with the words they go out with.

In one short transaction for many rows, so that what they have in common is asked once. Whatever doesn't hold any more
is withdrawn here, and what may not disturb now waits on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import structlog
from django.db import DatabaseError, connection, transaction
from django.db.models import Field
from django.utils.translation import gettext as _

from bedside.core import clock
from bedside.notifications import limits, optout, queue, rules
from bedside.notifications.claims import NOBODY, in_flight
from bedside.notifications.content import facts_for, gather
from bedside.notifications.models import Channel, Kind, Notification
from bedside.notifications.rendering import Message, address_of, render
from bedside.notifications.states import NotificationStatus as Status
from bedside.notifications.wording import stored

log = structlog.get_logger(__name__)
# Machines' clocks differ a little: whoever comes a moment before its message is due still sends it.
EARLY = timedelta(seconds=5)

# One scan of a small index, in order; two senders never see the same rows.
_NEXT = """
    SELECT id FROM notifications_notification
    WHERE status = 'queued' AND channel = %s AND due_at <= %s AND (attempted_at IS NULL OR attempted_at < due_at)
      AND (hold_until IS NULL OR hold_until <= %s)
    ORDER BY due_at, id LIMIT %s FOR UPDATE SKIP LOCKED
"""
_TAKE = """
    UPDATE notifications_notification n SET attempts = n.attempts + 1, attempted_at = greatest(%s, n.due_at),
      sender = %s, recipient = v.recipient, recipient_index = v.recipient_index, subject = v.subject, body = v.body
    FROM unnest(%s::bigint[], %s::bytea[], %s::bytea[], %s::bytea[], %s::bytea[])
      AS v (id, recipient, recipient_index, subject, body) WHERE n.id = v.id
"""
_WRITTEN = ("recipient", "recipient_index", "subject", "body")


@dataclass(frozen=True)
class Attempt:
    """One try: what goes to whom. ``may_have_arrived``: an earlier try's answer was lost, or told of trouble.

    ``tried_body``: the words of that earlier try.
    """

    notification: Notification
    message: Message
    may_have_arrived: bool
    tried_body: str = ""


@dataclass
class Taken:
    """``attempts`` to carry out, in order of due time; ``unwritten``: ids whose template or facts are at fault."""

    attempts: list[Attempt] = field(default_factory=list)
    unwritten: list[int] = field(default_factory=list)


def take_next(channel: str, limit: int, *, sender: int) -> Taken:
    """The next messages of a channel that are due, at most ``limit``, in order of due time.

    Raises `CannotTake` with their ids where the transaction fails: they are then taken one by one.
    """
    now = clock.now()
    ids: list[int] = []
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_NEXT, [channel, now, now, limit])
            ids = [row[0] for row in cursor.fetchall()]
            return _take(ids, now, sender) if ids else Taken()
    except Exception as error:
        if not ids or connection.connection is None or not connection.is_usable():
            raise
        raise CannotTake(ids) from error


class CannotTake(Exception):
    """One of these messages, by id, breaks the transaction of all."""

    def __init__(self, ids: list[int]) -> None:
        super().__init__(f"{len(ids)} messages")
        self.ids = ids


def take_one(notification_id: int, *, sender: int = NOBODY) -> Taken:
    """This message, if it is free and due; even where it would still wait for its meeting's link."""
    now = clock.now()
    with transaction.atomic():
        free = Notification.objects.filter(pk=notification_id, status=Status.QUEUED, due_at__lte=now + EARLY)
        found = free.exclude(in_flight(now)).select_for_update(skip_locked=True, of=("self",)).values_list("pk")
        ids = [pk for (pk,) in found]
        return _take(ids, now, sender) if ids else Taken()


def _take(ids: Sequence[int], now: datetime, sender: int) -> Taken:
    """The rows are locked."""
    rows = Notification.objects.filter(pk__in=ids).order_by("due_at", "pk")
    batch = list(rows.select_related("appointment__provider", "appointment__service", "appointment__policy"))
    gather(batch)
    stored.gather()
    numbers = {address_of(one) for one in batch if one.channel == Channel.SMS}
    opted_out = optout.among(numbers)
    taken, counter = Taken(), limits.Counter(batch, now)
    for notification in batch:
        if reason := _why_not(notification, opted_out):
            _withdraw(notification, reason)
        elif _may_disturb_now(notification) and _is_not_too_much(notification, counter):
            _write(notification, taken)
    if taken.attempts:
        _mark(taken.attempts, now, sender)
    return taken


def _why_not(notification: Notification, opted_out: set[str]) -> str:
    appointment = notification.appointment
    reason = rules.why_not(
        notification.kind,
        status=appointment.status,
        start=appointment.start,
        end=appointment.end,
        now=clock.now(),
        variant=notification.variant,
    )
    if not reason and _is_switched_off(notification):
        reason = "switched-off"
    if reason or notification.channel != Channel.SMS:
        return reason
    unwelcome = queue.why_no_number(appointment, notification.audience)
    return unwelcome or ("opted-out" if address_of(notification) in opted_out else "")


def _is_switched_off(notification: Notification) -> bool:
    """A reminder that the service has stopped sending since it was queued."""
    service, variant = notification.appointment.service, notification.variant
    reminder = notification.kind == Kind.REMINDER and variant in service.reminder_leads
    return reminder and not service.reminds(variant, notification.channel)


def _may_disturb_now(notification: Notification) -> bool:
    """A retry, or a message that is late, may fall into quiet hours: it waits on, or is left to the email."""
    if notification.channel != Channel.SMS:
        return True
    at = queue.text_time(notification)
    if at is None:
        _withdraw(notification, "quiet-hours")
        return False
    if at > clock.now() + EARLY:
        notification.due_at = at
        notification.save(update_fields=["due_at"])
        return False
    return True


def _is_not_too_much(notification: Notification, counter: limits.Counter) -> bool:
    """Over the limit it waits its turn; what would come too late then is left out."""
    at = counter.waits_until(notification)
    if at is None:
        return True
    if limits.is_too_late(notification, at):
        _withdraw(notification, limits.TOO_MANY)
        return False
    notification.due_at = max(at, clock.now() + EARLY)
    notification.error_code = limits.TOO_MANY
    notification.error_advice = _("It waits: this person got as many messages within an hour as one should.")
    notification.save(update_fields=["due_at", "error_code", "error_advice"])
    log.info("notification_waits", notification_id=notification.pk, reason=limits.TOO_MANY)
    return False


def _withdraw(notification: Notification, reason: str) -> None:
    notification.status, notification.error_code = Status.WITHDRAWN, reason
    notification.save(update_fields=["status", "error_code"])
    log.info("notification_withdrawn", notification_id=notification.pk, reason=reason)


def _write(notification: Notification, taken: Taken) -> None:
    """Another try would fail the same way where a template or its facts are at fault. Told by the error's type only."""
    try:
        message = render(notification, facts_for(notification))
    except DatabaseError:
        raise
    except Exception as error:
        log.error("notification_not_rendered", notification_id=notification.pk, error=type(error).__name__)
        taken.unwritten.append(notification.pk)
        return
    tried_before = notification.attempted_at is not None
    tried_body = notification.body if tried_before else ""
    notification.recipient, notification.subject, notification.body = message.to, message.subject, message.body
    taken.attempts.append(Attempt(notification, message, tried_before, tried_body))


def _mark(attempts: list[Attempt], now: datetime, sender: int) -> None:
    rows = [attempt.notification for attempt in attempts]
    fields = [cast("Field[Any, Any]", Notification._meta.get_field(name)) for name in _WRITTEN]
    columns = [[field.get_db_prep_save(field.pre_save(row, False), connection) for row in rows] for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [now, sender, [row.pk for row in rows], *columns])
    for row in rows:
        row.attempts += 1
        row.attempted_at, row.sender = max(now, row.due_at), sender
