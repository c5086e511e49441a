"""Has this database been prepared by this very code? Asked without Django, so that a second start is quick."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import psycopg

from bedside.runtime.place import CHECKOUT

TABLE = "bedside_prepared"
STATIC_MARK = ".made-from"


@cache
def fingerprint() -> str:
    """Changes with every file of the package and with every locked requirement."""
    digest = hashlib.sha256()
    for path in sorted((CHECKOUT / "bedside").rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            found = path.stat()
            digest.update(f"{path.relative_to(CHECKOUT)} {found.st_size} {found.st_mtime_ns}\n".encode())
    lock = CHECKOUT / "requirements" / "base.txt"
    digest.update(lock.read_bytes() if lock.exists() else b"")
    return digest.hexdigest()


def is_prepared(url: str, *, empty: bool) -> bool:
    """True when migrations and (unless ``empty``) somebody's practice are in place."""
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            row = connection.execute(f"SELECT fingerprint FROM {TABLE}").fetchone()  # noqa: S608  # our own constant
            inhabited = connection.execute(
                "SELECT EXISTS (SELECT 1 FROM clinic_practice) OR EXISTS (SELECT 1 FROM accounts_user)"
            ).fetchone()
    except psycopg.Error:
        return False
    return row is not None and row[0] == fingerprint() and (empty or inhabited == (True,))


def remember_prepared(url: str) -> None:
    """Kept in the database itself: a restored backup brings the state that belongs to it."""
    with psycopg.connect(url) as connection:
        connection.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} (fingerprint text NOT NULL)")
        connection.execute(f"DELETE FROM {TABLE}")  # noqa: S608
        connection.execute(f"INSERT INTO {TABLE} VALUES (%s)", [fingerprint()])  # noqa: S608


def static_is_made(data: Path) -> bool:
    mark = data / "static" / STATIC_MARK
    return mark.exists() and mark.read_text(encoding="utf-8") == fingerprint()


def remember_static(data: Path) -> None:
    (data / "static" / STATIC_MARK).write_text(fingerprint(), encoding="utf-8")
