"""Problem details (RFC 9457): every error of the API, in one shape."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """Ends a request with a problem. ``code`` becomes its type, a relative URI that stays the same."""

    def __init__(
        self, status: int, code: str, detail: str, *, headers: dict[str, str] | None = None, **members: Any
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.detail = status, code, detail
        self.headers = headers or {}
        self.members = members


class InvalidFields(Problem):
    """422 with ``errors``: {"patient.email": ["what to do"]}."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(422, "invalid-fields", _('Please correct the fields under "errors".'), errors=errors)


def respond(problem: Problem) -> HttpResponse:
    """The problem as an HTTP answer."""
    body = {
        "type": problem.code,
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        **problem.members,
    }
    response = HttpResponse(json.dumps(body), content_type=MEDIA_TYPE, status=problem.status)
    for name, value in problem.headers.items():
        response[name] = value
    return response
