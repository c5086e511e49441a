"""Backup and restore: the whole database as one file of pg_dump's. The keys file is backed up apart from it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from bedside.runtime.cluster import binary
from bedside.runtime.database import database
from bedside.runtime.errors import CannotStart
from bedside.runtime.place import Place

EMPTY_SCHEMA = "DROP SCHEMA public CASCADE; CREATE SCHEMA public;"


def backup(place: Place, file: Path) -> None:
    """Write the database to ``file`` (mode 0600), also while Bedside runs. An unfinished one never bears the name."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    with database(place) as url:
        try:
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CannotStart(f"{file} can't be written ({(error.strerror or '').lower()}).") from None
        try:
            with os.fdopen(handle, "wb") as output:
                _call(["pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--dbname", url], stdout=output)
                os.fsync(output.fileno())
            draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)


def restore(place: Place, file: Path) -> None:
    """Replace the database by the one in ``file``, in one transaction: it works as a whole or changes nothing."""
    if not file.is_file():
        raise CannotStart(f"There is no backup at {file}.")
    if place.in_use:
        raise CannotStart(f"Bedside is running with the data folder {place.data}; stop it before restoring.")
    with database(place) as url:
        script = subprocess.Popen(
            [binary("pg_restore"), "--no-owner", "--no-privileges", "--file=-", str(file)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert script.stdout is not None
        # psql ends the transaction well only if pg_restore ended well: its script is read to the end first.
        sql, problems = script.communicate()
        if script.returncode != 0:
            raise CannotStart(f"{file} is not a backup that can be read: {_last_line(problems)}")
        _call(["psql", "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-c", EMPTY_SCHEMA, "-f", "-", url], given=sql)


def _call(command: list[str], given: bytes | None = None, stdout: object = subprocess.DEVNULL) -> None:
    done = subprocess.run(
        [binary(command[0]), *command[1:]],
        input=given,
        stdout=stdout,  # type: ignore[call-overload]
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode != 0:
        raise CannotStart(f"{command[0]} failed: {_last_line(done.stderr)}")


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
