"""Catalogue: what can be booked. Services are made, changed, archived and restored; booked visits stay as agreed.

``version`` is the one that the form was opened with. Each change is audited with what it was before, and published.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from bedside.clinic.errors import ChangedMeanwhile, InvalidFacts
from bedside.clinic.events import ServiceUpdated
from bedside.clinic.models import Practice, Provider, ProviderGroup, Service
from bedside.core import audit
from bedside.core.audit import Actor
from bedside.core.errors import NotFound, PermissionRefused
from bedside.core.events import publish
from bedside.flows import archiving
from bedside.flows.facts_checked import service_errors
from bedside.schedule import jobs


@dataclass(frozen=True, kw_only=True)
class ServiceFacts:
    """All of a service that can be edited. ``providers`` and ``groups`` are slugs; ``daily_limit`` None: no limit."""

    name: str
    discreet_name: str
    summary: str
    description: str
    duration_minutes: int
    price_minor: int
    currency: str
    tax_category: str
    prep_minutes: int
    wrap_minutes: int
    step_minutes: int
    minimum_notice_minutes: int
    horizon_days: int
    daily_limit: int | None
    asks_location: bool
    first_reminder_hours: int
    last_reminder_minutes: int
    reminder_24h_email: bool
    reminder_24h_sms: bool
    reminder_1h_email: bool
    reminder_1h_sms: bool
    position: int
    providers: frozenset[str]
    groups: frozenset[str]


# The desk has pages of these names where the slugs are.
RESERVED = {"new", "groups", "policies", "promo-codes", "taxes"}
LISTS = ("providers", "groups")
PLAIN = tuple(field.name for field in fields(ServiceFacts) if field.name not in LISTS)


def facts_of(service: Service) -> ServiceFacts:
    """As it is saved."""
    plain = {name: getattr(service, name) for name in PLAIN}
    return ServiceFacts(
        **plain,
        providers=frozenset(service.providers.values_list("slug", flat=True)),
        groups=frozenset(service.groups.values_list("slug", flat=True)),
    )


def create_service(*, facts: ServiceFacts, actor: Actor) -> Service:
    """A new service, open for booking at once if somebody offers it. Raises InvalidFacts, PermissionRefused."""
    _check(facts, actor)
    with transaction.atomic():
        one_at_a_time()
        service = Service.objects.create(
            slug=free_slug(Service, facts.name), **{name: getattr(facts, name) for name in PLAIN}
        )
        _set_lists(service, facts)
        audit.record(actor, "service.created", service, after=said(asdict(facts)))
        _published(service, facts.providers)
    return service


def change_service(*, service_id: int, version: int, facts: ServiceFacts, actor: Actor) -> bool:
    """Whether anything changed. Raises InvalidFacts, ChangedMeanwhile, NotFound, PermissionRefused."""
    _check(facts, actor)
    with transaction.atomic():
        service = _locked(service_id, version)
        was = facts_of(service)
        before, after = difference(asdict(was), asdict(facts))
        if not after:
            return False
        for name in PLAIN:
            setattr(service, name, getattr(facts, name))
        service.version += 1
        service.save()
        _set_lists(service, facts)
        audit.record(actor, "service.changed", service, before=before, after=after)
        moved = was.providers ^ facts.providers
        _published(service, was.providers | facts.providers if was.horizon_days != facts.horizon_days else moved)
    return True


def archive_service(*, service_id: int, version: int, actor: Actor) -> bool:
    """No new bookings from now on; booked visits stay. False where it was archived already."""
    return _switch(service_id, version, actor, active=False)


def restore_service(*, service_id: int, version: int, actor: Actor) -> bool:
    """Open for booking again. False where it was."""
    return _switch(service_id, version, actor, active=True)


def _switch(service_id: int, version: int, actor: Actor, *, active: bool) -> bool:
    _permit(actor)
    with transaction.atomic():
        service = _locked(service_id, None)
        if not archiving.switch(service, "service", version=version, active=active, actor=actor):
            return False
        _published(service, facts_of(service).providers)
    return True


def _permit(actor: Actor) -> None:
    if not actor.is_staff:
        raise PermissionRefused


def _check(facts: ServiceFacts, actor: Actor) -> None:
    _permit(actor)
    errors = service_errors(asdict(facts))
    if Provider.objects.filter(slug__in=facts.providers).count() != len(facts.providers):
        errors["providers"] = _("Choose from the list.")
    if ProviderGroup.objects.filter(slug__in=facts.groups).count() != len(facts.groups):
        errors["groups"] = _("Choose from the list.")
    if errors:
        raise InvalidFacts(errors=errors)


def _locked(service_id: int, version: int | None) -> Service:
    service = Service.objects.select_for_update().filter(pk=service_id).first()
    if service is None:
        raise NotFound
    if version is not None and service.version != version:
        raise ChangedMeanwhile
    return service


def _set_lists(service: Service, facts: ServiceFacts) -> None:
    service.providers.set(Provider.objects.filter(slug__in=facts.providers))
    service.groups.set(ProviderGroup.objects.filter(slug__in=facts.groups))


def _published(service: Service, rebuilt: Iterable[str]) -> None:
    """Tell everybody; the open windows of ``rebuilt`` may have to reach further, or be there at all."""
    publish(ServiceUpdated(service_id=service.pk))
    for provider in Provider.objects.filter(slug__in=rebuilt).order_by("pk"):
        jobs.rebuild_soon(provider)


def difference(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What differs, as it was and as it is, fit for the audit trail."""
    changed = [name for name in after if before[name] != after[name]]
    return said({name: before[name] for name in changed}), said({name: after[name] for name in changed})


def said(values: dict[str, Any]) -> dict[str, Any]:
    """Sets as sorted lists, for JSON."""
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in values.items()}


def one_at_a_time() -> None:
    """Who makes something new waits for whoever does: two of one name get two slugs."""
    Practice.objects.select_for_update().filter(pk=1).first()


def free_slug(model: Any, name: str) -> str:
    """A slug from the name that nothing bears yet: "first-visit", "first-visit-2"."""
    base = slugify(name)[:44] or "item"
    taken = RESERVED | set(model.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(slug for n in range(1, len(taken) + 2) if (slug := base if n == 1 else f"{base}-{n}") not in taken)
