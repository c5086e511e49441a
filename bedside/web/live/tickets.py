"""A live ticket: a signed list of topics that a page may follow. Events hold no personal data, so this is enough."""

from __future__ import annotations

from collections.abc import Sequence

from django.core import signing

SALT = "bedside.live"
MAX_AGE_SECONDS = 12 * 3600


def ticket(*topics: str) -> str:
    """For a page that follows these topics, for example ``appointment:7`` or ``desk``."""
    return signing.dumps(list(topics), salt=SALT, compress=False)


def topics_of(text: str) -> Sequence[str]:
    """The topics, or an empty list where the ticket is forged or old."""
    try:
        topics = signing.loads(text, salt=SALT, max_age=MAX_AGE_SECONDS)
    except signing.BadSignature:
        return []
    return [str(topic) for topic in topics]
