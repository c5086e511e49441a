"""Every message across appointments: by person, kind, channel, status and day. Read only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Q, QuerySet

from bedside.appointments.models import Appointment
from bedside.clinic.models import Practice
from bedside.core.crypto import blind_index
from bedside.notifications.models import Notification
from bedside.reports.listing import Filters, appointments, midnight


@dataclass(frozen=True)
class MessageFilters:
    """What is asked for; empty means all. Days are the practice's, both included, and mean the day it was due."""

    q: str = ""
    kind: str = ""
    channel: str = ""
    audience: str = ""
    status: str = ""
    first: date | None = None
    last: date | None = None


def messages(filters: MessageFilters, practice: Practice) -> QuerySet[Notification]:
    """Newest first, with their appointment; the sealed words stay in the database."""
    found = Notification.objects.select_related("appointment__provider").defer("subject", "body", "words")
    for field in ("kind", "channel", "audience", "status"):
        if value := getattr(filters, field):
            found = found.filter(**{field: value})
    if text := filters.q.strip():
        people: QuerySet[Appointment] = appointments(Filters(q=text), practice).order_by()
        found = found.filter(Q(appointment__in=people.values("pk")) | Q(recipient_index=blind_index("email", text)))
    if filters.first:
        found = found.filter(due_at__gte=midnight(filters.first, practice.zone))
    if filters.last:
        found = found.filter(due_at__lt=midnight(filters.last + timedelta(days=1), practice.zone))
    return found.order_by("-pk")
