"""Somebody of the practice asks to see a patient's contact details: it is written down who, whose, which and where."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Model

from bedside.core import audit
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused

PATIENT_FIELDS = ("email", "mobile", "answers")


def reveal(*, subject: Model, whose: str, what: Sequence[str], where: str, actor: Actor) -> None:
    """``subject``: the record it stands in; ``whose``: patient or provider; ``where``: the page. Never the values."""
    if not actor.is_staff:
        raise PermissionRefused
    audit.record(actor, "contact.revealed", subject, after={"whose": whose, "what": list(what), "where": where})
