"""The table of moves: pure, and held by the database whoever writes."""

from __future__ import annotations

import itertools

import pytest
from django.db import IntegrityError, transaction

from bedside.appointments.models import Appointment
from bedside.appointments.states import MOVES, IllegalMove, Status, check_move
from bedside.core import clock
from tests.factories import make_appointment


@pytest.mark.parametrize(("before", "after"), list(itertools.permutations(Status, 2)))
def test_the_table_decides(before: Status, after: Status) -> None:
    if after in MOVES[before]:
        assert check_move(before, after) == after
    else:
        with pytest.raises(IllegalMove):
            check_move(before, after)


@pytest.mark.django_db
def test_the_database_refuses_what_the_table_does_not_allow() -> None:
    visit = make_appointment()
    now = {"canceled_at": clock.now(), "hold_expires_at": clock.now()}
    for before, after in itertools.permutations(Status, 2):
        visit = _again(visit, before)
        row = Appointment.objects.filter(pk=visit.pk)
        if after in MOVES[before]:
            assert row.update(status=after, **now) == 1
        else:
            with pytest.raises(IntegrityError, match="not an allowed move"), transaction.atomic():
                row.update(status=after, **now)


def _again(visit: Appointment, status: Status) -> Appointment:
    """The same visit, made anew in a state."""
    Appointment.objects.filter(pk=visit.pk).delete()
    return make_appointment(visit.service, status=status, hold_expires_at=clock.now(), canceled_at=clock.now())
