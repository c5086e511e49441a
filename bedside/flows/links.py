"""Links: a patient who lost the link has the confirmations of what is ahead sent again, to the address they are for."""

from __future__ import annotations

from bedside.appointments.errors import AlreadyOver
from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.core import clock, ratelimit
from bedside.core.audit import Actor
from bedside.core.crypto import blind_index
from bedside.core.ratelimit import RateLimited
from bedside.flows.resend import resend
from bedside.notifications.models import Channel

MOST_AT_ONCE = 10


def send_links(*, email: str, address: str) -> None:
    """Email the links of upcoming visits to ``email``. Says nothing about whether there are any.

    ``address`` is the asker's network address. Raises RateLimited by that address, never by the patient's: that would
    tell that there is one.
    """
    ratelimit.hit("my-links", address)
    ahead = Appointment.objects.filter(
        patient_email_index=blind_index("email", email), status=Status.PAID, end__gt=clock.now()
    )
    for appointment_id in ahead.order_by("start").values_list("pk", flat=True)[:MOST_AT_ONCE]:
        try:
            resend(appointment_id=appointment_id, actor=Actor.patient(), channels=[Channel.EMAIL])
        except (RateLimited, AlreadyOver):
            continue
