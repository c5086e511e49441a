"""What a patient's address asks for besides the time: with whom (anybody, one, several, a group), and being where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse, QueryDict

from bedside.clinic import places
from bedside.clinic.models import License, Provider, ProviderGroup, Service
from bedside.schedule.licenses import licensed_until
from bedside.schedule.search import Who
from bedside.schedule.windows import to_minute

PLACE = "place"
# The answer of somebody who is in none of the places on the list.
ELSEWHERE = "other"
# In an address: ask again, whatever was said before.
ASK = "ask"
MOST_NAMED = 50


@dataclass(frozen=True)
class Wanted:
    """``named`` one by one, or a ``group`` with its ``members``; neither: anybody. ``place``: a code, or empty."""

    named: tuple[Provider, ...] = ()
    group: ProviderGroup | None = None
    members: tuple[Provider, ...] = ()
    place: str = ""

    @property
    def who(self) -> Who:
        """As openings and bookings take it."""
        return self.one if self.several is None else self.several

    @property
    def several(self) -> Sequence[Provider] | None:
        """Those of whom it may be any; None where it is one, or anybody."""
        if self.group:
            return self.members
        return self.named if len(self.named) > 1 else None

    @property
    def one(self) -> Provider | None:
        return self.named[0] if len(self.named) == 1 and not self.group else None

    @property
    def narrowed(self) -> bool:
        return bool(self.named or self.group)

    @property
    def location(self) -> str | None:
        return self.place or None

    @property
    def query(self) -> list[tuple[str, str]]:
        """What the page's own links keep of it."""
        who = [("group", self.group.slug)] if self.group else [("provider", one.slug) for one in self.named]
        return who + ([(PLACE, self.place)] if self.place else [])


def read(sent: QueryDict, service: Service, place: str = "") -> Wanted:
    """``provider`` (any number) or ``group``; who doesn't offer the service, or a group that isn't its, isn't found."""
    offering = {one.slug: one for one in service.providers.filter(active=True).order_by("name")}
    if slug := sent.get("group", ""):
        group = service.groups.filter(slug=slug, active=True).first()
        if group is None:
            raise Http404
        members = set(group.providers.values_list("pk", flat=True))
        return Wanted((), group, tuple(one for one in offering.values() if one.pk in members), place)
    slugs = list(dict.fromkeys(slug for slug in sent.getlist("provider")[:MOST_NAMED] if slug))
    if any(slug not in offering for slug in slugs):
        raise Http404
    return Wanted(tuple(offering[slug] for slug in slugs), None, (), place)


@dataclass(frozen=True)
class Whereabouts:
    """The patient's answer to "where will you be?": ``said`` as given, ``place`` if it is one that says enough."""

    asked: bool
    said: str = ""

    @property
    def place(self) -> str:
        return self.said if self.asked and places.is_exact(self.said) else ""

    @property
    def elsewhere(self) -> bool:
        return self.asked and self.said == ELSEWHERE

    @property
    def wrong(self) -> bool:
        """Said something, and it is neither a place nor "somewhere else"."""
        return self.asked and self.said not in {"", ASK, ELSEWHERE} and not self.place

    @property
    def name(self) -> str:
        return places.name_of(self.place) if self.place else ""


def whereabouts(request: HttpRequest, service: Service) -> Whereabouts:
    """From the form or address, else as remembered from before in this session. Only where the service asks."""
    if not service.asks_location:
        return Whereabouts(asked=False)
    sent = request.POST if request.method == "POST" else request.GET
    said = sent.get(PLACE, "")[:10]
    remembered = request.COOKIES.get(PLACE, "")[:10]
    return Whereabouts(True, said or (remembered if places.is_exact(remembered) else ""))


def remember(request: HttpRequest, response: HttpResponse, found: Whereabouts) -> None:
    """Until the browser closes: next week the patient may be somewhere else."""
    if found.place and request.COOKIES.get(PLACE) != found.place:
        response.set_cookie(PLACE, found.place, samesite="Lax", httponly=True, secure=request.is_secure())


def licensed_among(providers: Sequence[Provider], place: str, at: datetime) -> list[Provider]:
    """Those licensed at ``place`` at the instant ``at``; everybody where no place is known."""
    if not place:
        return list(providers)
    until = licensed_until(providers, place)
    return [one for one in providers if until.get(one.pk, -1) > to_minute(at)]


def options(service: Service) -> list[tuple[str, str]]:
    """The places where somebody who offers the service is licensed, as (code, name); a country by its states."""
    licensed = License.objects.filter(provider__in=service.providers.filter(active=True))
    codes: set[str] = set()
    for place in licensed.values_list("place", flat=True).distinct():
        codes |= {place} if places.is_exact(place) else {f"{place}-{state}" for state in places.STATES.get(place, {})}
    countries = {code.partition("-")[0] for code in codes}
    named = places.short_name if len(countries) == 1 else places.name_of
    return sorted(((code, named(code)) for code in codes), key=lambda pair: pair[1])
