"""What keeps Bedside from starting."""

from __future__ import annotations


class CannotStart(Exception):
    """Bedside can't start here. Its message is one sentence that says what to do; the exit status is 2."""


class Interrupted(Exception):
    """Somebody asked Bedside to stop while it was still starting."""
