"""Moving a visit: new time taken and old one released at once, everything goes along, nobody gets a time twice."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from bedside.appointments.errors import (
    AlreadyOver,
    ChangedMeanwhile,
    MoveRefused,
    NotOffered,
    ReasonRequired,
    SameTime,
    SlotTaken,
)
from bedside.appointments.models import Appointment
from bedside.clinic.models import Provider
from bedside.core import when
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.core.models import AuditEntry, Event
from bedside.flows import cancel, commands, jobs, lookup, pay, refund, reschedule
from bedside.flows.assign import RULE
from bedside.flows.book import book
from bedside.flows.details import Consent
from bedside.notifications import calendar
from bedside.notifications.content import facts_for
from bedside.notifications.models import Notification
from bedside.notifications.rendering import render
from bedside.notifications.sending import send
from bedside.payments.models import Payment, Refund
from bedside.sandbox.models import Room
from bedside.schedule.openings import openings
from bedside.video.models import Meeting
from tests.factories import make_appointment, make_provider, make_service
from tests.flows.conftest import first_opening, patient, pay_at_the_bank

PATIENT = Actor.patient()


def desk() -> Actor:
    return Actor("admin", 1, "Sam Ortega")


@pytest.fixture
def paid(book_visit: Callable[..., Any]) -> Appointment:
    appointment = book_visit().appointment
    pay_at_the_bank(appointment)
    return pay.settle(appointment.payment.pk)


def move(appointment: Appointment, start: datetime, actor: Actor = PATIENT, **more: Any) -> Appointment:
    return reschedule.reschedule(appointment_id=appointment.pk, start=start, actor=actor, **more)


@pytest.mark.django_db
def test_the_new_visit_takes_over_and_the_old_one_points_the_way(paid: Appointment) -> None:
    token = paid.token
    new = move(paid, paid.start + timedelta(days=1))
    paid.refresh_from_db()
    assert (paid.status, new.status, new.rescheduled_from_id) == ("rescheduled", "paid", paid.pk)
    assert new.start == paid.start + timedelta(days=1)
    assert (new.patient_name, new.patient_email, new.patient_mobile) == (
        paid.patient_name,
        paid.patient_email,
        paid.patient_mobile,
    )
    assert (new.price_minor, new.sms_consent_text, new.paid_at) == (
        paid.price_minor,
        paid.sms_consent_text,
        paid.paid_at,
    )
    assert lookup.by_token(token).pk == new.pk
    assert lookup.latest(lookup.by_token(paid.token)).pk == new.pk
    assert paid.token != token


@pytest.mark.django_db
def test_the_payment_goes_along_and_can_be_refunded_after_the_move(paid: Appointment) -> None:
    new = move(paid, paid.start + timedelta(days=1))
    assert new.payment.captured_minor == 8500
    assert paid.payment is None
    cancel.cancel(appointment_id=new.pk, actor=PATIENT)
    refund.carry_out(Refund.objects.get().pk)
    assert Payment.objects.get().status == "refunded"
    assert [problem for problem in commands.check() if not problem.startswith("Open windows")] == []


@pytest.mark.django_db
def test_the_old_time_is_free_and_a_visit_does_not_stand_in_its_own_way(
    paid: Appointment, book_visit: Callable[..., Any]
) -> None:
    overlapping = paid.start + timedelta(minutes=15)
    new = move(paid, overlapping)
    assert new.start == overlapping
    again = move(new, overlapping + timedelta(days=1))
    assert book_visit(service=paid.service, start=paid.start).appointment.status == "pending_payment"
    assert again.patient_moves == 2


@pytest.mark.django_db
def test_the_calendar_offers_times_that_only_the_visit_itself_blocks(paid: Appointment) -> None:
    day = paid.start.date()
    asked = {"service": paid.service, "first": day, "last": day, "timezone": "America/New_York"}
    near = paid.start + timedelta(minutes=15)
    assert near not in {one.start for one in openings(**asked)}
    assert near in {one.start for one in openings(**asked, moving=paid.pk)}


@pytest.mark.django_db
def test_everyone_is_told_and_the_old_messages_are_withdrawn(paid: Appointment) -> None:
    new = move(paid, paid.start + timedelta(days=1))
    assert set(Notification.objects.filter(appointment=paid).values_list("status", flat=True)) == {"withdrawn"}
    told = Notification.objects.filter(appointment=new, kind="rescheduled").values_list("audience", "channel")
    assert set(told) == {("patient", "email"), ("patient", "sms"), ("provider", "email"), ("provider", "sms")}
    reminders = Notification.objects.filter(appointment=new, kind="reminder", status="queued")
    assert reminders.count() == 8
    assert {one.due_at for one in reminders} == {new.start - timedelta(hours=24), new.start - timedelta(hours=1)}
    jobs.prepare_visit(appointment_id=new.pk)
    for notification in Notification.objects.filter(appointment=new, kind="rescheduled"):
        Notification.objects.filter(pk=notification.pk).update(due_at=paid.created_at)
        send(notification.pk)
    sent = Notification.objects.filter(appointment=new, kind="rescheduled")
    assert set(sent.values_list("status", flat=True)) == {"sent"}
    email = sent.get(audience="patient", channel="email")
    assert "Your visit moved" in email.body
    assert Meeting.objects.get(appointment=new).join_url in email.body
    assert f"Before: {when.long_time(paid.start, 'America/New_York')}" in email.body
    assert len(sent.get(audience="patient", channel="sms").body) <= 320


@pytest.mark.django_db
def test_the_meeting_moves_along_and_the_link_stays(paid: Appointment) -> None:
    jobs.prepare_visit(appointment_id=paid.pk)
    before = Meeting.objects.get()
    new = move(paid, paid.start + timedelta(days=1))
    jobs.prepare_visit(appointment_id=new.pk)
    moved = Meeting.objects.get()
    assert (moved.appointment_id, moved.status, moved.join_url) == (new.pk, "ready", before.join_url)
    assert Room.objects.get().start == new.start
    assert closing() == []


@pytest.mark.django_db
def test_with_another_clinician_there_is_a_new_meeting_and_the_old_one_is_removed(paid: Appointment) -> None:
    jobs.prepare_visit(appointment_id=paid.pk)
    other = make_provider()
    paid.service.providers.add(other)
    new = move(paid, paid.start + timedelta(days=1), desk(), provider=other)
    jobs.prepare_visit(appointment_id=new.pk)
    assert closing() == [paid.pk]
    jobs.close_meeting(appointment_id=paid.pk)
    old_room, new_room = (Meeting.objects.get(appointment=one) for one in (paid, new))
    assert (old_room.status, new_room.status) == ("deleted", "ready")
    assert (old_room.join_url, new_room.host_id) != (new_room.join_url, old_room.host_id)


@pytest.mark.django_db
def test_a_visit_called_off_before_its_meeting_moved_leaves_none_behind(paid: Appointment) -> None:
    jobs.prepare_visit(appointment_id=paid.pk)
    new = move(paid, paid.start + timedelta(days=1))
    jobs.close_meeting(appointment_id=new.pk)
    assert Room.objects.get().deleted_at is not None
    assert Meeting.objects.get(appointment=paid).status == "deleted"


def closing() -> list[int]:
    """Whose meetings jobs were asked to remove."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (args ->> 'appointment_id')::bigint FROM procrastinate_jobs WHERE task_name = 'flows.close_meeting'"
        )
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.django_db
def test_the_event_tells_the_pages_of_both_and_the_audit_keeps_before_and_after(paid: Appointment) -> None:
    new = move(paid, paid.start + timedelta(days=1), desk(), reason="Provider asked")
    event = Event.objects.get(name="AppointmentRescheduled")
    assert event.ids["appointment_id"] == new.pk
    assert {f"appointment:{paid.pk}", f"appointment:{new.pk}", "desk"} <= set(event.topics)
    entry = AuditEntry.objects.get(action="appointment.rescheduled")
    assert entry.before == {"start": paid.start.isoformat(), "provider": paid.provider.slug, "status": "paid"}
    assert (entry.after or {})["start"] == new.start.isoformat()
    assert (entry.actor_kind, entry.reason) == ("admin", "Provider asked")


@pytest.mark.django_db
def test_the_calendar_entry_keeps_its_uid_and_its_sequence_grows(paid: Appointment) -> None:
    def lines(appointment: Appointment) -> dict[str, str]:
        text = calendar.calendar_file(appointment).decode().replace("\r\n ", "")
        return dict(line.split(":", 1) for line in text.splitlines() if line.startswith(("UID", "SEQUENCE", "STATUS")))

    before = lines(paid)
    new = move(paid, paid.start + timedelta(days=1))
    newer = move(new, new.start + timedelta(days=1))
    assert before["UID"] == lines(new)["UID"] == lines(newer)["UID"]
    assert int(before["SEQUENCE"]) < int(lines(new)["SEQUENCE"]) < int(lines(newer)["SEQUENCE"])


@pytest.mark.django_db
def test_another_provider_is_told_and_so_is_the_one_who_loses_the_visit(paid: Appointment) -> None:
    other = make_provider(name="Dr. Other")
    paid.service.providers.add(other)
    new = move(paid, paid.start, provider=other)
    assert new.provider == other
    lost = Notification.objects.get(appointment=paid, kind="provider_changed", channel="email")
    message = render(lost, facts_for(lost))
    assert message.to == paid.provider.email
    assert "no longer takes place with you" in message.body
    assert "Start the visit" not in message.body
    send(lost.pk)
    lost.refresh_from_db()
    assert lost.status == "sent"
    gained = Notification.objects.get(appointment=new, kind="rescheduled", audience="provider", channel="email")
    assert render(gained, facts_for(gained)).to == other.email


@pytest.mark.django_db
def test_anybody_means_the_first_who_is_free(paid: Appointment) -> None:
    other = make_provider()
    paid.service.providers.add(other)
    wanted = paid.start + timedelta(hours=1)
    make_appointment(paid.service, provider=paid.provider, start=wanted)
    with pytest.raises(SlotTaken) as refused:
        move(paid, wanted)
    assert (refused.value.code, bool(refused.value.alternatives)) == ("slot-taken", True)
    assert move(paid, wanted, anybody=True).provider == other
    choice = AuditEntry.objects.get(action="appointment.rescheduled").after["choice"]  # type: ignore[index]
    assert (choice["rule"], choice["chosen"], choice["passed_over"]) == (RULE, other.pk, [])
    assert [one["provider"] for one in choice["considered"]] == [other.pk]


@pytest.mark.django_db
def test_patients_move_while_it_is_free_and_three_times(paid: Appointment, clock: Any) -> None:
    visit = paid
    for day in range(1, 4):
        visit = move(visit, paid.start + timedelta(days=day))
    with pytest.raises(MoveRefused):
        move(visit, paid.start + timedelta(days=4))
    by_desk = move(visit, paid.start + timedelta(days=4), desk())
    assert by_desk.patient_moves == 3
    clock.set(by_desk.start - timedelta(hours=23))
    assert not reschedule.preview(by_desk, actor=PATIENT).possible
    move(by_desk, by_desk.start + timedelta(days=1), desk())


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["pending_payment", "canceled", "completed", "no_show", "expired"])
def test_only_what_is_paid_and_ahead_moves(status: str) -> None:
    visit = make_appointment(status=status)
    for actor in (PATIENT, desk()):
        with pytest.raises(AlreadyOver):
            move(visit, visit.start + timedelta(days=1), actor)
    assert Appointment.objects.count() == 1


@pytest.mark.django_db
def test_nonsense_changes_nothing(paid: Appointment) -> None:
    with pytest.raises(SameTime):
        move(paid, paid.start)
    for start in (paid.start + timedelta(minutes=7), paid.start + timedelta(hours=12), paid.start - timedelta(days=9)):
        with pytest.raises(NotOffered):
            move(paid, start)
    stranger = make_provider()
    with pytest.raises(NotOffered):
        move(paid, paid.start, provider=stranger)
    with pytest.raises(PermissionRefused):
        move(paid, paid.start + timedelta(days=1), Actor("provider", 3))
    with pytest.raises(ChangedMeanwhile):
        move(paid, paid.start + timedelta(days=1), desk(), version=paid.version - 1)
    paid.refresh_from_db()
    assert (paid.status, Appointment.objects.count()) == ("paid", 1)


@pytest.mark.django_db
def test_the_desk_may_take_a_time_that_is_not_offered_for_a_reason_but_never_twice(paid: Appointment) -> None:
    early = paid.start.replace(hour=11)
    with pytest.raises(ReasonRequired):
        move(paid, early, desk(), override=True)
    with pytest.raises(PermissionRefused):
        move(paid, early, PATIENT, override=True, reason="please")
    new = move(paid, early, desk(), override=True, reason="Agreed on the phone")
    assert new.start == early
    assert (AuditEntry.objects.get(action="appointment.rescheduled").after or {})["override"] is True
    other = make_appointment(paid.service, start=paid.start + timedelta(days=2))
    with pytest.raises(SlotTaken):
        move(new, other.start, desk(), override=True, reason="No matter what")


def at_once(*tries: Callable[[], Any]) -> list[str]:
    """Run them in threads, let go together; what each came to, by error code or "done"."""
    results: list[str] = []
    barrier = threading.Barrier(len(tries))

    def run(attempt: Callable[[], Any]) -> None:
        try:
            barrier.wait()
            attempt()
            results.append("done")
        except Exception as error:
            results.append(getattr(error, "code", repr(error)))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(attempt,)) for attempt in tries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def chain_is_sound() -> None:
    """One live end, each link pointing at a moved one, and nobody booked twice."""
    assert [problem for problem in commands.check() if "same time" in problem] == []
    for moved in Appointment.objects.filter(rescheduled_from__isnull=False):
        assert moved.rescheduled_from is not None
        assert moved.rescheduled_from.status == "rescheduled"


@pytest.mark.django_db(transaction=True)
def test_two_moves_of_one_visit_at_once_are_one_move() -> None:
    visit = make_appointment()
    starts = [visit.start + timedelta(days=1, minutes=15 * n) for n in range(8)]
    results = at_once(*(lambda start=start: move(visit, start) for start in starts))  # type: ignore[misc]
    assert Counter(results) == {"done": 1, "changed-meanwhile": 7}
    assert Appointment.objects.filter(status="paid").count() == 1
    chain_is_sound()


@pytest.mark.django_db(transaction=True)
def test_a_move_against_a_cancel_ends_in_exactly_one_of_them() -> None:
    for _ in range(4):
        visit = make_appointment()
        results = at_once(
            lambda visit=visit: move(visit, visit.start + timedelta(days=1)),  # type: ignore[misc]
            lambda visit=visit: cancel.cancel(appointment_id=visit.pk, actor=PATIENT),  # type: ignore[misc]
        )
        visit.refresh_from_db()
        assert "done" in results
        assert results.count("done") == 1
        assert visit.status in {"canceled", "rescheduled"}
        assert Appointment.objects.filter(rescheduled_from=visit).exists() is (visit.status == "rescheduled")
    chain_is_sound()


@pytest.mark.django_db(transaction=True)
def test_moves_and_bookings_of_the_same_time_leave_it_to_one() -> None:
    service = make_service()
    wanted = first_opening(service, days=5)
    visits = [make_appointment(service, start=wanted - timedelta(days=2) + timedelta(hours=n)) for n in range(4)]
    tries: list[Callable[[], Any]] = [lambda visit=visit: move(visit, wanted) for visit in visits]  # type: ignore[misc]
    tries += [
        lambda n=n: book(service=service, start=wanted, details=patient(n), consent=Consent(given=True))  # type: ignore[misc]
        for n in range(4)
    ]
    assert Counter(at_once(*tries)) == {"done": 1, "slot-taken": 7}
    assert Appointment.objects.filter(start=wanted).count() == 1
    chain_is_sound()


@pytest.mark.django_db(transaction=True)
def test_two_visits_that_change_places_never_wait_in_a_circle() -> None:
    one, other = make_provider(), make_provider()
    service = make_service(one, other)
    pairs: list[tuple[Appointment, Provider]] = []
    for hour in range(4):
        start = first_opening(service, days=3) + timedelta(hours=hour)
        pairs.append((make_appointment(service, provider=one, start=start), other))
        pairs.append((make_appointment(service, provider=other, start=start + timedelta(days=1)), one))
    tries = [lambda visit=visit, to=to: move(visit, visit.start, provider=to) for visit, to in pairs]  # type: ignore[misc]
    assert Counter(at_once(*tries)) == {"done": 8}
    chain_is_sound()
