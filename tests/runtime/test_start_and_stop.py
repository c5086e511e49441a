"""The first start, the second, two at once, and the end."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from tests.runtime.conftest import FreshStart
from tests.runtime.running import Running, all_gone


def test_a_fresh_start_on_an_empty_folder_answers_and_says_where_to_sign_in(fresh: FreshStart) -> None:
    lines = fresh.output.splitlines()

    ready = lines.index("Bedside is ready at URL")
    assert lines[ready + 1] == "Sign in at URL/accounts/login/"
    assert lines[ready + 2].startswith("admin: ")
    assert lines[ready + 3].startswith("provider: ")
    assert "<html" in fresh.first_page


def test_ctrl_c_stops_everything_within_five_seconds_and_leaves_no_process(fresh: FreshStart) -> None:
    assert fresh.exit_status == 0
    assert fresh.stopping_seconds < 5.0
    assert fresh.all_processes_gone


def test_two_copies_run_side_by_side_and_a_lost_terminal_stops_one_of_them(
    running: Running, copy: Callable[[str], Running]
) -> None:
    other = copy("beside")
    token = other.book()
    assert other.answers(f"/api/v1/bookings/{token}")
    assert not running.answers(f"/api/v1/bookings/{token}")
    everybody = other.everybody()

    started = time.monotonic()
    assert other.stop(signal.SIGHUP) == 0

    assert time.monotonic() - started < 5.0
    assert all_gone(everybody, 1.0)
    assert running.answers()


def test_pages_name_static_files_by_their_content_and_serve_them_for_good(running: Running) -> None:
    import re
    import urllib.request

    path = re.search(r'href="(/static/[^"]+\.[0-9a-f]{12}\.css)"', running.get("/"))
    assert path is not None

    request = urllib.request.Request(running.url + path[1], headers={"accept-encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        assert "immutable" in answer.headers["cache-control"]
