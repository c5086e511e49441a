"""The price on the details page: its lines, and the promo code that may lower it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from bedside.clinic.models import Service
from bedside.clinic.prices.errors import PromoRefused
from bedside.core import clock, flags
from bedside.core.money import Money, format_money
from bedside.flows import credits, price, promo
from bedside.payments.errors import CreditUnusable
from bedside.web.booking.forms import DetailsForm


def tried(service: Service, form: DetailsForm, place: str) -> price.Price:
    """With the code that was typed, or without it where it isn't taken: then the field says why."""
    now = clock.now()
    typed = form["promo_code"].value() or ""
    if typed:
        try:
            return price.of(service, now=now, code=promo.spelled(typed), place=place, patient=form.details)
        except PromoRefused as error:
            if not form.has_error("promo_code"):
                form.add_error("promo_code", error.message)
    return price.of(service, now=now, place=place)


def paid_by_credit(form: DetailsForm, asked: price.Price) -> Money:
    """What the credit whose code was typed pays of it; where it can't be used the field says so, and not why."""
    nothing = Money(0, asked.currency)
    typed = str(form["credit_code"].value() or "").strip()
    if not typed or not flags.enabled("credits"):
        return nothing
    if form.details is None:
        if not form.has_error("credit_code"):
            form.add_error("credit_code", _("Fill in your name, email and mobile number first, then apply the code."))
        return nothing
    try:
        who = form.details
        credit = credits.find(typed, email=who.email, mobile=who.mobile, currency=asked.currency)
    except CreditUnusable as error:
        if not form.has_error("credit_code"):
            form.add_error("credit_code", error.message)
        return nothing
    return min(asked.total, credit.left)


def was_seen(request: HttpRequest, asked: price.Price) -> bool:
    """Nobody is led to pay another price than the page showed. A form without the price has seen the usual one."""
    seen = request.POST.get("total", "")
    return not seen or seen == str(asked.total.minor_units)


def shown(service: Service, form: DetailsForm, place: str) -> dict[str, Any]:
    """What ``booking/_price.html`` and the button draw."""
    asked = tried(service, form, place)
    credit = paid_by_credit(form, asked)
    has_tax = asked.tax is not None and bool(asked.tax_amount)
    return {
        "service": service,
        "price": format_money(asked.total - credit),
        "credit": format_money(-credit) if credit else "",
        "takes_credits": flags.enabled("credits"),
        "total_minor": asked.total.minor_units,
        "is_free": not asked.total - credit,
        "list_price": format_money(asked.list_price) if asked.discount or has_tax else "",
        "promo_code": asked.promo_code,
        "discount": format_money(-asked.discount) if asked.promo_code else "",
        "tax": asked.tax if has_tax else None,
        "tax_amount": format_money(asked.tax_amount),
        "takes_codes": flags.enabled("promo-codes"),
    }
