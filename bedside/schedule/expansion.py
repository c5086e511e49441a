"""Reading a stranger's calendar file in a process of its own: what explodes there takes nothing down with it.

``python -m bedside.schedule.expansion`` reads a line of JSON (the question) and the file, limits its own time and
memory, and answers in JSON. It has none of our secrets in its environment.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import bedside
from bedside.schedule.busy import BadCalendar, Busy, Question, busy_times

SECONDS = 20
CPU_SECONDS = 10
MEMORY_BYTES = 768 * 1024 * 1024
HOME = Path(bedside.__file__).resolve().parent.parent


def expand(body: bytes, question: Question) -> Busy:
    """What `busy_times` says, or `BadCalendar`: also ``too-complex`` where it takes too much time or memory."""
    asked = json.dumps(asdict(question)).encode() + b"\n" + body
    try:
        done = subprocess.run(
            [sys.executable, "-m", "bedside.schedule.expansion"],
            input=asked,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            cwd=HOME,
            env={"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
            check=False,
        )
        answer: Any = json.loads(done.stdout) if done.returncode == 0 else {"error": "too-complex"}
    except (subprocess.TimeoutExpired, ValueError):
        raise BadCalendar("too-complex") from None
    if "error" in answer:
        raise BadCalendar(str(answer["error"]))
    return Busy([(start, end) for start, end in answer["spans"]], str(answer["note"]))


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    question, _, body = sys.stdin.buffer.read().partition(b"\n")
    try:
        answer = asdict(busy_times(body, Question(**json.loads(question))))
    except BadCalendar as error:
        answer = {"error": error.code}
    except RecursionError:
        answer = {"error": "malformed"}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
