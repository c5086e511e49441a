"""Somebody saved meanwhile: each form of the desk shows both versions and saves over theirs only when told so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date, time
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.db import close_old_connections, connection
from django.http import QueryDict
from django.test import Client

from bedside.clinic.errors import ChangedMeanwhile
from bedside.clinic.models import License, Practice, ProviderGroup
from bedside.clinic.policy import Terms as PolicyTerms
from bedside.clinic.prices.models import PromoCode, TaxRate
from bedside.core import flags
from bedside.core.audit import Actor
from bedside.core.models import AuditEntry
from bedside.flows import features, payment_terms, policies, practice, promo_codes, taxes
from bedside.payments.receipt_models import PracticeBilling
from tests.factories import make_appointment, make_practice, make_provider, make_service, make_user

pytestmark = pytest.mark.django_db
DESK = Actor("admin", 1, "Desk")


@dataclass
class Case:
    """``field`` of the form at ``url``: their value and mine, as the page says them."""

    url: str
    field: str
    theirs: str
    mine: str
    saved: Callable[[], str]
    extra: dict[str, str]


@pytest.fixture
def world(desk: Client) -> dict[str, Case]:
    for name in ("promo-codes", "credits"):
        if name in flags.FLAGS:
            features.switch(name=name, on=True, actor=DESK)  # type: ignore[arg-type]
    provider = make_provider(slug="rivera", name="Dr. Rivera")
    License.objects.create(provider=provider, place="US-NY")
    service = make_service(provider, slug="first-visit")
    group = ProviderGroup.objects.create(slug="doctors", name="Doctors")
    promo = PromoCode.objects.create(code="WELCOME", percent=Decimal(10))
    rate = TaxRate.objects.create(name="VAT", percent=Decimal(8), valid_from=date(2026, 1, 1))
    visit = make_appointment(service, patient_email="jamie@example.com")
    user = make_user("admin", name="Kim")

    def of(row: Any, name: str) -> Callable[[], str]:
        return lambda: str(getattr(type(row).objects.get(pk=row.pk), name))

    def policy() -> str:
        entry = AuditEntry.objects.filter(action="policy.added").order_by("-pk").first()
        return str((entry.after or {})["free_hours"]) if entry else ""

    def credit_days() -> str:
        return str(Practice.objects.get().credit_days)

    def billing() -> str:
        return str(PracticeBilling.objects.get().legal_name)

    return {
        "service": Case("/desk/catalogue/first-visit", "summary", "Theirs", "Mine", of(service, "summary"), {}),
        "provider": Case("/desk/people/rivera", "title", "Theirs", "Mine", of(provider, "title"), {}),
        "group": Case("/desk/catalogue/groups/doctors", "name", "Theirs", "Mine", of(group, "name"), {}),
        "promo code": Case("/desk/catalogue/promo-codes/WELCOME/edit", "note", "Theirs", "Mine", of(promo, "note"), {}),
        "tax": Case(f"/desk/catalogue/taxes/{rate.pk}", "name", "GST", "MwSt", of(rate, "name"), {}),
        "policy": Case("/desk/catalogue/policies/new", "free_hours", "48", "12", policy, {"confirm": "1"}),
        "practice": Case("/desk/settings", "about", "Theirs", "Mine", of(Practice.current(), "about"), {}),
        "terms": Case(
            "/desk/settings/payments", "credit_days", "200", "300", of(Practice.current(), "credit_days"), {}
        ),
        "billing": Case("/desk/billing", "legal_name", "Theirs LLC", "Mine LLC", billing, {}),
        "user": Case(f"/desk/users/{user.pk}", "name", "Theirs", "Mine", of(user, "name"), {}),
        "contact": Case(
            f"/desk/appointments/{visit.code}/contact",
            "email",
            "theirs@example.com",
            "mine@example.com",
            of(visit, "patient_email"),
            {},
        ),
    }


CASES = [
    "service", "provider", "group", "promo code", "tax", "policy", "practice", "terms", "billing", "user", "contact",
]  # fmt: skip


def sent(form: Any, formset: Any = None) -> dict[str, Any]:
    """What a browser would send of the form as it stands."""
    values: dict[str, Any] = {}
    for name in form.fields:
        value = form[name].value()
        if isinstance(value, time):
            value = f"{value:%H:%M}"
        if value is not None and value is not False:
            values[name] = "on" if value is True else value
    if formset is not None:
        values |= {"licenses-TOTAL_FORMS": len(formset.forms), "licenses-INITIAL_FORMS": formset.initial_form_count()}
        for n, row in enumerate(formset.forms):
            values |= {f"licenses-{n}-{part}": row[part].value() or "" for part in row.fields}
    return values


def opened(desk: Client, url: str) -> dict[str, Any]:
    context = desk.get(url).context
    return sent(context["form"], context.get("licenses"))


@pytest.mark.parametrize("name", CASES)
def test_both_versions_are_shown_and_nothing_is_overwritten_unseen(
    desk: Client, world: dict[str, Case], name: str
) -> None:
    case = world[name]
    mine = opened(desk, case.url) | {case.field: case.mine} | case.extra
    theirs = opened(desk, case.url) | {case.field: case.theirs} | case.extra
    assert desk.post(case.url, theirs).status_code in {302, 303}
    assert case.saved() == case.theirs
    response = desk.post(case.url, mine)
    assert response.status_code == 409
    assert case.saved() == case.theirs
    page = unescape(response.content.decode())
    assert "Changed meanwhile" in page
    assert f"<td>{case.theirs}</td><td>{case.mine}</td>" in page
    data = response.context["form"].data
    assert isinstance(data, QueryDict)
    again = {key: data.getlist(key) for key in data}
    again["version"] = [response.context["form"]["version"].value()]
    assert desk.post(case.url, again).status_code in {302, 303}
    assert case.saved() == case.mine


@pytest.mark.parametrize("name", ["promo code", "tax", "practice", "terms", "contact", "billing", "user"])
def test_a_form_without_its_version_saves_nothing(desk: Client, world: dict[str, Case], name: str) -> None:
    case = world[name]
    desk.post(case.url, opened(desk, case.url) | {case.field: case.theirs} | case.extra)
    before = case.saved()
    said = opened(desk, case.url) | {case.field: case.mine} | case.extra
    del said["version"]
    assert desk.post(case.url, said).status_code in {409, 422}
    assert case.saved() == before


def _promo() -> Callable[[int], object]:
    row = PromoCode.objects.create(code="WELCOME", percent=Decimal(10))
    version = promo_codes.version_of(row)
    return lambda n: promo_codes.change(
        promo_code_id=row.pk,
        version=version,
        terms=promo_codes.Terms(percent=Decimal(20 + n)),
        actor=DESK,
    )


def _tax() -> Callable[[int], object]:
    row = TaxRate.objects.create(name="VAT", percent=Decimal(8), valid_from=date(2026, 1, 1))
    version = taxes.version_of(row)

    def change(n: int) -> object:
        terms = taxes.Terms(name="VAT", percent=Decimal(9 + n), inclusive=False, valid_from=date(2026, 1, 1))
        return taxes.save(terms=terms, actor=DESK, tax_rate_id=row.pk, version=version)

    return change


def _practice() -> Callable[[int], object]:
    facts = practice.facts_of(Practice.current())
    return lambda n: practice.change(version=facts.version, facts=replace(facts, about=f"About {n}"), actor=DESK)


def _terms() -> Callable[[int], object]:
    terms = payment_terms.PaymentTerms.of(Practice.current())
    return lambda n: payment_terms.change(
        terms=payment_terms.PaymentTerms(**asdict(terms) | {"credit_days": 100 + n}), version=terms.version, actor=DESK
    )


def _policy() -> Callable[[int], object]:
    newest = policies.newest_version(None)
    terms = PolicyTerms(
        free_hours=24, late_percent=0, no_show_fee_percent=100, late_minutes=15, move_hours=24, max_moves=2
    )
    return lambda n: policies.add_version(
        actor=DESK, service=None, valid_from=policies.today(), terms=terms, words=f"Words {n}", newest=newest
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("make", [_promo, _tax, _practice, _terms, _policy])
def test_of_two_who_save_at_once_one_is_told(make: Callable[[], Callable[[int], object]]) -> None:
    make_practice()
    change = make()
    results: list[str] = []
    barrier = threading.Barrier(2)

    def save(n: int) -> None:
        try:
            barrier.wait()
            change(n)
            results.append("saved")
        except ChangedMeanwhile:
            results.append("told")
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=save, args=(n,)) for n in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["saved", "told"]
