"""The five tables that can be exported, and the filters that each takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import F, Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from bedside.appointments.models import Appointment
from bedside.clinic.models import Practice, Provider, Service
from bedside.notifications.models import Notification
from bedside.payments.models import LedgerEntry
from bedside.reports import listing
from bedside.reports import messages as message_list
from bedside.reports.export import columns_of
from bedside.reports.export.columns import Column, Holds, Row


@dataclass(frozen=True)
class Days:
    """``first`` and ``last`` are practice days, both included; None: no bound."""

    first: date | None = None
    last: date | None = None


@dataclass(frozen=True)
class Active:
    """Only those that patients can book, or only those that they can't; None: all."""

    wanted: bool | None = None


@dataclass(frozen=True)
class Table:
    """``rows`` finds what its filters ask for; what a file holds of it are the columns."""

    key: str
    title: Any
    model: type[Model]
    rows: Callable[[Any, Practice], QuerySet[Any]]
    columns: tuple[Column, ...]

    @property
    def sources(self) -> list[str]:
        """Each path once, in the order in which rows bring them."""
        return list(dict.fromkeys(path for column in self.columns for path in column.sources))

    def values(self, *, redact: bool) -> list[str | Holds]:
        """What a query asks for, in the order of `sources`. A redacted file's seals stay closed."""
        sealed = {one.source for one in self.columns if redact and one.is_sealed(self.model)}
        return [Holds(F(path)) if path in sealed else path for path in self.sources]

    def readers(self, practice: Practice, *, redact: bool) -> list[Callable[[Row], Any]]:
        at = {path: place for place, path in enumerate(self.sources)}
        return [column.reader(self.model, at, practice, redact=redact) for column in self.columns]


def _providers(chosen: Active, practice: Practice) -> QuerySet[Provider]:
    offered = ArrayAgg("services__slug", order_by="services__slug", filter=Q(services__isnull=False), default=[])
    found = Provider.objects.annotate(service_slugs=offered).order_by("pk")
    return found if chosen.wanted is None else found.filter(active=chosen.wanted)


def _services(chosen: Active, practice: Practice) -> QuerySet[Service]:
    found = Service.objects.order_by("pk")
    return found if chosen.wanted is None else found.filter(active=chosen.wanted)


def _ledger(days: Days, practice: Practice) -> QuerySet[LedgerEntry]:
    """Oldest first, as books are read."""
    found = LedgerEntry.objects.order_by("pk")
    if days.first:
        found = found.filter(practice_day__gte=days.first)
    return found.filter(practice_day__lte=days.last) if days.last else found


def _notifications(filters: message_list.MessageFilters, practice: Practice) -> QuerySet[Notification]:
    # A file names its columns: what the list defers or fetches along would only be in the way.
    return message_list.messages(filters, practice).select_related(None).defer(None)


def chosen_appointments(ids: Iterable[int], practice: Practice) -> QuerySet[Appointment]:
    """Those that somebody ticked, in the list's order."""
    return listing.appointments(listing.Filters(), practice).filter(pk__in=ids)


TABLES: Mapping[str, Table] = {
    table.key: table
    for table in (
        Table("appointments", _("Appointments"), Appointment, listing.appointments, columns_of.APPOINTMENTS),
        Table("providers", _("Providers"), Provider, _providers, columns_of.PROVIDERS),
        Table("services", _("Services"), Service, _services, columns_of.SERVICES),
        Table("ledger", _("Ledger"), LedgerEntry, _ledger, columns_of.LEDGER),
        Table("notifications", _("Messages"), Notification, _notifications, columns_of.NOTIFICATIONS),
    )
}
