"""Makes and keeps ``.venv`` as the lock files say; for ./run and ./test, with nothing but Python's own library.

``python bootstrap.py base|dev``. Quick when nothing has changed; safe when two start at once; an installation that was
interrupted is made anew. Exit status 2 and one sentence when it can't be done.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / ".venv.lock"
STAMP = VENV / ".bedside-installed"
UNFINISHED = VENV / ".bedside-installing"
PYTHON = VENV / "bin" / "python"


def main(kind: str) -> None:
    if kind in installed():
        return
    try:
        with LOCK.open("w") as lock:
            # The kernel lets go of the lock when its holder dies: it never goes stale.
            fcntl.flock(lock, fcntl.LOCK_EX)
            if kind not in installed():
                install(kind, lock.fileno())
    except OSError as error:
        refuse(f"The environment {VENV} can't be made: {error.strerror}.")


def wanted(kind: str) -> str:
    """What the environment was made from: the lock file, its place, and the Python in it."""
    lock = (ROOT / "requirements" / f"{kind}.txt").read_bytes()
    return f"{kind} {hashlib.sha256(lock).hexdigest()} {sys.version_info.major}.{sys.version_info.minor} {ROOT}"


def installed() -> set[str]:
    """Kinds of requirements that are in place: dev contains base."""
    if not STAMP.exists() or UNFINISHED.exists() or not os.access(PYTHON, os.X_OK):
        return set()
    lines = STAMP.read_text(encoding="utf-8").splitlines()
    return {kind for kind in ("base", "dev") if wanted(kind) in lines}


def install(kind: str, held: int) -> None:
    if UNFINISHED.exists() or is_stale():
        shutil.rmtree(VENV, ignore_errors=True)
    uv = working_uv()
    print("Installing what Bedside needs into .venv; this happens once.", file=sys.stderr, flush=True)
    if not PYTHON.exists():
        make_environment(uv)
    UNFINISHED.touch()
    STAMP.unlink(missing_ok=True)
    lock = str(ROOT / "requirements" / f"{kind}.txt")
    if uv:
        command = [uv, "pip", "install", "--quiet", "--python", str(PYTHON)]
    else:
        # Compiling thousands of modules takes longer than all the rest; those that are used are compiled at first use.
        options = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-compile"]
        command = [str(PYTHON), "-m", "pip", "install", *options]
    # The lock is complete: nothing has to be resolved.
    command += ["--no-deps", "--require-hashes", "-r", lock]
    # The installer shares the lock: if we are killed, it goes on, and the next start waits for it.
    if subprocess.run(command, check=False, stdout=sys.stderr, pass_fds=[held]).returncode != 0:
        refuse("What Bedside needs couldn't be installed; check the connection to the package index and start again.")
    write_entry_points()
    lines = [wanted("base"), wanted("dev")] if kind == "dev" else [wanted("base")]
    STAMP.write_text("\n".join(lines) + "\n", encoding="utf-8")
    UNFINISHED.unlink()


def is_stale() -> bool:
    """A .venv whose Python is gone, or another one than ours, or that was made for another folder."""
    if not VENV.exists():
        return False
    asked = "import sys; print(sys.prefix, *sys.version_info[:2], sep='\\n')"
    try:
        told = subprocess.run([str(PYTHON), "-I", "-c", asked], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return True
    return told.split("\n")[:3] != [str(VENV), str(sys.version_info.major), str(sys.version_info.minor)]


def working_uv() -> str | None:
    """The path of uv, if there is one that runs (a version manager's shim may not)."""
    uv = shutil.which("uv")
    if uv and subprocess.run([uv, "--version"], capture_output=True, check=False).returncode == 0:
        return uv
    return None


def make_environment(uv: str | None) -> None:
    command = [sys.executable, "-m", "venv", str(VENV)]
    if uv:
        command = [uv, "venv", "--quiet", "--python", sys.executable, str(VENV)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        if "ensurepip" in done.stdout + done.stderr:
            refuse("This Python can't make environments; install its venv module (on Debian: python3-venv) or uv.")
        refuse(f"The environment {VENV} can't be made: {' '.join((done.stdout + done.stderr).split())[-300:]}")


def write_entry_points() -> None:
    """``.venv/bin/bedside``, and the checkout on the environment's path: no build step."""
    packages = subprocess.run(
        [str(PYTHON), "-I", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    Path(packages, "bedside-checkout.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    script = VENV / "bin" / "bedside"
    # Bytecode is wanted here, also where it is switched off elsewhere: without it each start takes seconds longer.
    start = f'PYTHONDONTWRITEBYTECODE= exec {shlex.quote(str(PYTHON))} -P -m bedside "$@"'
    script.write_text(f"#!/bin/sh\n{start}\n", encoding="utf-8")
    script.chmod(0o755)


def refuse(sentence: str) -> None:
    print(sentence, file=sys.stderr)
    raise SystemExit(2)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except KeyboardInterrupt:
        raise SystemExit(130) from None
