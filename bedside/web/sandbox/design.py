"""The living page of the design system, drawn with the product's own templates."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from bedside.clinic.models import Provider
from bedside.core import clock
from bedside.web.templatetags.ui import STATUSES

SURFACES = ("page", "surface", "sunken", "hover", "line", "control-line", "ink", "ink-soft", "ink-faint")
MEANINGS = ("good", "good-soft", "warn", "warn-soft", "bad", "bad-soft", "note", "note-soft")
TOKENS = (*SURFACES, "accent", "accent-hover", "accent-soft", *MEANINGS)


class ExampleForm(forms.Form):
    """One field of each kind, one of them with an error."""

    name = forms.CharField(label="Name")
    email = forms.EmailField(label="Email", help_text="Your confirmation goes there.")
    zone = forms.ChoiceField(label="Time zone", choices=[("ET", "Eastern Time (New York)"), ("PT", "Pacific Time")])
    note = forms.CharField(label="Note", widget=forms.Textarea(attrs={"rows": 3}), required=False)
    agreed = forms.BooleanField(label="I agree to texts about my visit.")


@require_safe
def design(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    rows = [
        {"code": "BK7F3K9", "name": "Robin Sample", "visit": "First visit", "at": now, "status": "paid", "minor": 8500},
        {"code": "BK2M8PX", "name": "Sam Example", "visit": "Follow-up", "at": now + timedelta(hours=2),
         "status": "pending_payment", "minor": 6000},
    ]  # fmt: skip
    context = {
        "tokens": TOKENS,
        "statuses": list(STATUSES),
        "form": ExampleForm({"name": "Robin Sample", "email": "robin@", "zone": "ET", "agreed": "on"}),
        "providers": Provider.objects.filter(active=True)[:3],
        "now": now,
        "later": now + timedelta(minutes=12),
        "entries": [{"title": "Booked", "shape": "calendar-check"}, {"title": "Paid", "line": "$85.00", "when": now}],
        "rows": rows,
        "page": Paginator(range(312), 20).page(2),
    }
    return render(request, "sandbox/design.html", context)
