"""The waitlist: asked for, offered in order and one at a time, claimed against the very same constraint."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection

from bedside.appointments.errors import InvalidDetails
from bedside.appointments.models import Appointment
from bedside.clinic.models import Service
from bedside.core import clock as house_clock
from bedside.core import faults
from bedside.core.audit import Actor
from bedside.flows import cancel, hold, waitlist, waitlist_offers
from bedside.flows.book import book
from bedside.flows.details import Consent
from bedside.notifications.models import Notification
from bedside.notifications.sending import send
from bedside.payments.errors import CheckoutUnavailable
from bedside.reports.listing import Filters, appointments
from bedside.sandbox.models import Message
from bedside.schedule.waiting.errors import NothingToWaitFor, OfferGone
from bedside.schedule.waiting.models import WaitlistEntry, WaitlistOffer
from tests.conftest import TestClock
from tests.factories import make_appointment, make_practice, make_provider, make_service
from tests.flows.conftest import patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def full() -> Service:
    """One provider with one hour a day: three days from now it is taken."""
    provider = make_provider(hours=(time(9), time(10)))
    service = make_service(provider, duration_minutes=60, prep_minutes=0, wrap_minutes=0)
    make_appointment(service, start=at_nine(service))
    return service


def at_nine(service: Service, days: int = 3) -> datetime:
    zone = service.providers.get().zone
    day = house_clock.now().astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(day, time(9), tzinfo=zone)


def ask(service: Service, n: int = 1, days: tuple[int, int] = (3, 3), **fields: Any) -> WaitlistEntry:
    today = house_clock.now().astimezone(service.providers.get().zone).date()
    wish = waitlist.Wish(
        service=service,
        first_day=today + timedelta(days=days[0]),
        last_day=today + timedelta(days=days[1]),
        **fields.pop("wish", {}),
    )
    details = replace(patient(n), mobile=f"+1202555{100 + n:04d}", **fields.pop("details", {}))
    return waitlist.join(wish=wish, details=details, consent=Consent(given=True, text="I agree."), **fields)


def free_it(service: Service) -> None:
    for visit in Appointment.objects.filter(service=service, status="paid", start=at_nine(service)):
        cancel.cancel(appointment_id=visit.pk, actor=Actor("admin", None, "Desk"), reason="Test.")


def look(service: Service) -> int:
    return waitlist_offers.look(service.providers.get().pk)


def open_offers() -> list[WaitlistOffer]:
    return list(WaitlistOffer.objects.filter(status="open"))


def test_what_comes_free_is_offered_to_the_first_in_line_by_email_and_text(full: Service) -> None:
    first, _second = ask(full, 1), ask(full, 2)
    assert look(full) == 0
    free_it(full)
    assert look(full) == 1
    (offer,) = open_offers()
    assert offer.entry == first
    assert offer.start == at_nine(full)
    assert offer.expires_at == house_clock.now() + timedelta(minutes=30)
    assert look(full) == 0
    for notification in Notification.objects.filter(kind="waitlist_offer"):
        send(notification.pk)
    sent = Message.objects.filter(kind="waitlist_offer")
    assert sorted(message.channel for message in sent) == ["email", "sms"]
    for message in sent:
        assert f"/waitlist/{first.token}" in message.body


def test_joining_when_something_suits_already_is_offered_it_at_once() -> None:
    service = make_service()
    entry = ask(service)
    assert look(service) == 1
    assert open_offers()[0].entry == entry


def test_a_claim_books_on_the_usual_way_and_ends_the_waiting(full: Service) -> None:
    entry = ask(full)
    free_it(full)
    look(full)
    (offer,) = open_offers()
    claimed = waitlist.claim(offer_id=offer.pk)
    assert claimed.appointment.status == "pending_payment"
    assert claimed.url == claimed.appointment.payment.session_url
    assert (claimed.appointment.start, claimed.appointment.patient_email) == (at_nine(full), "robin1@example.com")
    entry.refresh_from_db()
    assert entry.status == "served"
    again = waitlist.claim(offer_id=offer.pk)
    assert again.appointment == claimed.appointment
    assert Appointment.objects.filter(status="pending_payment").count() == 1
    offer.refresh_from_db()
    assert offer.draft.status == "expired"


def test_who_does_not_answer_passes_the_turn_on_and_keeps_the_place(full: Service, clock: TestClock) -> None:
    first, second = ask(full, 1), ask(full, 2)
    free_it(full)
    look(full)
    lapsed = open_offers()[0]
    clock.forward(timedelta(minutes=30))
    assert look(full) == 1
    assert [offer.entry for offer in open_offers()] == [second]
    with pytest.raises(OfferGone):
        waitlist.claim(offer_id=lapsed.pk)
    first.refresh_from_db()
    assert first.status == "waiting"
    assert not Notification.objects.filter(appointment=lapsed.draft, status="queued").exists()
    clock.forward(timedelta(minutes=31))
    assert look(full) == 0, "nobody is offered the same time twice"


def test_whoever_is_quicker_elsewhere_has_it_and_the_loser_is_told_kindly(full: Service) -> None:
    entry = ask(full, 1)
    free_it(full)
    look(full)
    (offer,) = open_offers()
    book(service=full, start=offer.start, details=patient(9), consent=Consent(given=True))
    with pytest.raises(OfferGone) as told:
        waitlist.claim(offer_id=offer.pk)
    assert "You keep your place" in told.value.message
    offer.refresh_from_db()
    entry.refresh_from_db()
    assert (offer.status, entry.status) == ("lost", "waiting")


def test_a_claim_that_is_never_paid_puts_the_patient_back_in_line(full: Service, clock: TestClock) -> None:
    entry = ask(full)
    free_it(full)
    look(full)
    held = waitlist.claim(offer_id=open_offers()[0].pk).appointment
    clock.forward(timedelta(minutes=36))
    hold.release(held.pk)
    entry.refresh_from_db()
    assert entry.status == "waiting"


def test_when_the_processor_is_down_the_offer_stays_open(full: Service) -> None:
    ask(full)
    free_it(full)
    look(full)
    (offer,) = open_offers()
    faults.arm("checkout-down", 5)
    with pytest.raises(CheckoutUnavailable):
        waitlist.claim(offer_id=offer.pk)
    faults.arm("checkout-down", 0)
    assert waitlist.claim(offer_id=offer.pk).appointment.status == "pending_payment"


def test_while_a_claim_is_under_way_nobody_else_is_offered_anything_of_it(full: Service, clock: TestClock) -> None:
    ask(full, 1)
    second = ask(full, 2)
    free_it(full)
    look(full)
    WaitlistOffer.objects.update(status="claimed", claimed_at=clock.now())
    assert look(full) == 0
    clock.forward(timedelta(minutes=3))
    assert look(full) == 1, "a claim that broke off halfway passes the turn on"
    assert [offer.entry for offer in open_offers()] == [second]


def test_what_comes_free_asks_for_a_look_and_so_does_the_sweep(full: Service) -> None:
    from procrastinate.contrib.django.models import ProcrastinateJob

    from bedside.flows.waitlist_jobs import look_at_whole_waitlist

    ask(full)
    looks = ProcrastinateJob.objects.filter(task_name="flows.look_at_waitlist", status="todo")
    assert looks.count() == 1, "joining looks at once"
    ProcrastinateJob.objects.filter(task_name="flows.look_at_waitlist").delete()
    free_it(full)
    assert looks.count() == 1
    look_at_whole_waitlist.plain()
    assert looks.count() == 1, "asked for once, however often"


def test_a_booked_visit_moves_to_the_earlier_time(full: Service) -> None:
    visit = make_appointment(full, start=at_nine(full, 5))
    entry = ask(full, days=(0, 9), appointment=visit)
    free_it(full)
    look(full)
    offer = open_offers()[0]
    assert offer.start < visit.start
    moved = waitlist.claim(offer_id=offer.pk).appointment
    assert (moved.status, moved.start, moved.rescheduled_from) == ("paid", offer.start, visit)
    entry.refresh_from_db()
    assert entry.status == "served"


def test_only_earlier_times_are_offered_for_a_booked_visit(full: Service) -> None:
    visit = make_appointment(full, start=at_nine(full, 4))
    ask(full, days=(4, 20), appointment=visit)
    assert look(full) == 0


def test_a_canceled_visit_waits_for_nothing(full: Service) -> None:
    visit = make_appointment(full, start=at_nine(full, 5))
    entry = ask(full, appointment=visit)
    cancel.cancel(appointment_id=visit.pk, actor=Actor("admin", None, "Desk"), reason="Test.")
    free_it(full)
    assert look(full) == 0
    entry.refresh_from_db()
    assert entry.status == "over"
    with pytest.raises(NothingToWaitFor):
        ask(full, 2, appointment=Appointment.objects.get(pk=visit.pk))


def test_leaving_gives_the_turn_to_the_next_at_once(full: Service) -> None:
    first, second = ask(full, 1), ask(full, 2)
    free_it(full)
    look(full)
    for _ in range(2):
        waitlist.leave(entry_id=first.pk, actor=Actor.patient())
    look(full)
    assert [offer.entry for offer in open_offers()] == [second]


def test_asking_again_changes_the_wish_and_keeps_the_place(full: Service) -> None:
    first = ask(full, 1)
    ask(full, 2)
    again = ask(full, 1, days=(3, 9))
    assert again.pk == first.pk
    assert again.token == first.token
    assert WaitlistEntry.objects.filter(status="waiting").count() == 2


def test_who_is_asleep_is_passed_over_until_morning(full: Service, clock: TestClock) -> None:
    sleeper = ask(full, 1, details={"timezone": "Asia/Tokyo"})
    waker = ask(full, 2)
    free_it(full)
    look(full)
    assert [offer.entry for offer in open_offers()] == [waker]
    waitlist.leave(entry_id=waker.pk, actor=Actor.patient())
    assert look(full) == 0
    clock.forward(timedelta(hours=9))  # 9 in the morning in Tokyo
    look(full)
    assert [offer.entry for offer in open_offers()] == [sleeper]


def test_days_that_are_past_end_the_waiting(full: Service, clock: TestClock) -> None:
    entry = ask(full)
    clock.forward(timedelta(days=5))
    look(full)
    entry.refresh_from_db()
    assert entry.status == "over"


@pytest.mark.parametrize("days", [(4, 3), (-9, -3), (90, 99)])
def test_wishes_that_cannot_be_met_are_refused(full: Service, days: tuple[int, int]) -> None:
    with pytest.raises(InvalidDetails):
        ask(full, days=days)
    assert not WaitlistEntry.objects.exists()


def test_offers_are_no_visits_in_the_desks_list(full: Service) -> None:
    ask(full)
    free_it(full)
    look(full)
    listed = appointments(Filters(), make_practice())
    assert {one.status for one in listed} == {"canceled"}


@pytest.mark.django_db(transaction=True)
def test_two_workers_and_the_public_at_once_sell_it_once() -> None:
    provider = make_provider(hours=(time(9), time(10)))
    service = make_service(provider, duration_minutes=60, prep_minutes=0, wrap_minutes=0)
    for n in range(3):
        ask(service, n)
    gate = threading.Barrier(4)

    def in_thread(work: Any) -> threading.Thread:
        def go() -> None:
            gate.wait()
            try:
                work()
            except Exception as error:
                failed.append(error)
            finally:
                connection.close()

        return threading.Thread(target=go)

    failed: list[Exception] = []
    workers = [in_thread(lambda: waitlist_offers.look(provider.pk)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failed
    (offer,) = open_offers()
    claims = [in_thread(lambda: waitlist.claim(offer_id=offer.pk)) for _ in range(2)]
    public = [
        in_thread(lambda: book(service=service, start=offer.start, details=patient(8), consent=Consent(given=True)))
        for _ in range(2)
    ]
    for one in [*claims, *public]:
        one.start()
    for one in [*claims, *public]:
        one.join()
    assert Appointment.objects.filter(status="pending_payment").count() == 1
