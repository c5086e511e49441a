"""A provider's own particulars: where texts go, and the zone that working hours are in."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from bedside.appointments.errors import InvalidDetails
from bedside.appointments.locks import lock_provider
from bedside.clinic.events import ProviderUpdated
from bedside.clinic.models import Practice, Provider
from bedside.core import audit
from bedside.core.audit import Actor
from bedside.core.events import publish
from bedside.flows.details import check_mobile, check_zone
from bedside.flows.own import check_may_manage
from bedside.schedule.jobs import rebuild_soon


def change(*, provider_id: int, mobile: str, country: str, timezone: str, actor: Actor) -> Provider:
    """Keep a mobile number (empty: none) of a country (ISO 3166) and a zone. Raises InvalidDetails, PermissionRefused.

    Another zone keeps the hours' wall-clock times: their windows are worked out anew, booked visits stay as they are.
    """
    number, zone = _checked(mobile, country or Practice.current().country, timezone)
    with transaction.atomic():
        lock_provider(provider_id)
        provider = Provider.objects.select_for_update().get(pk=provider_id)
        check_may_manage(actor, provider)
        before = {"timezone": provider.timezone}
        after = {"timezone": zone}
        if provider.mobile_number != number:
            # The trail says that it changed; the number itself is nobody's business there.
            after["mobile_number"] = "changed" if number else "removed"
        if before == after:
            return provider
        moved = provider.timezone != zone
        provider.mobile_number, provider.timezone = number, zone
        provider.version += 1  # the desk's open form notices
        provider.save(update_fields=["mobile_number", "timezone", "version"])
        audit.record(actor, "provider.profile_changed", provider, before=before, after=after)
        publish(ProviderUpdated(provider_id=provider.pk))
        if moved:
            rebuild_soon(provider)
    return provider


def _checked(mobile: str, country: str, timezone: str) -> tuple[str, str]:
    errors: dict[str, str] = {}
    number = zone = ""
    try:
        number = check_mobile(mobile, country) if mobile.strip() else ""
    except ValidationError as error:
        errors["mobile"] = error.messages[0]
    try:
        zone = check_zone(timezone)
    except ValidationError as error:
        errors["timezone"] = error.messages[0]
    if errors:
        raise InvalidDetails(errors=errors)
    return number, zone
