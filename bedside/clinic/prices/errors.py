"""Why a promo code isn't taken, in a plain sentence."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from bedside.core.errors import BedsideError


class PromoRefused(BedsideError):
    """The code that was entered doesn't lower this price. ``message`` says why, for the field it was typed in."""

    code = "promo-code"
    status = 422
    default_message = _("We don't know that code. Check how it is spelled, or leave it out.")


class InvalidTerms(BedsideError):
    """A promo code or a tax rate that can't be kept so. ``errors`` is {field: message}."""

    code = "invalid-terms"
    status = 422
    default_message = _("Please check the marked fields.")

    @property
    def errors(self) -> dict[str, Any]:
        return dict(self.details.get("errors", {}))
