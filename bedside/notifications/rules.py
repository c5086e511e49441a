"""Does what a message says still hold at the moment it fires? Pure: imports no Django.

A message waits in a queue while the world moves on. The table says, by kind, in which states of the appointment it may
still go out, and until when.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Until = Literal["start", "end", "always"]


@dataclass(frozen=True)
class Rule:
    """``statuses``: the appointment states it may go out in (empty: any). ``until``: the moment it loses its sense."""

    statuses: frozenset[str]
    until: Until


_STANDS = frozenset({"paid"})
_GONE = frozenset({"canceled"})
RULES: dict[str, Rule] = {
    "confirmation": Rule(_STANDS, "end"),
    "reminder": Rule(_STANDS, "start"),
    "rescheduled": Rule(_STANDS, "end"),
    "provider_changed": Rule(_STANDS, "end"),
    # To the provider who lost the visit: it stays true whatever becomes of it later.
    "provider_changed:previous": Rule(frozenset({"rescheduled"}), "always"),
    "canceled": Rule(_GONE, "always"),
    # Money that went back is worth knowing whatever became of the visit: a late payment's visit has expired.
    "refunded": Rule(frozenset(), "always"),
    "payment_failed": Rule(frozenset({"pending_payment"}), "start"),
    # It hangs on a draft that ends with the offer.
    "waitlist_offer": Rule(frozenset({"draft"}), "start"),
    "receipt": Rule(frozenset(), "always"),
    "payment_link": Rule(frozenset({"pending_payment"}), "start"),
    "credit": Rule(frozenset(), "always"),
    # Moved along with the visit; answered, it is withdrawn.
    "intake_request": Rule(_STANDS, "start"),
    "manual": Rule(frozenset(), "always"),
}


def why_not(kind: str, *, status: str, start: datetime, end: datetime, now: datetime, variant: str = "") -> str:
    """The reason to withdraw the message, or "" where it still holds. Instants are aware; any zone."""
    rule = RULES.get(f"{kind}:{variant}") or RULES[kind]
    if rule.statuses and status not in rule.statuses:
        return f"visit-{status.replace('_', '-')}"
    if rule.until == "start" and now >= start:
        return "visit-started"
    if rule.until == "end" and now >= end:
        return "visit-over"
    return ""
