"""The private keys file: made at random on the first start, never overwritten."""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Any


def ensure_secrets(data: Path) -> Path:
    """Path of ``data/secrets.json`` (mode 0600); made if missing. Whoever comes first wins when two start at once."""
    path = data / "secrets.json"
    if path.exists():
        return path
    handle, name = tempfile.mkstemp(prefix=".secrets-", dir=data)
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as output:
            json.dump(new_secrets(), output, indent=2)
            output.write("\n")
            output.flush()
            os.fsync(output.fileno())
        try:
            # A link, unlike a rename, never replaces keys that are already there.
            path.hardlink_to(draft)
        except FileExistsError:
            return path
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(data, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return path


def new_secrets() -> dict[str, Any]:
    """Fresh random keys, as bedside.config.env and core.crypto read them."""
    return {
        "django_secret_key": secrets.token_urlsafe(50),
        "encryption_keys": {"1": base64.b64encode(secrets.token_bytes(32)).decode()},
        "primary_key_id": 1,
        "blind_index_key": base64.b64encode(secrets.token_bytes(32)).decode(),
        "stripe_webhook_secret": f"whsec_{secrets.token_urlsafe(32)}",
        "zoom_webhook_secret": secrets.token_urlsafe(32),
        "twilio_auth_token": secrets.token_hex(16),
        "email_webhook_secret": secrets.token_urlsafe(32),
    }


if __name__ == "__main__":
    ensure_secrets(Path(sys.argv[1]))
