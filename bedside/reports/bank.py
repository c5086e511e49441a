"""What the processor told us and what became of it: events, payouts and disputes. Read only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet, Sum
from django.utils.translation import gettext as _

from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.core import clock
from bedside.notifications.models import Audience, Notification
from bedside.payments.bank_models import Dispute, Payout
from bedside.payments.models import LedgerEntry, ProcessorEvent
from bedside.payments.states import DISPUTE_OVER

PROCESSORS = ("stripe", "sandbox")


def events(*, everything: bool) -> QuerySet[ProcessorEvent]:
    """The processor's webhooks, newest first: those not handled yet, or all."""
    rows = ProcessorEvent.objects.filter(processor__in=PROCESSORS).order_by("-pk")
    return rows if everything else rows.filter(processed_at=None)


def payouts() -> QuerySet[Payout]:
    return Payout.objects.order_by("-created_at", "-pk")


def disputes() -> QuerySet[Dispute]:
    """Undecided ones first, the nearest deadline on top; then the newest."""
    rows = Dispute.objects.select_related("payment__appointment__service", "payment__appointment__provider")
    return rows.annotate(over=Q(status__in=sorted(DISPUTE_OVER))).order_by("over", "due_at", "-opened_at", "-pk")


def disputes_of(appointment: Appointment) -> list[Dispute]:
    return list(Dispute.objects.filter(payment__appointment=appointment).order_by("-opened_at"))


def time_left(dispute: Dispute) -> timedelta | None:
    """Until the evidence is due; zero once that has passed; None where nothing is waited for."""
    if not dispute.needs_answer or dispute.due_at is None:
        return None
    return max(dispute.due_at - clock.now(), timedelta(0))


def cost_of(dispute: Dispute) -> tuple[int, int]:
    """What it holds back now, and its fees, minor units: both as positive numbers."""
    lines = LedgerEntry.objects.filter(payment=dispute.payment_id)
    held = lines.filter(kind="dispute").aggregate(sum=Sum("amount_minor"))["sum"] or 0
    of_disputes = lines.filter(kind="dispute").values("processor_object")
    fees = lines.filter(kind="fee", processor_object__in=of_disputes).aggregate(sum=Sum("amount_minor"))["sum"] or 0
    return -int(held), -int(fees)


@dataclass(frozen=True)
class Evidence:
    """One thing that speaks for the practice. ``found`` False: it is missing here, and ``text`` says what to do."""

    title: str
    found: bool
    text: str
    at: datetime | None = None


def evidence(dispute: Dispute) -> list[Evidence]:
    """What the rows say about the visit, as the bank will ask for it. Nothing of it tells what the visit was for."""
    appointment = dispute.payment.appointment
    return [
        _agreed(appointment),
        _policy(appointment),
        _paid(dispute),
        _attended(appointment),
        *_messages(appointment),
        _given_back(dispute),
    ]


def _agreed(appointment: Appointment) -> Evidence:
    title = _("Booked and agreed to messages")
    if not appointment.sms_consent_at:
        return Evidence(title, False, _("No consent is on record for this visit."))
    text = _("Booked by %(source)s. Agreed to: “%(text)s” (version %(version)s).") % {
        "source": appointment.sms_consent_source or appointment.source,
        "text": appointment.sms_consent_text,
        "version": appointment.sms_consent_version or "–",
    }
    return Evidence(title, True, text, appointment.sms_consent_at)


def _policy(appointment: Appointment) -> Evidence:
    title = _("Cancellation policy shown before paying")
    if not appointment.cancellation_policy:
        return Evidence(title, False, _("The visit carries no policy text."))
    text = _("Free until %(hours)s hours before. In the words shown: “%(policy)s”") % {
        "hours": appointment.free_cancellation_hours,
        "policy": appointment.cancellation_policy,
    }
    return Evidence(title, True, text, appointment.created_at)


def _paid(dispute: Dispute) -> Evidence:
    payment = dispute.payment
    text = _("Paid on the processor's own page; payment %(intent)s.") % {"intent": payment.intent_id}
    return Evidence(_("Paid by the patient"), bool(payment.succeeded_at), text, payment.succeeded_at)


def _attended(appointment: Appointment) -> Evidence:
    title = _("The visit took place")
    meeting = getattr(appointment, "meeting", None)
    if meeting is not None and meeting.host_joined_at:
        return Evidence(title, True, _("The provider joined the video room."), meeting.host_joined_at)
    if appointment.status == Status.COMPLETED:
        return Evidence(title, True, _("Marked as completed at the desk."), appointment.end)
    said = {
        Status.CANCELED: _("It was canceled; say when, and what came back."),
        Status.NO_SHOW: _("The patient didn't come; say that the provider waited, and what the policy says."),
    }.get(Status(appointment.status), _("Nothing here shows that it took place. Ask the provider for a written word."))
    return Evidence(title, False, said, appointment.canceled_at)


def _messages(appointment: Appointment) -> Iterable[Evidence]:
    titles = {"confirmation": _("Confirmation delivered"), "reminder": _("Reminder delivered")}
    sent = Notification.objects.filter(appointment=appointment, audience=Audience.PATIENT, kind__in=list(titles))
    got = [message for message in sent.order_by("sent_at") if message.status in {"sent", "delivered"}]
    for kind, title in titles.items():
        found = [message for message in got if message.kind == kind]
        if not found:
            yield Evidence(title, False, _("None is known to have arrived."))
            continue
        words = [f"{message.get_channel_display()}: {message.status}" for message in found]
        yield Evidence(title, True, ", ".join(words) + ".", found[0].sent_at)


def _given_back(dispute: Dispute) -> Evidence:
    payment = dispute.payment
    title = _("Refunded before the dispute")
    if not payment.refunded_minor:
        return Evidence(title, False, _("Nothing was given back."))
    refunds = payment.refunds.exclude(status="failed").order_by("pk")
    text = _("Given back: %(ids)s.") % {"ids": ", ".join(one.refund_id or "–" for one in refunds)}
    first = refunds.first()
    return Evidence(title, True, text, first.settled_at if first else None)


def as_text(items: Iterable[Evidence]) -> str:
    """What was found, to be pasted into the processor's form. Times are UTC."""
    return "\n".join(
        f"- {item.title}{f' ({item.at:%Y-%m-%d %H:%M} UTC)' if item.at else ''}: {item.text}"
        for item in items
        if item.found
    )
