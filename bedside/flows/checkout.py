"""Opening the processor's checkout for a payment, outside any transaction."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog
from django.conf import settings
from django.utils.translation import gettext as _

from bedside.appointments.models import Appointment
from bedside.clinic.models import Practice
from bedside.core import alerts, clock
from bedside.core.money import Money, format_money
from bedside.flows import hold
from bedside.payments.errors import CheckoutUnavailable
from bedside.payments.models import Payment
from bedside.payments.processors import processor
from bedside.payments.processors.base import CheckoutSession, ProcessorError
from bedside.payments.states import PaymentStatus

log = structlog.get_logger(__name__)
# The session ends before the hold does, and Stripe wants it to live 30 minutes at least.
SESSION_MARGIN = timedelta(minutes=4)
LONGEST = timedelta(hours=23)
KEY_LASTS = 120  # seconds


def open_for(payment: Payment, *, link: bool = False) -> str:
    """The page where the patient pays. Raises CheckoutUnavailable after releasing the hold; a ``link``'s stays."""
    before = payment.session_id
    try:
        session = _open(payment, link=link)
    except ProcessorError as error:
        log.warning("checkout_unavailable", appointment_id=payment.appointment_id, code=error.code)
        alerts.raise_alert("payments-down", "checkout", f"The processor can't open checkouts ({error.code}).")
        if not link:
            hold.give_up(payment.appointment_id)
        raise CheckoutUnavailable from error
    waiting = Payment.objects.filter(pk=payment.pk, session_id=before, status=PaymentStatus.INITIATED)
    ours = waiting.update(session_id=session.session_id, session_url=session.url, session_expires_at=session.expires_at)
    if ours:
        return session.url
    # Somebody was quicker, or the desk has taken the money meanwhile: a page that nobody is led to can't be paid.
    theirs = Payment.objects.values_list("session_url", flat=True).get(pk=payment.pk)
    if not theirs:
        raise CheckoutUnavailable
    return str(theirs)


def _open(payment: Payment, *, link: bool) -> CheckoutSession:
    """A time-out is not a no: asked once more under the same key, which opens no second session.

    A link is opened again and again: each time under a key of its own, kept for two minutes so that a double click is
    one session and a key that repeats an error is left behind.
    """
    appointment = payment.appointment
    assert appointment.hold_expires_at is not None
    key, since = f"payment-{payment.pk}-{appointment.code}", clock.now()
    if link:
        part = int(since.timestamp()) // KEY_LASTS
        key, since = f"{key}-{part}", datetime.fromtimestamp(part * KEY_LASTS, UTC)
    until = min(appointment.hold_expires_at - SESSION_MARGIN, since + LONGEST)
    try:
        return _ask(payment, key, until)
    except ProcessorError as error:
        if not error.outcome_unknown:
            raise
        return _ask(payment, key, until)


def _ask(payment: Payment, key: str, until: datetime) -> CheckoutSession:
    appointment = payment.appointment
    page = f"{settings.PUBLIC_URL}/visits/{appointment.token}"
    return processor().open_checkout(
        payment_key=key,
        reference=appointment.code,
        amount=payment.amount,
        # The processor signs no health privacy agreement: nothing here tells what the visit is for.
        description=_description(appointment),
        email=appointment.patient_email,
        success_url=f"{page}?paid=1",
        cancel_url=f"{page}?unpaid=1",
        expires_at=until,
        metadata={"appointment_id": str(appointment.pk), "payment_id": str(payment.pk)},
    )


def _description(appointment: Appointment) -> str:
    """The line on the processor's page, with the tax that is part of the amount."""
    practice = Practice.current().name
    if not appointment.tax_amount:
        return _("Video visit with %(practice)s") % {"practice": practice}
    tax = format_money(Money(appointment.tax_amount, appointment.currency))
    words = {"practice": practice, "tax": tax, "name": appointment.tax_name}
    return _("Video visit with %(practice)s, including %(tax)s %(name)s") % words
