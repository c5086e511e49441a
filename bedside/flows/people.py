"""People: who sees patients, what they offer and where they are licensed; and groups of them that patients may choose.

``version`` is the one that the form was opened with. Changes of a provider are made under the provider's lock: a
booking sees them whole, before or after. The audit trail says that contact details changed, never what they are.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from bedside.appointments.locks import lock_provider
from bedside.clinic.errors import ChangedMeanwhile, InvalidFacts
from bedside.clinic.events import ProviderUpdated
from bedside.clinic.models import License, Practice, Provider, ProviderGroup, Service
from bedside.core import audit
from bedside.core.audit import Actor
from bedside.core.errors import NotFound, PermissionRefused
from bedside.core.events import publish
from bedside.flows import archiving
from bedside.flows.catalogue import free_slug, one_at_a_time, said
from bedside.flows.facts_checked import e164, provider_errors
from bedside.schedule import jobs

PRIVATE = frozenset({"email", "mobile_number"})


@dataclass(frozen=True, kw_only=True)
class LicenseFacts:
    """``place``: US-NY, GB; ``expires_on``: its last day, or None for good."""

    place: str
    number: str = ""
    expires_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class ProviderFacts:
    """All of a provider that the desk edits. ``services`` are slugs; ``mobile_number`` as typed, kept as E.164."""

    name: str
    title: str
    bio: str
    languages: tuple[str, ...]
    email: str
    mobile_number: str
    timezone: str
    npi: str
    zoom_user_id: str
    services: frozenset[str]
    licenses: tuple[LicenseFacts, ...]


PLAIN = tuple(f.name for f in fields(ProviderFacts) if f.name not in {"services", "licenses", "languages"})


def facts_of(provider: Provider) -> ProviderFacts:
    """As saved."""
    licenses = provider.licenses.order_by("place").values("place", "number", "expires_on")
    return ProviderFacts(
        **{name: getattr(provider, name) for name in PLAIN},
        languages=tuple(provider.languages),
        services=frozenset(provider.services.values_list("slug", flat=True)),
        licenses=tuple(LicenseFacts(**row) for row in licenses),
    )


def create_provider(*, facts: ProviderFacts, actor: Actor) -> Provider:
    """Somebody new, bookable as soon as there are working hours. Raises InvalidFacts, PermissionRefused."""
    facts = _checked(facts, actor)
    with transaction.atomic():
        one_at_a_time()
        provider = Provider(slug=free_slug(Provider, facts.name))
        _write(provider, facts)
        audit.record(actor, "provider.created", provider, after=_private(asdict(facts)))
        _published(provider)
    return provider


def change_provider(*, provider_id: int, version: int, facts: ProviderFacts, actor: Actor) -> bool:
    """Whether anything changed. Raises InvalidFacts, ChangedMeanwhile, NotFound, PermissionRefused."""
    facts = _checked(facts, actor)
    with transaction.atomic():
        provider = _locked(provider_id, version)
        was, now = asdict(facts_of(provider)), asdict(facts)
        changed = {name for name in now if was[name] != now[name]}
        if not changed:
            return False
        provider.version += 1
        _write(provider, facts)
        audit.record(
            actor,
            "provider.changed",
            provider,
            before=_private({name: was[name] for name in changed}),
            after=_private({name: now[name] for name in changed}, changed=True),
        )
        _published(provider, rebuild=bool(changed & {"timezone", "services"}))
    return True


def archive_provider(*, provider_id: int, version: int, actor: Actor) -> bool:
    """No new bookings from now on; booked visits stay. False where it was so already."""
    return _switch(provider_id, version, actor, active=False)


def restore_provider(*, provider_id: int, version: int, actor: Actor) -> bool:
    """Bookable again. False where it was."""
    return _switch(provider_id, version, actor, active=True)


def save_group(
    *, group_id: int | None, version: int, name: str, members: Collection[str], actor: Actor
) -> ProviderGroup:
    """Make or change a group; ``members`` are providers' slugs. Raises as `change_provider`."""
    _permit(actor)
    name = name.strip()
    errors = {}
    providers = Provider.objects.filter(slug__in=members)
    if not name:
        errors["name"] = _("Give the group a name that patients understand.")
    elif ProviderGroup.objects.filter(name=name).exclude(pk=group_id or 0).exists():
        errors["name"] = _("There is a group of that name already. Archived ones can be restored.")
    if providers.count() != len(set(members)):
        errors["members"] = _("Choose from the list.")
    if errors:
        raise InvalidFacts(errors=errors)
    with transaction.atomic():
        one_at_a_time()
        if group_id is None:
            group, before = ProviderGroup.objects.create(slug=free_slug(ProviderGroup, name), name=name), None
        else:
            group = _locked_group(group_id, version)
            before = _said_group(group)
            group.name = name
        group.providers.set(providers)
        after = _said_group(group)
        if before != after:
            group.version += before is not None
            group.save()
            audit.record(actor, "group.changed" if before else "group.created", group, before=before, after=after)
            for provider in providers:
                publish(ProviderUpdated(provider_id=provider.pk))
    return group


def archive_group(*, group_id: int, version: int, actor: Actor) -> bool:
    """Patients aren't offered it any more; its members stay, and so does every visit. False where it was so already."""
    return _switch_group(group_id, version, actor, active=False)


def restore_group(*, group_id: int, version: int, actor: Actor) -> bool:
    """Offered again where its services offer it. False where it was."""
    return _switch_group(group_id, version, actor, active=True)


def _switch_group(group_id: int, version: int, actor: Actor, *, active: bool) -> bool:
    _permit(actor)
    with transaction.atomic():
        group = _locked_group(group_id, None)
        if not archiving.switch(group, "group", version=version, active=active, actor=actor):
            return False
        for provider in group.providers.all():
            publish(ProviderUpdated(provider_id=provider.pk))
    return True


def _said_group(group: ProviderGroup) -> dict[str, Any]:
    return {"name": group.name, "providers": sorted(group.providers.values_list("slug", flat=True))}


def _locked_group(group_id: int, version: int | None) -> ProviderGroup:
    group = ProviderGroup.objects.select_for_update().filter(pk=group_id).first()
    if group is None:
        raise NotFound
    if version is not None and group.version != version:
        raise ChangedMeanwhile
    return group


def _switch(provider_id: int, version: int, actor: Actor, *, active: bool) -> bool:
    _permit(actor)
    with transaction.atomic():
        provider = _locked(provider_id, None)
        if not archiving.switch(provider, "provider", version=version, active=active, actor=actor):
            return False
        _published(provider, rebuild=active)
    return True


def _permit(actor: Actor) -> None:
    if not actor.is_staff:
        raise PermissionRefused


def _checked(facts: ProviderFacts, actor: Actor) -> ProviderFacts:
    """The facts with licenses in order and the number in E.164; raises where something makes no sense."""
    _permit(actor)
    country = Practice.current().country
    errors = provider_errors(asdict(facts), country)
    if Service.objects.filter(slug__in=facts.services).count() != len(facts.services):
        errors["services"] = _("Choose from the list.")
    if errors:
        raise InvalidFacts(errors=errors)
    number = e164(facts.mobile_number, country) if facts.mobile_number else ""
    licenses = tuple(sorted(facts.licenses, key=lambda one: one.place))
    return ProviderFacts(**{**vars(facts), "mobile_number": number, "licenses": licenses})


def _locked(provider_id: int, version: int | None) -> Provider:
    lock_provider(provider_id)
    provider = Provider.objects.select_for_update().filter(pk=provider_id).first()
    if provider is None:
        raise NotFound
    if version is not None and provider.version != version:
        raise ChangedMeanwhile
    return provider


def _write(provider: Provider, facts: ProviderFacts) -> None:
    for name in PLAIN:
        setattr(provider, name, getattr(facts, name))
    provider.languages = list(facts.languages)
    provider.save()
    provider.services.set(Service.objects.filter(slug__in=facts.services))
    if tuple(facts_of(provider).licenses) != facts.licenses:
        provider.licenses.all().delete()
        License.objects.bulk_create(License(provider=provider, **asdict(one)) for one in facts.licenses)


def _published(provider: Provider, *, rebuild: bool = True) -> None:
    publish(ProviderUpdated(provider_id=provider.pk))
    if rebuild:
        jobs.rebuild_soon(provider)


def _private(values: dict[str, Any], *, changed: bool = False) -> dict[str, Any]:
    """For the audit trail: contact details only as "none", "kept" or "another", the rest as it is."""
    told: dict[str, Any] = {
        name: value if name not in PRIVATE else "none" if not value else "another" if changed else "kept"
        for name, value in values.items()
    }
    if "licenses" in told:
        told["licenses"] = [
            one | {"expires_on": one["expires_on"] and one["expires_on"].isoformat()} for one in told["licenses"]
        ]
    return said(told)
