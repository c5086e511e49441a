"""Tax rates at the desk: made, changed, archived. Bookings keep the tax they were made with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from psycopg.errors import ExclusionViolation

from bedside.clinic import places
from bedside.clinic.errors import ChangedMeanwhile
from bedside.clinic.prices.errors import InvalidTerms
from bedside.clinic.prices.events import TaxRateUpdated
from bedside.clinic.prices.models import TaxRate
from bedside.core import audit, clock
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.core.events import publish
from bedside.core.fingerprint import fingerprint


@dataclass(frozen=True)
class Terms:
    """``place``: US-NY, DE, or "" for everywhere that has no rate of its own. Days are the practice's."""

    name: str
    percent: Decimal
    inclusive: bool
    valid_from: date
    valid_until: date | None = None
    category: str = ""
    place: str = ""


def version_of(row: TaxRate) -> int:
    """Of what is saved now; a form that was opened with another is stale."""
    return fingerprint(_said(row))


def save(*, terms: Terms, actor: Actor, tax_rate_id: int | None = None, version: int = 0) -> TaxRate:
    """A new rate, or new terms of one, for bookings from now on.

    ``version``: the rate's as the form was opened. Raises InvalidTerms, ChangedMeanwhile, PermissionRefused.
    """
    _check_may(actor)
    errors = _wrong(terms)
    if errors:
        raise InvalidTerms(errors=errors)
    try:
        with transaction.atomic():
            row = TaxRate.objects.select_for_update().get(pk=tax_rate_id) if tax_rate_id else TaxRate()
            before = _said(row) if tax_rate_id else None
            if before is not None and fingerprint(before) != version:
                raise ChangedMeanwhile
            for field in ("name", "percent", "inclusive", "valid_from", "valid_until", "category", "place"):
                setattr(row, field, getattr(terms, field))
            row.save()
            if _said(row) != before:
                _record(actor, "tax_rate.changed" if tax_rate_id else "tax_rate.created", row, before)
    except IntegrityError as error:
        raise _overlap(error) from error
    return row


def set_archived(*, tax_rate_id: int, archived: bool, actor: Actor) -> TaxRate:
    """An archived rate is charged no more. Bringing one back may clash with its successor: InvalidTerms."""
    _check_may(actor)
    try:
        with transaction.atomic():
            row = TaxRate.objects.select_for_update().get(pk=tax_rate_id)
            if row.archived != archived:
                before = _said(row)
                row.archived_at = clock.now() if archived else None
                row.save(update_fields=["archived_at"])
                _record(actor, "tax_rate.archived" if archived else "tax_rate.brought_back", row, before)
    except IntegrityError as error:
        raise _overlap(error) from error
    return row


def _check_may(actor: Actor) -> None:
    if actor.kind not in {"admin", "system"}:
        raise PermissionRefused


def _wrong(terms: Terms) -> dict[str, str]:
    errors: dict[str, str] = {}
    if not terms.name.strip() or len(terms.name) > 40:
        errors["name"] = _("Name the tax as receipts should, in at most 40 characters.")
    fine = 0 <= terms.percent <= 100 and terms.percent == terms.percent.quantize(Decimal("0.0001"))
    if not fine:
        errors["percent"] = _("Use a percentage from 0 to 100 with at most four digits after the point.")
    if terms.place and not places.is_place(terms.place):
        errors["place"] = _("Use the code of a country or state, for example DE or US-NY, or leave it empty.")
    if terms.valid_until and terms.valid_until < terms.valid_from:
        errors["valid_until"] = _("The last day lies before the first.")
    return errors


def _overlap(error: IntegrityError) -> InvalidTerms | IntegrityError:
    if not isinstance(error.__cause__, ExclusionViolation):
        return error
    said = _("Another rate holds for this category and place on some of these days. End that one first.")
    return InvalidTerms(errors={"valid_from": said})


def _said(row: TaxRate) -> dict[str, Any]:
    return {
        "name": row.name,
        "category": row.category,
        "place": row.place,
        "percent": f"{row.percent.normalize():f}",
        "inclusive": row.inclusive,
        "valid_from": row.valid_from.isoformat(),
        "valid_until": row.valid_until.isoformat() if row.valid_until else None,
        "archived": row.archived,
    }


def _record(actor: Actor, action: str, row: TaxRate, before: dict[str, Any] | None) -> None:
    audit.record(actor, action, row, before=before, after=_said(row))
    publish(TaxRateUpdated(tax_rate_id=row.pk))
