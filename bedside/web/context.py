"""What every page's template knows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from bedside.clinic.models import Practice


def house(request: HttpRequest) -> dict[str, Any]:
    """``practice`` and ``sandbox``. Lazily: an error page must not need the database."""
    from django.utils.functional import SimpleLazyObject

    return {"practice": SimpleLazyObject(Practice.current), "sandbox": settings.SANDBOX}
