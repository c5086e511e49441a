"""kill -9, of whichever process: a booking that was answered is still there, and everything goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from bedside.runtime.processes import wait_until
from tests.runtime.running import Running, all_gone


@pytest.mark.parametrize("name", ["serve", "worker", "postgres"])
def test_a_killed_child_is_started_again_and_the_booking_is_still_there(running: Running, name: str) -> None:
    token = running.book()
    assert wait_until(lambda: running.child(name) > 0, 20.0)
    killed = running.child(name)

    os.kill(killed, signal.SIGKILL)

    assert wait_until(lambda: running.child(name) not in {0, killed}, 30.0), running.output
    assert wait_until(lambda: running.answers(f"/api/v1/bookings/{token}"), 30.0), running.output
    assert "starting it again" in running.output


def test_nothing_outlives_a_killed_supervisor_and_the_next_starts_have_the_booking(
    copy: Callable[[str], Running],
) -> None:
    first = copy("killed")
    token = first.book()
    everybody = first.everybody()
    assert len(everybody) > 5

    first.stop(signal.SIGKILL)

    assert all_gone(everybody, 10.0)
    second = Running(first.data).start()
    assert second.answers(f"/api/v1/bookings/{token}")

    # Once more, with everything killed in the same moment: nobody has the time to tidy up.
    for pid in second.everybody():
        os.kill(pid, signal.SIGKILL)

    third = Running(first.data).start()
    try:
        assert third.answers(f"/api/v1/bookings/{token}")
    finally:
        assert third.stop(signal.SIGTERM) == 0
