"""After the visit: completed, missed with its fee, taken back while it is safe; two desks at once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from bedside.appointments.errors import AlreadyOver, ChangedMeanwhile, ReasonRequired
from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.clinic.policy import Terms
from bedside.core import clock as house_clock
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.core.models import Alert, AuditEntry, Event
from bedside.core.money import Money
from bedside.flows import conclude, pay, policies, reassign, refund
from bedside.flows.cancel import Give
from bedside.notifications.models import Notification
from bedside.payments.models import Refund
from bedside.sandbox import disputes
from tests.factories import make_appointment, make_provider, make_service
from tests.flows.conftest import pay_at_the_bank
from tests.flows.test_reschedule import at_once
from tests.payments.conftest import news

DESK = Actor("admin", 1, "Sam Ortega")


@pytest.fixture
def paid(book_visit: Any) -> Appointment:
    """Under a policy that keeps 80% of a missed visit, after ten minutes."""
    service = make_service()
    terms = Terms(free_hours=24, no_show_fee_percent=80, late_minutes=10)
    policies.add_version(actor=DESK, service=service, valid_from=policies.today(), terms=terms, words="")
    appointment = book_visit(service=service).appointment
    pay_at_the_bank(appointment)
    return pay.settle(appointment.payment.pk)


@pytest.mark.django_db
def test_completing_from_the_start_on(paid: Appointment, clock: Any) -> None:
    with pytest.raises(conclude.NotYet):
        conclude.complete(appointment_id=paid.pk, actor=DESK)
    clock.set(paid.start)
    done = conclude.complete(appointment_id=paid.pk, actor=DESK)
    conclude.complete(appointment_id=paid.pk, actor=DESK)
    assert (done.status, done.concluded_at) == ("completed", paid.start)
    entry = AuditEntry.objects.get(action="appointment.completed")
    assert (entry.before, entry.after, entry.actor_id) == ({"status": "paid"}, {"status": "completed"}, 1)
    assert Event.objects.filter(name="AppointmentCompleted").count() == 1


@pytest.mark.django_db
def test_a_missed_visit_keeps_the_fee_and_returns_the_rest(paid: Appointment, clock: Any) -> None:
    clock.set(paid.start + timedelta(minutes=9))
    with pytest.raises(conclude.NotYet):
        conclude.no_show(appointment_id=paid.pk, actor=DESK)
    clock.forward(timedelta(minutes=1))
    assert conclude.no_show_preview(paid) == (Money(1700, "USD"), Money(6800, "USD"))
    conclude.no_show(appointment_id=paid.pk, actor=DESK)
    assert Refund.objects.get().refund_amount == 1700
    after = AuditEntry.objects.get(action="appointment.no_show").after or {}
    assert (after["refund_minor"], after["given"]) == (1700, "proposal")


@pytest.mark.django_db
def test_the_fee_may_be_waived_for_a_reason(paid: Appointment, clock: Any) -> None:
    clock.set(paid.start + timedelta(hours=1))
    everything = Give("refund", Money(8500, "USD"))
    with pytest.raises(ReasonRequired):
        conclude.no_show(appointment_id=paid.pk, actor=DESK, give=everything)
    conclude.no_show(appointment_id=paid.pk, actor=DESK, give=everything, reason="Power cut")
    assert Refund.objects.get().refund_amount == 8500


@pytest.mark.django_db
def test_taking_back_while_it_is_safe(paid: Appointment, clock: Any) -> None:
    clock.set(paid.end)
    conclude.complete(appointment_id=paid.pk, actor=DESK)
    back = conclude.undo(appointment_id=paid.pk, actor=DESK)
    assert (back.status, back.concluded_at) == ("paid", None)
    assert AuditEntry.objects.get(action="appointment.reopened").before == {"status": "completed"}
    conclude.no_show(appointment_id=paid.pk, actor=DESK)
    with pytest.raises(conclude.CannotUndo):
        conclude.undo(appointment_id=paid.pk, actor=DESK)


@pytest.mark.django_db
def test_after_a_day_it_stays(paid: Appointment, clock: Any) -> None:
    clock.set(paid.end)
    conclude.complete(appointment_id=paid.pk, actor=DESK)
    clock.forward(timedelta(hours=24))
    with pytest.raises(conclude.CannotUndo):
        conclude.undo(appointment_id=paid.pk, actor=DESK)


@pytest.mark.django_db
@pytest.mark.parametrize("status", sorted(set(Status) - {"paid", "completed", "no_show", "rescheduled", "draft"}))
def test_only_a_paid_visit_is_concluded(status: str, clock: Any) -> None:
    visit = make_appointment(status=status)
    clock.set(visit.end)
    for flow in (conclude.complete, conclude.no_show):
        with pytest.raises(AlreadyOver):
            flow(appointment_id=visit.pk, actor=DESK)


@pytest.mark.django_db
def test_only_the_desk_and_only_what_it_saw(paid: Appointment, clock: Any) -> None:
    clock.set(paid.end)
    for actor in (Actor.patient(), Actor("provider", 2)):
        with pytest.raises(PermissionRefused):
            conclude.complete(appointment_id=paid.pk, actor=actor)
    with pytest.raises(ChangedMeanwhile):
        conclude.complete(appointment_id=paid.pk, actor=DESK, version=paid.version + 1)


@pytest.mark.django_db(transaction=True)
def test_two_desks_that_disagree_end_in_one_state(clock: Any) -> None:
    visit = make_appointment(start=house_clock.now() - timedelta(hours=2))
    version = visit.version
    results = at_once(
        *[lambda: conclude.complete(appointment_id=visit.pk, actor=DESK, version=version)] * 2,
        *[lambda: conclude.no_show(appointment_id=visit.pk, actor=DESK, version=version)] * 2,
    )
    visit.refresh_from_db()
    assert Counter(results) == {"done": 2, "changed-meanwhile": 2}
    assert visit.status in {"completed", "no_show"}
    assert AuditEntry.objects.filter(subject_id=str(visit.pk)).count() == 1


@pytest.mark.django_db
def test_another_provider_at_the_same_time(paid: Appointment) -> None:
    other = make_provider(name="Dr. Other")
    paid.service.providers.add(other)
    with pytest.raises(PermissionRefused):
        reassign.reassign(appointment_id=paid.pk, provider=other, actor=Actor.patient())
    new = reassign.reassign(appointment_id=paid.pk, provider=other, actor=DESK, reason="Ill")
    assert (new.provider, new.start, new.status) == (other, paid.start, "paid")
    told = Notification.objects.filter(kind="provider_changed").exclude(variant="previous")
    assert set(told.values_list("appointment", "audience", "channel")) == {
        (new.pk, audience, channel) for audience in ("patient", "provider") for channel in ("email", "sms")
    }
    lost = Notification.objects.filter(kind="provider_changed", variant="previous")
    assert set(lost.values_list("appointment", "audience")) == {(paid.pk, "provider")}
    assert AuditEntry.objects.get(action="appointment.reassigned").reason == "Ill"


@pytest.mark.django_db
def test_missed_during_a_dispute_it_is_recorded_and_owes_its_share_once_that_is_won(
    paid: Appointment, clock: Any
) -> None:
    """Before, it could not be recorded: the refund that the policy proposes is refused while the bank holds it."""
    payment = paid.payments.get()
    disputes.open_dispute(payment.session_id)
    news()
    clock.set(paid.start + timedelta(hours=1))
    conclude.no_show(appointment_id=paid.pk, actor=DESK)
    assert not Refund.objects.exists()
    disputes.close(payment.disputes.get().dispute_id, "won")
    news()
    assert "$17.00 goes back to the patient" in Alert.objects.get(kind=refund.WAITS, resolved_at=None).message
