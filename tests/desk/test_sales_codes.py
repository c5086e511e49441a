"""What each promo code did in a period, equal to an independent SQL over the ledger; and the page for paper."""

from __future__ import annotations

import random
import re
from datetime import date, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client

from bedside.clinic.models import Service
from bedside.clinic.prices.models import PromoCode
from bedside.payments.models import LedgerEntry, Payment
from tests.factories import make_appointment, make_provider, make_service

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("America/New_York")
SQL = """
    SELECT c.code,
           count(*) FILTER (WHERE l.kind = 'charge'),
           coalesce(sum(p.discount_amount) FILTER (WHERE l.kind = 'charge'), 0),
           coalesce(sum(l.amount_minor) FILTER (WHERE l.kind = 'charge'), 0),
           -coalesce(sum(l.amount_minor) FILTER (WHERE l.kind IN ('refund', 'refund_failed')), 0),
           coalesce(sum(l.amount_minor) FILTER (WHERE l.kind IN ('charge', 'refund', 'refund_failed')), 0)
    FROM payments_ledgerentry l
    JOIN payments_payment p ON p.id = l.payment_id
    JOIN appointments_appointment a ON a.id = p.appointment_id
    JOIN prices_promocode c ON c.id = a.promo_code_id
    JOIN clinic_service s ON s.id = a.service_id
    WHERE l.practice_day BETWEEN %s AND %s AND (%s = '' OR s.slug = %s)
      AND l.kind IN ('charge', 'refund', 'refund_failed')
    GROUP BY c.code
"""


@pytest.fixture
def books(db: None) -> list[Service]:
    """Forty paid visits over sixty days, half of them with one of three codes, a third refunded in part."""
    chance = random.Random(3)
    provider = make_provider(weekdays=())
    services = [make_service(provider) for _ in range(2)]
    codes = [PromoCode.objects.create(code=code, percent=10) for code in ("SPRING", "STAFF", "WELCOME")]
    for n in range(40):
        code = chance.choice([*codes, None, None, None])
        off = chance.randint(100, 2000) if code else 0
        visit = make_appointment(
            chance.choice(services), start=datetime(2026, 12, 5, 9, tzinfo=ZONE) + timedelta(hours=n),
            promo_code=code, discount_amount=off,
        )  # fmt: skip
        row = Payment.objects.create(
            appointment=visit, amount_minor=8500 - off, captured_minor=8500 - off, discount_amount=off, currency="USD",
            processor="sandbox", status="succeeded",
        )  # fmt: skip
        at = datetime(2026, 12, 1, 12, tzinfo=ZONE) - timedelta(days=chance.randrange(60))
        back = chance.choice([0, 0, 1000])
        for kind, minor in (("charge", 8500 - off), ("refund", -back)):
            if minor:
                LedgerEntry.objects.create(
                    kind=kind, amount_minor=minor, currency="USD", processor="sandbox", processor_object=f"{kind}{n}",
                    appointment=visit, payment=row, service_id=visit.service_id, provider_id=visit.provider_id,
                    occurred_at=at, practice_day=at.date(),
                )  # fmt: skip
    return services


def shown(page: str) -> dict[str, list[str]]:
    """The rows of the table of codes, by code."""
    table = page.split('id="by-code"')[1].split("</table>")[0] if 'id="by-code"' in page else ""
    rows = re.findall(r"<tr><th scope=\"row\".*?</tr>", table, re.S)
    cells = [[unescape(re.sub(r"<[^>]*>", "", cell)) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]
    return {row[0]: row[1:] for row in cells}


def money(minor: int) -> str:
    return f"${minor / 100:,.2f}"


@pytest.mark.parametrize(
    ("first", "last"), [("2026-11-02", "2026-12-01"), ("2026-10-01", "2026-12-01"), ("2026-11-20", "2026-11-24")]
)
@pytest.mark.parametrize("of", ["", "first"])
def test_each_code_says_what_the_ledger_says(
    books: list[Service], desk: Client, first: str, last: str, of: str
) -> None:
    slug = books[0].slug if of else ""
    page = desk.get("/desk/sales", {"from": first, "to": last, "service": slug}).content.decode()
    with connection.cursor() as cursor:
        cursor.execute(SQL, [date.fromisoformat(first), date.fromisoformat(last), slug, slug])
        expected = {
            code: [str(uses), *(money(int(minor)) for minor in amounts)] for code, uses, *amounts in cursor.fetchall()
        }
    assert shown(page) == expected


def test_the_page_for_paper_has_every_figure_open_and_no_filters(books: list[Service], desk: Client) -> None:
    query = {"from": "2026-11-02", "to": "2026-12-01"}
    assert "print=1" in desk.get("/desk/sales", query).content.decode()
    page = desk.get("/desk/sales", query | {"print": "1"}).content.decode()
    assert '<details class="more" open>' in page
    assert '<form class="filters"' not in page
    assert "Nov 2, 2026" in page
    assert "data-print" in page
