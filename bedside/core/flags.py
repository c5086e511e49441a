"""Feature flags (django-waffle): what a practice may switch on and off while Bedside runs.

Flows ask, so that a page that was left open can't do what has been switched off. Nothing is cached:
one indexed look-up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from django.utils.translation import gettext_lazy as _
from waffle.models import Flag as WaffleFlag

from bedside.core.errors import BedsideError
from bedside.core.events import DomainEvent

FlagName = Literal["partial-refunds", "credits", "promo-codes", "provider-availability"]


@dataclass(frozen=True)
class Feature:
    """A flag in words. ``off`` says what switching it off hides; ``default`` is a new practice's state."""

    title: Any
    what: Any
    off: Any
    default: bool


FLAGS: Mapping[FlagName, Feature] = {
    "partial-refunds": Feature(
        _("Partial refunds"),
        _("The desk may give back a part of a payment, several times, up to what was paid."),
        _("The desk can only refund in full. Partial refunds that were asked for before still go through."),
        default=True,
    ),
    "credits": Feature(
        _("Credits"),
        _("The desk may give a credit instead of a refund, and patients may spend theirs on a booking."),
        _("No credit can be given or spent. Credits that patients hold stay in the books and wait."),
        default=True,
    ),
    "promo-codes": Feature(
        _("Promo codes"),
        _("Patients may enter a code for a lower price while booking. Codes are kept under Catalogue."),
        _("The entry field goes away and codes are refused. Bookings made with a code keep their price."),
        default=True,
    ),
    "provider-availability": Feature(
        _("Providers edit their own hours"),
        _("Providers may change their working hours and time away in their portal."),
        _("Providers see their hours but only the desk can change them. What they changed so far stays."),
        default=False,
    ),
}


class FeatureOff(BedsideError):
    """Somebody tried what this practice has switched off."""

    code = "feature-off"
    status = 409
    default_message = _("This is switched off in this practice.")


@dataclass(frozen=True, kw_only=True)
class FeatureSwitched(DomainEvent):
    flag_id: int


def enabled(name: FlagName) -> bool:
    """Whether it is on, for everyone, at this moment. A flag without a row has its default."""
    row = WaffleFlag.objects.filter(name=name).values_list("everyone", flat=True).first()
    return FLAGS[name].default if row is None else bool(row)


def require(name: FlagName) -> None:
    """Raises FeatureOff where it is switched off."""
    if not enabled(name):
        raise FeatureOff(flag=name)


def known(name: str) -> FlagName | None:
    """The name as a flag's, or None: for what comes from outside."""
    return next((flag for flag in get_args(FlagName) if flag == name), None)
