"""The one table of "when this event is published, these jobs run". They are deferred in the publishing transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bedside.appointments import events as appointment_events
from bedside.core.events import DomainEvent, react_with
from bedside.flows import credits, jobs, receipt_jobs, waitlist_jobs
from bedside.payments import events as payment_events
from bedside.schedule import events as schedule_events

Reactions = Mapping[type[DomainEvent], tuple[Callable[[Any], None], ...]]

REACTIONS: Reactions = {
    appointment_events.AppointmentCreated: (jobs.end_hold_when_due,),
    appointment_events.AppointmentPaid: (jobs.prepare_visit_soon, receipt_jobs.receipt_soon),
    appointment_events.AppointmentCanceled: (
        jobs.close_checkout_soon,
        jobs.close_meeting_soon,
        credits.let_go,
        waitlist_jobs.time_came_free,
    ),
    appointment_events.AppointmentRescheduled: (
        jobs.prepare_visit_soon,
        jobs.close_previous_meeting_soon,
        waitlist_jobs.time_came_free,
    ),
    appointment_events.AppointmentExpired: (jobs.close_checkout_soon, credits.let_go, waitlist_jobs.time_came_free),
    schedule_events.AvailabilityUpdated: (waitlist_jobs.time_came_free,),
    payment_events.PaymentCaptured: (jobs.collect_fee_soon,),
    payment_events.RefundRequested: (jobs.refund_soon,),
    payment_events.RefundIssued: (receipt_jobs.refund_receipt_soon,),
    payment_events.RefundRefused: (receipt_jobs.correction_soon,),
}


def react(event: DomainEvent) -> None:
    for reaction in REACTIONS.get(type(event), ()):
        reaction(event)


def register() -> None:
    """Once, when Django is ready."""
    react_with(react)
