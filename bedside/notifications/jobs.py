"""The queue's jobs. Messages themselves are sent by the senders (postman.py), which need no job for each."""

from __future__ import annotations

from procrastinate.contrib.django import app

from bedside.core.jobs import PATIENT_RETRY, task
from bedside.notifications import claims, sending, sweeping


@task(name="notifications.send", retry=PATIENT_RETRY)
def send_notification(notification_id: int) -> None:
    """One message. Asked for by versions before the senders: what they left in the queue still runs."""
    sending.send(notification_id)


@app.periodic(cron="* * * * *", periodic_id="notifications")
@task(name="notifications.sweep", queueing_lock="notifications.sweep")
def sweep(timestamp: int = 0) -> None:
    """What a dead sender had in hand is due again; a queue that stands still raises an alert."""
    claims.give_back_lost()
    sweeping.watch()
