"""Idempotency keys: a request that is sent again gets the first one's answer, and is not done twice.

The row's unique key decides who does the work; everybody else replays its answer or hears that it is under way.
Keys are kept as keyed hashes and answers sealed, since both may carry personal data.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from bedside.core import clock, crypto
from bedside.core.errors import BedsideError
from bedside.core.models import IdempotencyRecord

MAX_KEY = 255
KEPT_FOR = timedelta(hours=24)
# Longer than any request lives: whoever holds the key past this has died, and the next one may go on.
UNDER_WAY_AT_MOST = timedelta(minutes=2)


class BadKey(BedsideError):
    code = "idempotency-key-invalid"
    status = 400
    default_message = _("Use 1 to 255 printable ASCII characters as the Idempotency-Key, for example a UUID.")


class KeyReused(BedsideError):
    code = "idempotency-key-reused"
    status = 422
    default_message = _("This Idempotency-Key came with another request before. Use a new key for each new request.")


class KeyUnderWay(BedsideError):
    code = "idempotency-key-under-way"
    status = 409
    default_message = _("The first request with this Idempotency-Key is still under way. Ask again in a moment.")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer as it is kept: status, body as text, and the headers that belong to it."""

    status: int
    body: str
    headers: dict[str, str]

    @property
    def is_final(self) -> bool:
        """Trouble on our side and "too many requests" pass: asking again must be able to succeed."""
        return self.status < 500 and self.status != 429


def answer_once(*, scope: str, key: str, request: bytes, work: Callable[[], Answer]) -> tuple[Answer, bool]:
    """The answer to this request, and whether it is a replay. ``request``: the bytes that make two requests the same.

    Raises BadKey, KeyReused, KeyUnderWay. What ``work`` raises passes through, and frees the key.
    """
    if not 1 <= len(key) <= MAX_KEY or not all(" " <= character <= "~" for character in key):
        raise BadKey
    fingerprint = crypto.blind_index("idempotency-request", request.hex())
    record, is_ours = _claim(scope, crypto.blind_index("idempotency-key", key.encode().hex()).hex(), fingerprint)
    if not is_ours:
        return _replay(record, fingerprint), True
    try:
        answer = work()
    except BaseException:
        record.delete()
        raise
    if answer.is_final:
        record.status, record.response = answer.status, json.dumps(asdict(answer))
        record.save(update_fields=["status", "response"])
    else:
        record.delete()
    return answer, False


def _claim(scope: str, key: str, fingerprint: bytes) -> tuple[IdempotencyRecord, bool]:
    """The key's row, and whether it is ours to work under. Old rows, and those of the dead, are taken over."""
    now = clock.now()
    record, made = IdempotencyRecord.objects.get_or_create(
        scope=scope, key=key, defaults={"request_hash": fingerprint, "created_at": now}
    )
    if made or not _may_take_over(record, fingerprint):
        return record, made
    # Only one of those who see the same old row wins this update.
    taken = IdempotencyRecord.objects.filter(pk=record.pk, created_at=record.created_at).update(
        request_hash=fingerprint, created_at=now, status=None, response=None
    )
    record.refresh_from_db()
    return record, bool(taken)


def _may_take_over(record: IdempotencyRecord, fingerprint: bytes) -> bool:
    age = clock.now() - record.created_at
    if age > KEPT_FOR:
        return True
    return record.status is None and age > UNDER_WAY_AT_MOST and bytes(record.request_hash) == fingerprint


def _replay(record: IdempotencyRecord, fingerprint: bytes) -> Answer:
    if bytes(record.request_hash) != fingerprint:
        raise KeyReused
    if record.status is None or record.response is None:
        raise KeyUnderWay
    return Answer(**json.loads(record.response))


def forget_old() -> int:
    """Delete rows past their time; for the nightly job. Returns how many."""
    return IdempotencyRecord.objects.filter(created_at__lt=clock.now() - KEPT_FOR).delete()[0]
