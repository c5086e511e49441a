"""Jobs that keep the open windows true: on change, every night as the horizon rolls on, and when the clock jumped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import F, Q, QuerySet
from procrastinate.contrib.django import app

from bedside.clinic.models import Provider, Service
from bedside.core import alerts, clock
from bedside.core.jobs import PATIENT_RETRY, defer, task
from bedside.schedule.models import OpenWindow
from bedside.schedule.rebuild import HORIZON_DAYS, rebuild_windows

ALERT = "availability-failed"
# Windows of the past are of use to nobody after a year.
KEEP_PAST = timedelta(days=366)
# So many are built while somebody waits; the rest by jobs.
AT_ONCE = 25


def rebuild_soon(provider: Provider) -> None:
    """Ask for the provider's windows anew, in the transaction that changed what they follow from."""
    defer(rebuild, once=f"rebuild:{provider.pk}", provider_id=provider.pk)


def rebuild_everybody_soon() -> None:
    """The same for all: a holiday, a new version of the zone database."""
    defer(rebuild_all, once="schedule.rebuild_all")


@task(name="schedule.rebuild", retry=PATIENT_RETRY)
def rebuild(provider_id: int) -> None:
    """One provider's windows. When it fails, the last good windows keep serving and a person is told."""
    provider = Provider.objects.filter(pk=provider_id).first()
    if provider is None:
        return
    try:
        rebuild_windows(provider)
    except Exception:
        warn_of(provider)
        raise
    alerts.resolve_alert(ALERT, f"provider:{provider_id}")


@app.periodic(cron="10 3 * * *", periodic_id="schedule_nightly")
@task(name="schedule.rebuild_all", queueing_lock="schedule.rebuild_all")
def rebuild_all(timestamp: int = 0) -> None:
    """Everybody, one after the other, each in a transaction of its own."""
    for _ in rebuild_each(Provider.objects.filter(active=True)):
        pass
    OpenWindow.objects.filter(end__lt=clock.now() - KEEP_PAST).delete()


@app.periodic(cron="*/10 * * * *", periodic_id="schedule_keep_up")
@task(name="schedule.keep_up", queueing_lock="schedule.keep_up")
def keep_up(timestamp: int = 0) -> None:
    """Whose windows end too soon (the clock was moved, nights were missed) or were built in another zone."""
    for _ in rebuild_each(behind()):
        pass


def catch_up() -> None:
    """After the sandbox clock was moved: at once where the practice is small, soon where it is not."""
    late = list(behind()[: AT_ONCE + 1])
    for _ in rebuild_each(Provider.objects.filter(pk__in=[provider.pk for provider in late[:AT_ONCE]])):
        pass
    if len(late) > AT_ONCE:
        defer(keep_up, once="schedule.keep_up")


def behind() -> QuerySet[Provider]:
    """Active providers whose windows don't reach as far as they can be booked, or were built in another zone."""
    today = clock.now().date()
    built = "availability_state__built_through"
    late = Q(**{f"{built}__isnull": True}) | Q(**{f"{built}__lt": today + timedelta(days=HORIZON_DAYS)})
    for days in Service.objects.filter(horizon_days__gt=HORIZON_DAYS).values_list("horizon_days", flat=True).distinct():
        late |= Q(**{f"{built}__lt": today + timedelta(days=days), "services__horizon_days": days})
    moved = ~Q(availability_state__timezone=F("timezone"))
    return Provider.objects.filter(late | moved, active=True).distinct().order_by("pk")


def rebuild_each(providers: QuerySet[Provider]) -> Iterator[tuple[Provider, bool]]:
    """Each provider, and whether the windows changed. One who fails leaves the others alone and is tried again."""
    for provider_id in list(providers.order_by("pk").values_list("pk", flat=True)):
        provider = Provider.objects.filter(pk=provider_id).first()
        if provider is None:
            continue
        try:
            changed = rebuild_windows(provider)
        except Exception:
            warn_of(provider)
            rebuild_soon(provider)
            continue
        alerts.resolve_alert(ALERT, f"provider:{provider_id}")
        yield provider, changed


def warn_of(provider: Provider) -> None:
    """Tell a person that the last good windows are still served."""
    alerts.raise_alert(
        ALERT,
        f"provider:{provider.pk}",
        "A provider's open times could not be worked out. The last good ones are still offered.",
        provider_id=provider.pk,
    )
