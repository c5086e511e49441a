"""What needs Django before the pages can be served: migrations, static files, the demo practice, the first admin.

``python -m bedside.runtime.prepare [--empty]`` prepares the database and prints the demo's sign-ins as JSON for the
supervisor; with ``--static`` it collects the static files instead, which takes as long and can be done beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command

from bedside.runtime import readiness


def migrate() -> None:
    """Bring the database up to date; PostgreSQL lets only one do it at a time."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('bedside migrations'))")
        try:
            call_command("migrate", interactive=False, verbosity=0)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('bedside migrations'))")


def collect_static() -> None:
    """Copy, hash and compress the static files into the data folder, when they have changed."""
    data = Path(os.environ["BEDSIDE_DATA"])
    if not readiness.static_is_made(data):
        call_command("collectstatic", interactive=False, verbosity=0)
        readiness.remember_static(data)


def load_demo() -> bool:
    """Fill the database with the demo practice, in one transaction, unless somebody lives in it already."""
    from django.db import transaction

    from bedside import demo
    from bedside.accounts.models import User
    from bedside.clinic.models import Practice

    if Practice.objects.exists() or User.objects.exists():
        return False
    with transaction.atomic():
        demo.load()
    return True


def make_admin(email: str) -> str:
    """The password of a new admin, to be told once. ``email`` of an existing user gets a new password and the role."""
    from bedside.accounts.models import Role, User

    password = secrets.token_urlsafe(12)
    user = User.objects.filter(email=email.lower()).first()
    if user is None:
        User.objects.create_user(email, password, role=Role.ADMIN)
    else:
        user.role, user.is_active = Role.ADMIN, True
        user.set_password(password)
        user.save()
    return password


def sign_ins() -> dict[str, Any]:
    """For the supervisor to print: the demo's accounts, and whether there is an admin at all."""
    from bedside import demo
    from bedside.accounts.models import Role, User

    accounts = [[account.role, account.email, account.password] for account in demo.accounts()]
    return {"accounts": accounts, "has_admin": User.objects.filter(role=Role.ADMIN, is_active=True).exists()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--empty", action="store_true")
    parser.add_argument("--static", action="store_true")
    options = parser.parse_args()
    django.setup()
    if options.static:
        collect_static()
    else:
        prepare_database(empty=options.empty)


def prepare_database(*, empty: bool) -> None:
    url = os.environ["DATABASE_URL"]
    if not readiness.is_prepared(url, empty=empty):
        migrate()
        if not empty:
            load_demo()
        readiness.remember_prepared(url)
    json.dump(sign_ins(), sys.stdout)


if __name__ == "__main__":
    main()
