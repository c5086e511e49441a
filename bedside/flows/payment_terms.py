"""How long an unpaid time is kept and a credit can be spent: the practice's own terms."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from django.db import transaction

from bedside.clinic.errors import ChangedMeanwhile
from bedside.clinic.models import Practice
from bedside.core import audit, remember
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.core.fingerprint import fingerprint


@dataclass(frozen=True)
class PaymentTerms:
    """Minutes that a patient's own booking is held, hours that a payment link is open, days that a credit lasts."""

    hold_minutes: int
    payment_link_hours: int
    credit_days: int

    @property
    def version(self) -> int:
        return fingerprint(asdict(self))

    @classmethod
    def of(cls, practice: Practice) -> PaymentTerms:
        return cls(practice.hold_minutes, practice.payment_link_hours, practice.credit_days)


def change(*, terms: PaymentTerms, version: int, actor: Actor) -> bool:
    """True if something changed. What was held or issued before keeps its own end.

    ``version``: that of the terms as the form was opened. Raises ChangedMeanwhile, PermissionRefused.
    """
    if not actor.is_staff:
        raise PermissionRefused
    with transaction.atomic():
        practice = Practice.objects.select_for_update().get(pk=1)
        before = PaymentTerms.of(practice)
        if before.version != version:
            remember.forget("practice")
            raise ChangedMeanwhile
        if before == terms:
            return False
        Practice.objects.filter(pk=1).update(**asdict(terms))
        changed = {name for name, value in asdict(terms).items() if asdict(before)[name] != value}
        audit.record(
            actor,
            "practice.payment_terms",
            practice,
            before={name: asdict(before)[name] for name in sorted(changed)},
            after={name: asdict(terms)[name] for name in sorted(changed)},
        )
    remember.forget("practice")
    return True
