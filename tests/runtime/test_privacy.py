"""No other local user can read the data folder or connect to the embedded database."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import psycopg

from tests.runtime.running import Running

NOBODY = 65534


def as_another_user(attempt: Callable[[], object]) -> str:
    """The name of the error that another user's attempt ends with; "" if it works. Only root can try it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        outcome = ""
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            attempt()
        except BaseException as error:
            outcome = f"{type(error).__name__}: {error}"
        os.write(writing, outcome.encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as told:
        return told.read()


def test_nothing_in_the_data_folder_has_a_bit_for_group_or_others(running: Running) -> None:
    open_to_others = [
        path
        for path in (running.data, *running.data.rglob("*"))
        if not path.is_symlink() and stat.S_IMODE(path.lstat().st_mode) & 0o077
    ]

    assert open_to_others == []


def test_another_user_can_neither_list_nor_read_nor_connect(running: Running) -> None:
    secrets = running.data / "secrets.json"
    if os.geteuid() != 0:
        # Who isn't root can't try as somebody else; the folder's mode is what keeps the others out.
        assert stat.S_IMODE(running.data.stat().st_mode) == 0o700
        return

    assert "PermissionError" in as_another_user(lambda: list(running.data.iterdir()))
    assert "PermissionError" in as_another_user(secrets.read_text)
    assert "ermission denied" in as_another_user(lambda: psycopg.connect(running.database_url))


def test_another_user_who_reaches_the_socket_is_still_refused_by_the_server(running: Running) -> None:
    socket = running.data / "socket"
    assert (running.data / "postgres" / "pg_hba.conf").read_text() == "local all all peer map=bedside\n"
    if os.geteuid() != 0:
        return
    url = running.database_url
    opened = [running.data, socket, socket / ".s.PGSQL.5432"]
    modes = [stat.S_IMODE(path.stat().st_mode) for path in opened]
    try:
        for path in opened:
            path.chmod(0o777)
        outcome = as_another_user(lambda: psycopg.connect(url))
    finally:
        for path, mode in zip(opened, modes, strict=True):
            path.chmod(mode)

    assert "Peer authentication failed" in outcome


def test_no_port_of_the_database_is_open(running: Running) -> None:
    listening = Path("/proc/net/tcp").read_text(encoding="ascii") + Path("/proc/net/tcp6").read_text(encoding="ascii")
    inodes = {line.split()[9] for line in listening.splitlines() if " 0A " in line}
    postgres = running.child("postgres")
    ours = {os.readlink(entry) for entry in Path(f"/proc/{postgres}/fd").iterdir()}  # noqa: PTH115

    assert not ours & {f"socket:[{inode}]" for inode in inodes}
