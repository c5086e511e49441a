"""``/accounts/claim/KEY`` and ``join/KEY``: who holds an invitation's link chooses a password, and has an account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.auth import login
from django.contrib.auth.password_validation import password_validators_help_texts
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from bedside.accounts.models import User
from bedside.clinic.models import Practice
from bedside.core import ratelimit
from bedside.core.errors import BedsideError, NotFound
from bedside.core.ratelimit import RateLimited
from bedside.flows import invite, users_invite

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def _password(label: object) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
    required = {"required": _("Enter a password.")}
    return forms.CharField(label=label, max_length=200, strip=False, widget=widget, error_messages=required)  # type: ignore[arg-type]


class ClaimForm(forms.Form):
    password = _password(_("Password"))
    again = _password(_("The same password again"))

    def clean(self) -> dict[str, object]:
        data = self.cleaned_data
        if data.get("password") and data.get("again") and data["password"] != data["again"]:
            self.add_error("again", _("The two passwords differ."))
        return data


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def claim(request: HttpRequest, key: str) -> HttpResponse:
    """The form; then signed in and at home in the portal."""
    return _opened(request, key, PORTAL)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def join(request: HttpRequest, key: str) -> HttpResponse:
    """The same for an invitation to the desk."""
    return _opened(request, key, DESK)


@dataclass(frozen=True)
class Door:
    """What an invitation opens: how it is found and used, where it leads, and how the page says it."""

    find: Callable[[str], Any]
    use: Callable[..., User]
    leads_to: str
    template: str


PORTAL = Door(invite.open_invitation, invite.claim, "portal:today", "accounts/claim.html")
DESK = Door(users_invite.open_invitation, users_invite.join, "desk:today", "accounts/join.html")


def _opened(request: HttpRequest, key: str, door: Door) -> HttpResponse:
    try:
        invitation = door.find(key)
        form = ClaimForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                user = door.use(signed=key, password=form.cleaned_data["password"])
            except invite.WeakPassword as error:
                form.add_error("password", error.message)
            else:
                login(request, user, backend=BACKEND)
                return HttpResponseRedirect(reverse(door.leads_to), status=303)
    except (NotFound, invite.InvitationOver) as error:
        return _refused(request, error)
    provider = getattr(invitation, "provider", None)
    context = {
        "invitation": invitation,
        "form": form,
        "rules": [str(text) for text in password_validators_help_texts()],
        "zone": provider.timezone if provider else Practice.current().timezone,
    }
    return _private(render(request, door.template, context, status=422 if form.errors else 200))


def _refused(request: HttpRequest, error: BedsideError) -> HttpResponse:
    """Used, withdrawn, too old or made up; guessing ends soon."""
    try:
        ratelimit.hit("token-miss", str(request.META.get("REMOTE_ADDR", "")))
    except RateLimited as limit:
        response = render(request, "errors/429.html", status=429)
        response["Retry-After"] = str(limit.retry_after)
        return response
    return _private(render(request, "accounts/claim_over.html", {"error": error}, status=error.status))


def _private(response: HttpResponse) -> HttpResponse:
    response["Referrer-Policy"] = "no-referrer"
    return response
