"""Signing in: accounts are made by the practice, never by strangers; each role lands on its own page."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from bedside.accounts.models import Role, User
from bedside.flows import users


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        """By a job, as every other letter: the page answers as quickly for an address that nobody has."""
        users.forgot_password(user_id=user.pk)


@login_required
def where(request: HttpRequest) -> HttpResponse:
    """After signing in: the desk for admins, the portal for providers."""
    return redirect("/desk/" if request.user.role == Role.ADMIN else "/portal/")  # type: ignore[union-attr]
