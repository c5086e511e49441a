"""One look into the schedules of those who offer a service: who is free at which starts.

Minutes are since 1970, UTC. A search asks three queries for each stretch of time that it looks into; one more where
there is a choice to make, where the patient's place matters, and where the service has a daily limit.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property

from bedside.clinic.models import Practice, Provider, Service
from bedside.core import written
from bedside.schedule.choice import NEVER, Candidate, choose_for_each_start
from bedside.schedule.licenses import FOR_GOOD, licensed_until
from bedside.schedule.limits import full_days
from bedside.schedule.loading import Asked, load, load_last_given
from bedside.schedule.slots import Diary, Visit, free_starts
from bedside.schedule.windows import Minute, Span, clip, up_to_minute
from bedside.schedule.zones import DAY, day_of, span_of_days

LONGER_THAN_ANY_HOLD = timedelta(days=3650)
# One provider, any of several, or (None) anybody who offers the service.
Who = Provider | Collection[Provider] | None

_OFFER = """
    JOIN clinic_service_providers offered ON offered.provider_id = clinic_provider.id
    JOIN clinic_service ON clinic_service.id = offered.service_id
    WHERE clinic_service.id = %s AND clinic_service.active AND clinic_provider.active
      AND (%s::bigint[] IS NULL OR clinic_provider.id = ANY(%s)) ORDER BY clinic_provider.id
"""
_OFFERS = """
    SELECT 1 FROM clinic_provider JOIN clinic_service_providers offered ON offered.provider_id = clinic_provider.id
    JOIN clinic_service ON clinic_service.id = offered.service_id
    WHERE clinic_provider.id = %s AND clinic_service.id = %s AND clinic_provider.active AND clinic_service.active
"""


@dataclass
class Search:
    """With ``provider`` (one, some, or None: anybody), as of ``now``. A hold with the key ``own_hold`` doesn't count.

    With a ``location`` (where the patient will be, "US-NY"; None: not known) only those who are licensed there, while
    they are. ``moving``: the id of a visit that gives its time back. ``without_holds``: as if all had run out.
    """

    service: Service
    provider: Who
    now: datetime
    own_hold: bytes | None = None
    location: str | None = None
    moving: int | None = None
    without_holds: bool = False
    _licensed_until: dict[int, Minute] = field(init=False, default_factory=dict)

    @property
    def earliest(self) -> Minute:
        """The first start that leaves the service's minimum notice, in real time."""
        return up_to_minute(self.now + timedelta(minutes=self.service.minimum_notice_minutes))

    @property
    def latest(self) -> Minute:
        """Starts lie before this: the service's horizon."""
        return up_to_minute(self.now + timedelta(days=self.service.horizon_days))

    @cached_property
    def providers(self) -> dict[int, Provider]:
        """Who can be booked for the service at all, by id."""
        if not self.service.active:
            return {}
        # Asked again of the database: the service may have been archived since it was read.
        if isinstance(self.provider, Provider):
            offers = written.column(_OFFERS, self.provider.pk, self.service.pk)
            return self._licensed({self.provider.pk: self.provider} if offers else {})
        among = None if self.provider is None else [one.pk for one in self.provider]
        # Long or sealed fields that a list of times doesn't show stay behind.
        found = written.rows(Provider, _OFFER, [self.service.pk, among, among], without=("bio", "mobile_number"))
        return self._licensed({provider.pk: provider for provider in found})

    def _licensed(self, found: dict[int, Provider]) -> dict[int, Provider]:
        """Those of them who may see a patient at the location, until when noted."""
        if not self.location:
            return found
        self._licensed_until |= licensed_until(found.values(), self.location)
        return {who: provider for who, provider in found.items() if who in self._licensed_until}

    def bookable_part(self, span: Span) -> Span | None:
        """The part of ``span`` between notice and horizon; None where there is none."""
        since, until = max(span[0], self.earliest), min(span[1], self.latest)
        return (since, until) if since < until else None

    def starts(self, span: Span) -> list[tuple[Minute, Provider]]:
        """Each start in ``span`` at which somebody is free, in order, with the fairest choice."""
        bookable = self.bookable_part(span)
        if bookable is None or not self.providers:
            return []
        days = self._days(bookable)
        chosen = choose_for_each_start(self._diaries(days), self._visit, days, *bookable, self._last_given)
        return [(start, self.providers[provider_id]) for start, provider_id in chosen]

    def first_starts(self) -> dict[int, Minute]:
        """The first start with each who has one at all, by id. Looks two days ahead first: mostly there is one."""
        found: dict[int, Minute] = {}
        left, since, reach = dict(self.providers), self.earliest, 2 * DAY
        while left and since < self.latest:
            until = min(since + reach, self.latest)
            for who, diary in self._diaries(self._days((since, until)), left).items():
                if runs := free_starts(diary, self._visit, since, until):
                    found[who] = runs[0][0]
                    del left[who]
            since, reach = until, reach * 4
        return found

    def candidates(self, start: Minute) -> list[Candidate]:
        """Those who are free for a visit at exactly this start, the fairest choice first, with what makes it fair."""
        bookable = self.bookable_part((start, start + 1))
        if bookable is None or not self.providers:
            return []
        days = self._days(bookable)
        return sorted(
            Candidate(diary.visits_between(days[0], days[-1]), self._last_given.get(provider_id, NEVER), provider_id)
            for provider_id, diary in self._diaries(days).items()
            if free_starts(diary, self._visit, *bookable)
        )

    def who_is_free(self, start: Minute) -> list[Provider]:
        """Those who are free for a visit at exactly this start, the fairest choice first."""
        return [self.providers[candidate.provider_id] for candidate in self.candidates(start)]

    @cached_property
    def _last_given(self) -> dict[int, int]:
        """One provider needs no comparison."""
        if len(self.providers) == 1:
            return {}
        return load_last_given(list(self.providers.values()), self._asked)

    @property
    def _asked(self) -> Asked:
        return Asked(self.service.pk, self.location, self._holds_as_of, self.own_hold, self.moving)

    @property
    def _holds_as_of(self) -> datetime:
        """A hold that ran out by then blocks nothing."""
        return self.now + LONGER_THAN_ANY_HOLD if self.without_holds else self.now

    @property
    def _visit(self) -> Visit:
        service = self.service
        return Visit(service.duration_minutes, service.prep_minutes, service.wrap_minutes, service.step_minutes)

    def _diaries(self, days: Sequence[Minute], among: dict[int, Provider] | None = None) -> dict[int, Diary]:
        providers = self.providers if among is None else among
        diaries = load(list(providers.values()), days[0], days[-1], self._asked)
        full_of = full_days(self.service, providers, days[0], days[-1], self._holds_as_of, self.own_hold, self.moving)
        for who, full in full_of.items():
            diaries[who] = replace(diaries[who], full=full)
        for who, until in self._licensed_until.items():
            if until != FOR_GOOD and who in diaries:
                diaries[who] = replace(diaries[who], windows=clip(diaries[who].windows, 0, until))
        return diaries

    def _days(self, span: Span) -> list[Minute]:
        """When the practice's days begin that ``span`` touches, and at last the end of the last one."""
        zone = Practice.current().zone
        first, last = day_of(span[0], zone), day_of(span[1] - 1, zone)
        all_days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        spans = [found for day in all_days if (found := span_of_days(day, day, zone))]
        return [*(begins for begins, _ in spans), spans[-1][1]]
