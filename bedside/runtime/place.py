"""Where one Bedside keeps what is its own: the data folder, its lock, and the environment of its processes."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from pathlib import Path

from bedside.runtime.errors import CannotStart
from bedside.runtime.secrets import ensure_secrets

CHECKOUT = Path(__file__).resolve().parent.parent.parent
DEFAULT_DATA = CHECKOUT / "var"
LOCK = "run.lock"
# What a data folder of ours has; any other folder with files in it isn't taken over.
OURS = {LOCK, "secrets.json", "postgres", "postgres.unfinished", "log", "static"}


class Place:
    """A data folder: private to the present user, and one running Bedside at a time."""

    def __init__(self, data: Path | None = None) -> None:
        given = data or Path(os.environ.get("BEDSIDE_DATA") or DEFAULT_DATA)
        self.data = given.expanduser().absolute()
        self._lock: int | None = None

    def claim(self) -> None:
        """Make the folder private and hold it for this process. Raises CannotStart."""
        self._make_private()
        self._lock = os.open(self.data / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._lock, 20).decode(errors="replace").strip() or "unknown"
            os.close(self._lock)
            self._lock = None
            raise CannotStart(
                f"Bedside is already running with the data folder {self.data} (process {holder}); "
                "stop it first, or give another --data."
            ) from None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def in_use(self) -> bool:
        """Whether a running Bedside holds the folder."""
        try:
            handle = os.open(self.data / LOCK, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False

    def environment(self, database_url: str, public_url: str | None = None) -> dict[str, str]:
        """What the settings read; see bedside.config.env. Set by hand, the public address and the keys stay."""
        values = {
            "DJANGO_SETTINGS_MODULE": "bedside.config.settings",
            "DATABASE_URL": database_url,
            "BEDSIDE_DATA": str(self.data),
            "BEDSIDE_SECRETS": os.environ.get("BEDSIDE_SECRETS") or str(ensure_secrets(self.data)),
        }
        if public_url is not None:
            values["BEDSIDE_PUBLIC_URL"] = os.environ.get("BEDSIDE_PUBLIC_URL") or public_url
        return values

    def _make_private(self) -> None:
        try:
            self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
            present = {entry.name for entry in self.data.iterdir()}
        except (FileExistsError, NotADirectoryError):
            raise CannotStart(f"The data folder {self.data} is not a folder; give another --data.") from None
        except OSError as error:
            raise self._unwritable(error) from None
        if present and not present & OURS:
            raise CannotStart(f"The folder {self.data} holds other files; give --data a folder of its own.")
        try:
            mode = self.data.stat().st_mode
            if mode & 0o077 & ~self._needed_by_server():
                self.data.chmod(stat.S_IMODE(mode) & (0o700 | self._needed_by_server()))
            probe = self.data / f".probe-{os.getpid()}"
            probe.touch(mode=0o600)
            probe.unlink()
        except OSError as error:
            raise self._unwritable(error) from None

    def _needed_by_server(self) -> int:
        """Walking through the folder, where PostgreSQL has to run as another system user (see identity.py)."""
        cluster = self.data / "postgres"
        foreign = cluster.exists() and cluster.stat().st_uid != os.geteuid()
        return stat.S_IXGRP | stat.S_IXOTH if foreign else 0

    def _unwritable(self, error: OSError) -> CannotStart:
        reason = (error.strerror or "no access").lower()
        return CannotStart(f"The data folder {self.data} can't be written ({reason}); give another --data.")


def check_port(port: int) -> None:
    """Raises CannotStart unless this machine lets us listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise CannotStart(f"Port {port} is reserved for the system; choose another with --port.") from None
        except OSError:
            raise CannotStart(
                f"Port {port} is in use; stop what listens there or choose another with --port."
            ) from None
