"""What the practice owes in visits. Read only."""

from __future__ import annotations

from datetime import datetime

import phonenumbers
from django.db.models import Q, QuerySet, Sum

from bedside.clinic.models import Practice
from bedside.core import clock
from bedside.core.crypto import blind_index
from bedside.core.money import Money
from bedside.payments.credit_models import Credit, CreditEntry

OPEN, ALL = "open", "all"


def credits_outstanding(at: datetime | None = None) -> Money:
    """The liability: everything issued and not used, reversed or lapsed; as of ``at`` (exclusive), else now."""
    entries = CreditEntry.objects.filter(credit__currency=Practice.current().currency)
    if at is not None:
        entries = entries.filter(at__lt=at)
    return Money(entries.aggregate(sum=Sum("amount_minor"))["sum"] or 0, Practice.current().currency)


def listing(*, q: str = "", state: str = OPEN) -> QuerySet[Credit]:
    """Newest first, each with ``remaining`` (minor units). ``q``: a whole name, email, mobile, or a code."""
    found = Credit.objects.annotate(remaining=Sum("entries__amount_minor")).select_related("appointment")
    if state == OPEN:
        found = found.filter(remaining__gt=0, expires_at__gt=clock.now())
    text = " ".join(q.split())
    if text:
        found = found.filter(_matches(text))
    return found.order_by("-pk")


def _matches(text: str) -> Q:
    spelled = text.replace("-", "").replace(" ", "").upper()
    wanted = (
        Q(appointment__code=text.upper())
        | Q(appointment__patient_name_index=blind_index("name", text))
        | Q(code_index=blind_index("credit-code", spelled))
        | Q(patient_email_index=blind_index("email", text))
    )
    try:
        number = phonenumbers.parse(text[:40], Practice.current().country)
    except phonenumbers.NumberParseException:
        return wanted
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return wanted | Q(patient_mobile_index=blind_index("mobile", e164))
