"""Calendars whose busy times close a provider's openings: added, read again, removed."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from procrastinate.contrib.django import app

from bedside.appointments.locks import lock_provider
from bedside.clinic.models import Provider
from bedside.core import alerts, audit, clock, crypto, outward
from bedside.core.audit import Actor
from bedside.core.errors import BedsideError, NotFound
from bedside.core.events import publish
from bedside.core.jobs import defer, task
from bedside.core.outward import FetchFailed
from bedside.flows.own import check_may_manage
from bedside.notifications.calendar import uid_host
from bedside.schedule import importing
from bedside.schedule.events import AvailabilityUpdated
from bedside.schedule.models import ExternalCalendar

MAX_PER_PROVIDER = 10
MAX_ADDRESS = 2000


class CalendarRefused(BedsideError):
    """The address can't be imported; ``message`` says why and belongs beside the field."""

    code = "calendar-refused"
    status = 422


def add(*, provider: Provider, name: str, url: str, actor: Actor) -> ExternalCalendar:
    """Import a calendar from now on; it is read at once by a job. Raises CalendarRefused."""
    check_may_manage(actor, provider)
    url = importing.canonical(url)
    if len(url) > MAX_ADDRESS:
        raise CalendarRefused(_("That address is too long."))
    try:
        outward.check_address(url)
    except FetchFailed as error:
        raise CalendarRefused(REFUSALS[error.code]) from None
    with transaction.atomic():
        lock_provider(provider.pk)
        mine = ExternalCalendar.objects.filter(provider=provider)
        if mine.filter(url_index=crypto.blind_index("calendar-url", url)).exists():
            raise CalendarRefused(_("This calendar is imported already."))
        if mine.count() >= MAX_PER_PROVIDER:
            raise CalendarRefused(_("Ten calendars are the most. Remove one first."))
        now = clock.now()
        made = ExternalCalendar.objects.create(provider=provider, name=name, url=url, added_at=now, next_try_at=now)
        audit.record(actor, "calendar_import.added", made, after={"provider_id": provider.pk})
        _read_soon(made.pk)
    return made


REFUSALS = {
    "bad-address": _("Use the calendar's full web address, beginning with https:// or webcal://."),
    "private-address": _("That address is inside a private network, which can't be read from here."),
}


def read_now(*, provider: Provider, calendar_id: int, actor: Actor) -> None:
    """Ask for it to be read again. Raises NotFound for anybody else's."""
    check_may_manage(actor, provider)
    if not ExternalCalendar.objects.filter(pk=calendar_id, provider=provider).exists():
        raise NotFound
    with transaction.atomic():
        _read_soon(calendar_id)


def remove(*, provider: Provider, calendar_id: int, actor: Actor) -> None:
    """Its busy times stop counting at once. Raises NotFound for anybody else's."""
    check_may_manage(actor, provider)
    with transaction.atomic():
        lock_provider(provider.pk)
        calendar = ExternalCalendar.objects.select_for_update().filter(pk=calendar_id, provider=provider).first()
        if calendar is None:
            raise NotFound
        audit.record(actor, "calendar_import.removed", calendar, before={"provider_id": provider.pk})
        alerts.resolve_alert(importing.ALERT, f"calendar:{calendar.pk}")
        calendar.delete()
        publish(AvailabilityUpdated(provider_id=provider.pk))


@task(name="flows.read_calendar")
def refresh(calendar_id: int) -> None:
    """What fails is tried again by the periodic job, with growing pauses."""
    importing.refresh(calendar_id, own_uids=f"@{uid_host()}")


@app.periodic(cron="*/5 * * * *", periodic_id="calendar_imports")
@task(name="flows.read_calendars_due", queueing_lock="flows.read_calendars_due")
def read_due(timestamp: int = 0) -> None:
    """Each in a job of its own: a slow server holds up nobody else's."""
    due = ExternalCalendar.objects.filter(next_try_at__lte=clock.now(), provider__active=True).order_by("next_try_at")
    for calendar_id in due.values_list("pk", flat=True)[:500]:
        _read_soon(calendar_id)


def _read_soon(calendar_id: int) -> None:
    defer(refresh, once=f"calendar:{calendar_id}", lock=f"calendar:{calendar_id}", calendar_id=calendar_id)
