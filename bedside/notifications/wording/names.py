"""What words may speak of: the variables, where each takes its value, and which of them a message can't do without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from bedside.notifications.models import Audience, Channel

# The editor's name: where the value comes from (as the default files say it), and what it is.
NAMES: dict[str, tuple[str, Any]] = {
    "practice": ("practice", _("The practice's name")),
    "phone": ("phone", _("The practice's number")),
    "patient": ("patient", _("The patient's name")),
    "provider": ("provider", _("The provider's name")),
    "provider_before": ("facts.was_with", _("The provider before the change")),
    "service": ("service", _("The service's discreet name")),
    "minutes": ("minutes", _("The visit's length in minutes")),
    "reference": ("facts.code", _("The visit's reference")),
    "when": ("long", _("Day, time and zone, in full")),
    "when_short": ("short", _("Day and time, without the zone")),
    "when_tiny": ("tiny", _("Day, time and zone, as short as can be")),
    "time": ("time", _("The time alone")),
    "when_before": ("was", _("The time before the move, in full")),
    "when_before_tiny": ("was_tiny", _("The time before the move, short")),
    "variant": ("variant", _("Which one of its kind: 24h or 1h; previous")),
    "words": ("words", _("What the desk wrote")),
    "cancellation": ("cancellation", _("Until when canceling is free, and what holds after that")),
    "policy": ("facts.policy", _("The policy in the practice's own words")),
    "cancel_is_free": ("facts.cancel_is_free", _("Yes while canceling is free")),
    "free_until": ("free_until", _("Until when canceling is free, in full")),
    "free_until_tiny": ("free_until_tiny", _("Until when canceling is free, short")),
    "canceled_by": ("facts.canceled_by", _("Who canceled: patient, admin or provider")),
    "paid": ("paid", _("What was paid")),
    "refund": ("refund", _("What goes back")),
    "refund_to_card": ("facts.refund_to_card", _("Yes where it goes back to the card")),
    "due": ("due", _("What is to be paid")),
    "pay_until": ("pay_until", _("Until when to pay, in full")),
    "pay_until_tiny": ("pay_until_tiny", _("Until when to pay, short")),
    "credit": ("credit", _("The credit's amount")),
    "credit_returned": ("credit_returned", _("What is on the credit again")),
    "credit_until": ("credit_until", _("Until when the credit is good")),
    "credit_code": ("facts.credit_code", _("The credit's code")),
    "claim_until": ("claim_until", _("Until when the time is offered, in full")),
    "claim_until_tiny": ("claim_until_tiny", _("Until when the time is offered, short")),
    "claim_link": ("facts.claim_url", _("Where to take the offered time")),
    "join_link": ("facts.join_url", _("The patient's video link; empty until there is one")),
    "start_link": ("facts.start_url", _("Where the provider starts the visit")),
    "visit_link": ("facts.visit_url", _("The visit's page: move, cancel, manage")),
    "short_link": ("facts.short_url", _("The visit's page, a short link for texts")),
    "calendar_link": ("facts.calendar_url", _("Add to calendar")),
    "intake_link": ("facts.intake_url", _("Where to answer the questions before the visit")),
    "booking_link": ("facts.book_url", _("Where to book again")),
    "opt_out": ("opt_out", _("“Reply STOP to opt out.”, in the first text only")),
}
SOURCES = {source: name for name, (source, _help) in NAMES.items()}

ALWAYS = frozenset(
    {"practice", "phone", "patient", "provider", "service", "minutes", "reference", "when", "when_short", "when_tiny"}
    | {"time", "visit_link", "calendar_link"}
)
FOR_PATIENTS = frozenset({"short_link", "booking_link"})

# Of each of these an edit keeps at least one where the default says one: a message without it would leave people stuck.
KEPT: tuple[tuple[str, ...], ...] = (
    ("words",),
    ("opt_out",),
    ("when_tiny", "when"),
    ("join_link", "short_link", "visit_link"),
    ("start_link", "visit_link"),
    ("claim_link",),
    ("credit_code",),
    ("intake_link",),
    ("refund",),
    ("cancellation", "free_until", "free_until_tiny"),
)


def given(audience: str, channel: str) -> frozenset[str]:
    """What every message of this sort may say, whatever its kind."""
    names = ALWAYS | FOR_PATIENTS if audience == Audience.PATIENT else ALWAYS
    return names | {"opt_out"} if channel == Channel.SMS and audience == Audience.PATIENT else names


def values(said: Mapping[str, Any]) -> dict[str, str | bool]:
    """Every variable's value out of what templates are given: plain text, yes or no; no objects to reach into."""
    found: dict[str, str | bool] = {}
    for name, (source, _help) in NAMES.items():
        head, _dot, rest = source.partition(".")
        value = getattr(said[head], rest) if rest else said.get(head, "")
        found[name] = value if isinstance(value, bool) else "" if value is None else str(value)
    return found
