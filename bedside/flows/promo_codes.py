"""Promo codes at the desk: made, changed, archived, brought back. Bookings keep the price they were made at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from bedside.clinic.errors import ChangedMeanwhile
from bedside.clinic.models import Service
from bedside.clinic.prices.errors import InvalidTerms, PromoRefused
from bedside.clinic.prices.events import PromoCodeUpdated
from bedside.clinic.prices.models import PromoCode
from bedside.core import audit, clock, flags
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.core.events import publish
from bedside.core.fingerprint import fingerprint
from bedside.core.money import Money
from bedside.flows import promo

LARGEST_LIMIT = 1_000_000
LARGEST_AMOUNT = 99_999_999


@dataclass(frozen=True)
class Terms:
    """What a code takes off (a percentage or an amount), and where, when and how often. None: no limit."""

    percent: Decimal | None = None
    amount: Money | None = None
    note: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    services: Sequence[Service] = ()
    limit_total: int | None = None
    limit_per_patient: int | None = None


def create(*, code: str, terms: Terms, actor: Actor) -> PromoCode:
    """Raises InvalidTerms (``code`` is a field of it too), PermissionRefused, FeatureOff."""
    _check_may(actor)
    errors = _wrong(terms)
    try:
        spelled = promo.spelled(code)
        if not spelled:
            raise PromoRefused
    except PromoRefused:
        errors["code"] = _("Use 2 to 32 letters, digits and dashes, for example WELCOME-10.")
    if errors:
        raise InvalidTerms(errors=errors)
    try:
        with transaction.atomic():
            made = PromoCode(code=spelled)
            _keep(made, terms)
            _record(actor, "promo_code.created", made, None)
    except IntegrityError as error:
        if not PromoCode.objects.filter(code=spelled).exists():
            raise
        taken = _("There is a code of this name already. Archived ones keep theirs.")
        raise InvalidTerms(errors={"code": taken}) from error
    return made


def version_of(row: PromoCode) -> int:
    """Of what is saved now; a form that was opened with another is stale."""
    return fingerprint(_said(row))


def change(*, promo_code_id: int, version: int, terms: Terms, actor: Actor) -> PromoCode:
    """New terms for bookings from now on. Raises InvalidTerms, ChangedMeanwhile, PermissionRefused, FeatureOff."""
    _check_may(actor)
    errors = _wrong(terms)
    if errors:
        raise InvalidTerms(errors=errors)
    with transaction.atomic():
        row = PromoCode.objects.select_for_update().get(pk=promo_code_id)
        before = _said(row)
        if fingerprint(before) != version:
            raise ChangedMeanwhile
        _keep(row, terms)
        if _said(row) != before:
            _record(actor, "promo_code.changed", row, before)
    return row


def set_archived(*, promo_code_id: int, archived: bool, actor: Actor) -> PromoCode:
    """An archived code is refused from now on; who holds a time with it keeps the price. Can be undone."""
    _check_may(actor)
    with transaction.atomic():
        row = PromoCode.objects.select_for_update().get(pk=promo_code_id)
        if row.archived != archived:
            before = _said(row)
            row.archived_at = clock.now() if archived else None
            row.save(update_fields=["archived_at"])
            _record(actor, "promo_code.archived" if archived else "promo_code.brought_back", row, before)
    return row


def _check_may(actor: Actor) -> None:
    if actor.kind not in {"admin", "system"}:
        raise PermissionRefused
    flags.require("promo-codes")


def _wrong(terms: Terms) -> dict[str, str]:
    errors: dict[str, str] = {}
    if (terms.percent is None) == (terms.amount is None):
        errors["percent"] = _("Enter either a percentage or an amount.")
    elif terms.percent is not None and not (0 < terms.percent <= 100 and _hundredths(terms.percent)):
        errors["percent"] = _("Use a percentage above 0, up to 100, with at most two digits after the point.")
    elif terms.amount is not None and not 0 < terms.amount.minor_units <= LARGEST_AMOUNT:
        errors["amount"] = _("Enter an amount above zero.")
    if terms.valid_from and terms.valid_until and terms.valid_until < terms.valid_from:
        errors["valid_until"] = _("The last day lies before the first.")
    for field in ("limit_total", "limit_per_patient"):
        limit, largest = getattr(terms, field), LARGEST_LIMIT if field == "limit_total" else 1000
        if limit is not None and not 1 <= limit <= largest:
            errors[field] = _("Use a number from 1 to %(largest)d, or leave it empty.") % {"largest": largest}
    return errors


def _hundredths(percent: Decimal) -> bool:
    return percent == percent.quantize(Decimal("0.01"))


def _keep(row: PromoCode, terms: Terms) -> None:
    row.note = terms.note.strip()[:160]
    row.percent = terms.percent
    row.amount_minor = terms.amount.minor_units if terms.amount else None
    row.currency = terms.amount.currency if terms.amount else ""
    row.valid_from, row.valid_until = terms.valid_from, terms.valid_until
    row.limit_total, row.limit_per_patient = terms.limit_total, terms.limit_per_patient
    row.save()
    row.services.set(terms.services)


def _said(row: PromoCode) -> dict[str, Any]:
    """Its terms, as the audit trail keeps them."""
    return {
        "code": row.code,
        "percent": f"{row.percent.normalize():f}" if row.percent is not None else None,
        "amount_minor": row.amount_minor,
        "currency": row.currency,
        "note": row.note,
        "valid_from": row.valid_from.isoformat() if row.valid_from else None,
        "valid_until": row.valid_until.isoformat() if row.valid_until else None,
        "services": sorted(row.services.values_list("slug", flat=True)),
        "limit_total": row.limit_total,
        "limit_per_patient": row.limit_per_patient,
        "archived": row.archived,
    }


def _record(actor: Actor, action: str, row: PromoCode, before: dict[str, Any] | None) -> None:
    audit.record(actor, action, row, before=before, after=_said(row))
    publish(PromoCodeUpdated(promo_code_id=row.pk))
