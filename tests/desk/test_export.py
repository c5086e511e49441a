"""Exports: the rows of the list, streamed, safe in a spreadsheet, without names for support, and audited."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bedside.accounts.models import User
from bedside.appointments.bulk.models import Export
from bedside.appointments.models import Appointment
from bedside.clinic.models import Practice
from bedside.core import crypto
from bedside.core.audit import Actor
from bedside.core.models import AuditEntry, Event
from bedside.flows import export as flow
from bedside.notifications.models import Notification
from bedside.payments.models import LedgerEntry, Payment
from bedside.reports import listing
from bedside.reports.export import cells, tables, writing
from tests.factories import make_appointment, make_practice, make_provider, make_service, make_user

pytestmark = pytest.mark.django_db
PERSONAL = (
    "Robin Sample", "robin.sample@example.com", "2025550143", "Dr. Mira Castell", "mira-castell", "castell@example.com",
    "2025550188", "1234567893", "My mother is ill", "Your visit with", "zoom-castell",
)  # fmt: skip


def file_of(desk: Client, what: str = "appointments", **query: str) -> str:
    response = desk.get("/desk/exports/download", {"what": what} | query)
    assert response.status_code == 200
    assert response.streaming
    assert response["Content-Type"].startswith("text/csv; charset=utf-8")
    content: bytes = response.getvalue()
    return content.decode()


def rows(desk: Client, what: str = "appointments", **query: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file_of(desk, what, **query), newline="")))


@pytest.fixture
def visit(admin: User) -> Appointment:
    """Somebody's visit, canceled and refunded, with a message and lines in the books."""
    provider = make_provider(
        name="Dr. Mira Castell", slug="mira-castell", email="castell@example.com", mobile_number="+12025550188",
        npi="1234567893", zoom_user_id="zoom-castell",
    )  # fmt: skip
    made = make_appointment(
        make_service(provider), patient_email="robin.sample@example.com", patient_mobile="+12025550143",
        status="canceled", cancellation_reason="My mother is ill",
    )  # fmt: skip
    payment = Payment.objects.create(
        appointment=made, status="refunded", amount_minor=8500, currency="USD", captured_minor=8500,
        refunded_minor=1250, processor="sandbox",
    )  # fmt: skip
    for kind, minor in (("charge", 8500), ("refund", -1250)):
        LedgerEntry.objects.create(
            kind=kind, amount_minor=minor, currency="USD", processor="sandbox", processor_object=f"{kind}-1",
            appointment=made, payment=payment, service_id=made.service_id, provider_id=provider.pk,
            occurred_at=datetime(2026, 12, 1, 15, tzinfo=UTC), practice_day=date(2026, 12, 1 + len(kind) % 2),
        )  # fmt: skip
    Notification.objects.create(
        appointment=made, kind="confirmation", audience="patient", channel="email", idempotency_key="k1",
        due_at=made.created_at, recipient="robin.sample@example.com", subject="Robin Sample's visit",
        body="Your visit with Dr. Mira Castell",
    )  # fmt: skip
    return made


def test_the_export_has_the_rows_of_the_list(desk: Client) -> None:
    wanted = make_appointment(patient_name='O"Brien, Robin', status="canceled")
    make_appointment()
    response = desk.get("/desk/appointments.csv", {"status": "canceled"})
    (row,) = csv.DictReader(io.StringIO(response.getvalue().decode(), newline=""))
    assert row["code"] == wanted.code
    assert row["patient_name"] == 'O"Brien, Robin'
    assert row["patient_email"] == wanted.patient_email
    assert row["start"] == "2026-12-03T10:00:00-05:00"
    assert row["timezone"] == "America/New_York"


def test_amounts_are_decimal_with_their_currency(desk: Client, visit: Appointment) -> None:
    (row,) = rows(desk)
    assert (row["price"], row["payment_amount"], row["refund_amount"]) == ("85.00", "85.00", "12.50")
    assert row["currency"] == "USD"
    assert [line["amount"] for line in rows(desk, "ledger")] == ["85.00", "-12.50"], "A negative amount is a number"


@pytest.mark.parametrize(("minor", "currency", "said"), [
    (5, "USD", "0.05"), (-5, "USD", "-0.05"), (-123456, "USD", "-1234.56"), (85, "JPY", "85"), (-85, "JPY", "-85"),
    (1234, "KWD", "1.234"), (None, "USD", ""),
])  # fmt: skip
def test_an_amount_has_its_currencys_places(minor: int | None, currency: str, said: str) -> None:
    assert cells.amount(minor, currency) == said


@pytest.mark.parametrize("name", ["=1+1", "+SUM(A1)", "-2+3", "@cmd", "\tx", "\rx", "\nx", "＝1"])
def test_no_cell_is_taken_for_a_formula(desk: Client, name: str) -> None:
    make_appointment(patient_name=name, cancellation_reason='=HYPERLINK("http://example.com")')
    (row,) = rows(desk)
    assert row["patient_name"] == f"'{name}"
    assert row["cancellation_reason"][0] == "'"
    assert row["patient_mobile"] == "'+12025550143"


# What matters to spreadsheets and to CSV, letters of two scripts, and a sign beyond the first plane.
TEXTS = st.text(st.sampled_from("=+-@\t\r\n,;\"' aé０＝\ufeff😀\x00"), max_size=12)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(TEXTS, min_size=2, max_size=4), max_size=5))
def test_whatever_is_written_comes_back(table: list[list[str]]) -> None:
    safe = [[cells.safe(cell) for cell in row] for row in table]
    written = writing.lines(safe).decode()
    assert list(csv.reader(io.StringIO(written, newline=""))) == safe
    assert not any(cell.startswith(tuple("=+-@\t\r")) for row in safe for cell in row)
    assert not written or written.endswith("\r\n")


def test_excel_gets_a_byte_order_mark_and_programs_none(desk: Client, visit: Appointment) -> None:
    assert file_of(desk, layout="excel").startswith("\ufeffcode,")
    assert file_of(desk).startswith("code,")


@pytest.mark.parametrize("what", list(tables.TABLES))
def test_a_redacted_export_names_nobody(desk: Client, visit: Appointment, what: str) -> None:
    text = file_of(desk, what, redacted="on")
    assert [value for value in PERSONAL if value in text] == []
    assert len(text.splitlines()) > 1
    whole = file_of(desk, what)
    assert text.splitlines()[0] == whole.splitlines()[0], "The same columns"
    if what != "services":
        assert [value for value in PERSONAL if value in whole] != [], "The test looks at something"
        assert cells.REDACTED in text


def test_a_redacted_export_opens_no_seal(desk: Client, visit: Appointment, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*said: object) -> str:
        raise AssertionError("a seal was opened")

    response = desk.get("/desk/exports/download", {"what": "appointments", "redacted": "on"})
    monkeypatch.setattr(crypto, "decrypt", refuse)
    assert visit.code in response.getvalue().decode()


def test_support_still_sees_codes_ids_and_whether_there_was_a_value(desk: Client, visit: Appointment) -> None:
    (row,) = rows(desk, redacted="on")
    assert (row["code"], row["provider_id"]) == (visit.code, str(visit.provider_id))
    assert row["cancellation_reason"] == cells.REDACTED
    (message,) = rows(desk, "notifications", redacted="on")
    assert (message["appointment"], message["kind"]) == (visit.code, "confirmation")


def test_messages_and_books_are_exported_with_their_filters(desk: Client, visit: Appointment) -> None:
    assert len(rows(desk, "notifications", status="queued", kind="confirmation")) == 1
    assert rows(desk, "notifications", status="failed") == []
    assert [line["kind"] for line in rows(desk, "ledger", **{"from": "2026-12-02"})] == []
    assert len(rows(desk, "ledger", to="2026-12-01")) == 2
    (provider,) = rows(desk, "providers")
    assert provider["services"] == visit.service.slug
    make_provider(active=False, slug="away")
    assert [one["slug"] for one in rows(desk, "providers", active="no")] == ["away"]
    assert [one["slug"] for one in rows(desk, "providers", active="yes")] == ["mira-castell"]
    assert rows(desk, "services", active="no") == []


def test_what_the_export_was_is_kept_without_what_was_searched_for(desk: Client, admin: User) -> None:
    make_appointment(patient_email="robin@example.com")
    assert len(rows(desk, q="robin@example.com", status="paid", redacted="on", layout="excel")) == 1
    export = Export.objects.get()
    assert (export.user, export.what, export.redacted, export.rows, export.status) == (
        admin, "appointments", True, 1, "whole",
    )  # fmt: skip
    begun, ended = AuditEntry.objects.filter(subject_kind="export").order_by("pk")
    assert (begun.action, begun.actor_id) == ("export.started", admin.pk)
    facts = {"what": "appointments", "layout": "excel", "redacted": True}
    facts["filters"] = {"q": "[a search]", "status": "paid"}
    assert begun.after == facts
    assert ended.after == facts | {"rows": 1, "status": "whole"}
    assert Event.objects.filter(name="ExportChanged").count() == 2
    page = desk.get("/desk/exports").content.decode()
    assert str(admin) in page
    assert "status: paid" in page
    assert "robin@example.com" not in page


def test_an_export_that_is_broken_off_says_how_many_rows_left(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "ROWS_IN_A_PIECE", 1)
    service = make_service()
    for hour in (10, 12, 14):
        make_appointment(service, start=datetime(2026, 12, 3, hour, tzinfo=UTC))
    actor = Actor("admin", admin.pk)
    export, pieces = flow.export(
        what="appointments", filters=listing.Filters(), said={}, layout="csv", redacted=False, actor=actor
    )
    for _piece in range(3):  # the head, one row that was taken, one on its way
        next(pieces)
    pieces.close()  # type: ignore[attr-defined]  # as a server does when the browser is gone
    export.refresh_from_db()
    assert (export.status, export.rows) == ("broken_off", 1)
    assert AuditEntry.objects.filter(action="export.ended", after__status="broken_off").exists()


def test_rows_are_never_all_in_memory(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces leave while the database still has rows: what is read ahead is bounded."""
    monkeypatch.setattr(writing, "ROWS_IN_A_PIECE", 2)
    monkeypatch.setattr(writing, "ROWS_AT_ONCE", 4)
    service = make_service()
    for hour in range(8, 20):
        make_appointment(service, start=datetime(2026, 12, 3, hour, tzinfo=UTC))
    table = tables.TABLES["appointments"]
    read = []
    found = listing.appointments(listing.Filters(), Practice.current())

    class Watched:
        def values_list(self, *fields: Any) -> Any:
            query = found.values_list(*fields)

            class Rows:
                def iterator(self, chunk_size: int) -> Iterator[Any]:
                    assert chunk_size == 4
                    for row in query.iterator(chunk_size):
                        read.append(row[0])
                        yield row

            return Rows()

    made = writing.pieces(table, Watched(), Practice.current(), redacted=True, bom=False, count=lambda rows: None)  # type: ignore[arg-type]
    next(made)
    assert read == []
    next(made)
    assert len(read) == 2
    assert len(list(made)) == 5
    assert len(read) == 12


@pytest.mark.parametrize("query", [
    {"what": "appointments", "from": "yesterday"}, {"what": "appointments", "from": "2026-12-02", "to": "2026-12-01"},
    {"what": "secrets"}, {}, {"what": "ledger", "to": "0"}, {"what": "appointments", "layout": "xlsx"},
    {"what": "appointments", "service": "no-such-service"},
])  # fmt: skip
def test_what_makes_no_sense_exports_nothing(desk: Client, query: dict[str, str]) -> None:
    response = desk.get("/desk/exports/download", query)
    assert response.status_code == 422
    assert not Export.objects.exists()


def test_the_page_brings_the_filters_of_the_list_along(desk: Client) -> None:
    page = desk.get("/desk/exports?what=appointments&status=paid&from=2026-12-01").content.decode()
    assert '<input type="hidden" name="status" value="paid">' in page
    assert "Appointment: Paid" in page
    assert '<input type="hidden" name="from" value="2026-12-01">' in page
    assert "what=appointments&status=paid" in desk.get("/desk/appointments?status=paid").content.decode()
    assert "what=notifications&amp;kind=reminder" in desk.get("/desk/messages?kind=reminder").content.decode()


def test_a_provider_exports_nothing() -> None:
    make_practice()
    client = Client()
    client.force_login(make_user("provider"))
    for path in ("/desk/exports", "/desk/exports/download?what=appointments", "/desk/data-dictionary.csv"):
        assert client.get(path).status_code == 403
    assert not Export.objects.exists()
