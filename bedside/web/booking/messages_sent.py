"""What was sent to the patient, where, and how it stands: the newest of each kind and channel."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bedside.appointments.models import Appointment
from bedside.notifications.models import Audience, Channel, Kind, Notification
from bedside.web.templatetags.when import say_soon

WORDS = {
    Kind.CONFIRMATION: gettext_lazy("Confirmation"),
    Kind.REMINDER: gettext_lazy("Reminder"),
    Kind.RESCHEDULED: gettext_lazy("Your visit moved"),
    Kind.CANCELED: gettext_lazy("Cancellation"),
    Kind.REFUNDED: gettext_lazy("Refund receipt"),
    Kind.PAYMENT_FAILED: gettext_lazy("Payment problem"),
    Kind.PROVIDER_CHANGED: gettext_lazy("Your clinician changed"),
    Kind.RECEIPT: gettext_lazy("Receipt"),
    Kind.PAYMENT_LINK: gettext_lazy("Payment link"),
    Kind.CREDIT: gettext_lazy("Your credit"),
    Kind.WAITLIST_OFFER: gettext_lazy("A time that came free"),
    Kind.INTAKE_REQUEST: gettext_lazy("Questions before your visit"),
    Kind.MANUAL: gettext_lazy("Message from us"),
}


@dataclass(frozen=True)
class SentMessage:
    """One line: "Email to ro•••@example.com", what and when, its state, and advice where it failed."""

    channel: str
    title: str
    line: str
    status: str
    advice: str


def sent_to_patient(appointment: Appointment) -> list[SentMessage]:
    """Newest version of each, oldest kind first. What only waits for its time is not listed yet."""
    newest: dict[tuple[str, str, str], Notification] = {}
    rows = Notification.objects.filter(appointment=appointment, audience=Audience.PATIENT).exclude(status="withdrawn")
    for notification in rows.order_by("pk"):
        if notification.kind in {Kind.REMINDER, Kind.INTAKE_REQUEST} and notification.status == "queued":
            continue
        newest[(notification.kind, notification.variant, notification.channel)] = notification
    return [_line(notification, appointment) for notification in newest.values()]


def _line(notification: Notification, appointment: Appointment) -> SentMessage:
    if notification.channel == Channel.EMAIL:
        title = _("Email to %(address)s") % {
            "address": masked_email(notification.recipient or appointment.patient_email)
        }
    else:
        title = _("Text to %(number)s") % {
            "number": masked_mobile(notification.recipient or appointment.patient_mobile)
        }
    at = notification.sent_at or notification.due_at
    line = f"{WORDS[Kind(notification.kind)]} · {say_soon(at, appointment.patient_timezone)}"
    advice = ""
    if notification.status == "failed":
        advice = _("This one didn't arrive. Please call us so that we can correct where we send it.")
    return SentMessage(notification.channel, title, line, notification.status, advice)


def masked_email(address: str) -> str:
    """Enough to know it by, too little to read it off a shoulder: "ro•••@example.com"."""
    name, _at, domain = address.partition("@")
    return f"{name[:2]}•••@{domain}"


def masked_mobile(number: str) -> str:
    """The last four digits: "••• 0143"."""
    return f"••• {number[-4:]}"
