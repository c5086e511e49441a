"""The waitlist's jobs, and what events ask of them. Each looks at the present state; a lost one is made up for."""

from __future__ import annotations

from typing import Any

from procrastinate.contrib.django import app

from bedside.appointments.events import AppointmentExpired
from bedside.core.jobs import PATIENT_RETRY, task
from bedside.flows import waitlist_offers


@task(name="flows.look_at_waitlist", retry=PATIENT_RETRY)
def look_at_waitlist(provider_id: int) -> None:
    waitlist_offers.look(provider_id)


@task(name="flows.lapse_offers", retry=PATIENT_RETRY)
def lapse_offers() -> None:
    waitlist_offers.lapse_due()


@app.periodic(cron="* * * * *", periodic_id="waitlist")
@task(name="flows.sweep_waitlist", queueing_lock="flows.sweep_waitlist")
def sweep_waitlist(timestamp: int = 0) -> None:
    """Offers whose time is up, should the job that was to end them be lost."""
    waitlist_offers.lapse_due()


@app.periodic(cron="*/10 * * * *", periodic_id="waitlist-look")
@task(name="flows.look_at_whole_waitlist", queueing_lock="flows.look_at_whole_waitlist")
def look_at_whole_waitlist(timestamp: int = 0) -> None:
    """What an event's lost job left behind, and who was asleep when a time came free."""
    waitlist_offers.look_soon()


# --- Reactions ----------------------------------------------------------------------------------------------------


def time_came_free(event: Any) -> None:
    """A visit was canceled or moved, a hold ran out, or there are new hours: perhaps somebody waits for it."""
    if isinstance(event, AppointmentExpired):
        waitlist_offers.wait_again(event.appointment_id)
    waitlist_offers.look_soon(event.provider_id)
    previous = getattr(event, "previous_provider_id", None)
    if previous and previous != event.provider_id:
        waitlist_offers.look_soon(previous)
