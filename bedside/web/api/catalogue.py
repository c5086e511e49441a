"""What can be booked, and with whom."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from bedside.clinic.models import Provider, Service
from bedside.clinic.policy_models import in_force
from bedside.core import written
from bedside.schedule.search import Who
from bedside.web.api import represent
from bedside.web.api.endpoint import as_json
from bedside.web.api.problems import Problem

_OFFERS = """
    JOIN clinic_service_providers offered ON offered.provider_id = clinic_provider.id AND offered.service_id = %s
    WHERE slug = %s AND active
"""


def list_services(request: HttpRequest) -> HttpResponse:
    """GET services."""
    offered = Service.objects.filter(active=True).prefetch_related(
        Prefetch("providers", queryset=Provider.objects.filter(active=True).order_by("name"))
    )
    agreed = in_force(offered)
    return as_json({"services": [represent.service(one, agreed[one.pk]) for one in offered]})


def find_service(slug: str | None) -> Service:
    found = written.rows(Service, "WHERE slug = %s AND active", [slug]) if slug else []
    if not found:
        raise Problem(404, "unknown-service", _("There is no such service. GET services lists them."))
    return found[0]


def find_providers(service: Service, slugs: Sequence[str]) -> Who:
    """One, several, or None (anybody) where nobody is named."""
    found = [find_provider(service, slug) for slug in dict.fromkeys(slugs)]
    return (found[0] if len(found) == 1 else found) if found else None


def find_provider(service: Service, slug: str | None) -> Provider:
    found = written.rows(Provider, _OFFERS, [service.pk, slug]) if slug else []
    if not found:
        raise Problem(
            404, "unknown-provider", _("Nobody of that name offers this service. GET services lists who does.")
        )
    return found[0]
