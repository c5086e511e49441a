"""The base of every named error: a code for programs, a sentence for people, details for recovery."""

from __future__ import annotations

from typing import Any


class BedsideError(Exception):
    """Something a person can put right. ``code`` is stable; ``message`` may be shown; ``status`` is HTTP's."""

    code = "error"
    status = 400
    default_message: object = "Something went wrong. Please try again."

    def __init__(self, message: object | None = None, **details: Any) -> None:
        self._message = message
        self.details = details
        super().__init__(self.code)

    @property
    def message(self) -> str:
        return str(self._message if self._message is not None else self.default_message)

    def __str__(self) -> str:
        # Only the code: details may hold what logs must not carry.
        return self.code


class NotFound(BedsideError):
    code = "not-found"
    status = 404


class PermissionRefused(BedsideError):
    code = "permission-refused"
    status = 403
    default_message = "Your account may not do this."
