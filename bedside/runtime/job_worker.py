"""Runs the jobs that the pages asked for, and takes up those that a dead worker left half-done."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import structlog
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status

log = structlog.get_logger(__name__)

POLLING_SECONDS = 1.0
HEARTBEAT_SECONDS = 5.0
# Three heartbeats missed, and the jobs of that worker are taken up by another.
STALLED_SECONDS = 16.0
RESCUE_EVERY_SECONDS = 5.0


def work(*, grace_seconds: float, alone: bool) -> None:
    """Work until SIGTERM or SIGINT, then let running jobs end for at most ``grace_seconds``.

    ``alone``: no other worker shares the database, so what is marked as running at the start was left by a dead one.
    """
    asyncio.run(_work(grace_seconds, alone))


async def _work(grace_seconds: float, alone: bool) -> None:
    from django.conf import settings
    from procrastinate.contrib.django import app

    concurrency = settings.ENV.worker_concurrency
    # Jobs are synchronous: each takes a thread. The default pool has only a handful on a small machine.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(concurrency, thread_name_prefix="job"))
    connector: Any = app.connector
    worker_app = app.with_connector(connector.get_worker_connector())
    async with worker_app.open_async():
        if alone:
            await _rescue(worker_app.job_manager, 0)
        rescuer = asyncio.create_task(_keep_rescuing(worker_app.job_manager))
        try:
            await worker_app.run_worker_async(
                concurrency=concurrency,
                fetch_job_polling_interval=POLLING_SECONDS,
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=STALLED_SECONDS,
                shutdown_graceful_timeout=grace_seconds,
                delete_jobs="successful",
            )
        finally:
            rescuer.cancel()
            with suppress(asyncio.CancelledError):
                await rescuer


async def _keep_rescuing(manager: Any) -> None:
    while True:
        await asyncio.sleep(RESCUE_EVERY_SECONDS)
        try:
            await _rescue(manager, STALLED_SECONDS)
        except Exception:
            log.warning("stalled_jobs_not_rescued", exc_info=True)


async def _rescue(manager: Any, silent_seconds: float) -> None:
    """Queue the jobs again whose worker has been silent for so long. Jobs are made to run twice: see core.jobs."""
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=silent_seconds):
        log.warning("stalled_job_queued_again", job=job.task_name, job_id=job.id)
        try:
            await manager.retry_job(job)
        except UniqueViolation:
            # The same job has been asked for again meanwhile (it has a queueing lock): that one will do.
            await manager.finish_job_by_id_async(job_id=job.id, status=Status.FAILED, delete_job=True)
