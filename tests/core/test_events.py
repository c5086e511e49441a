"""Events: told on commit, missed by nobody, whatever order transactions end in."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from bedside.appointments.events import AppointmentPaid
from bedside.core.events import events_after, position, publish, told_since
from bedside.core.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


def paid(appointment_id: int) -> AppointmentPaid:
    return AppointmentPaid(appointment_id=appointment_id, provider_id=1, service_id=1)


def commit(appointment_id: int) -> None:
    with transaction.atomic():
        publish(paid(appointment_id))


def test_an_event_outside_a_transaction_is_refused() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        publish(paid(1))


def test_an_event_that_was_rolled_back_never_happened() -> None:
    with transaction.atomic():
        publish(paid(1))
        transaction.set_rollback(True)
    assert not Event.objects.exists()


def test_a_reader_gets_each_event_of_its_topics_once() -> None:
    _, cursor = events_after("", ["appointment:1"])
    for n in (1, 2, 1):
        commit(n)
    found, cursor = events_after(cursor, ["appointment:1"])
    assert [event.ids["appointment_id"] for event in found] == [1, 1]
    assert events_after(cursor, ["appointment:1"])[0] == []
    commit(1)
    assert len(events_after(cursor, ["appointment:1"])[0]) == 1


def test_an_event_whose_transaction_commits_late_is_not_missed() -> None:
    _, cursor = events_after("", ["desk"])
    published, may_commit = threading.Event(), threading.Event()

    def slow_writer() -> None:
        with transaction.atomic():
            publish(paid(1))
            published.set()
            may_commit.wait(10)
        connection.close()

    writer = threading.Thread(target=slow_writer)
    writer.start()
    published.wait(10)
    commit(2)  # a higher id, committed first
    early, cursor = events_after(cursor, ["desk"])
    may_commit.set()
    writer.join()
    late, cursor = events_after(cursor, ["desk"])
    assert sorted(event.ids["appointment_id"] for event in early + late) == [1, 2]
    assert events_after(cursor, ["desk"])[0] == []


def test_a_cursor_that_is_nonsense_starts_from_now() -> None:
    commit(1)
    assert events_after("nonsense", ["desk"])[0] == []


def test_what_came_since_a_page_was_drawn_is_told_although_an_older_transaction_is_still_open() -> None:
    commit(1)
    opened, may_end = threading.Event(), threading.Event()

    def long_report() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()")
            opened.set()
            may_end.wait(10)
        connection.close()

    report = threading.Thread(target=long_report)
    report.start()
    opened.wait(10)
    since = position()
    commit(2)
    commit(3)
    found = told_since(since, ["appointment:2", "appointment:1"])
    may_end.set()
    report.join()
    assert found is not None
    assert [event.ids["appointment_id"] for event in found] == [2]


def test_who_missed_too_much_or_asks_nonsense_is_to_look_again() -> None:
    since = position()
    for n in range(3):
        commit(n)
    assert told_since(since, ["desk"], limit=3) is None
    for nonsense in ("", "x", "-1-0", "9" * 40, "٣-0"):
        assert told_since(nonsense, ["desk"]) is None
