"""What the desk does on the detail page: consequences first, then once, and "changed meanwhile" where it was late."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest
from django.test import Client

from bedside.accounts.models import User
from bedside.appointments.models import Appointment
from bedside.core.models import AuditEntry
from bedside.notifications.models import Notification
from bedside.payments.credit_models import Credit
from bedside.payments.models import Payment, Refund
from tests.factories import make_appointment, make_provider, make_service, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit() -> Appointment:
    service = make_service(
        make_provider(slug="rivera", name="Dr. Rivera"), make_provider(slug="okafor", name="Dr. Okafor")
    )
    appointment = make_appointment(service, provider=service.providers.get(slug="rivera"), patient_name="Alex Morgan")
    Payment.objects.create(
        appointment=appointment,
        status="succeeded",
        amount_minor=8500,
        captured_minor=8500,
        currency="USD",
        processor="sandbox",
        intent_id="pi_1",
    )
    return appointment


def at(appointment: Appointment, action: str = "") -> str:
    return f"/desk/appointments/{appointment.code}{'/' + action if action else ''}"


def code(visit: Appointment, **later: int) -> str:
    return (visit.start + timedelta(**later)).astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


def newest() -> Appointment:
    return Appointment.objects.latest("pk")


def test_the_detail_page_leads_to_every_action(desk: Client, visit: Appointment, clock: Any) -> None:
    page = desk.get(at(visit)).content.decode()
    for action in ("cancel", "move", "reassign"):
        assert f'href="{at(visit, action)}"' in page
    assert at(visit, "complete") not in page
    clock.set(visit.end)
    page = desk.get(at(visit)).content.decode()
    for action in ("complete", "no-show", "move"):
        assert at(visit, action) in page
    assert f'href="{at(visit, "cancel")}"' not in page


def test_rescheduling_with_its_consequences_and_messages(desk: Client, visit: Appointment, admin: User) -> None:
    times = desk.get(at(visit, "move")).content.decode()
    assert f"{at(visit, 'move/confirm')}?start=" in times
    assert "Dr. Okafor" in times
    assert code(visit).replace(":", "%3A") not in times
    assert desk.get(at(visit, "move") + "?provider=any&day=2026-12-05").status_code == 200
    query = f"?start={code(visit, days=1)}&provider=rivera"
    page = desk.get(at(visit, "move/confirm") + query).content.decode()
    for words in ("is free again", "The video room moves along", "are told by email and text", "Your visit moved"):
        assert words in page
    sent = {"start": code(visit, days=1), "provider": "rivera", "version": visit.version, "reason": "Doctor asked"}
    response = desk.post(at(visit, "move/confirm"), sent, follow=True)
    assert response.redirect_chain == [(at(newest()), 303)]
    assert (newest().rescheduled_from, newest().start) == (visit, visit.start + timedelta(days=1))
    entry = AuditEntry.objects.get(action="appointment.rescheduled")
    assert (entry.actor_id, entry.reason) == (admin.pk, "Doctor asked")
    assert visit.code in response.content.decode()
    assert f"It is now {newest().code}" in desk.get(at(visit)).content.decode()


def test_a_time_that_is_not_offered_needs_a_reason_and_is_never_sold_twice(desk: Client, visit: Appointment) -> None:
    query = {"at": "2026-12-04T06:00", "provider": "rivera"}
    page = desk.get(at(visit, "move/confirm"), query).content.decode()
    assert "checked against working hours" in page
    form = {"start": "2026-12-04T11:00Z", "provider": "rivera", "override": "1"}
    assert desk.post(at(visit, "move/confirm"), form).status_code == 422
    desk.post(at(visit, "move/confirm"), form | {"reason": "Agreed on the phone"})
    assert newest().start.isoformat() == "2026-12-04T11:00:00+00:00"
    other = make_appointment(visit.service, provider=visit.provider, start=visit.start + timedelta(days=5))
    moved = Appointment.objects.get(rescheduled_from=visit)
    again = form | {"start": code(other), "reason": "No matter what"}
    assert desk.post(at(moved, "move/confirm"), again).status_code == 409


def test_a_taken_time_comes_with_alternatives(desk: Client, visit: Appointment) -> None:
    other = make_appointment(visit.service, provider=visit.provider, start=visit.start + timedelta(days=1))
    response = desk.post(at(visit, "move/confirm"), {"start": code(other), "provider": "rivera"})
    assert response.status_code == 409
    assert "just been taken" in response.content.decode()
    visit.refresh_from_db()
    assert visit.status == "paid"


@pytest.mark.parametrize(
    "sent", [{}, {"start": "soon"}, {"at": "2026-13-01T00:00"}, {"start": "x", "provider": "nobody"}]
)
def test_nonsense_leads_back_to_the_times(desk: Client, visit: Appointment, sent: dict[str, str]) -> None:
    response = desk.post(at(visit, "move/confirm"), sent)
    assert response["Location"] == at(visit, "move")
    assert Appointment.objects.count() == 1


def test_a_stale_page_changes_nothing(desk: Client, visit: Appointment) -> None:
    sent = {"start": code(visit, days=1), "provider": "rivera", "version": visit.version - 1}
    page = desk.post(at(visit, "move/confirm"), sent, follow=True).content.decode()
    assert "changed meanwhile" in page
    page = desk.post(at(visit, "cancel"), {"reason": "x", "version": visit.version - 1}, follow=True).content.decode()
    assert "changed meanwhile" in page
    assert Appointment.objects.get().status == "paid"


def test_changing_the_provider(desk: Client, visit: Appointment) -> None:
    assert "Dr. Okafor · free then" in desk.get(at(visit, "reassign")).content.decode()
    review = desk.post(at(visit, "reassign"), {"provider": "okafor", "review": "1", "version": visit.version})
    page = review.content.decode()
    for words in (
        "Dr. Okafor sees Alex Morgan instead of Dr. Rivera",
        "Your clinician changed",
        "A visit is yours now",
    ):
        assert words in page
    assert Appointment.objects.count() == 1
    desk.post(at(visit, "reassign"), {"provider": "okafor", "version": visit.version})
    assert (newest().provider.slug, newest().start) == ("okafor", visit.start)
    assert Notification.objects.filter(kind="provider_changed").count() == 6


def test_somebody_who_is_not_free_needs_a_reason_and_somebody_who_is_booked_refuses(
    desk: Client, visit: Appointment
) -> None:
    busy = make_appointment(visit.service, provider=visit.service.providers.get(slug="okafor"), start=visit.start)
    assert "needs a reason" in desk.get(at(visit, "reassign")).content.decode()
    assert desk.post(at(visit, "reassign"), {"provider": "okafor"}).status_code == 422
    response = desk.post(at(visit, "reassign"), {"provider": "okafor", "reason": "Must be"})
    assert response.status_code == 409
    assert desk.post(at(visit, "reassign"), {"provider": "nobody"}).status_code == 422
    assert Appointment.objects.count() == 2
    assert busy.status == "paid"


def test_canceling_says_both_proposals_and_shows_the_messages(desk: Client, visit: Appointment, clock: Any) -> None:
    clock.set(visit.start - timedelta(hours=3))
    page = desk.get(at(visit, "cancel")).content.decode()
    assert "$85.00 if the practice cancels, $0.00 if the patient asked" in page
    sent = {"asked_by": "patient", "what": "proposal", "reason": "Called us", "review": "1"}
    page = desk.post(at(visit, "cancel"), sent).content.decode()
    assert "Nothing goes back to the patient." in page
    assert "Your visit is canceled" in page
    assert "we had to cancel" not in page
    visit.refresh_from_db()
    assert visit.status == "paid"
    del sent["review"]
    desk.post(at(visit, "cancel"), sent | {"confirm": "1", "version": visit.version})
    visit.refresh_from_db()
    assert (visit.status, visit.canceled_by, visit.canceled_for_patient) == ("canceled", "admin", True)
    assert not Refund.objects.exists()


def test_canceling_with_another_amount_or_a_credit(desk: Client, visit: Appointment) -> None:
    too_much = {"what": "refund", "amount": "85.01", "reason": "x"}
    assert desk.post(at(visit, "cancel"), too_much).status_code == 422
    assert desk.post(at(visit, "cancel"), {"what": "refund", "reason": "x"}).status_code == 422
    assert desk.post(at(visit, "cancel"), {"what": "gold", "reason": "x"}).status_code == 422
    review = desk.post(at(visit, "cancel"), {"what": "credit", "reason": "Agreed", "review": "1"}).content.decode()
    assert "gets a credit of $85.00" in review
    desk.post(at(visit, "cancel"), {"what": "credit", "reason": "Agreed"})
    assert Credit.objects.get().amount_minor == 8500


def test_completed_missed_and_taken_back(desk: Client, visit: Appointment, clock: Any) -> None:
    clock.set(visit.end)
    desk.post(at(visit, "complete"), {"version": visit.version})
    visit.refresh_from_db()
    assert visit.status == "completed"
    assert at(visit, "undo") in desk.get(at(visit)).content.decode()
    desk.post(at(visit, "undo"), {"version": visit.version})
    page = desk.get(at(visit, "no-show")).content.decode()
    assert "$85.00 is kept, $0.00 goes back" in page
    assert desk.post(at(visit, "no-show"), {"what": "full"}).status_code == 422
    desk.post(at(visit, "no-show"), {"what": "proposal"})
    visit.refresh_from_db()
    assert visit.status == "no_show"
    assert "Missed by the patient" in desk.get(at(visit)).content.decode()


def test_too_early_for_either(desk: Client, visit: Appointment) -> None:
    assert "has not begun yet" in desk.get(at(visit, "no-show"), follow=True).content.decode()
    desk.post(at(visit, "complete"))
    visit.refresh_from_db()
    assert visit.status == "paid"


def test_the_end_of_the_day_in_one_form(desk: Client, visit: Appointment, clock: Any) -> None:
    missed = make_appointment(visit.service, provider=visit.provider, start=visit.start + timedelta(hours=1))
    left = make_appointment(visit.service, provider=visit.provider, start=visit.start + timedelta(hours=2))
    ahead = make_appointment(visit.service, provider=visit.provider, start=visit.start + timedelta(hours=6))
    clock.set(left.end + timedelta(minutes=1))
    page = desk.get("/desk/appointments/end-of-day").content.decode()
    assert "Alex Morgan" in page
    assert ahead.code not in page
    choices = {f"visit-{visit.code}": "completed", f"visit-{missed.code}": "no_show", f"visit-{left.code}": ""}
    response = desk.post("/desk/appointments/end-of-day", choices | {f"visit-{ahead.code}": "completed"}, follow=True)
    assert "2 visits are concluded." in response.content.decode()
    states = [Appointment.objects.get(pk=one.pk).status for one in (visit, missed, left, ahead)]
    assert states == ["completed", "no_show", "paid", "paid"]
    assert left.code in desk.get("/desk/appointments/end-of-day?day=2026-12-03").content.decode()
    assert "Nothing is open" in desk.get("/desk/appointments/end-of-day?day=2026-12-01").content.decode()
    assert desk.get("/desk/appointments/end-of-day?day=nonsense").status_code == 200


@pytest.mark.parametrize("action", ["cancel", "move", "move/confirm", "reassign", "no-show", "complete", "undo"])
def test_only_the_desk(client: Client, visit: Appointment, action: str) -> None:
    client.force_login(make_user("provider"))
    assert client.post(at(visit, action)).status_code in {403, 405}
    visit.refresh_from_db()
    assert visit.status == "paid"


def test_an_error_of_choices_leads_to_the_choices(desk: Client, visit: Appointment) -> None:
    page = desk.post(at(visit, "reassign"), {}).content.decode()
    assert 'href="#id_provider"' in page
    assert 'id="id_provider"' in page
    assert 'id="id_provider-error"' in page
