"""The facts that a message is written from. Notifications knows the visit; payments and video add what they know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from bedside.clinic.models import Practice
from bedside.clinic.policy import Terms
from bedside.core import clock
from bedside.core.money import Money
from bedside.core.phones import as_written
from bedside.notifications.models import Audience, Channel, Notification


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a template may say. Instants are UTC; ``zone`` is the recipient's, and times are said in it.

    ``was`` and ``was_with`` are the start and the provider before a move; None and "" where there was none.
    ``join_url`` is empty until there is a meeting. ``refund`` is what goes back in this message's refund, or will go
    back after a cancellation; None where nothing does; ``refund_to_card`` is False where the desk gives it by hand.
    ``paid`` is what was paid; None where not known.
    """

    practice_name: str
    practice_phone: str
    practice_email: str
    patient_name: str
    provider_name: str
    service_name: str
    code: str
    start: datetime
    zone: str
    duration_minutes: int
    free_until: datetime
    policy: str
    now: datetime
    visit_url: str
    short_url: str
    calendar_url: str
    book_url: str
    intake_url: str
    start_url: str
    join_url: str = ""
    terms: Terms | None = None
    first_text: bool = False
    was: datetime | None = None
    was_with: str = ""
    canceled_by: str = ""
    paid: Money | None = None
    refund: Money | None = None
    refund_to_card: bool = True
    credit: Money | None = None
    credit_returned: Money | None = None
    credit_code: str = ""
    credit_until: datetime | None = None
    pay_until: datetime | None = None
    due: Money | None = None
    claim_url: str = ""
    claim_until: datetime | None = None

    @property
    def cancel_is_free(self) -> bool:
        return self.now < self.free_until


FactsFor = Callable[[Notification], Facts]
Gather = Callable[[Sequence[Notification]], None]
_facts_for: FactsFor | None = None
_gather: Gather | None = None


def register_facts(function: FactsFor, gather: Gather | None = None) -> None:
    """Once, from flows: how to gather everything, usually ``dataclasses.replace(base_facts(notification), ...)``.

    ``gather`` asks for many messages at once what ``function`` would ask for each.
    """
    global _facts_for, _gather
    _facts_for, _gather = function, gather


def gather(notifications: Sequence[Notification]) -> None:
    """Before writing many: ask in a few questions what `facts_for` would ask for each."""
    texts = [one for one in notifications if one.channel == Channel.SMS]
    texted = set(
        Notification.objects.filter(
            appointment__in={one.appointment_id for one in texts}, channel=Channel.SMS, sent_at__isnull=False
        ).values_list("appointment_id", "audience", "pk")
        if texts
        else ()
    )
    others: dict[tuple[int, str], set[int]] = {}
    for visit, audience, pk in texted:
        others.setdefault((visit, audience), set()).add(pk)
    for one in texts:
        known = others.setdefault((one.appointment_id, one.audience), set())
        one.first_text = not known - {one.pk}
        known.add(one.pk)  # of two that go together, one says how to opt out
    if _gather:
        _gather(notifications)


def facts_for(notification: Notification) -> Facts:
    """All that is known for this message, at this moment."""
    return (_facts_for or base_facts)(notification)


def base_facts(notification: Notification) -> Facts:
    """What notifications itself can know: the practice, the visit, and the links into Bedside."""
    appointment, practice = notification.appointment, Practice.current()
    provider, service = appointment.provider, appointment.service
    site = settings.PUBLIC_URL
    visit, portal = f"{site}/visits/{appointment.token}", f"{site}/portal/visits/{appointment.code}"
    before = appointment.rescheduled_from
    to_patient = notification.audience == Audience.PATIENT
    return Facts(
        practice_name=practice.name,
        practice_phone=as_written(practice.phone),
        practice_email=practice.email,
        patient_name=appointment.patient_name,
        provider_name=provider.name,
        service_name=service.discreet_name,
        code=appointment.code,
        start=appointment.start,
        zone=appointment.patient_timezone if to_patient else provider.timezone,
        duration_minutes=int((appointment.end - appointment.start).total_seconds() // 60),
        free_until=appointment.terms.free_until(appointment.start),
        terms=appointment.terms,
        policy=appointment.cancellation_policy,
        now=clock.now(),
        visit_url=visit if to_patient else portal,
        short_url=f"{site}/v/{appointment.token}" if to_patient else portal,
        calendar_url=f"{visit if to_patient else portal}/calendar.ics",
        book_url=f"{site}/book/{service.slug}",
        intake_url=f"{visit}/intake",
        start_url=f"{portal}/start",
        first_text=is_first_text(notification),
        canceled_by="patient" if appointment.canceled_for_patient else appointment.canceled_by,
        was=before.start if before else None,
        was_with=before.provider.name if before else "",
    )


def is_first_text(notification: Notification) -> bool:
    """Whether this is the first text to this person about this visit: the one that says how to opt out."""
    if notification.channel != Channel.SMS:
        return False
    if notification.first_text is not None:
        return notification.first_text
    others = Notification.objects.filter(
        appointment_id=notification.appointment_id, audience=notification.audience, channel=Channel.SMS
    )
    return not others.filter(sent_at__isnull=False).exclude(pk=notification.pk).exists()
