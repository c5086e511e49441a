"""People at the desk: who they are, what they offer, where they are licensed."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.test import Client

from bedside.clinic.models import License, Provider
from bedside.core.models import AuditEntry, Event
from bedside.schedule.openings import next_opening
from tests.factories import make_appointment, make_provider, make_service

pytestmark = pytest.mark.django_db
PAGE = "/desk/people/rivera"


@pytest.fixture
def rivera() -> Provider:
    provider = make_provider(slug="rivera", name="Dr. Elena Rivera", mobile_number="+12025550111")
    make_service(provider, slug="first-visit", name="First visit")
    License.objects.create(provider=provider, place="US-NY", number="240017")
    return provider


def sent(client: Client, url: str = PAGE, **changes: Any) -> dict[str, Any]:
    """What the form would send; ``licenses``: (place, number, last day) of each row, in place of those there."""
    context = client.get(url).context
    form, licenses = context["form"], context["licenses"]
    values = {name: form[name].value() for name in form.fields}
    rows = changes.pop("licenses", None)
    if rows is None:
        rows = [tuple(str(row[name].value() or "") for name in ("place", "number", "expires_on")) for row in licenses]
    values |= {"licenses-TOTAL_FORMS": len(rows), "licenses-INITIAL_FORMS": licenses.initial_form_count()}
    for n, row in enumerate(rows):
        values |= dict(zip((f"licenses-{n}-{part}" for part in ("place", "number", "expires_on")), row, strict=True))
    return {name: value for name, value in (values | changes).items() if value is not None}


def test_the_list_says_what_everybody_offers_and_where(desk: Client, rivera: Provider) -> None:
    page = unescape(desk.get("/desk/people").content.decode())
    assert 'href="/desk/people/rivera"' in page
    assert "First visit" in page
    assert "US-NY" in page


def test_an_edit_is_saved_audited_without_contact_details_and_published(desk: Client, rivera: Provider) -> None:
    response = desk.post(
        PAGE,
        sent(
            desk,
            title="MD",
            languages="English,  Spanish, English",
            email="elena@example.org",
            mobile_number="(202) 555-0144",
            npi="1234567893",
            licenses=[("US-NY", "240017", "2028-06-30"), ("new jersey", "", ""), ("gb", "7", ""), ("", "", "")],
        ),
    )
    assert (response.status_code, response["Location"]) == (303, PAGE)
    rivera.refresh_from_db()
    assert (rivera.languages, rivera.mobile_number, rivera.npi) == (
        ["English", "Spanish"],
        "+12025550144",
        "1234567893",
    )
    assert [(one.place, one.number, str(one.expires_on)) for one in rivera.licenses.all()] == [
        ("GB", "7", "None"), ("US-NJ", "", "None"), ("US-NY", "240017", "2028-06-30"),
    ]  # fmt: skip
    entry = AuditEntry.objects.get(action="provider.changed")
    told = f"{entry.before} {entry.after}"
    assert "example" not in told
    assert "0144" not in told
    assert (entry.before["email"], entry.after["email"]) == ("kept", "another")  # type: ignore[index]
    assert [one["place"] for one in entry.after["licenses"]] == ["GB", "US-NJ", "US-NY"]  # type: ignore[index]
    assert Event.objects.filter(name="ProviderUpdated").count() == 1


def test_a_license_whose_place_is_cleared_goes_and_counts_at_once(desk: Client, rivera: Provider) -> None:
    service = rivera.services.get()
    assert next_opening(service, location="US-NY")
    assert desk.post(PAGE, sent(desk, licenses=[("", "", "")])).status_code == 303
    assert next_opening(service, location="US-NY") is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("email", "elena"),
        ("mobile_number", "12"),
        ("timezone", "America/Nowhere"),
        ("npi", "1234567890"),
        ("npi", "12345"),
        ("languages", ",".join("abcdefghijklmnop")),
        ("services", ["unknown"]),
    ],
)
def test_each_error_stands_beside_its_field(desk: Client, rivera: Provider, field: str, value: Any) -> None:
    response = desk.post(PAGE, sent(desk, **{field: value}))
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert Provider.objects.get().version == 1


@pytest.mark.parametrize(
    ("rows", "row", "field"),
    [
        ([("US-XX", "", "")], 0, "place"),
        ([("US-NY", "", ""), ("", "", ""), ("New York", "", "")], 2, "place"),
        ([("", "240017", "")], 0, "place"),
        ([("US-NY", "", "soon")], 0, "expires_on"),
    ],
)
def test_each_error_of_a_license_stands_in_its_row(
    desk: Client, rivera: Provider, rows: list[Any], row: int, field: str
) -> None:
    response = desk.post(PAGE, sent(desk, licenses=rows))
    assert response.status_code == 422
    assert list(response.context["licenses"].forms[row].errors) == [field]
    assert rivera.licenses.get().number == "240017"


def test_who_saved_meanwhile_is_shown_beside_mine(desk: Client, rivera: Provider) -> None:
    mine = sent(desk, title="Mine", licenses=[("US-NJ", "", "")])
    desk.post(PAGE, sent(desk, title="Theirs"))
    response = desk.post(PAGE, mine)
    assert response.status_code == 409
    told = unescape(response.content.decode())
    assert "<td>Theirs</td><td>Mine</td>" in told
    assert "<td>US-NY 240017</td><td>US-NJ</td>" in told
    assert Provider.objects.get().title == "Theirs"
    assert desk.post(PAGE, mine | {"version": "2"}).status_code == 303
    assert (Provider.objects.get().title, License.objects.get().place) == ("Mine", "US-NJ")


def test_a_moved_provider_is_worked_out_anew(desk: Client, rivera: Provider) -> None:
    from procrastinate.contrib.django.models import ProcrastinateJob

    def jobs() -> int:
        return ProcrastinateJob.objects.filter(task_name="schedule.rebuild").count()

    desk.post(PAGE, sent(desk, title="Only the title"))
    assert jobs() == 0
    desk.post(PAGE, sent(desk, timezone="America/Chicago"))
    assert jobs() == 1


def test_somebody_new(desk: Client, rivera: Provider) -> None:
    url = "/desk/people/new"
    values = sent(
        desk, url, name="Dr. Elena Rivera", email="er@example.com", services=["first-visit"],
        licenses=[("US-CA", "", "")],
    )  # fmt: skip
    response = desk.post(url, values)
    assert (response.status_code, response["Location"]) == (303, "/desk/people/dr-elena-rivera")
    made = Provider.objects.get(slug="dr-elena-rivera")
    assert (made.timezone, made.licenses.get().place) == ("America/New_York", "US-CA")
    assert AuditEntry.objects.get(action="provider.created").after["mobile_number"] == "none"  # type: ignore[index]


def test_archiving_keeps_visits_and_stops_bookings(desk: Client, rivera: Provider) -> None:
    visit = make_appointment(rivera.services.get())
    assert "1 visit that is booked stays" in unescape(desk.get(f"{PAGE}/archive").content.decode())
    assert desk.post(f"{PAGE}/archive", {"archive": "1", "version": "1"}).status_code == 303
    visit.refresh_from_db()
    assert visit.status == "paid"
    assert next_opening(rivera.services.get()) is None
    assert desk.post(f"{PAGE}/archive", {"archive": "0", "version": "1"}).status_code == 409
    assert desk.post(f"{PAGE}/archive", {"archive": "0", "version": "2"}).status_code == 303
    assert next_opening(rivera.services.get())


def test_a_missing_email_is_asked_for_in_the_providers_name(desk: Client, rivera: Provider) -> None:
    page = desk.post(PAGE, sent(desk, email="")).content.decode()
    assert "Enter the email address that news of appointments go to." in page
    assert "your link" not in page
