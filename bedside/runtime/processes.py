"""Starting and stopping child processes so that none of them outlives the one who started it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PR_SET_PDEATHSIG = 1
LARGEST_LOG_BYTES = 10_000_000
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(sent: signal.Signals) -> Callable[[], None]:
    """A ``preexec_fn``: the kernel sends the signal to the child when its parent dies, even by kill -9.

    The parent is the *thread* that starts the child, so children are started from the main thread only.
    """
    parent = os.getpid()

    def before_exec() -> None:
        bind_to_parent(parent, sent)

    return before_exec


def bind_to_parent(parent: int, sent: signal.Signals) -> None:
    """In the child: ask for the signal, and leave at once if the parent is gone already. Linux only; else nothing."""
    if _libc is None:
        return
    _libc.prctl(PR_SET_PDEATHSIG, int(sent), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def is_alive(pid: int) -> bool:
    """True for a process that exists and isn't just waiting to be reaped."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return is_linux() is False
    return state not in {"Z", "X"}


def is_linux() -> bool:
    return _libc is not None


def working_in(folder: Path) -> Iterator[int]:
    """Ids of the processes whose working folder is this one: every process of PostgreSQL works in its data folder."""
    try:
        wanted = folder.stat()
    except FileNotFoundError:
        return
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            place = (entry / "cwd").stat()
        except OSError:
            continue
        if (place.st_dev, place.st_ino) == (wanted.st_dev, wanted.st_ino) and is_alive(int(entry.name)):
            yield int(entry.name)


def fresh_log(data: Path, name: str) -> Path:
    """``data/log/NAME.log``, private; one that has grown large is put aside first."""
    folder = data / "log"
    folder.mkdir(mode=0o700, exist_ok=True)
    log = folder / f"{name}.log"
    if log.exists() and log.stat().st_size > LARGEST_LOG_BYTES:
        log.replace(folder / f"{name}.log.1")
    log.touch(mode=0o600)
    return log


def wait_until(condition: Callable[[], bool], seconds: float, step: float = 0.02) -> bool:
    """Look every ``step`` seconds; False when the condition still doesn't hold after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(step)
    return True


def stop_process(process: subprocess.Popen[bytes], sent: signal.Signals, seconds: float) -> None:
    """Ask politely, wait, then kill what is left of the process's group."""
    if process.poll() is None:
        process.send_signal(sent)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
