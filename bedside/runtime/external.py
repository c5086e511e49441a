"""A PostgreSQL of the operator's own (``DATABASE_URL``): can Bedside use it?"""

from __future__ import annotations

import psycopg

from bedside.runtime.errors import CannotStart

OLDEST_VERSION = 150000
NEEDED_EXTENSION = "btree_gist"


def check_server(url: str) -> None:
    """Raises CannotStart with one sentence: unreachable, too old, or without the extension that guards bookings."""
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            version = connection.info.server_version
            available = connection.execute(
                "SELECT 1 FROM pg_available_extensions WHERE name = %s", [NEEDED_EXTENSION]
            ).fetchone()
    except (psycopg.OperationalError, psycopg.ProgrammingError) as error:
        reason = " ".join(str(error).split())
        raise CannotStart(f"The database at DATABASE_URL can't be reached: {reason}") from None
    problem = problem_with(version, has_extension=available is not None)
    if problem:
        raise CannotStart(problem)


def problem_with(version: int, *, has_extension: bool) -> str:
    """``version`` as the server tells it (150004 is 15.4); "" when all is well."""
    if version < OLDEST_VERSION:
        told = f"{version // 10000}.{version % 10000}"
        return f"The PostgreSQL at DATABASE_URL is {told}, and Bedside needs 15 or later."
    if not has_extension:
        return f"The PostgreSQL at DATABASE_URL lacks the extension {NEEDED_EXTENSION}; install its contrib package."
    return ""
