"""What every page's template knows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from bedside.clinic.models import Practice
from bedside.core import remember

LIVE_SINCE = "where events stood before this page was drawn"


def house(request: HttpRequest) -> dict[str, Any]:
    """``practice``, ``sandbox``, ``live_since``. Lazily: an error page must not need the database."""
    from django.utils.functional import SimpleLazyObject

    return {
        "practice": SimpleLazyObject(Practice.current),
        "sandbox": settings.SANDBOX,
        "live_since": remember.recall(LIVE_SINCE, str),
    }
