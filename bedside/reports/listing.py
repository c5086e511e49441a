"""Which appointments the desk sees: one filter for the page, the export and the summary bar. Read only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value

from bedside.appointments.models import Appointment
from bedside.clinic.models import Practice, Provider, Service
from bedside.core import remember
from bedside.core.crypto import blind_index
from bedside.payments.models import Payment
from bedside.reports.models import Standing

VISIT, PAYMENT = "visit", "payment"


@dataclass(frozen=True)
class Filters:
    """What is asked for; empty means all. Days are the practice's, both included; ``date`` says which day is meant."""

    first: date | None = None
    last: date | None = None
    date: str = VISIT
    service: str = ""
    provider: str = ""
    payment_status: str = ""
    status: str = ""
    q: str = ""

    @property
    def without_days(self) -> Filters:
        return replace(self, first=None, last=None)


def appointments(filters: Filters, practice: Practice) -> QuerySet[Appointment]:
    """Newest visit first, each with its latest payment's ``payment_status``, ``paid_minor`` and ``refunded_minor``."""
    found = Appointment.objects.filter(condition(filters, practice, prefix="standing__"))
    return _with_payment(found).order_by("-standing__start", "-standing__pk")


def standings(filters: Filters, practice: Practice) -> QuerySet[Standing]:
    """The same appointments as the narrow rows that are sorted, counted and added up."""
    return Standing.objects.filter(condition(filters, practice))


def rows_of(ids: Sequence[int]) -> list[Appointment]:
    """These appointments in this order, with what the list shows."""
    found = with_people(_with_payment(Appointment.objects.filter(pk__in=ids))).in_bulk()
    return [found[pk] for pk in ids]


def services() -> list[tuple[int, str, str]]:
    """Id, slug and name of each, as offered to choose from."""
    return [one[2:] for one in _catalogue() if one[0] == "service"]


def providers() -> list[tuple[int, str, str]]:
    """Id, slug and name of each, by name."""
    return [one[2:] for one in _catalogue() if one[0] == "provider"]


def _catalogue() -> list[tuple[str, int, int, str, str]]:
    """Both in one query: kind, place, id, slug, name."""
    told = ("kind", "place", "pk", "slug", "name")
    of_services = Service.objects.order_by().annotate(kind=Value("service"), place=F("position"))
    of_providers = Provider.objects.order_by().annotate(kind=Value("provider"), place=Value(0))
    both = of_services.values_list(*told).union(of_providers.values_list(*told), all=True)
    return remember.once("listed services and providers", lambda: list(both.order_by("kind", "place", "name")))


def id_of(slug: str, known: list[tuple[int, str, str]]) -> int:
    """Of what isn't known: an id that nothing has."""
    return next((pk for pk, its_slug, _name in known if its_slug == slug), 0)


def _with_payment(found: QuerySet[Appointment]) -> QuerySet[Appointment]:
    return found.annotate(
        payment_status=F("standing__payment_status"),
        paid_minor=F("standing__paid_minor"),
        refunded_minor=F("standing__returned_minor"),
    )


def with_people(found: QuerySet[Appointment]) -> QuerySet[Appointment]:
    """For showing: the names come along in the same query; what rows don't show stays in the database, sealed."""
    return found.select_related("service", "provider").defer("token", "cancellation_reason", "provider__mobile_number")


def condition(filters: Filters, practice: Practice, prefix: str = "") -> Q:
    """What is asked for, of standings; of what points at them with a prefix such as ``standing__``."""
    wanted: dict[str, Any] = {"listed": True}
    # Ids instead of joins: PostgreSQL knows how many rows each of them has.
    if filters.service:
        wanted["service_id"] = id_of(filters.service, services())
    if filters.provider:
        wanted["provider_id"] = id_of(filters.provider, providers())
    if filters.status:
        wanted["status"] = filters.status
    if filters.payment_status:
        wanted["payment_status"] = filters.payment_status
    if filters.q.strip():
        text = filters.q.strip()
        wanted["pk__in"] = remember.once(f"matching {text}", lambda: list(_matching(text, practice)))
    found = Q(**{prefix + name: value for name, value in wanted.items()})
    since = midnight(filters.first, practice.zone) if filters.first else None
    until = midnight(filters.last + timedelta(days=1), practice.zone) if filters.last else None
    if since is None and until is None:
        return found
    return found & (_visited(since, until, prefix) if filters.date == VISIT else _paid(since, until, prefix))


def _visited(since: datetime | None, until: datetime | None, prefix: str) -> Q:
    bounds = Q(**{f"{prefix}start__gte": since}) if since else Q()
    return bounds & (Q(**{f"{prefix}start__lt": until}) if until else Q())


def _paid(since: datetime | None, until: datetime | None, prefix: str) -> Q:
    """Any payment of it succeeded then. Its first tells, but where there were several: those few are looked up."""
    within = Q(**{f"{prefix}paid_first__lt": until}) if until else Q()
    if since is None:
        return within
    within &= Q(**{f"{prefix}paid_first__gte": since})
    again = remember.once(f"paid again {since} {until}", lambda: _paid_again(since, until))
    return within | Q(**{f"{prefix}pk__in": again}) if again else within


def _paid_again(since: datetime, until: datetime | None) -> list[int]:
    """Whose first payment was before, and another then."""
    then = Payment.objects.filter(appointment=OuterRef("pk"), succeeded_at__gte=since)
    then = then.filter(succeeded_at__lt=until) if until else then
    found = Standing.objects.filter(paid_last__gt=F("paid_first"), paid_first__lt=since, paid_last__gte=since)
    return list(found.filter(Exists(then)).values_list("pk", flat=True))


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(0), tzinfo=zone)


def _matching(text: str, practice: Practice) -> QuerySet[Appointment, int]:
    """By code, or by the whole name, email or mobile number: sealed values are found by their blind indexes."""
    name = re.sub(r"\s+", " ", text)
    wanted = Q(code=text.upper()) | Q(patient_name_index=blind_index("name", name))
    if "@" in text:
        wanted |= Q(patient_email_index=blind_index("email", text))
    try:
        number = phonenumbers.parse(text[:40], practice.country)
    except phonenumbers.NumberParseException:
        pass
    else:
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        wanted |= Q(patient_mobile_index=blind_index("mobile", e164))
    return Appointment.objects.filter(wanted).values_list("pk", flat=True)


def chain_of(appointment: Appointment) -> list[Appointment]:
    """The whole history of reschedules, oldest first; just the one where it was never moved."""
    chain = [appointment]
    while chain[0].rescheduled_from_id:
        chain.insert(0, _people().get(pk=chain[0].rescheduled_from_id))
    while (following := _people().filter(rescheduled_from=chain[-1]).first()) is not None:
        chain.append(following)
    return chain


def _people() -> QuerySet[Appointment]:
    return Appointment.objects.select_related("service", "provider")
