"""How a visit ended, told kindly: what happened, what became of the money, what can be done now."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from bedside.appointments.models import Appointment
from bedside.core.money import Money, format_money
from bedside.payments.models import Payment
from bedside.web.templatetags.when import say_when


@dataclass(frozen=True)
class Over:
    """``tone`` and ``shape`` draw the mark; ``struck`` says that the time no longer holds."""

    title: str
    line: str
    shape: str
    tone: str
    struck: bool
    again_word: str


def story(state: str, appointment: Appointment, payment: Payment | None) -> Over:
    """The words for expired, canceled, rescheduled, completed and no_show."""
    when = say_when(appointment.start, appointment.patient_timezone)
    again = _("Choose another time")
    if state == "expired":
        return Over(_("This time is no longer held"), _expired(payment), "calendar-x", "warn", True, _("See all times"))
    if state == "canceled":
        return Over(_("This visit is canceled"), _money_back(payment), "circle-x", "bad", True, again)
    if state == "rescheduled":
        line = _("It no longer takes place on %(when)s.") % {"when": when}
        return Over(_("This visit was moved"), line, "calendar-clock", "", True, again)
    if state == "no_show":
        line = _("Your visit was on %(when)s. Book again, or call us if something went wrong.") % {"when": when}
        return Over(_("We missed you"), line, "calendar-x", "warn", False, again)
    line = _("Your visit with %(name)s was on %(when)s.") % {"name": appointment.provider.name, "when": when}
    return Over(_("Thank you for your visit"), line, "check", "good", False, _("Book another visit"))


def _expired(payment: Payment | None) -> str:
    if payment and payment.captured_minor:
        return _money_back(payment)
    return _("The payment wasn't finished while we could hold it, so the time became free again. Nothing was charged.")


def _money_back(payment: Payment | None) -> str:
    """What became of the money, and of the credit that paid in its stead."""
    if payment is None:
        return _("Nothing was charged.")
    lines = [_money_line(payment)] if payment.captured_minor or not payment.credit_minor else []
    returned = sum(entry.amount_minor for entry in payment.credit_entries.all() if entry.kind == "returned")
    if returned:
        amount = format_money(Money(returned, payment.currency))
        lines.append(_("%(amount)s is on your credit again, under the same code.") % {"amount": amount})
    elif payment.credit_minor:
        lines.append(_("By the cancellation policy, the credit is not returned."))
    return " ".join(lines)


def _money_line(payment: Payment) -> str:
    if not payment.captured_minor:
        return _("Nothing was charged.")
    if payment.credited_minor and not payment.refunded_minor:
        amount = format_money(Money(payment.credited_minor, payment.currency))
        return _("You have a credit of %(amount)s for another visit; its code came by email and text.") % {
            "amount": amount
        }
    if not payment.refunded_minor:
        return _("By the cancellation policy, the price is not returned.")
    amount = format_money(Money(payment.refunded_minor, payment.currency))
    if payment.is_manual:
        return _("%(amount)s goes back to you in the way that you paid.") % {"amount": amount}
    return _("%(amount)s goes back to the card that you paid with. Banks take 5 to 10 business days to show it.") % {
        "amount": amount
    }
