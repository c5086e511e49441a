"""Bulk at the desk: ticked rows or all that match, confirmed with their count, begun once, watched, canceled."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from bedside.accounts.models import User
from bedside.appointments.bulk.models import Export
from bedside.appointments.bulk.runs import BulkRun
from bedside.appointments.models import Appointment
from bedside.flows import bulk
from bedside.notifications.models import Notification
from tests.factories import make_appointment, make_practice, make_service, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def visits(admin: User) -> list[Appointment]:
    """Three paid ones and a canceled one."""
    service = make_service(slug="first-visit")
    noon = datetime(2026, 12, 3, 12, tzinfo=UTC)
    made = [make_appointment(service, start=noon + timedelta(hours=n)) for n in range(3)]
    return [*made, make_appointment(service, start=noon + timedelta(hours=5), status="canceled")]


def hidden(page: str) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    form = page[page.index('action="/desk/bulk/start"') :]
    for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form):
        fields.setdefault(name, []).append(value.replace("&amp;", "&"))
    return fields


def test_ticked_rows_are_confirmed_and_begun(desk: Client, visits: list[Appointment]) -> None:
    listed = desk.get("/desk/appointments").content.decode()
    assert f'form="bulk" name="code" value="{visits[0].code}"' in listed
    asked = desk.post("/desk/bulk/choose", {"action": "resend", "code": [visits[0].code, visits[3].code]})
    page = asked.content.decode()
    assert "<strong>2</strong> appointments are chosen." in page
    assert "1 of them can be acted on" in page
    assert not BulkRun.objects.exists(), "Asking changes nothing"
    fields = hidden(page)
    begun = desk.post("/desk/bulk/start", fields)
    run = BulkRun.objects.get()
    assert (begun.status_code, begun["Location"]) == (303, f"/desk/bulk/{run.pk}")
    assert desk.post("/desk/bulk/start", fields)["Location"] == begun["Location"], "A double click"
    assert BulkRun.objects.count() == 1
    bulk.carry_out(run.pk)
    page = desk.get(f"/desk/bulk/{run.pk}").content.decode()
    assert '<progress id="bulk-progress" max="2" value="2">' in page
    assert "1 done, 1 skipped, 0 failed." in page
    assert "By email and text." in page
    assert "it is over, canceled, moved or completed" in page
    skipped = desk.get(f"/desk/bulk/{run.pk}?show=skipped").content.decode()
    assert visits[3].code in skipped
    assert visits[0].code not in skipped
    assert Notification.objects.filter(kind="confirmation").count() == 2


def test_all_that_match_are_those_of_the_filters(desk: Client, visits: list[Appointment]) -> None:
    make_appointment()
    sent = {"action": "complete", "all": "1", "query": "service=first-visit&status=paid", "code": [visits[3].code]}
    page = desk.post("/desk/bulk/choose", sent).content.decode()
    assert "<strong>3</strong> appointments are chosen." in page
    assert "Appointment: Paid" in page
    assert "None of them can be acted on" in page
    assert "data-takes-focus" not in page[page.index("/desk/bulk/start") :], "Nothing to press"


def test_a_count_that_changed_is_confirmed_again(desk: Client, visits: list[Appointment]) -> None:
    sent = {"action": "resend", "all": "1", "query": "status=paid"}
    fields = hidden(desk.post("/desk/bulk/choose", sent).content.decode())
    make_appointment()
    again = desk.post("/desk/bulk/start", fields)
    assert again.status_code == 409
    page = again.content.decode()
    assert "Meanwhile another number of appointments matches." in page
    assert "<strong>4</strong> appointments are chosen." in page
    assert not BulkRun.objects.exists()
    assert desk.post("/desk/bulk/start", hidden(page)).status_code == 303
    run = BulkRun.objects.get()
    assert (run.total, run.filters) == (4, {"status": "paid"})


def test_who_was_searched_for_is_not_kept(desk: Client, visits: list[Appointment]) -> None:
    sent = {"action": "resend", "all": "1", "query": f"q={visits[0].patient_email}"}
    desk.post("/desk/bulk/start", hidden(desk.post("/desk/bulk/choose", sent).content.decode()))
    run = BulkRun.objects.get()
    assert (run.total, run.filters) == (1, {"q": "[a search]"})


def test_a_run_is_canceled_while_it_goes_on(desk: Client, visits: list[Appointment]) -> None:
    fields = hidden(desk.post("/desk/bulk/choose", {"action": "resend", "all": "1"}).content.decode())
    desk.post("/desk/bulk/start", fields)
    run = BulkRun.objects.get()
    bulk.carry_out(run.pk, most=1)
    page = desk.get(f"/desk/bulk/{run.pk}").content.decode()
    assert 'data-live="BulkRunChanged"' in page
    assert f'action="/desk/bulk/{run.pk}/cancel"' in page
    part = desk.get(f"/desk/bulk/{run.pk}", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "1 of 4 handled." in part
    assert desk.post(f"/desk/bulk/{run.pk}/cancel").status_code == 303
    page = desk.get(f"/desk/bulk/{run.pk}", follow=True).content.decode()
    assert "The run was canceled before its turn." in page
    assert "data-live=" not in page
    assert "Canceled. What was done by then stays done." in page
    assert desk.post(f"/desk/bulk/{run.pk}/cancel", follow=True).status_code == 200
    assert "Send confirmations again" in desk.get("/desk/bulk").content.decode()


def test_chosen_rows_are_exported(desk: Client, visits: list[Appointment]) -> None:
    codes = [visits[0].code, visits[3].code]
    page = desk.post("/desk/bulk/choose", {"action": "export", "code": codes}).content.decode()
    desk.post("/desk/bulk/start", hidden(page))
    run = BulkRun.objects.get()
    assert run.status == "finished"
    file = desk.get(f"/desk/bulk/{run.pk}/download").getvalue().decode()
    rows = list(csv.DictReader(io.StringIO(file, newline="")))
    assert {row["code"] for row in rows} == set(codes)
    redacted = desk.get(f"/desk/bulk/{run.pk}/download?redacted=on&layout=excel").getvalue().decode()
    assert redacted.startswith("\ufeffcode")
    assert "Robin" not in redacted
    assert [one.filters for one in Export.objects.all()] == [{"bulk_run": str(run.pk)}] * 2


@pytest.mark.parametrize("sent", [
    {}, {"action": "resend"}, {"action": "delete", "all": "1"}, {"action": "resend", "all": "1", "query": "from=never"},
    {"action": "resend", "all": "1", "query": "from=2026-12-02&to=2026-12-01"}, {"action": "resend", "code": ["x"] * 2},
    {"action": "resend", "code": [str(n) for n in range(600)]},
])  # fmt: skip
def test_what_makes_no_sense_begins_nothing(desk: Client, sent: dict[str, object]) -> None:
    asked = desk.post("/desk/bulk/choose", sent)
    assert asked.status_code in {200, 303}
    if asked.status_code == 200:
        assert "<strong>0</strong> appointments are chosen." in asked.content.decode()
    begun = desk.post("/desk/bulk/start", sent | {"token": "t" * 20, "expected": "0"})
    assert begun.status_code == 303
    assert begun["Location"].startswith("/desk/appointments")
    assert not BulkRun.objects.exists()
    assert desk.post("/desk/bulk/start", sent | {"token": "short", "expected": "-1"}).status_code == 303


def test_unknown_runs_are_not_there(desk: Client) -> None:
    for path in ("/desk/bulk/987", "/desk/bulk/987/download", f"/desk/bulk/{10**30}"):
        assert desk.get(path).status_code == 404
    assert desk.post("/desk/bulk/987/cancel").status_code == 404


def test_a_provider_begins_nothing(visits: list[Appointment]) -> None:
    make_practice()
    client = Client()
    client.force_login(make_user("provider"))
    for path in ("/desk/bulk/choose", "/desk/bulk/start"):
        sent = {"action": "resend", "all": "1", "expected": "4", "token": "t" * 20}
        assert client.post(path, sent).status_code == 403
    assert client.get("/desk/bulk").status_code == 403
    assert not BulkRun.objects.exists()
