"""The access token that every process shares: sealed in one row, asked for anew a minute before it ends."""

from __future__ import annotations

from datetime import timedelta

import httpx
from django.conf import settings
from django.db import connection, transaction

from bedside.core import clock
from bedside.video.models import VendorToken
from bedside.video.services.base import VideoError

TOKEN_URL = "https://zoom.us/oauth/token"  # noqa: S105  # an address
VENDOR = "zoom"
SPARE = timedelta(minutes=1)
LOCK = 0x700C


def access_token() -> str:
    """A token that is good for a minute at least. Many who need one at once ask Zoom once. Raises `VideoError`."""
    kept = _kept()
    if kept:
        return kept
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    try:
        return _kept() or _ask_for_one()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def forget_token() -> None:
    """Zoom refused it: the next call asks for another."""
    VendorToken.objects.filter(vendor=VENDOR).delete()


def _kept() -> str:
    found = VendorToken.objects.filter(vendor=VENDOR, expires_at__gt=clock.now() + SPARE).first()
    return found.token if found else ""


def _ask_for_one() -> str:
    environment = settings.ENV
    try:
        with httpx.Client(timeout=10) as client:
            answer = client.post(
                TOKEN_URL,
                data={"grant_type": "account_credentials", "account_id": environment.zoom_account_id},
                auth=(environment.zoom_client_id, environment.secret("zoom_client_secret")),
            )
    except httpx.HTTPError:
        raise VideoError("no-answer") from None
    if not answer.is_success:
        # Wrong credentials are ours to mend; the visits wait for it.
        raise VideoError(f"sign-in-{answer.status_code}")
    try:
        given = answer.json()
        token, lives = str(given["access_token"]), timedelta(seconds=int(given["expires_in"]))
    except (ValueError, KeyError, TypeError):
        raise VideoError("unreadable-answer") from None
    with transaction.atomic():
        VendorToken.objects.update_or_create(
            vendor=VENDOR, defaults={"token": token, "expires_at": clock.now() + lives}
        )
    return token
