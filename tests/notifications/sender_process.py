"""A sender in a process of its own, for tests that kill it: ``python -m tests.notifications.sender_process``.

``BEDSIDE_TEST_DIES`` names where it stops for good, to be killed there: "before" the vendor is called or "after" the
vendor has answered. It prints "here" then. A dead sender's messages are given back at once: the vendor's own delay is
the test's to make.
"""

from __future__ import annotations

import os
import sys
import threading
from datetime import timedelta
from typing import Any

import django


def stop_here(*_: Any, **__: Any) -> None:
    sys.stdout.write("here\n")
    sys.stdout.flush()
    threading.Event().wait()


def main() -> None:
    django.setup()
    from django.conf import settings

    from bedside.notifications import claims, postman, recording, sending

    settings.SANDBOX = False
    claims.SETTLED = timedelta(0)
    postman.GIVE_BACK_EVERY_SECONDS = 0.1
    if os.environ.get("BEDSIDE_TEST_DIES") == "before":
        sending.hand_over = stop_here  # type: ignore[assignment]
    if os.environ.get("BEDSIDE_TEST_DIES") == "after":
        recording.record = stop_here
    postman.deliver(threading.Event(), 1.0)


if __name__ == "__main__":
    main()
