"""Migrations say all that the models say, in one chain per app."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader


@pytest.mark.django_db
def test_no_model_has_changed_without_a_migration() -> None:
    out = StringIO()
    try:
        call_command("makemigrations", "--check", "--dry-run", stdout=out)
    except SystemExit:
        pytest.fail(f"Models and migrations differ:\n{out.getvalue()}")


@pytest.mark.django_db
def test_each_app_has_one_newest_migration() -> None:
    loader = MigrationLoader(connection)
    assert loader.detect_conflicts() == {}
