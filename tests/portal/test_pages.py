"""The provider's pages beyond today: calendar, booked visits, one visit, hours, profile. Only ever one's own."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from bedside.appointments.models import Appointment
from bedside.clinic.models import Provider
from bedside.core import clock as house_clock
from bedside.core.models import AuditEntry, Event
from bedside.schedule.models import BusyBlock, ExternalCalendar, TimeOff
from bedside.video.models import Meeting
from tests.factories import make_appointment, make_provider, make_service, make_user

pytestmark = pytest.mark.django_db
MOBILE = "+12025550143"


def html_of(client: Client, url: str, status: int = 200) -> str:
    answer = client.get(url)
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


def busy(provider: Provider, start: datetime) -> None:
    calendar = ExternalCalendar.objects.create(provider=provider, name="Family", url="https://x.example/a")
    BusyBlock.objects.create(provider=provider, calendar=calendar, start=start, end=start + timedelta(hours=1))


def test_now_stands_between_what_is_over_and_what_comes(portal: Client, provider: Provider) -> None:
    service = make_service(provider)
    now = house_clock.now()
    make_appointment(service, start=now - timedelta(hours=1), patient_name="Early Bird")
    make_appointment(service, start=now + timedelta(hours=1), patient_name="Late Comer")
    html = html_of(portal, "/portal/")
    assert html.index("Early Bird") < html.index("now-row") < html.index("Late Comer")
    assert html.count("now-row") == 1


def test_now_comes_last_when_all_is_over(portal: Client, provider: Provider) -> None:
    make_appointment(make_service(provider), start=house_clock.now() - timedelta(hours=1), patient_name="Early Bird")
    html = html_of(portal, "/portal/")
    assert html.index("Early Bird") < html.index("now-row")


def test_readiness_is_ticked(portal: Client, provider: Provider) -> None:
    visit = make_appointment(make_service(provider), start=house_clock.now() + timedelta(minutes=30))
    html = html_of(portal, "/portal/")
    assert "Paid" in html
    assert "Link not made yet" in html
    assert f"/portal/visits/{visit.code}/start" not in html
    meeting = Meeting.objects.create(appointment=visit, status="ready")
    html = html_of(portal, "/portal/")
    assert "Link made" in html
    assert f"/portal/visits/{visit.code}/start" in html
    Meeting.objects.filter(pk=meeting.pk).update(patient_waiting_since=house_clock.now())
    assert "Waiting" in html_of(portal, "/portal/")


def test_a_clash_is_said_on_the_first_page_and_at_the_visit(portal: Client, provider: Provider) -> None:
    visit = make_appointment(make_service(provider))
    busy(provider, visit.start)
    assert "busy in Family" in html_of(portal, "/portal/")
    assert "Your calendar Family says" in html_of(portal, f"/portal/visits/{visit.code}")


def test_booked_visits_far_ahead_with_their_start_links(portal: Client, provider: Provider) -> None:
    service = make_service(provider)
    soon = make_appointment(service, start=house_clock.now() + timedelta(minutes=10))
    Meeting.objects.create(appointment=soon, status="ready")
    far = make_appointment(service, start=house_clock.now() + timedelta(days=40))
    make_appointment(patient_name="Kim Elsewhere")
    html = html_of(portal, "/portal/upcoming")
    assert f"/portal/visits/{soon.code}/start" in html
    assert f"/portal/visits/{far.code}" in html
    assert f"/portal/visits/{far.code}/start" not in html
    assert "Kim Elsewhere" not in html


def test_one_visit_and_its_audit(portal: Client, provider: Provider) -> None:
    visit = make_appointment(make_service(provider), patient_name="Alex Morgan", patient_timezone="Asia/Tokyo")
    html = html_of(portal, f"/portal/visits/{visit.code}")
    assert "Alex Morgan" in html
    assert "Tokyo" in html
    assert AuditEntry.objects.filter(action="appointment.viewed", subject_id=str(visit.pk)).count() == 1


def test_somebody_elses_visit_is_not_found_and_the_try_is_logged(
    portal: Client, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    other = make_appointment()
    for rest in ("", "/start"):
        assert portal.get(f"/portal/visits/{other.code}{rest}").status_code == 404
    logged = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    tries = [entry for entry in logged if entry.get("event") == "not_own_visit"]
    assert len(tries) == 2
    assert tries[0]["appointment_id"] == other.pk
    assert other.patient_name not in str(tries)


@pytest.mark.parametrize("page", ["/portal/calendar", "/portal/calendar/week"])
def test_the_calendar_is_one_s_own_in_one_s_own_zone(portal: Client, page: str) -> None:
    provider = make_provider(user=make_user("provider"), timezone="America/Los_Angeles")
    client = Client()
    client.force_login(provider.user)
    visit = make_appointment(make_service(provider), start=datetime(2026, 12, 3, 10, tzinfo=provider.zone))
    other = make_appointment(start=datetime(2026, 12, 3, 18, tzinfo=UTC))
    TimeOff.objects.create(provider=provider, kind="blackout", first_day="2026-12-03", last_day="2026-12-03",
                           start_time="13:00", end_time="14:00", reason="Own surgery")  # fmt: skip
    html = html_of(client, f"{page}?day=2026-12-03")
    assert "Pacific (Los Angeles)" in html
    assert re.search(rf'cal__item[^"]* y25 n6" href="/portal/visits/{visit.code}"', html)
    assert "cal__off" in html
    assert other.code not in html
    assert " style=" not in html
    assert html.count('class="cal__col"') == (7 if page.endswith("week") else 1)


@pytest.mark.parametrize("page", ["/portal/", "/portal/calendar/week", "/portal/upcoming", "/portal/calendars"])
def test_queries_are_few(portal: Client, provider: Provider, page: str, django_assert_max_num_queries: Any) -> None:
    service = make_service(provider)
    for n in range(8):
        make_appointment(service, start=house_clock.now() + timedelta(hours=1 + n))
    with django_assert_max_num_queries(12):
        portal.get(page)


def test_hours_are_shown_and_changed_only_where_the_practice_lets_providers(portal: Client, provider: Provider) -> None:
    from waffle.models import Flag

    flag, _ = Flag.objects.get_or_create(name="provider-availability")
    form = {"kind": "blackout", "first_day": "2026-12-24", "last_day": "2026-12-26", "reason": "Private", "do": "save"}
    flag.everyone = False
    flag.save()
    assert "Add time off" not in html_of(portal, "/portal/availability")
    assert portal.post("/portal/availability/time-off", form).status_code in {303, 409}
    assert not TimeOff.objects.exists()
    flag.everyone = True
    flag.save()
    assert "Add time off" in html_of(portal, "/portal/availability")
    assert portal.post("/portal/availability/time-off", form).status_code == 303
    kept = TimeOff.objects.get()
    assert (kept.provider, kept.reason) == (provider, "Private")


def test_somebody_elses_time_off_can_t_be_removed(portal: Client) -> None:
    from waffle.models import Flag

    Flag.objects.update_or_create(name="provider-availability", defaults={"everyone": True})
    theirs = TimeOff.objects.create(
        provider=make_provider(), kind="away", first_day="2026-12-24", last_day="2026-12-24"
    )
    portal.post(f"/portal/availability/time-off/{theirs.pk}/remove", {"do": "save"})
    assert TimeOff.objects.filter(pk=theirs.pk).exists()


def save_profile(client: Client, **fields: str) -> Any:
    return client.post("/portal/profile", {"mobile": MOBILE, "timezone": "America/New_York"} | fields)


def test_number_and_zone_are_kept_and_the_number_stays_sealed(portal: Client, provider: Provider) -> None:
    assert save_profile(portal, mobile="(202) 555-0143", timezone="America/Chicago").status_code == 303
    provider.refresh_from_db()
    assert (provider.mobile_number, provider.timezone) == (MOBILE, "America/Chicago")
    entry = AuditEntry.objects.get(action="provider.profile_changed")
    assert entry.after == {"timezone": "America/Chicago", "mobile_number": "changed"}
    assert Event.objects.filter(name="ProviderUpdated").count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'schedule.rebuild'")
        assert cursor.fetchone()[0] == 1


def test_a_number_of_another_country_says_so_itself(portal: Client, provider: Provider) -> None:
    assert save_profile(portal, mobile="+44 7400 123456").status_code == 303
    provider.refresh_from_db()
    assert provider.mobile_number == "+447400123456"
    assert save_profile(portal, mobile="07400 123457").status_code == 303
    provider.refresh_from_db()
    assert provider.mobile_number == "+447400123457"


def test_no_number_is_allowed_and_saving_the_same_writes_nothing(portal: Client, provider: Provider) -> None:
    assert save_profile(portal, mobile=" ").status_code == 303
    provider.refresh_from_db()
    assert provider.mobile_number == ""
    entries = AuditEntry.objects.count()
    save_profile(portal, mobile="")
    assert AuditEntry.objects.count() == entries


@pytest.mark.parametrize("mobile", ["12", "hello", "+1 202 555", "+44 20 7946 0958", "+999999999999", "5" * 60])
def test_numbers_that_can_t_be_texted_are_refused_beside_the_field(
    portal: Client, provider: Provider, mobile: str
) -> None:
    before = provider.mobile_number
    answer = save_profile(portal, mobile=mobile)
    assert answer.status_code == 422
    assert "id_mobile-error" in answer.content.decode()
    provider.refresh_from_db()
    assert provider.mobile_number == before


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "EST5EDT; DROP"])
def test_zones_that_don_t_exist(portal: Client, provider: Provider, zone: str) -> None:
    assert save_profile(portal, timezone=zone).status_code == 422
    provider.refresh_from_db()
    assert provider.timezone == "America/New_York"


def test_everything_asks_for_a_provider(client: Client) -> None:
    desk = Client()
    desk.force_login(make_user("admin"))
    visit: Appointment = make_appointment()
    pages = [
        "",
        "upcoming",
        "calendar",
        "calendar/week",
        "calendars",
        "profile",
        "availability",
        f"visits/{visit.code}",
    ]
    for page in pages:
        assert client.get(f"/portal/{page}").status_code == 302
        assert desk.get(f"/portal/{page}").status_code == 403
