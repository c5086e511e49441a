"""A number for what a form was opened with: another number when it is sent means that somebody saved meanwhile."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def fingerprint(values: Mapping[str, Any]) -> int:
    """Of saved values by name, 31 bits; the same values give the same number in every process."""
    written = json.dumps(values, sort_keys=True, default=str)
    return int.from_bytes(hashlib.sha256(written.encode()).digest()[:4], "big") & 0x7FFFFFFF
