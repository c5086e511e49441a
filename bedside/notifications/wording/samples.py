"""Invented visits to read messages by: what each kind speaks of, in the cases in which it reads differently."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from bedside.clinic.policy import Terms
from bedside.core.money import Money
from bedside.notifications.content import Facts
from bedside.notifications.models import Audience, Channel, Kind
from bedside.notifications.wording.slots import Slot

# A Tuesday, 2:30 PM in New York; booked a week before.
START = datetime(2026, 12, 1, 19, 30, tzinfo=UTC)
BOOKED = START - timedelta(days=7)
TERMS = Terms(free_hours=24)
JOIN = "https://us02web.zoom.us/j/81234567890?pwd=Wm1KZ2xQb0tXc3R5dz09"
PRICE = Money(8500, "USD")


@dataclass(frozen=True)
class Case:
    """One case of a kind: ``facts`` that differ from the sample's, as `Facts` has them."""

    name: str
    title: Any
    kind: str
    variant: str = ""
    audience: str = ""
    words: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


WORDS = "Please have your insurance card at hand.\nDr. Rivera may run five minutes late."
MOVED = {"was": START - timedelta(days=2, hours=4)}
CASES: tuple[Case, ...] = (
    Case("confirmation", _("Booked and paid"), Kind.CONFIRMATION),
    Case("confirmation-no-link", _("The video link isn't ready yet"), Kind.CONFIRMATION, facts={"join_url": ""}),
    Case("reminder-24h", _("A day before"), Kind.REMINDER, "24h", facts={"now": START - timedelta(hours=26)}),
    Case("reminder-1h", _("An hour before"), Kind.REMINDER, "1h", facts={"now": START - timedelta(hours=1)}),
    Case("rescheduled", _("Moved"), Kind.RESCHEDULED, facts=MOVED),
    Case("canceled-by-patient", _("By the patient, refunded"), Kind.CANCELED, facts={"canceled_by": "patient"}),
    Case("canceled-by-us", _("By the practice, refunded"), Kind.CANCELED, facts={"canceled_by": "admin"}),
    Case(
        "canceled-late",
        _("Too late for a refund"),
        Kind.CANCELED,
        facts={"canceled_by": "patient", "refund": None, "now": START - timedelta(hours=3)},
    ),
    Case(
        "canceled-credit",
        _("A credit instead of a refund"),
        Kind.CANCELED,
        facts={"canceled_by": "patient", "refund": None, "credit": PRICE},
    ),
    Case("refunded", _("Back to the card"), Kind.REFUNDED),
    Case("refunded-by-hand", _("Given back by hand"), Kind.REFUNDED, facts={"refund_to_card": False}),
    Case("payment_failed", _("The card was declined"), Kind.PAYMENT_FAILED),
    Case("payment_link", _("Where to pay"), Kind.PAYMENT_LINK),
    Case("provider_changed", _("Another provider"), Kind.PROVIDER_CHANGED, facts={"was_with": "Dr. Samuel Okafor"}),
    Case("provider_changed-previous", _("To the one before"), Kind.PROVIDER_CHANGED, "previous", Audience.PROVIDER),
    Case("credit", _("A credit"), Kind.CREDIT),
    Case("receipt", _("A receipt"), Kind.RECEIPT),
    Case("waitlist_offer", _("A time came free"), Kind.WAITLIST_OFFER),
    Case("intake_request", _("Questions before the visit"), Kind.INTAKE_REQUEST),
    Case("manual", _("Written by hand"), Kind.MANUAL, words=WORDS),
)


def cases(kind: str, audience: str) -> Iterator[Case]:
    """The cases of a kind that this audience hears of."""
    return (case for case in CASES if case.kind == kind and case.audience in {"", audience})


def facts(
    slot: Slot,
    case: Case,
    *,
    practice: str = "Lakeside Clinic",
    phone: str = "(202) 555-0100",
    site: str = "https://visits.lakeside.example",
) -> Facts:
    """The sample visit as this audience sees it. The provider lives an hour behind the patient."""
    to_patient = slot.audience == Audience.PATIENT
    token, code = "x7KqT2mWb9RzLd4Hn8Vc", "K7Q4XWM"
    portal = f"{site}/portal/visits/{code}"
    page = f"{site}/visits/{token}" if to_patient else portal
    sample = Facts(
        practice_name=practice,
        practice_phone=phone,
        practice_email="hello@lakeside.example",
        patient_name="Robin Sample",
        provider_name="Dr. Elena Rivera",
        service_name="Video visit",
        code=code,
        start=START,
        zone="America/New_York" if to_patient else "America/Chicago",
        duration_minutes=30,
        free_until=TERMS.free_until(START),
        terms=TERMS,
        policy="",
        now=BOOKED,
        visit_url=page,
        short_url=f"{site}/v/{token}" if to_patient else portal,
        calendar_url=f"{page}/calendar.ics",
        book_url=f"{site}/book/video-visit",
        intake_url=f"{page}/intake",
        start_url=f"{portal}/start",
        join_url=JOIN if to_patient else "",
        first_text=slot.channel == Channel.SMS and slot.kind in FIRST,
        paid=PRICE,
        refund=PRICE,
        credit=PRICE if slot.kind == Kind.CREDIT else None,
        credit_code="CR-7Q4K-XWM2",
        credit_until=START + timedelta(days=365),
        due=PRICE,
        pay_until=BOOKED + timedelta(minutes=30),
        claim_url=f"{site}/waitlist/{token}",
        claim_until=BOOKED + timedelta(minutes=30),
    )
    return replace(sample, **case.facts)


# Kinds whose text is often a person's first.
FIRST = frozenset({Kind.CONFIRMATION, Kind.PAYMENT_LINK, Kind.PAYMENT_FAILED, Kind.WAITLIST_OFFER})
