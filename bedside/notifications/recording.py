"""What came of tries: sent, to be tried again later, or failed with advice and an alert."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from django.db import connection, transaction
from django.utils.translation import gettext as _

from bedside.core import clock
from bedside.core.alerts import raise_alert, resolve_alerts
from bedside.core.events import publish, publish_all
from bedside.notifications import optout, retries
from bedside.notifications.events import NotificationFailed, NotificationSent
from bedside.notifications.models import Channel, Notification
from bedside.notifications.states import NotificationStatus as Status
from bedside.notifications.transports.base import TransportError

log = structlog.get_logger(__name__)
# The gateway's own list knew what ours didn't.
OPTED_OUT = "21610"

_SENT = """
    UPDATE notifications_notification n
    SET status = 'sent', vendor_id = v.vendor_id, sent_at = %s, error_code = '', error_advice = '', sender = NULL
    FROM unnest(%s::bigint[], %s::text[]) AS v (id, vendor_id)
    WHERE n.id = v.id AND n.status NOT IN ('sent', 'delivered')
    RETURNING n.id, n.appointment_id, n.attempts
"""


@dataclass(frozen=True)
class Outcome:
    """Of one try: the vendor's id, or its error. ``to``: where it went, for a number that turns out to be opted out."""

    notification_id: int
    vendor_id: str = ""
    error: TransportError | None = None
    to: str = ""


def record(outcomes: Sequence[Outcome]) -> None:
    """Keep them. Doing it twice is harmless: what is recorded as sent stays so."""
    sent = {one.notification_id: one.vendor_id for one in outcomes if one.error is None}
    if sent:
        _record_sent(sent)
    for one in outcomes:
        if one.error is not None:
            _record_failure(one.notification_id, one.error)
            if one.error.code == OPTED_OUT:
                optout.opt_out(one.to, "gateway")


def _record_sent(sent: dict[int, str]) -> None:
    """Vendor ids by message."""
    ids = sorted(sent)
    with transaction.atomic(), connection.cursor() as cursor:
        # In the order of ids, so that whoever else takes several of them waits instead of deadlocking.
        list(Notification.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk"))
        cursor.execute(_SENT, [clock.now(), ids, [sent[pk] for pk in ids]])
        done = sorted(cursor.fetchall())
        publish_all([NotificationSent(appointment_id=visit, notification_id=pk) for pk, visit, _attempts in done])
        resolve_alerts(("text-failed", "email-failed"), [f"notification:{pk}" for pk in ids])
    for pk, _visit, attempts in done:
        log.info("notification_sent", notification_id=pk, attempts=attempts)


def _record_failure(notification_id: int, error: TransportError) -> None:
    """Another try later, or the end of it."""
    with transaction.atomic():
        notification = Notification.objects.select_for_update().get(pk=notification_id)
        if notification.status != Status.QUEUED:
            return
        notification.error_code, notification.error_advice = error.code[:40], error.advice[:300]
        notification.sender = None
        wait = retries.wait_after(notification.channel, max(notification.attempts, 1), permanent=error.permanent)
        if wait is None:
            _give_up(notification)
        else:
            notification.due_at = max(clock.now(), notification.due_at) + wait
            notification.save(update_fields=["due_at", "error_code", "error_advice", "sender"])
    log.warning(
        "notification_not_sent",
        notification_id=notification_id,
        code=error.code,
        permanent=error.permanent,
        attempts=notification.attempts,
        again=wait is not None,
    )


def put_off(notification_id: int) -> None:
    """It can't even be taken: a try that broke, so that it doesn't stand in the way of those behind it."""
    with transaction.atomic():
        notification = Notification.objects.select_for_update().filter(pk=notification_id).first()
        if notification is None or notification.status != Status.QUEUED:
            return
        notification.attempts += 1
        notification.save(update_fields=["attempts"])
    _record_failure(notification_id, TransportError("broken-try", permanent=False))


def _give_up(notification: Notification) -> None:
    notification.status = Status.FAILED
    if not notification.error_advice:
        notification.error_advice = _("It could not be delivered after several tries. Send it again, or call.")
    notification.save(update_fields=["status", "error_code", "error_advice", "sender"])
    publish(NotificationFailed(appointment_id=notification.appointment_id, notification_id=notification.pk))
    raise_alert(
        "text-failed" if notification.channel == Channel.SMS else "email-failed",
        f"notification:{notification.pk}",
        f"A {notification.kind} to the {notification.audience} was not delivered ({notification.error_code}). "
        f"{notification.error_advice}",
        appointment_id=notification.appointment_id,
        notification_id=notification.pk,
    )
