"""The desk's policies: a new version is read as the patient reads it, then kept; bad input changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from bedside.accounts.models import User
from bedside.clinic.policy_models import CancellationPolicy, of_service
from bedside.core.models import AuditEntry
from bedside.flows import policies
from tests.factories import make_appointment, make_service, make_user

pytestmark = pytest.mark.django_db


def typed(**fields: Any) -> dict[str, Any]:
    good = {
        "valid_from": policies.today().isoformat(),
        "free_hours": "48",
        "late_percent": "50",
        "no_show_fee_percent": "80",
        "late_minutes": "10",
        "move_hours": "24",
        "max_moves": "2",
        "words": "Life happens.",
    }
    return good | fields


def test_from_the_list_to_a_version_and_back(desk: Client, admin: User) -> None:
    service = make_service(slug="first", name="First visit")
    make_appointment(service)
    page = desk.get("/desk/catalogue/policies").content.decode()
    assert "As written with the service" in page
    assert "/desk/catalogue/policies/new/first" in page
    assert desk.get("/desk/catalogue/policies/new/first").status_code == 200
    review = desk.post("/desk/catalogue/policies/new/first", typed()).content.decode()
    for words in (
        "As the patient reads it",
        "After that, 50% of the price is returned.",
        "Life happens.",
        "$42.50 comes back",
        "1 visit that is booked already keeps its policy.",
    ):
        assert words in review
    assert not CancellationPolicy.objects.exists()
    kept = desk.post("/desk/catalogue/policies/new/first", typed(confirm="1"), follow=True)
    assert "Its own policy" in kept.content.decode()
    version = CancellationPolicy.objects.get()
    assert (version.service, version.late_percent, version.created_by_id) == (service, 50, admin.pk)
    assert AuditEntry.objects.filter(action="policy.added", actor_id=admin.pk).exists()


def test_the_practices_policy_is_for_every_service_without_its_own(desk: Client) -> None:
    make_service(name="Follow-up")
    desk.post("/desk/catalogue/policies/new", typed(confirm="1"))
    assert "Follows the practice&#x27;s policy" in desk.get("/desk/catalogue/policies").content.decode().replace(
        "practice's", "practice&#x27;s"
    )


@pytest.mark.parametrize(
    "field",
    [
        {"free_hours": "-1"},
        {"free_hours": "many"},
        {"late_percent": "101"},
        {"no_show_fee_percent": ""},
        {"late_minutes": "9999"},
        {"max_moves": "1.5"},
        {"valid_from": "2026-02-30"},
        {"valid_from": "2020-01-01"},
        {"valid_from": "2999-01-01"},
        {"words": "x" * 5000},
    ],
)
def test_bad_input_is_refused_beside_its_field(desk: Client, field: dict[str, str]) -> None:
    response = desk.post("/desk/catalogue/policies/new", typed(confirm="1", **field))
    assert response.status_code == 422
    assert not CancellationPolicy.objects.exists()


def test_only_the_desk(client: Client) -> None:
    client.force_login(make_user("provider"))
    assert client.get("/desk/catalogue/policies").status_code == 403
    assert client.post("/desk/catalogue/policies/new", typed(confirm="1")).status_code == 403


def test_an_unknown_service_is_not_found(desk: Client) -> None:
    assert desk.get("/desk/catalogue/policies/new/nothing").status_code == 404


def test_a_service_goes_back_to_the_practices_policy(desk: Client, admin: User) -> None:
    service = make_service(slug="first", name="First visit")
    desk.post("/desk/catalogue/policies/new/first", typed(confirm="1"))
    url, today = "/desk/catalogue/policies/follow/first", {"valid_from": policies.today().isoformat()}
    assert desk.post(url, today).status_code == 409  # the practice has none yet
    assert url not in desk.get("/desk/catalogue/policies").content.decode()
    desk.post("/desk/catalogue/policies/new", typed(free_hours="12", confirm="1"))
    assert url in desk.get("/desk/catalogue/policies").content.decode()
    assert "The practice's policy" in desk.get(url).content.decode()
    assert (of_service(service).policy.service, of_service(service).terms.free_hours) == (service, 48)  # type: ignore[union-attr]
    page = desk.post(url, today, follow=True).content.decode()
    assert "First visit follows the practice&#x27;s policy from that day on." in page
    assert (of_service(service).policy.service, of_service(service).terms.free_hours) == (None, 12)  # type: ignore[union-attr]
    assert AuditEntry.objects.filter(action="policy.added", after__follows_practice=True).count() == 1
    assert desk.post(url, today).status_code == 409  # it does already
    desk.post("/desk/catalogue/policies/new", typed(free_hours="6", confirm="1"))
    assert of_service(service).terms.free_hours == 6
    desk.post("/desk/catalogue/policies/new/first", typed(free_hours="36", confirm="1"))
    assert of_service(service).terms.free_hours == 36


@pytest.mark.parametrize("day", ["", "2020-01-01", "soon", "2090-01-01"])
def test_a_bad_day_to_follow_from_changes_nothing(desk: Client, day: str) -> None:
    make_service(slug="first")
    desk.post("/desk/catalogue/policies/new", typed(confirm="1"))
    desk.post("/desk/catalogue/policies/new/first", typed(confirm="1"))
    assert desk.post("/desk/catalogue/policies/follow/first", {"valid_from": day}).status_code == 422
    assert desk.get("/desk/catalogue/policies/follow/nothing").status_code == 404
    assert CancellationPolicy.objects.count() == 2
