"""The visit as a calendar invitation that goes with an email: a move moves the entry, a cancellation removes it."""

from __future__ import annotations

from email.utils import parseaddr

from django.conf import settings

from bedside.clinic.models import Practice
from bedside.notifications.calendar import OFF, Invitation, calendar_file
from bedside.notifications.content import facts_for
from bedside.notifications.models import Audience, Kind, Notification
from bedside.notifications.rendering import address_of
from bedside.notifications.transports.base import Attachment

INVITES = frozenset({Kind.CONFIRMATION, Kind.RESCHEDULED, Kind.PROVIDER_CHANGED, Kind.CANCELED})


def invitation_for(notification: Notification) -> Attachment | None:
    """``METHOD:REQUEST`` while the visit stands, ``METHOD:CANCEL`` once it is off; None where the kind brings none."""
    if notification.kind not in INVITES:
        return None
    appointment = notification.appointment
    method = "CANCEL" if appointment.status in OFF else "REQUEST"
    to_patient = notification.audience == Audience.PATIENT
    practice = Practice.current()
    invitation = Invitation(
        method=method,
        organizer=practice.email or parseaddr(settings.DEFAULT_FROM_EMAIL)[1],
        organizer_name=practice.name,
        attendee=address_of(notification),
    )
    data = calendar_file(
        appointment,
        audience=notification.audience,
        join_url=facts_for(notification).join_url if to_patient else "",
        invitation=invitation,
    )
    return Attachment("visit.ics", f"text/calendar; method={method}", data)
