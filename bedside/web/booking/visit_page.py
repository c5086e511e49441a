"""What the visit page shows: an appointment, its payment, meeting and messages, read once and put into words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.clinic.models import Practice
from bedside.clinic.policy_models import InForce
from bedside.core import clock
from bedside.core.audit import Actor
from bedside.core.money import Money, format_money
from bedside.flows import cancel, guests, payment_link, reschedule
from bedside.intake.models import IntakeForm
from bedside.notifications import optout
from bedside.payments.models import Payment, Refund
from bedside.payments.states import RefundStatus
from bedside.schedule import openings
from bedside.video.models import Meeting, MeetingStatus
from bedside.web.booking import policy
from bedside.web.booking.choices import Choice, choices
from bedside.web.booking.messages_sent import SentMessage, sent_to_patient
from bedside.web.booking.over import Over, story
from bedside.web.templatetags.when import say_soon

# A visit may run long, and a patient who drops out must find the way back in.
OVERTIME = timedelta(minutes=30)

TEMPLATES = {
    "pending": "booking/visit_pending.html",
    "confirming": "booking/visit_confirming.html",
    "booked": "booking/visit_booked.html",
}


@dataclass(frozen=True)
class MeetingView:
    """The way in: ``ready`` with its link, ``failed``, or still being made."""

    ready: bool
    failed: bool
    join_url: str = ""
    passcode: str = ""


class VisitPage:
    """``returned``: the patient has just come back from paying, so an unpaid visit is shown as being confirmed."""

    def __init__(self, appointment: Appointment, *, returned: bool = False) -> None:
        self.appointment = appointment
        self.returned = returned
        self.now = clock.now()
        self.zone = appointment.patient_timezone
        self.start: datetime = appointment.start
        self.service, self.provider, self.code = appointment.service, appointment.provider, appointment.code
        self.policy = policy.whole(
            InForce(appointment.policy, appointment.free_cancellation_hours, appointment.cancellation_policy)
        )

    @cached_property
    def payment(self) -> Payment | None:
        payment: Payment | None = self.appointment.payment
        return payment

    @cached_property
    def state(self) -> str:
        """pending, confirming, booked; or how it is over: expired, canceled, rescheduled, completed, no_show."""
        appointment = self.appointment
        if appointment.status in {Status.PENDING_PAYMENT, Status.DRAFT}:
            if self.returned and self.payment and not self.payment.failure_code:
                return "confirming"
            return "pending" if payment_link.can_pay(appointment) else "expired"
        if appointment.status == Status.PAID:
            return "booked" if appointment.end + OVERTIME > self.now else "completed"
        return str(appointment.status)

    @property
    def template(self) -> str:
        return TEMPLATES.get(self.state, "booking/visit_over.html")

    @property
    def settling(self) -> bool:
        """Whether something is about to change by itself: the page then asks again every few seconds."""
        making = self.state == "booked" and not (self.meeting.ready or self.meeting.failed)
        return self.state == "confirming" or making

    @property
    def title(self) -> str:
        titles = {
            "pending": _("Payment"),
            "confirming": _("Confirming your payment"),
            "booked": _("You're booked"),
        }
        return titles.get(self.state) or self.over.title

    # --- Addresses ------------------------------------------------------------------------------------------------
    @property
    def url(self) -> str:
        return reverse("booking:visit", args=[self.appointment.token])

    @property
    def refresh_url(self) -> str:
        return f"{self.url}?paid=1" if self.state == "confirming" else self.url

    @property
    def pay_url(self) -> str:
        return reverse("booking:pay", args=[self.appointment.token])

    @property
    def cancel_url(self) -> str:
        return reverse("booking:cancel", args=[self.appointment.token])

    @property
    def move_url(self) -> str:
        return reverse("booking:move", args=[self.appointment.token])

    @property
    def earlier_url(self) -> str:
        return reverse("booking:earlier", args=[self.appointment.token])

    @property
    def resend_url(self) -> str:
        return reverse("booking:resend", args=[self.appointment.token])

    @property
    def texts_url(self) -> str:
        return reverse("booking:texts", args=[self.appointment.token])

    @property
    def calendar_url(self) -> str:
        return reverse("booking:calendar_file", args=[self.appointment.token])

    @property
    def again_url(self) -> str:
        return (
            reverse("booking:times", args=[self.service.slug]) if self.service.active else reverse("booking:services")
        )

    # --- Money ----------------------------------------------------------------------------------------------------
    @property
    def money_said(self) -> str:
        payment = self.payment
        captured = payment.captured_minor + payment.credit_minor if payment and payment.succeeded_at else 0
        if payment and not payment.succeeded_at and payment.credit_minor:
            return format_money(payment.amount)
        return format_money(Money(captured or self.appointment.price_minor, self.appointment.currency))

    @property
    def money_word(self) -> str:
        if self.payment and (self.payment.captured_minor or (self.payment.succeeded_at and self.payment.credit_minor)):
            return _("Paid")
        return _("To pay") if self.state in {"pending", "confirming"} else _("Price")

    @cached_property
    def refunds(self) -> list[Refund]:
        """What went back, or is on its way: oldest first. One that failed is the desk's business."""
        going = Refund.objects.filter(payment__appointment=self.appointment).exclude(status=RefundStatus.FAILED)
        return list(going.select_related("payment").order_by("pk"))

    @property
    def money_lines(self) -> list[str]:
        """What the price holds: the discount that was taken off, and the tax."""
        made, lines = self.appointment, []
        if made.discount_amount and made.promo_code:
            off = format_money(Money(made.discount_amount, made.currency))
            lines.append(_("%(amount)s less with code %(code)s") % {"amount": off, "code": made.promo_code.code})
        if self.payment and self.payment.credit_minor:
            by_credit = format_money(Money(self.payment.credit_minor, made.currency))
            lines.append(_("%(amount)s of it paid with your credit") % {"amount": by_credit})
        if made.tax_amount:
            tax = format_money(Money(made.tax_amount, made.currency))
            lines.append(_("includes %(amount)s %(name)s") % {"amount": tax, "name": made.tax_name})
        return lines

    @property
    def declined(self) -> str:
        if not (self.payment and self.payment.failure_code):
            return ""
        return _("The card was declined, and no money was taken. Your time is still held for you.")

    @property
    def hold_expires_at(self) -> datetime | None:
        return payment_link.shown_until(self.appointment)

    # --- The way in -----------------------------------------------------------------------------------------------
    @cached_property
    def meeting(self) -> MeetingView:
        meeting = Meeting.objects.filter(appointment=self.appointment).first()
        if meeting and meeting.status == MeetingStatus.READY:
            return MeetingView(True, False, meeting.join_url, meeting.passcode)
        return MeetingView(False, bool(meeting and meeting.status == MeetingStatus.FAILED))

    @property
    def join_opens_at(self) -> datetime:
        return self.start - timedelta(minutes=Practice.current().join_minutes)

    @property
    def join_opens_said(self) -> str:
        return say_soon(self.join_opens_at, self.zone)

    @property
    def join_open(self) -> bool:
        return self.now >= self.join_opens_at

    @property
    def test_url(self) -> str:
        return f"{reverse('booking:devices')}?visit={self.appointment.token}"

    # --- Messages, policy, the end --------------------------------------------------------------------------------
    @cached_property
    def messages(self) -> list[SentMessage]:
        return sent_to_patient(self.appointment)

    @property
    def can_resend(self) -> bool:
        return self.state == "booked" and self.appointment.end > self.now

    @property
    def guests_url(self) -> str:
        return reverse("booking:guests", args=[self.appointment.token])

    @cached_property
    def guests(self) -> list[dict[str, str]]:
        """Who else was invited, with the link of each."""
        return [
            {
                "label": one.label,
                "url": f"{settings.PUBLIC_URL}{reverse('booking:guest', args=[one.token])}",
                "back": reverse("booking:guest_back", args=[self.appointment.token, one.pk]),
            }
            for one in guests.guests_of(self.appointment)
        ]

    @cached_property
    def intake(self) -> IntakeForm | None:
        """What is asked before the visit, if anything."""
        return IntakeForm.objects.filter(appointment=self.appointment).only("answered_at", "appointment_id").first()

    @property
    def intake_url(self) -> str:
        return reverse("booking:intake", args=[self.appointment.token])

    @cached_property
    def texts_stopped(self) -> bool:
        return optout.is_opted_out(self.appointment.patient_mobile)

    @property
    def policy_sentence(self) -> str:
        return policy.sentence(self.start, self.appointment.terms, self.zone)

    @cached_property
    def can_cancel(self) -> bool:
        return self.state == "booked" and cancel.preview(self.appointment).possible

    @cached_property
    def can_move(self) -> bool:
        return self.state == "booked" and reschedule.preview(self.appointment, actor=Actor.patient()).possible

    @cached_property
    def moved_from(self) -> list[datetime]:
        """The times before this one, the latest first; struck through wherever they are shown."""
        times, before = [], self.appointment.rescheduled_from
        while before is not None:
            times.append(before.start)
            before = before.rescheduled_from
        return times

    @cached_property
    def over(self) -> Over:
        return story(self.state, self.appointment, self.payment)

    @property
    def struck(self) -> bool:
        """Whether the time no longer holds, and is struck through."""
        return self.state in {"expired", "canceled", "rescheduled"}

    @cached_property
    def alternatives(self) -> list[Choice]:
        """After a hold ran out: the nearest times that are open, as links to the details page."""
        if self.state != "expired" or not self.service.active:
            return []
        return choices(self.service, openings.nearest_alternatives(self.service, self.start, self.provider))
