"""The sales pages: totals on the screen are what an independent SQL over the ledger says, whatever is asked for."""

from __future__ import annotations

import html
import random
import re
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bedside.clinic.models import Service
from bedside.flows import close
from bedside.payments.models import LedgerEntry, Payment
from bedside.reports.periods import Period, buckets, months_back, period_of
from tests.factories import make_appointment, make_provider, make_service

ZONE = ZoneInfo("America/New_York")
TODAY = date(2026, 12, 1)
SIGNS = {"charge": 1, "refund": -1, "refund_failed": 1, "fee": -1, "dispute": -1, "credit_issued": -1, "credit_used": 1}


@pytest.fixture
def books(db: None) -> list[Service]:
    """Two hundred lines over a hundred days, of three services with three providers."""
    rng = random.Random(5)
    providers = [make_provider(weekdays=()) for _ in range(3)]
    services = [make_service(*providers) for _ in range(3)]
    payments = []
    for n in range(30):
        start = datetime(2026, 12, 5, 9, tzinfo=ZONE) + timedelta(hours=n)
        appointment = make_appointment(rng.choice(services), provider=rng.choice(providers), start=start)
        payments.append(
            Payment.objects.create(appointment=appointment, amount_minor=1, currency="USD", processor="sandbox")
        )
    entries = []
    for n in range(200):
        payment, kind = rng.choice(payments), rng.choice([*SIGNS, "charge", "charge"])
        at = datetime(2026, 12, 1, 12, tzinfo=ZONE) - timedelta(hours=rng.randint(0, 2400))
        entries.append(
            LedgerEntry(
                kind=kind,
                amount_minor=SIGNS[kind] * rng.randint(1, 99_999),
                currency="USD",
                processor="sandbox",
                processor_object=f"x_{n}",
                appointment=payment.appointment,
                payment=payment,
                service_id=payment.appointment.service_id,
                provider_id=payment.appointment.provider_id,
                occurred_at=at,
                practice_day=at.date(),
                tax_minor=SIGNS[kind] * rng.randint(0, 500),
            )
        )
    LedgerEntry.objects.bulk_create(entries)
    return services


SQL = """
    SELECT coalesce(sum(amount_minor) FILTER (WHERE kind = 'charge'), 0),
           -coalesce(sum(amount_minor) FILTER (WHERE kind IN ('refund', 'refund_failed')), 0),
           coalesce(sum(amount_minor) FILTER (WHERE kind IN ('charge', 'refund', 'refund_failed')), 0),
           count(DISTINCT appointment_id) FILTER (WHERE kind = 'charge'),
           coalesce(sum(tax_minor) FILTER (WHERE kind IN ('charge', 'refund', 'refund_failed')), 0),
           -coalesce(sum(amount_minor) FILTER (WHERE kind = 'fee'), 0)
    FROM payments_ledgerentry l JOIN clinic_service s ON s.id = l.service_id
    JOIN clinic_provider p ON p.id = l.provider_id
    WHERE practice_day BETWEEN %s AND %s AND (%s = '' OR s.slug = %s) AND (%s = '' OR p.slug = %s)
"""


def said(body: str) -> dict[str, str]:
    """The figures on the screen, by name."""
    found = re.findall(r"<dt>([^<]+)</dt>\s*<dd>(?:<a [^>]*>)?([^<]+)", body)
    # Below, the same names stand with what they mean: the first is the figure.
    return {html.unescape(name): value for name, value in reversed(found)}


def dollars(minor: int) -> str:
    sign, minor = ("-" if minor < 0 else ""), abs(minor)
    return f"{sign}${minor // 100:,}.{minor % 100:02d}"


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    back=st.integers(0, 120),
    length=st.integers(1, 450),
    service=st.integers(0, 3),
    provider=st.integers(0, 3),
)
def test_totals_on_the_screen_are_those_of_the_ledger(
    books: list[Service], desk: Client, back: int, length: int, service: int, provider: int
) -> None:
    last = TODAY - timedelta(days=back)
    first = last - timedelta(days=length - 1)
    slugs = [one.slug for one in books]
    people = list(books[0].providers.order_by("pk").values_list("slug", flat=True))
    asked = {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "service": ["", *slugs][service],
        "provider": ["", *people][provider],
    }
    answer = desk.get(f"/desk/sales?{urlencode(asked)}")
    assert answer.status_code == 200
    with connection.cursor() as cursor:
        parameters = [first, last, asked["service"], asked["service"], asked["provider"], asked["provider"]]
        cursor.execute(SQL, parameters)
        gross, refunds, net, count, tax, fees = map(int, cursor.fetchone())
    figures = said(answer.content.decode())
    assert figures["Gross"] == dollars(gross)
    assert figures["Refunds"] == dollars(refunds)
    assert figures["Net"] == dollars(net)
    assert figures["Paid appointments"] == str(count)
    assert figures["Tax"] == dollars(tax)
    assert figures["Fees"] == dollars(fees)
    assert figures["Average order value"] == dollars((2 * gross + count) // (2 * count) if count else 0)
    overview = answer.context["overview"]
    for shares in (overview.spans, overview.by_service, overview.by_provider):
        assert sum(share.figures.net_minor for share in shares) == net
    before = overview.before.net_minor
    for shares in (overview.by_service, overview.by_provider):
        assert sum(share.before.net_minor for share in shares) == before
    if overview.by_service:
        assert f"{overview.by_service[0].before.net} before" in answer.content.decode()


@given(first=st.dates(date(2000, 1, 1), date(2030, 1, 1)), length=st.integers(1, 1100))
def test_the_bars_of_a_chart_cover_each_day_once(first: date, length: int) -> None:
    period = Period(first, first + timedelta(days=length - 1))
    spans = buckets(period)
    assert [day for span in spans for day in span.days()] == period.days()
    assert len(spans) <= 92


@given(
    today=st.dates(date(2000, 1, 1), date(2030, 1, 1)),
    preset=st.sampled_from(["today", "7days", "30days", "month", "quarter"]),
)
def test_a_period_is_compared_with_one_that_ends_before_it(today: date, preset: str) -> None:
    now, before = period_of(preset, today)
    assert now.last == today
    assert before.first <= before.last < now.first
    assert before.length <= now.length + 3  # two months of 31 days against one of 28
    if preset in {"month", "quarter"}:
        assert before.first == months_back(now.first, 1 if preset == "month" else 3)
    else:
        assert before.length == now.length


def test_the_chart_is_made_of_attributes_and_each_bar_can_be_reached(books: list[Service], desk: Client) -> None:
    answer = desk.get("/desk/sales?period=30days")
    body = answer.content.decode()
    svg = body[body.index("<svg viewBox") : body.index("</svg>", body.index("<svg viewBox"))]
    assert "style=" not in svg
    assert svg.count("<a href=") == 30
    assert svg.count("aria-label=") == 30
    assert "?from=2026-11-30&amp;to=2026-11-30" in svg or "?from=2026-11-30&to=2026-11-30" in svg


@pytest.mark.parametrize(
    ("query", "said_of"),
    [
        ("from=2026-12-02&to=2026-12-01", "before the first"),
        ("from=1926-01-01&to=2026-12-01", "three years"),
        ("from=nonsense", "valid date"),
        ("from=0001-01-01&to=0001-01-02", "our times"),
        ("service=nobody", "valid choice"),
        ("period=forever", "valid choice"),
    ],
)
def test_filters_that_make_no_sense_are_marked(books: list[Service], desk: Client, query: str, said_of: str) -> None:
    for page in ("sales", "sales/refunds"):
        answer = desk.get(f"/desk/{page}?{query}")
        assert answer.status_code == 422
        assert said_of in answer.content.decode()


def test_an_empty_practice_has_an_empty_page(desk: Client) -> None:
    for page in ("sales", "sales/refunds", "sales/closes", "sales/reconciliation", "sales/credits"):
        answer = desk.get(f"/desk/{page}")
        assert answer.status_code == 200, page
    assert "No money moved" in desk.get("/desk/sales").content.decode()


def test_refunds_are_listed_by_the_day_on_which_they_count(books: list[Service], desk: Client) -> None:
    answer = desk.get("/desk/sales/refunds?from=2026-09-01&to=2026-12-01")
    lines = LedgerEntry.objects.filter(kind__in=["refund", "refund_failed"], practice_day__gte=date(2026, 9, 1))
    assert answer.context["page"].paginator.count == lines.count()
    assert dollars(-sum(lines.values_list("amount_minor", flat=True))) in answer.content.decode()


def test_closed_days_are_listed_and_shown(books: list[Service], desk: Client, clock: Any) -> None:
    close.close_due()
    day = date(2026, 11, 20)
    listed = desk.get("/desk/sales/closes").content.decode()
    assert f"/desk/sales/closes/{day}" in listed
    assert desk.get(f"/desk/sales/closes/{day}").status_code == 200
    assert desk.get("/desk/sales/closes/2020-01-01").status_code == 404
    assert desk.get("/desk/sales/closes/2026-13-01").status_code == 404


def test_parts_alone_answer_htmx(books: list[Service], desk: Client) -> None:
    for page in ("sales", "sales/refunds", "sales/closes", "sales/reconciliation"):
        body = desk.get(f"/desk/{page}", headers={"HX-Request": "true"}).content.decode()
        assert "<html" not in body
        assert 'hx-trigger="live"' in body


@pytest.mark.django_db
def test_only_the_desk_may(client: Client) -> None:
    for page in ("sales", "sales/refunds", "sales/closes", "sales/reconciliation"):
        assert client.get(f"/desk/{page}").status_code == 302
