"""An amount as a person types it, in one currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bedside.core.money import Money, UnreadableMoney, parse_money


class MoneyField(forms.CharField):
    """Cleans to `Money` of ``currency``, which the form sets. Signs of other currencies are refused."""

    def __init__(self, *, label: Any = "", currency: str = "USD", required: bool = True, help_text: Any = "") -> None:
        self.currency = currency
        super().__init__(
            label=label,
            required=required,
            help_text=help_text,
            max_length=20,
            widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            error_messages={"required": gettext_lazy("Enter an amount, for example 85.00.")},
        )

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            return parse_money(text, self.currency)
        except UnreadableMoney as error:
            said = {
                "amount": _("Enter an amount, for example 85.00."),
                "currency": _("Use %(currency)s: that is what was paid.") % {"currency": self.currency},
                "precision": _("Use at most %(digits)d digits after the point.")
                % {"digits": get_currency_precision(self.currency)},
            }
            raise forms.ValidationError(said[error.code]) from error


def amount_typed(money: Money) -> str:
    """The amount as one would type it: "85.00"."""
    precision = get_currency_precision(money.currency)
    return str(Decimal(money.minor_units).scaleb(-precision))


def typed_money(text: str, currency: str) -> Money | None:
    """The amount in it, or None where there is none to be read."""
    try:
        return parse_money(text[:20], currency)
    except UnreadableMoney:
        return None
