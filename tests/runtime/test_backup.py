"""A backup holds the whole database; restoring it brings back that state and nothing of what came later."""

from __future__ import annotations

import stat
from collections.abc import Callable

from tests.runtime.running import Running, bedside


def test_a_backup_of_a_running_bedside_brings_back_what_was_there(copy: Callable[[str], Running]) -> None:
    running = copy("backed-up")
    file = running.data.with_name("backup.dump")
    kept = running.book()

    made = bedside("backup", file, "--data", running.data)
    later = running.book()
    refused = bedside("restore", file, "--data", running.data)
    running.stop()

    assert made.returncode == 0, made.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert refused.returncode == 2
    assert "stop it before restoring" in refused.stderr

    letter = running.data.with_name("letter.txt")
    letter.write_text("Dear practice,")
    for wrong, words in ((letter, "not a backup"), (letter.with_name("nowhere"), "no backup at")):
        refused = bedside("restore", wrong, "--data", running.data)
        assert refused.returncode == 2
        assert words in refused.stderr

    # Twice: a restored database can be backed up and restored like any other.
    for _ in range(2):
        restored = bedside("restore", file, "--data", running.data)
        assert restored.returncode == 0, restored.stderr
        assert bedside("backup", file, "--data", running.data).returncode == 0

    again = Running(running.data).start()
    try:
        assert again.answers(f"/api/v1/bookings/{kept}")
        assert not again.answers(f"/api/v1/bookings/{later}")
        assert "Preparing" not in again.output
    finally:
        again.stop()
