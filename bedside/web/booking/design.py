"""The living page of the design system (sandbox only): every component, drawn with made-up values."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from bedside.clinic.models import Provider
from bedside.core import clock

TOKENS = [
    "page",
    "surface",
    "sunken",
    "hover",
    "line",
    "control-line",
    "ink",
    "ink-soft",
    "ink-faint",
    "accent",
    "accent-hover",
    "accent-soft",
    "good",
    "good-soft",
    "warn",
    "warn-soft",
    "bad",
    "bad-soft",
    "note",
    "note-soft",
]
STATUSES = [
    "pending_payment",
    "paid",
    "canceled",
    "rescheduled",
    "completed",
    "no_show",
    "expired",
    "failed",
    "refunded",
    "queued",
    "sent",
    "delivered",
]
PEOPLE = (("Dr. Elena Rivera", "MD, Family medicine", "one"), ("Dr. Marcus Chen", "MD, Internal medicine", ""))
PATIENTS = ("Robin Sample", "Ana Sample", "Tom Sample", "Mia Sample", "Leo Sample", "Ida Sample")


class SampleForm(forms.Form):
    """One of each control."""

    name = forms.CharField(label=_("Full name"))
    email = forms.EmailField(label=_("Email"), help_text=_("Where we send the link."))
    kind = forms.ChoiceField(label=_("Visit"), choices=[("a", _("Primary care")), ("b", _("Skin check"))])
    reason = forms.CharField(label=_("Reason"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    agree = forms.BooleanField(label=_("I agree to receive texts about this appointment."))


@require_safe
def design(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    context: dict[str, Any] = {
        "area": "design",
        "tokens": TOKENS,
        "statuses": STATUSES,
        "form": SampleForm({"name": "Robin Sample", "email": "robin@", "kind": "a"}),
        "providers": [_person(*person) for person in PEOPLE],
        "now": now,
        "later": now + timedelta(minutes=12),
        "entries": [
            {"title": _("Confirmation sent"), "line": _("Email"), "shape": "send"},
            {"title": _("Paid $85.00"), "line": _("Card"), "shape": "credit-card"},
        ],
        "rows": [
            {"code": f"row-{n}", "name": name, "visit": _("Primary care"), "at": now + timedelta(hours=n),
             "status": STATUSES[n], "minor": 8500 + 1000 * n}
            for n, name in enumerate(PATIENTS)
        ],
        "page": Paginator(range(312), 20).page(2),
    }  # fmt: skip
    return render(request, "sandbox/design.html", context)


def _person(name: str, title: str, picture: str) -> Provider:
    return Provider(name=name, title=title, avatar=f"bedside/avatars/{picture}.svg" if picture else "")
