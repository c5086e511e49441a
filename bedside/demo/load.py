"""Load the demo practice: people, services, hours, some weeks of history, and a full week ahead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import transaction

from bedside.accounts.models import Role, User
from bedside.clinic.models import License, Practice, Provider, ProviderGroup, Service
from bedside.core import clock
from bedside.core.audit import Actor
from bedside.core.flags import FLAGS
from bedside.demo import history, looks, people, upcoming
from bedside.flows import features, promo_codes
from bedside.schedule.models import WeeklyRule
from bedside.schedule.rebuild import rebuild_windows

PROMO = promo_codes.Terms(percent=Decimal(10), note="For first visits", limit_per_patient=1)
# Printed at each start of ./run; the demo has nobody's real data behind it.
PASSWORD = "lakeside-demo-visits"  # noqa: S105
ADMIN_EMAIL = "desk@example.com"


@dataclass(frozen=True)
class Account:
    """A demo sign-in, as ./run prints it."""

    role: str
    email: str
    password: str


def load() -> list[Account]:
    """Fill an empty database. Does nothing where a practice exists already."""
    if not Practice.objects.exists():
        with transaction.atomic():
            Practice.objects.create(pk=1, **people.PRACTICE)
            User.objects.create_user(ADMIN_EMAIL, PASSWORD, role=Role.ADMIN, name="Sam Ortega")
            providers = {person.slug: _provider(person) for person in people.PROVIDERS}
            _groups(providers)
            services = [_service(offer, position, providers) for position, offer in enumerate(people.SERVICES)]
        for name in FLAGS:
            features.switch(name=name, on=True, actor=Actor.system())
        promo_codes.create(code="WELCOME-10", terms=PROMO, actor=Actor.system())
        for provider in providers.values():
            rebuild_windows(provider)
        history.load(services)
        upcoming.load(services)
        looks.load(services)
    return accounts()


def accounts() -> list[Account]:
    """The demo's sign-ins that exist here: none in a practice that isn't the demo."""
    wanted = [ADMIN_EMAIL, people.PROVIDERS[0].email]
    found = {user.email: user for user in User.objects.filter(email__in=wanted)}
    return [
        Account(user.role, email, PASSWORD)
        for email in wanted
        if (user := found.get(email)) is not None and user.check_password(PASSWORD)
    ]


def _provider(person: people.Person) -> Provider:
    user = User.objects.create_user(person.email, PASSWORD, role=Role.PROVIDER, name=person.name)
    provider = Provider.objects.create(
        slug=person.slug,
        name=person.name,
        title=person.title,
        bio=person.bio,
        languages=list(person.languages),
        timezone=person.timezone,
        email=person.email,
        mobile_number=person.number,
        avatar=f"bedside/avatars/{person.avatar}.svg",
        user=user,
        zoom_user_id=f"host-{person.slug}",
    )
    # Licenses run for two or three years, to the last day of a month.
    year = clock.now().year + 2
    License.objects.bulk_create(
        License(provider=provider, place=place, number=f"{number:06d}", expires_on=date(year + number % 2, 6, 30))
        for number, place in enumerate(people.LICENSES[person.slug], start=240_000 + 17 * provider.pk)
    )
    WeeklyRule.objects.bulk_create(
        WeeklyRule(provider=provider, weekday=weekday, start_time=start, end_time=end)
        for weekday, hours in person.hours.items()
        for start, end in hours
    )
    return provider


def _groups(providers: dict[str, Provider]) -> None:
    for slug, (name, members) in people.GROUPS.items():
        group = ProviderGroup.objects.create(slug=slug, name=name)
        group.providers.set([providers[member] for member in members])


def _service(offer: people.Offer, position: int, providers: dict[str, Provider]) -> Service:
    service = Service.objects.create(
        slug=offer.slug,
        name=offer.name,
        summary=offer.summary,
        description=offer.description,
        duration_minutes=offer.minutes,
        price_minor=offer.price_minor,
        currency="USD",
        prep_minutes=offer.prep,
        wrap_minutes=offer.wrap,
        step_minutes=offer.step,
        minimum_notice_minutes=offer.notice,
        free_cancellation_hours=offer.hours,
        cancellation_policy=offer.policy,
        position=position,
        asks_location=offer.asks_location,
    )
    service.providers.set([providers[slug] for slug in offer.providers])
    service.groups.set(ProviderGroup.objects.filter(slug__in=offer.groups))
    return service
