"""The audit trail: actor, time, action, before and after, for every change and every look at a patient's record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import structlog

from bedside.core import clock, written
from bedside.core.models import AuditEntry

ActorKind = Literal["patient", "admin", "provider", "system"]


@dataclass(frozen=True)
class Actor:
    """Who does something. ``user_id`` is None for patients (who have no account) and for the system itself."""

    kind: ActorKind
    user_id: int | None = None
    label: str = ""

    @classmethod
    def system(cls) -> Actor:
        return cls("system", None, "Bedside")

    @classmethod
    def patient(cls) -> Actor:
        return cls("patient", None, "Patient")

    @property
    def is_staff(self) -> bool:
        return self.kind == "admin"


def record(
    actor: Actor,
    action: str,
    subject: Any,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
) -> AuditEntry:
    """Write one entry about a saved model instance, in the present transaction. Values must hold no contact details."""
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    entry = AuditEntry(
        at=clock.now(),
        actor_kind=actor.kind,
        actor_id=actor.user_id,
        action=action,
        subject_kind=subject._meta.model_name,
        subject_id=str(subject.pk),
        before=before,
        after=after,
        reason=reason,
        request_id=str(request_id)[:64],
    )
    return written.insert(entry)
