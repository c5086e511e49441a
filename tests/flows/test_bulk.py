"""Bulk runs: each row once, whoever presses twice, cancels, or is killed between two rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import Error, connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from bedside.accounts.models import User
from bedside.appointments.bulk.runs import BulkItem, BulkRun
from bedside.appointments.models import Appointment
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.core.models import AuditEntry, Event
from bedside.flows import bulk, resend
from bedside.notifications.models import Notification
from bedside.reports import listing
from tests.factories import make_appointment, make_practice, make_service, make_user

TOKEN = "form-token-of-sixteen"


@pytest.fixture
def admin(db: None) -> User:
    make_practice()
    return make_user("admin", name="Sam Ortega")


def visits(count: int, **fields: Any) -> list[Appointment]:
    """One after the other, the first at noon of the third."""
    service = make_service()
    noon = datetime(2026, 12, 3, 12, tzinfo=UTC)
    return [make_appointment(service, start=noon + timedelta(hours=n), **fields) for n in range(count)]


def begin(admin: User, action: str = "resend", token: str = TOKEN, expected: int | None = None) -> BulkRun:
    found = listing.appointments(listing.Filters(), make_practice())
    return bulk.start(
        action=action,
        found=found,
        expected=found.count() if expected is None else expected,
        token=token,
        said={},
        actor=Actor("admin", admin.pk),
    )


def results(run: BulkRun) -> dict[str, str]:
    return {
        code: f"{status} {reason}".strip()
        for code, status, reason in run.items.values_list("appointment__code", "status", "reason")
    }


def jobs() -> int:
    return ProcrastinateJob.objects.filter(task_name="flows.carry_out_bulk_run", status="todo").count()


@pytest.mark.django_db
def test_each_row_has_its_result_and_its_messages(admin: User) -> None:
    good, mute, over = visits(3)
    Appointment.objects.filter(pk=mute.pk).update(sms_consent=False)
    Appointment.objects.filter(pk=over.pk).update(status="canceled", canceled_at=over.start)
    run = begin(admin)
    assert (run.total, run.status, jobs()) == (3, "running", 1)
    assert not bulk.carry_out(run.pk)
    run.refresh_from_db()
    assert (run.status, run.handled) == ("finished", 3)
    assert results(run) == {good.code: "done email+sms", mute.code: "done email", over.code: "skipped already-over"}
    assert Notification.objects.filter(appointment=good, kind="confirmation").count() == 2
    assert AuditEntry.objects.filter(action="notification.resent", actor_id=admin.pk).count() == 2
    begun, finished = AuditEntry.objects.filter(subject_kind="bulkrun").order_by("pk")
    assert begun.after == {"action": "resend", "total": 3, "filters": {}}
    assert finished.after == {"action": "resend", "done": 2, "skipped": 1, "failed": 0}


@pytest.mark.django_db
def test_pressing_twice_is_one_run(admin: User) -> None:
    visits(2)
    first, second = begin(admin), begin(admin)
    assert first == second
    assert (BulkRun.objects.count(), jobs()) == (1, 1)
    for _again in range(3):
        bulk.carry_out(first.pk)
    assert Notification.objects.count() == 4


@pytest.mark.django_db
def test_another_run_right_after_texts_nobody_again(admin: User, clock: Any) -> None:
    (visit,) = visits(1)
    bulk.carry_out(begin(admin).pk)
    again = begin(admin, token="another-token-of-16")
    bulk.carry_out(again.pk)
    assert results(again) == {visit.code: "skipped just-sent"}
    clock.forward(timedelta(minutes=11))
    later = begin(admin, token="a-third-token-of-16")
    bulk.carry_out(later.pk)
    assert results(later) == {visit.code: "done email+sms"}


@pytest.mark.django_db
def test_completing_says_what_was_too_early_or_done(admin: User, clock: Any) -> None:
    past, done, coming = visits(3)
    clock.set(done.start)
    Appointment.objects.filter(pk=done.pk).update(status="completed")
    run = begin(admin, "complete")
    bulk.carry_out(run.pk)
    assert results(run) == {past.code: "done", done.code: "skipped already-over", coming.code: "skipped not-yet"}
    past.refresh_from_db()
    assert past.status == "completed"
    assert AuditEntry.objects.get(action="appointment.completed").actor_id == admin.pk


@pytest.mark.django_db
def test_what_is_canceled_in_the_middle_stays_undone(admin: User) -> None:
    visits(4)
    run = begin(admin)
    assert bulk.carry_out(run.pk, most=2)
    stopped = bulk.stop(run_id=run.pk, actor=Actor("admin", admin.pk))
    assert (stopped.status, stopped.canceled_by) == ("stopped", admin)
    assert not bulk.carry_out(run.pk)
    assert sorted(results(run).values()) == ["done email+sms"] * 2 + ["skipped canceled"] * 2
    assert Notification.objects.count() == 4
    bulk.stop(run_id=run.pk, actor=Actor("admin", admin.pk))
    assert AuditEntry.objects.filter(action="bulk.canceled").count() == 1


class Killed(BaseException):
    """The process is gone: nothing catches this."""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_between_effect_and_result_leaves_neither(
    admin: User, monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    visits(3)
    run = begin(admin)
    sent = []
    whole = resend.resend

    def dies_at_the_second(**said: Any) -> list[Notification]:
        made = whole(**said)
        sent.append(said["appointment_id"])
        if len(sent) == 2:
            raise Killed
        return made

    monkeypatch.setattr(resend, "resend", dies_at_the_second)
    with pytest.raises(Killed):
        bulk.carry_out(run.pk)
    assert sorted(run.items.values_list("status", flat=True)) == ["done", "waiting", "waiting"]
    assert Notification.objects.count() == 2, "The second row's messages went with its result"

    _lose_jobs()
    assert bulk.go_on_with_stuck() == 0, "It has just moved"
    clock.forward(timedelta(minutes=2))
    assert bulk.go_on_with_stuck() == 1
    assert jobs() == 1
    bulk.carry_out(run.pk)
    run.refresh_from_db()
    assert (run.status, run.handled) == ("finished", 3)
    assert Notification.objects.count() == 6
    assert sorted(sent[:1] + sent[2:]) == sorted(run.items.values_list("appointment_id", flat=True))


def _lose_jobs() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_events; DELETE FROM procrastinate_jobs")


@pytest.mark.django_db
def test_one_row_that_breaks_stops_no_other(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = visits(2)
    whole = resend.resend

    def breaks_for_one(**said: Any) -> list[Notification]:
        made = whole(**said)
        if said["appointment_id"] == second.pk:
            raise ZeroDivisionError
        return made

    monkeypatch.setattr(resend, "resend", breaks_for_one)
    run = begin(admin)
    bulk.carry_out(run.pk)
    assert results(run) == {first.code: "done email+sms", second.code: "failed unexpected"}
    assert Notification.objects.filter(appointment=second).count() == 0, "What the broken row did is undone"


@pytest.mark.django_db
def test_who_is_no_admin_any_more_changes_nothing_more(admin: User) -> None:
    visits(2)
    run = begin(admin)
    bulk.carry_out(run.pk, most=1)
    make_user("admin")
    User.objects.filter(pk=admin.pk).update(is_active=False)
    bulk.carry_out(run.pk)
    assert sorted(results(run).values()) == ["done email+sms", "skipped permission-refused"]


@pytest.mark.django_db
def test_only_admins_begin_and_cancel(admin: User) -> None:
    visits(1)
    run = begin(admin)
    provider = make_user("provider")
    with pytest.raises(PermissionRefused):
        bulk.stop(run_id=run.pk, actor=Actor("provider", provider.pk))
    with pytest.raises(PermissionRefused):
        bulk.start(
            action="resend", found=Appointment.objects.all(), expected=1, token="t" * 20, said={},
            actor=Actor("provider", provider.pk),
        )  # fmt: skip


@pytest.mark.django_db
def test_another_number_than_was_confirmed_begins_nothing(admin: User) -> None:
    visits(2)
    with pytest.raises(bulk.SelectionChanged) as changed:
        begin(admin, expected=1)
    assert changed.value.details == {"count": 2}
    assert not BulkRun.objects.exists()
    assert jobs() == 0


@pytest.mark.django_db
def test_a_long_run_is_handed_from_job_to_job_and_tells_open_pages(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "ROWS_IN_A_JOB", 4)
    visits(10)
    run = begin(admin, "complete")
    _lose_jobs()
    bulk.carry_out_run.plain(bulk_run_id=run.pk)  # type: ignore[attr-defined]
    assert jobs() <= 1
    while bulk.carry_out(run.pk):
        pass
    run.refresh_from_db()
    assert run.status == "finished"
    # At its beginning, at the fifth and the tenth row, and at its end.
    assert Event.objects.filter(name="BulkRunChanged").count() == 4


@pytest.mark.django_db
def test_the_database_settles_a_row_once_and_has_it_once(admin: User) -> None:
    visits(1)
    run = begin(admin)
    bulk.carry_out(run.pk)
    item = run.items.get()
    wrong = [
        lambda: BulkItem.objects.filter(pk=item.pk).update(status="waiting", ended_at=None),
        lambda: BulkItem.objects.filter(pk=item.pk).update(status="failed"),
        lambda: BulkItem.objects.create(run=run, appointment=item.appointment),
        lambda: BulkRun.objects.filter(pk=run.pk).update(status="running"),
        lambda: BulkRun.objects.filter(pk=run.pk).update(handled=5),
        lambda: BulkRun.objects.filter(pk=run.pk).update(action="delete"),
    ]
    for write in wrong:
        with pytest.raises(Error), transaction.atomic():
            write()


@pytest.mark.django_db(transaction=True)
def test_two_workers_and_two_presses_at_once_do_each_row_once(admin: User) -> None:
    visits(6)
    together = Barrier(2)
    runs: list[int] = []

    def press_and_work() -> None:
        try:
            together.wait(20)
            run = begin(admin, expected=6)
            runs.append(run.pk)
            together.wait(20)
            bulk.carry_out(run.pk)
        finally:
            connection.close()

    threads = [Thread(target=press_and_work) for _two in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(runs) == 2
    assert len(set(runs)) == 1
    run = BulkRun.objects.get()
    assert (run.status, run.handled) == ("finished", 6)
    assert Notification.objects.count() == 12
