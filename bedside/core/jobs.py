"""Jobs on PostgreSQL (procrastinate): deferred inside a transaction, they commit or vanish with it.

Arguments are ids, never contact details. A job may run twice (a worker died): each looks at the present state first.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import close_old_connections, connection, transaction
from procrastinate import RetryDecision, RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import Job
from procrastinate.tasks import Task

from bedside.core import clock, remember

log = structlog.get_logger(__name__)


class Patience(RetryStrategy):
    """A vendor that says when to come back is left alone until then: ``retry_after`` of the error, a timedelta."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        decision = super().get_retry_decision(exception=exception, job=job)
        asked = getattr(exception, "retry_after", None)
        if decision is None or decision.retry_at is None or not isinstance(asked, timedelta):
            return decision
        return RetryDecision(retry_at=max(decision.retry_at, clock.machine_time(clock.now() + asked)))


# Some minutes of trouble are ridden out, hours are not: what a job serves has its own deadline and its own alert.
PATIENT_RETRY = Patience(max_attempts=8, exponential_wait=3)


def task(*, name: str, retry: Any = None, **options: Any) -> Callable[[Callable[..., None]], Task[..., Any, Any]]:
    """Make a function a job. It gets the sandbox clock of the moment, and logs that carry its name and ids."""

    def make(function: Callable[..., None]) -> Task[..., Any, Any]:
        @app.task(name=name, retry=retry, **options)
        @functools.wraps(function)
        def run(**ids: Any) -> None:
            in_test_transaction = connection.in_atomic_block
            if not in_test_transaction:
                close_old_connections()
            clock.refresh()
            logged = structlog.contextvars.bound_contextvars(job=name, request_id=f"job:{name}", **ids)
            with logged, remember.while_it_lasts():
                try:
                    function(**ids)
                finally:
                    if not in_test_transaction:
                        close_old_connections()

        run.plain = function
        return run  # type: ignore[no-any-return]

    return make


def defer(
    job: Task[..., Any, Any],
    *,
    at: datetime | None = None,
    lock: str | None = None,
    once: str | None = None,
    **ids: Any,
) -> None:
    """Ask for a job, now or at an instant of our clock. ``lock``: one at a time; ``once``: not queued twice."""
    scheduled = None if at is None else clock.machine_time(at)
    configured = job.configure(schedule_at=scheduled, lock=lock, queueing_lock=once)
    if once is None:
        configured.defer(**ids)
        return
    try:
        # The savepoint keeps a refused duplicate from breaking the caller's transaction.
        with transaction.atomic():
            configured.defer(**ids)
    except AlreadyEnqueued:
        log.debug("job_already_queued", queueing_lock=once)
