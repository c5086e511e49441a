"""What keeps the figures quick to read."""

from __future__ import annotations

from procrastinate.contrib.django import app

from bedside.core.jobs import task
from bedside.reports import takings


@app.periodic(cron="*/5 * * * *", periodic_id="fold_takings")
@task(name="reports.fold_takings", queueing_lock="reports.fold_takings")
def fold_takings(timestamp: int = 0) -> None:
    """Figures are right without it; it keeps them few."""
    takings.fold()
