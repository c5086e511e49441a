"""Who may see a patient who is in a place: the providers licensed there, and until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bedside.clinic import places
from bedside.clinic.models import License, Provider
from bedside.schedule.windows import Minute, to_minute

FOR_GOOD: Minute = 2**31 - 1


def licensed_until(providers: Iterable[Provider], place: str) -> dict[int, Minute]:
    """For each of ``providers`` licensed at ``place`` the minute at which that ends; the others aren't there.

    A country's license holds in all its states. A visit has to be over by that minute.
    """
    known: Mapping[int, Provider] = {provider.pk: provider for provider in providers}
    until: dict[int, Minute] = {}
    for found in License.objects.filter(provider__in=known, place__in=places.covering(place)):
        found.provider = known[found.provider_id]
        ends = to_minute(found.ends_at) if found.ends_at else FOR_GOOD
        until[found.provider_id] = max(ends, until.get(found.provider_id, 0))
    return until


def is_licensed(provider: Provider, place: str, until: Minute) -> bool:
    """Whether ``provider`` may see a patient who is at ``place`` in a visit that ends by the minute ``until``."""
    return licensed_until([provider], place).get(provider.pk, -1) >= until
