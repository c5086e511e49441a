"""The keys file: random, private, and never written over."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bedside.core.crypto import Keyring
from bedside.runtime.secrets import ensure_secrets


def test_it_is_made_once_with_everything_that_the_settings_read(tmp_path: Path) -> None:
    path = ensure_secrets(tmp_path)
    made = path.read_text()

    assert ensure_secrets(tmp_path).read_text() == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Keyring.from_secrets(json.loads(made)).primary == 1
    assert json.loads(made)["stripe_webhook_secret"].startswith("whsec_")
    assert [entry.name for entry in tmp_path.iterdir()] == ["secrets.json"]


def test_of_two_that_start_at_once_one_wins_and_both_use_its_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        seen = set(pool.map(lambda _: ensure_secrets(tmp_path).read_text(), range(16)))

    assert len(seen) == 1
