"""Sending: take a message's row, hand it over outside any transaction, record what came of it.

Never twice: a claim lets one sender in; and whoever comes after a try that left no answer asks the vendor first, by our
reference, whether that try arrived.
"""

from __future__ import annotations

import structlog
from django.utils.translation import gettext as _

from bedside.core.connections import release
from bedside.notifications import claiming, recording
from bedside.notifications.attachments import attachments_for
from bedside.notifications.claiming import Attempt
from bedside.notifications.recording import Outcome
from bedside.notifications.transports import transport
from bedside.notifications.transports.base import TransportError

log = structlog.get_logger(__name__)


def send(notification_id: int) -> None:
    """Send a queued message that is due, once. Anything else (sent, withdrawn, being sent) is left as it is."""
    taken = claiming.take_one(notification_id)
    recording.record([cannot_be_written(pk) for pk in taken.unwritten])
    recording.record([hand_over(attempt) for attempt in taken.attempts])


def cannot_be_written(notification_id: int) -> Outcome:
    """A template or its facts are at fault: another try would fail the same way."""
    advice = _("The message could not be written. Please tell the person who looks after Bedside.")
    return Outcome(notification_id, error=TransportError("not-rendered", permanent=True, advice=advice))


def hand_over(attempt: Attempt) -> Outcome:
    """The vendor call, outside any transaction, and what came of it. Raises nothing but what ends the process."""
    pk, to = attempt.notification.pk, attempt.message.to
    try:
        return Outcome(pk, vendor_id=_hand_over(attempt), to=to)
    except TransportError as error:
        return Outcome(pk, error=error, to=to)
    except Exception as error:
        # Whatever it was, the vendor may have taken the message: the next try asks. The text may hold an address.
        log.error("notification_try_broke", notification_id=pk, error=type(error).__name__)
        return Outcome(pk, error=TransportError("broken-try", permanent=False), to=to)


def _hand_over(attempt: Attempt) -> str:
    """Returns the vendor's id."""
    notification, message = attempt.notification, attempt.message
    way = transport(notification.channel)
    if attempt.may_have_arrived:
        known = way.find(notification.reference, to=message.to, body=attempt.tried_body, since=notification.created_at)
        if known:
            log.info("notification_had_arrived", notification_id=notification.pk)
            return known
    files = attachments_for(notification)
    # The call may take its time, and needs no connection meanwhile.
    release()
    return way.send(
        to=message.to,
        subject=message.subject,
        body=message.body,
        html=message.html,
        reference=notification.reference,
        kind=notification.kind,
        audience=notification.audience,
        attachments=files,
    )
