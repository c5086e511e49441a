"""Words of the desk: ``{% load desk %}``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from bedside.clinic.models import Practice
from bedside.core.masking import masked
from bedside.core.money import Money, format_money
from bedside.web.templatetags.ui import status_word
from bedside.web.templatetags.when import say_when

register = template.Library()

# What was done, as the activity log says it; the code stands beside it.
ACTIONS: Mapping[str, Any] = {
    "appointment.created": _("Time taken"),
    "intake.answered": _("Questions before the visit answered"),
    "intake.changed": _("Answers to the questions changed"),
    "intake.viewed": _("Answers to the questions read"),
    "appointment.paid": _("Paid"),
    "appointment.expired": _("Hold ran out"),
    "appointment.canceled": _("Canceled"),
    "appointment.rescheduled": _("Moved"),
    "appointment.reassigned": _("Provider changed"),
    "appointment.no_show": _("Missed by the patient"),
    "appointment.reopened": _("Taken back: a visit again"),
    "appointment.completed": _("Completed"),
    "appointment.viewed": _("Record viewed"),
    "notification.resent": _("Confirmation sent again"),
    "refund.requested": _("Refund asked for"),
    "refund.issued": _("Refund issued"),
    "refund.failed": _("Refund failed"),
    "practice.payment_terms": _("Payment terms changed"),
    "payment.recorded": _("Payment recorded"),
    "payment_link.sent": _("Payment link sent"),
    "credit.issued": _("Credit given"),
    "credit.used": _("Credit used"),
    "credit.returned": _("Credit returned"),
    "credit.reversed": _("Credit taken back"),
    "credit.money_settled": _("Money of a credit settled"),
    "credit.expired": _("Credit lapsed"),
    "credit.viewed": _("Credit viewed"),
    "refund.found": _("Refund made at the processor"),
    "dispute.opened": _("Payment disputed"),
    "dispute.changed": _("Dispute moved on"),
    "dispute.viewed": _("Dispute viewed"),
    "feature.switched": _("Feature switched"),
    "service.created": _("Service made"),
    "service.changed": _("Service changed"),
    "service.archived": _("Service archived"),
    "service.restored": _("Service restored"),
    "provider.created": _("Provider added"),
    "provider.changed": _("Provider changed"),
    "provider.archived": _("Provider archived"),
    "provider.restored": _("Provider restored"),
    "group.created": _("Group made"),
    "group.changed": _("Group changed"),
    "group.archived": _("Group archived"),
    "group.restored": _("Group restored"),
    "receipt.issued": _("Receipt issued"),
    "mismatch.resolved": _("Mismatch explained"),
    "receipt.sent": _("Receipt sent"),
    "receipt.codes_changed": _("Insurer's codes changed"),
    "bulk.started": _("Bulk run begun"),
    "bulk.canceled": _("Bulk run canceled"),
    "bulk.finished": _("Bulk run finished"),
    "export.started": _("Export begun"),
    "export.ended": _("Export ended"),
    "practice.changed": _("Practice settings changed"),
    "contact.revealed": _("Contact details shown"),
    "user.invited": _("Invited to the desk"),
    "user.invitation_withdrawn": _("Invitation withdrawn"),
    "user.joined": _("Account opened"),
    "user.changed": _("Name changed"),
    "user.role_changed": _("Role changed"),
    "user.deactivated": _("Account switched off"),
    "user.reactivated": _("Account switched on again"),
    "user.signed_out": _("Signed out everywhere"),
    "user.second_factor_reset": _("Second step reset"),
    "user.password_link": _("Password link sent"),
    "meeting.host_link_fetched": _("Provider went to the video room"),
}


@register.filter
def action_word(action: str) -> str:
    """The action in words; an unknown one as its code, spelled out."""
    return str(ACTIONS.get(action, action.replace(".", " ").replace("_", " ").capitalize()))


# What was changed, where the name that the trail keeps isn't how people say it.
FACTS: Mapping[str, Any] = {
    "override": _("Outside the offered times"),
    "source": _("Booked through"),
    "why": _("Why"),
    "sms_consent": _("Consent to texts"),
    "for_patient": _("The patient asked for it"),
    "zoom_user_id": _("Zoom host"),
}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*(?:Z|[+-]\d\d:\d\d)")
WHOLE = re.compile(r"-?\d{1,15}")


@register.filter
def fact_word(name: str) -> str:
    """The name of a changed value in words: "amount_minor" is "Amount"."""
    return str(FACTS.get(name) or name.removesuffix("_minor").replace("_", " ").capitalize())


@register.filter
def fact_value(value: str, name: str) -> str:
    """A changed value in words: money as money, times on the practice's clock, states as the badges say them."""
    practice = Practice.current()
    if name.endswith("_minor") and WHOLE.fullmatch(value):
        return format_money(Money(int(value), practice.currency))
    if INSTANT.fullmatch(value):
        return say_when(datetime.fromisoformat(value), practice.timezone)
    if name.endswith("status"):
        return status_word(value)
    return {"True": str(_("Yes")), "False": str(_("No"))}.get(value, value)


@register.filter
def hidden(contact: str) -> str:
    """An email address or a number, as shown until somebody asks to see it."""
    return masked(contact)


# The bank's reasons, as Stripe names them.
DISPUTE_REASONS: Mapping[str, Any] = {
    "fraudulent": _("The cardholder says it wasn't them"),
    "product_not_received": _("The visit didn't take place, says the patient"),
    "product_unacceptable": _("The visit wasn't as described, says the patient"),
    "credit_not_processed": _("A refund was promised and didn't come, says the patient"),
    "duplicate": _("Charged twice, says the patient"),
    "subscription_canceled": _("Charged after canceling, says the patient"),
    "unrecognized": _("The cardholder doesn't recognize the payment"),
    "general": _("No reason given"),
}


@register.filter
def dispute_reason(code: str) -> str:
    """A dispute's reason in words; an unknown one as its code, spelled out."""
    return str(DISPUTE_REASONS.get(code, code.replace("_", " ").capitalize()))


@register.filter
def days_left(left: timedelta) -> str:
    """Say "5 days left", "3 hours left" below two days, or that it is over."""
    hours = int(left.total_seconds() // 3600)
    if left <= timedelta(0):
        return str(_("The deadline has passed"))
    if hours >= 48:
        return ngettext("%(n)d day left", "%(n)d days left", hours // 24) % {"n": hours // 24}
    return ngettext("%(n)d hour left", "%(n)d hours left", hours) % {"n": hours}
