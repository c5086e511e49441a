"""Every page of the desk, walked from its addresses: none breaks, none lets anybody in who doesn't belong there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from structlog.testing import capture_logs

from bedside.accounts.models import User
from bedside.appointments.models import Appointment
from bedside.clinic.models import License, ProviderGroup
from bedside.clinic.prices.models import PromoCode, TaxRate
from bedside.core import clock
from bedside.core.models import AuditEntry
from bedside.notifications.models import Notification
from bedside.payments.models import Payment
from bedside.schedule.models import Holiday
from tests.factories import make_appointment, make_provider, make_service, make_user

pytestmark = pytest.mark.django_db
PARAMETER = re.compile(r"<(\w+):(\w+)>")
HUGE = str(10**30)


def routes() -> list[str]:
    """Of every page of the desk, with its parameters: a new page can't be forgotten here."""
    (root,) = [
        one for one in get_resolver().url_patterns if isinstance(one, URLResolver) and str(one.pattern) == "desk/"
    ]
    return sorted({f"/desk/{route}" for route in _below(root)})


def _below(resolver: URLResolver) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield str(pattern.pattern)
        else:
            yield from (str(pattern.pattern) + route for route in _below(pattern))


@pytest.fixture
def visit(db: None) -> Appointment:
    """A practice with one of each."""
    provider = make_provider(slug="rivera", name="Dr. Rivera")
    License.objects.create(provider=provider, place="US-NY")
    service = make_service(provider, slug="first-visit")
    ProviderGroup.objects.create(slug="doctors", name="Doctors")
    PromoCode.objects.create(code="WELCOME", percent=Decimal(10))
    TaxRate.objects.create(name="VAT", percent=Decimal(8), valid_from=date(2026, 1, 1))
    Holiday.objects.create(day=date(2026, 12, 25), name="Christmas")
    make_user("admin")
    visit = make_appointment(service)
    Payment.objects.create(
        appointment=visit,
        status="succeeded",
        amount_minor=8500,
        captured_minor=8500,
        currency="USD",
        processor="sandbox",
    )
    Notification.objects.create(
        appointment=visit, kind="confirmation", audience="patient", channel="email", idempotency_key="a",
        due_at=clock.now(), status="failed", recipient="robin@example.com",
    )  # fmt: skip
    return visit


def filled(route: str, visit: Appointment, *, unknown: str = "") -> str:
    """With what is there in place of the parameters, or with ``unknown``."""
    numbers = {"messages": Notification, "taxes": TaxRate, "users": User, "holidays": Holiday}

    def value(found: re.Match[str]) -> str:
        kind, name = found[1], found[2]
        if kind == "practice_day":
            return "2026-11-30"
        if unknown:
            return unknown if kind == "int" else "nothing-of-the-kind"
        if name == "code":
            return visit.code
        if kind == "int":
            model: Any = next((one for area, one in numbers.items() if f"/{area}/" in route), None)
            return str(model.objects.latest("pk").pk if model else 1)
        slugs = {"promo-codes": "WELCOME", "groups": "doctors", "people": "rivera", "calendars": "rivera"}
        return next((slug for area, slug in slugs.items() if f"/{area}/" in route), "first-visit")

    return PARAMETER.sub(value, route)


def test_every_page_answers_with_what_is_there(desk: Client, visit: Appointment) -> None:
    found = routes()
    assert len(found) > 80
    broken = {}
    for route in found:
        path = filled(route, visit)
        status = desk.get(path).status_code
        # 422: a form that is opened by an address, without its fields.
        if status not in {200, 302, 303, 404, 405, 422}:
            broken[path] = status
    assert broken == {}
    for path in ("/desk/users", "/desk/settings", f"/desk/appointments/{visit.code}", "/desk/catalogue/first-visit"):
        assert desk.get(path).status_code == 200


@pytest.mark.parametrize("unknown", ["987654321", HUGE])
def test_what_is_unknown_is_not_found(desk: Client, visit: Appointment, unknown: str) -> None:
    wrong = {}
    for route in routes():
        kinds = {kind for kind, _ in PARAMETER.findall(route)} - {"practice_day"}
        if not kinds:
            continue
        path = filled(route, visit, unknown=unknown)
        for method in ("get", "post"):
            status = getattr(desk, method)(path).status_code
            if status not in {404, 405} and not (status in {302, 303} and method == "post"):
                wrong[f"{method} {path}"] = status
    assert wrong == {}


def test_a_provider_is_refused_everywhere_and_it_is_logged(visit: Appointment) -> None:
    person = make_user("provider")
    visit.provider.user = person
    visit.provider.save()
    client = Client()
    client.force_login(person)
    wrong = {}
    with capture_logs() as logged:
        for route in routes():
            path = filled(route, visit)
            statuses = {getattr(client, method)(path).status_code for method in ("get", "post")}
            if not statuses <= {403, 405} or 403 not in statuses:
                wrong[path] = statuses
    assert wrong == {}
    refused = [one for one in logged if one["event"] == "area_refused"]
    assert len(refused) >= len(routes())
    assert {(one["area"], one["user_id"]) for one in refused} == {("desk", person.pk)}
    assert not AuditEntry.objects.exclude(actor_kind="system").exists()


def test_strangers_are_sent_to_sign_in(client: Client, visit: Appointment) -> None:
    wrong = {}
    for route in routes():
        path = filled(route, visit)
        response = client.get(path)
        if response.status_code != 405 and not response.get("Location", "").startswith("/accounts/login/"):
            wrong[path] = response.status_code
    assert wrong == {}
