"""The worker: one process for the jobs that the pages asked for, and some that send messages.

They are forked from this one, which has loaded everything and does nothing else: whichever dies is back in a moment,
and ten thousand messages to send keep no payment's job from its processor.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import django
import structlog

from bedside.runtime import processes

log = structlog.get_logger(__name__)

HEEDED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)
LOOK_EVERY_SECONDS = 1.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 15.0
# Whoever has lived this long starts again after the shortest pause.
STEADY_SECONDS = 10.0


def work(*, grace_seconds: float, alone: bool) -> None:
    """Work until SIGTERM or SIGINT, then let running jobs and calls end for at most ``grace_seconds``.

    ``alone``: no other worker shares the database, so what is marked as running at the start was left by a dead one.
    """
    django.setup()
    from django.conf import settings

    from bedside.runtime import job_worker

    hands = [Hand("jobs", lambda: job_worker.work(grace_seconds=grace_seconds, alone=alone))]
    hands += [Hand(f"sender {n + 1}", lambda: _deliver(grace_seconds)) for n in range(settings.ENV.senders)]
    signal.pthread_sigmask(signal.SIG_BLOCK, HEEDED)
    while True:
        for hand in hands:
            hand.tend()
        told = signal.sigtimedwait(HEEDED, LOOK_EVERY_SECONDS if all(hand.pid for hand in hands) else 0.05)
        if told is not None and told.si_signo != signal.SIGCHLD:
            break
    _stop(hands, grace_seconds)


@dataclass
class Hand:
    """One process of the worker: started, and started again when it has died."""

    name: str
    main: Callable[[], None]
    pid: int = 0
    deaths: int = 0
    started: float = 0.0
    not_before: float = 0.0

    def tend(self) -> None:
        if self.pid and self.has_ended():
            self.deaths = 1 if time.monotonic() - self.started > STEADY_SECONDS else self.deaths + 1
            pause = min(FIRST_PAUSE_SECONDS * 2 ** (self.deaths - 1), LONGEST_PAUSE_SECONDS)
            self.not_before = time.monotonic() + pause
        if not self.pid and time.monotonic() >= self.not_before:
            self.start()

    def has_ended(self) -> bool:
        """Reaps it, where it has."""
        found, status = os.waitpid(self.pid, os.WNOHANG)
        if not found:
            return False
        log.warning("worker_process_ended", process=self.name, status=os.waitstatus_to_exitcode(status))
        self.pid = 0
        return True

    def start(self) -> None:
        parent = os.getpid()
        self.pid, self.started = os.fork(), time.monotonic()
        if self.pid:
            return
        status = 1
        try:
            processes.bind_to_parent(parent, signal.SIGKILL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HEEDED)
            self.main()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            # Threads in the middle of a vendor's call are not waited for: the vendor is asked about it later.
            os._exit(status)


def _deliver(grace_seconds: float) -> None:
    import threading

    from bedside.notifications.postman import deliver

    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    deliver(stopping, grace_seconds)


def _stop(hands: list[Hand], grace_seconds: float) -> None:
    """Ask all at once, wait, and kill what is left."""
    for hand in hands:
        if hand.pid and not hand.has_ended():
            os.kill(hand.pid, signal.SIGTERM)
    until = time.monotonic() + grace_seconds + 1.0
    while (left := [hand for hand in hands if hand.pid and not hand.has_ended()]) and time.monotonic() < until:
        time.sleep(0.02)
    for hand in left:
        os.kill(hand.pid, signal.SIGKILL)
        os.waitpid(hand.pid, 0)
