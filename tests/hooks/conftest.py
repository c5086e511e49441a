"""What tests of the webhooks share: the vendor's side of each signature, and the secrets in use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from bedside.core import clock


def secret(name: str) -> str:
    return str(settings.ENV.secret(name))


def present() -> int:
    return int(clock.now().timestamp())


@pytest.fixture
def post() -> Callable[..., Any]:
    """Posts exact bytes with headers, as a vendor does: no cookies, and no CSRF token."""

    def send(path: str, body: bytes, headers: dict[str, str], content_type: str = "application/json") -> Any:
        return Client(enforce_csrf_checks=True).generic("POST", path, body, content_type=content_type, headers=headers)

    return send
