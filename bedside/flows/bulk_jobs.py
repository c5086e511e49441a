"""What keeps bulk runs going when a job of theirs was lost."""

from __future__ import annotations

from procrastinate.contrib.django import app

from bedside.core.jobs import task
from bedside.flows import bulk


@app.periodic(cron="* * * * *", periodic_id="bulk")
@task(name="flows.sweep_bulk_runs", queueing_lock="flows.sweep_bulk_runs")
def sweep_bulk_runs(timestamp: int = 0) -> None:
    bulk.go_on_with_stuck()
