"""Daily limits: the days on which a provider has as many visits of a service as the service allows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from django.db.models import Q

from bedside.appointments.models import Appointment
from bedside.appointments.states import HOLDS_TIME, Status
from bedside.clinic.models import Provider, Service
from bedside.schedule.windows import Minute, Span, to_instant
from bedside.schedule.zones import span_of_days

# A provider's day reaches so far out of any range that touches it.
LONGEST_DAY = timedelta(hours=26)


def full_days(
    service: Service,
    providers: Mapping[int, Provider],
    since: Minute,
    until: Minute,
    now: datetime,
    own_hold: bytes | None = None,
    moving: int | None = None,
) -> dict[int, list[Span]]:
    """By provider id the days (of the provider's zone) touching [since, until) that take no more visits, in order.

    Holds that ran out by ``now``, the hold with the key ``own_hold`` and the visit ``moving`` don't count.
    """
    if service.daily_limit is None:
        return {}
    gone = Q(status=Status.PENDING_PAYMENT) & (
        Q(hold_expires_at__lte=now) | Q(hold_key=own_hold, hold_key__isnull=False)
    )
    starts = Appointment.objects.filter(
        service=service,
        provider__in=providers,
        status__in=HOLDS_TIME,
        start__gte=to_instant(since) - LONGEST_DAY,
        start__lt=to_instant(until) + LONGEST_DAY,
    ).exclude(gone | Q(pk=moving))
    visits: Counter[tuple[int, date]] = Counter(
        (provider_id, start.astimezone(providers[provider_id].zone).date())
        for provider_id, start in starts.values_list("provider_id", "start")
    )
    full: dict[int, list[Span]] = {}
    for (provider_id, day), count in sorted(visits.items()):
        if count >= service.daily_limit and (span := span_of_days(day, day, providers[provider_id].zone)):
            full.setdefault(provider_id, []).append(span)
    return full
