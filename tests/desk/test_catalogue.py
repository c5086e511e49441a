"""The catalogue at the desk: what is typed, what is refused beside its field, and what happens to bookings."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.test import Client

from bedside.appointments.errors import SlotTaken
from bedside.appointments.models import Appointment
from bedside.clinic.models import ProviderGroup, Service
from bedside.core.models import AuditEntry, Event
from bedside.flows.book import book
from bedside.flows.details import Consent
from tests.factories import make_appointment, make_provider, make_service, make_user
from tests.flows.conftest import first_opening, patient

pytestmark = pytest.mark.django_db
PAGE = "/desk/catalogue/first-visit"


@pytest.fixture
def service() -> Service:
    return make_service(make_provider(slug="rivera", name="Dr. Elena Rivera"), slug="first-visit", name="First visit")


def page(client: Client, url: str = PAGE) -> str:
    return unescape(client.get(url).content.decode())


def sent(client: Client, url: str = PAGE, **changes: Any) -> dict[str, Any]:
    """What the form at ``url`` would send, with ``changes``; None leaves a field out."""
    form = client.get(url).context["form"]
    values = {name: form[name].value() for name in form.fields} | changes
    return {name: value for name, value in values.items() if value is not None and value is not False}


def test_the_list_is_in_the_rail_and_shows_what_can_be_booked(desk: Client, service: Service) -> None:
    assert 'href="/desk/catalogue"' in page(desk, "/desk/")
    listed = page(desk, "/desk/catalogue")
    assert "First visit" in listed
    assert "Dr. Elena Rivera" in listed
    assert "$85.00" in listed
    assert "First visit" not in page(desk, "/desk/catalogue?show=archived")


def test_an_edit_is_saved_audited_and_published(desk: Client, service: Service) -> None:
    response = desk.post(PAGE, sent(desk, price="99.50", duration_minutes="45", daily_limit="6", reminder_1h_sms=None))
    assert (response.status_code, response["Location"]) == (303, PAGE)
    service.refresh_from_db()
    assert (service.price_minor, service.duration_minutes, service.daily_limit) == (9950, 45, 6)
    assert (service.reminder_1h_sms, service.reminder_1h_email, service.version) == (False, True, 2)
    entry = AuditEntry.objects.get(action="service.changed")
    assert entry.before == {
        "price_minor": 8500, "duration_minutes": 30, "daily_limit": None, "reminder_1h_sms": True,
    }  # fmt: skip
    assert entry.after == {"price_minor": 9950, "duration_minutes": 45, "daily_limit": 6, "reminder_1h_sms": False}
    assert Event.objects.filter(name="ServiceUpdated").count() == 1
    after = page(desk)
    assert "Service changed · Sam Ortega" in after
    assert "Price: <s>$85.00</s> → $99.50" in after


def test_saving_what_is_saved_changes_nothing(desk: Client, service: Service) -> None:
    assert desk.post(PAGE, sent(desk)).status_code == 303
    assert not AuditEntry.objects.filter(action="service.changed").exists()
    assert not Event.objects.filter(name="ServiceUpdated").exists()


def test_what_is_booked_keeps_its_length_and_price(desk: Client, service: Service) -> None:
    booked = make_appointment(service)
    desk.post(PAGE, sent(desk, price="200", duration_minutes="60", wrap_minutes="30"))
    after = Appointment.objects.get(pk=booked.pk)
    assert (after.price_minor, after.minutes, after.end) == (8500, 30, booked.end)
    assert after.blocked.upper - after.end == booked.blocked.upper - booked.end
    visit = unescape(Client().get(f"/visits/{booked.token}").content.decode())
    assert "30 minutes" in visit
    assert "60 minutes" not in visit


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("discreet_name", " "),
        ("duration_minutes", "7"),
        ("duration_minutes", "0"),
        ("duration_minutes", "many"),
        ("duration_minutes", "99999999999999"),
        ("step_minutes", "50"),
        ("step_minutes", "0"),
        ("prep_minutes", "-5"),
        ("wrap_minutes", "500"),
        ("price", "-1"),
        ("price", "a lot"),
        ("price", "9999999999"),
        ("currency", "XYZ"),
        ("horizon_days", "0"),
        ("horizon_days", "5000"),
        ("minimum_notice_minutes", "100000"),
        ("daily_limit", "0"),
        ("first_reminder_hours", "1"),
        ("first_reminder_hours", "337"),
        ("last_reminder_minutes", "9"),
        ("last_reminder_minutes", "1440"),
        ("providers", ["nobody"]),
        ("groups", ["none"]),
    ],
)
def test_each_error_stands_beside_its_field_and_nothing_changes(
    desk: Client, service: Service, field: str, value: Any
) -> None:
    response = desk.post(PAGE, sent(desk, **{field: value}))
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert 'class="field__error"' in response.content.decode()
    assert Service.objects.get().version == 1


def test_who_saved_meanwhile_is_shown_beside_mine_and_nothing_is_lost(desk: Client, service: Service) -> None:
    mine = sent(desk, name="My name", price="90")
    desk.post(PAGE, sent(desk, name="Their name"))
    response = desk.post(PAGE, mine)
    assert response.status_code == 409
    told = unescape(response.content.decode())
    assert "Changed meanwhile" in told
    assert "<td>Their name</td><td>My name</td>" in told
    assert "<td>85.00</td><td>90</td>" in told
    assert Service.objects.get().name == "Their name"
    # The page now holds their version: pressing again is a decision.
    again = desk.post(PAGE, mine | {"version": response.context["form"]["version"].value()})
    assert again.status_code == 303
    assert Service.objects.get().name == "My name"


def test_a_new_service_can_be_booked_at_once(desk: Client, service: Service) -> None:
    values = sent(desk, "/desk/catalogue/new", name="First visit", price="40", providers=["rivera"])
    response = desk.post("/desk/catalogue/new", values)
    assert (response.status_code, response["Location"]) == (303, "/desk/catalogue/first-visit-2")
    made = Service.objects.get(slug="first-visit-2")
    assert made.price_minor == 4000
    assert first_opening(made)
    assert "First visit" in unescape(Client().get("/").content.decode())
    assert AuditEntry.objects.filter(action="service.created", subject_id=str(made.pk)).exists()


def test_archiving_asks_first_keeps_visits_and_stops_bookings(desk: Client, service: Service) -> None:
    start = first_opening(service)
    booked = make_appointment(service)
    asked = page(desk, f"{PAGE}/archive")
    assert "1 visit that is booked stays as it is" in asked
    assert Service.objects.get().active
    stale = Service.objects.get()
    assert desk.post(f"{PAGE}/archive", {"archive": "1", "version": "1"}).status_code == 303
    assert not Service.objects.get().active
    assert Appointment.objects.get(pk=booked.pk).status == "paid"
    assert Client().get("/book/first-visit").status_code == 404
    # Who had the service in hand before it was archived is refused all the same.
    with pytest.raises(SlotTaken):
        book(service=stale, start=start, details=patient(), consent=Consent(given=True))
    assert "First visit" in page(desk, "/desk/catalogue?show=archived")
    assert desk.post(f"{PAGE}/archive", {"archive": "0", "version": "2"}).status_code == 303
    assert Client().get("/book/first-visit").status_code == 200
    assert [e.action for e in AuditEntry.objects.filter(subject_kind="service").order_by("pk")] == [
        "service.archived", "service.restored",
    ]  # fmt: skip


def test_archiving_twice_is_once_and_a_stale_question_is_asked_again(desk: Client, service: Service) -> None:
    desk.post(PAGE, sent(desk, name="Another"))
    assert desk.post(f"{PAGE}/archive", {"archive": "1", "version": "1"}).status_code == 409
    assert Service.objects.get().active
    for _ in range(2):
        assert desk.post(f"{PAGE}/archive", {"archive": "1", "version": "2"}).status_code == 303
    assert AuditEntry.objects.filter(action="service.archived").count() == 1


def test_groups_are_made_ticked_archived_and_restored(desk: Client, service: Service) -> None:
    make_provider(slug="chen")
    made = desk.post(
        "/desk/catalogue/groups/new", {"version": "0", "name": "Physicians", "members": ["rivera", "chen"]}
    )
    assert made.status_code == 303
    group = ProviderGroup.objects.get()
    desk.post(PAGE, sent(desk, groups=[group.slug]))
    assert list(service.groups.all()) == [group]
    url = f"/desk/catalogue/groups/{group.slug}"
    assert desk.post(url, sent(desk, url, members=["rivera"])).status_code == 303
    assert AuditEntry.objects.get(action="group.changed").before["providers"] == ["chen", "rivera"]  # type: ignore[index]
    assert desk.post(url, {"version": "1", "name": "Late"}).status_code == 409
    assert desk.post(url, {"version": "2", "name": ""}).status_code == 422
    twice = desk.post("/desk/catalogue/groups/new", {"version": "0", "name": "Physicians"})
    assert twice.status_code == 422
    offered = f"/book/{service.slug}?group={group.slug}"
    assert Client().get(offered).status_code == 200
    assert "First visit" in page(desk, f"{url}?archive=1")
    assert desk.post(url, {"version": "1", "archive": "1"}).status_code == 409
    for _ in range(2):
        assert desk.post(url, {"version": "2", "archive": "1"}).status_code == 303
    assert AuditEntry.objects.filter(action="group.archived").count() == 1
    assert Client().get(offered).status_code == 404
    assert "Physicians" not in page(Client(), f"/book/{service.slug}")
    assert "Archived" in page(desk, "/desk/catalogue/groups")
    assert "Physicians (archived)" in page(desk, PAGE), "It stays ticked"
    assert desk.post(url, {"version": "3", "archive": "0"}).status_code == 303
    assert Client().get(offered).status_code == 200
    assert list(service.groups.all()) == [group]


@pytest.mark.parametrize("url", ["/desk/catalogue", PAGE, f"{PAGE}/archive", "/desk/catalogue/groups", "/desk/people"])
def test_providers_and_strangers_stay_out(service: Service, url: str) -> None:
    assert Client().get(url).status_code == 302
    visitor = Client()
    visitor.force_login(make_user("provider"))
    assert visitor.get(url).status_code == 403
    assert visitor.post(url, {"archive": "1", "version": "1"}).status_code in {403, 405}


def test_what_is_not_there_is_not_found(desk: Client, service: Service) -> None:
    for url in ("/desk/catalogue/unknown", "/desk/catalogue/groups/unknown", "/desk/people/unknown"):
        assert desk.get(url).status_code == 404


def test_the_lead_times_of_reminders_are_the_service_s_own(desk: Client, service: Service) -> None:
    assert desk.post(PAGE, sent(desk, first_reminder_hours="48", last_reminder_minutes="120")).status_code == 303
    service.refresh_from_db()
    assert (service.first_reminder_hours, service.last_reminder_minutes) == (48, 120)
    entry = AuditEntry.objects.get(action="service.changed")
    assert entry.after == {"first_reminder_hours": 48, "last_reminder_minutes": 120}
