"""Under which operating system user PostgreSQL runs: it refuses to run as root, and peers are told by name."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from bedside.runtime.errors import CannotStart

SYSTEM_USER = "bedside-postgres"
TRAVERSE = stat.S_IXGRP | stat.S_IXOTH


@dataclass(frozen=True)
class ServerUser:
    """How to start PostgreSQL's programs, and which callers its peer authentication may let in."""

    peers: tuple[str, ...]
    """Names of the allowed callers, as the server sees them."""
    prefix: tuple[str, ...] = ()
    """What goes before the command."""
    popen: dict[str, Any] = field(default_factory=dict)
    """Further arguments of subprocess.Popen."""
    owner: tuple[int, int] | None = None
    """User and group id that must own the data; None: they are ours."""
    notice: str = ""

    def give(self, folder: Path) -> None:
        """Let the server's user own this folder, and reach it."""
        if self.owner is not None:
            os.chown(folder, *self.owner)
            self.make_reachable(folder)

    def take_over(self, folder: Path) -> None:
        """A cluster that was run another way before (a namespace then, a system user now) gets its new owner."""
        owner = self.owner or (os.geteuid(), os.getegid())
        if os.geteuid() == 0 and folder.stat().st_uid != owner[0]:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, *owner, follow_symlinks=False)

    def make_reachable(self, path: Path) -> None:
        """Folders above ``path`` get the right to be walked through (not to be listed or read) where it is missing."""
        if self.owner is None:
            return
        for folder in path.resolve().parents:
            mode = folder.stat().st_mode
            if not mode & stat.S_IXOTH:
                folder.chmod(stat.S_IMODE(mode) | TRAVERSE)


@cache
def server_user() -> ServerUser:
    """The present user; for root (or a user without a name) the same user under another name in a user namespace.

    In the namespace root's files stay root's own, and no folder has to be opened to anybody.
    """
    name = _name_of(os.geteuid())
    if name is not None and os.geteuid() != 0:
        return ServerUser(peers=(name,))
    mapped = _mapped_user()
    if mapped is not None:
        return mapped
    if os.geteuid() != 0:
        raise CannotStart("The present user has no entry in /etc/passwd, which PostgreSQL needs; run as a named user.")
    return _system_user()


def _name_of(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def _mapped_user() -> ServerUser | None:
    unshare = shutil.which("unshare")
    stand_in = next((entry for entry in pwd.getpwall() if 0 < entry.pw_uid < 65534), None)
    if unshare is None or stand_in is None:
        return None
    prefix = (unshare, "--user", f"--map-user={stand_in.pw_uid}", f"--map-group={stand_in.pw_gid}")
    tried = subprocess.run([*prefix, "true"], capture_output=True, check=False)
    return ServerUser(peers=(stand_in.pw_name,), prefix=prefix) if tried.returncode == 0 else None


def _system_user() -> ServerUser:
    """Where user namespaces are refused: a system user of its own. It owns the database's files, nobody else does."""
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        made = subprocess.run(
            ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
            capture_output=True,
            check=False,
        )
        if made.returncode != 0:
            raise CannotStart(
                "PostgreSQL doesn't run as root, and neither a user namespace nor a system user could be made; "
                "run Bedside as an ordinary user, or set DATABASE_URL."
            ) from None
        entry = pwd.getpwnam(SYSTEM_USER)
    return ServerUser(
        peers=(SYSTEM_USER, _name_of(0) or "root"),
        popen={"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []},
        owner=(entry.pw_uid, entry.pw_gid),
        notice=f"PostgreSQL runs as the system user {SYSTEM_USER}, because it doesn't run as root.",
    )
