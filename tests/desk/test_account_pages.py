"""Signing in: pages of the design system, no accounts for strangers, and a second factor."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.test import Client

from tests.factories import make_practice, make_provider, make_user

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _practice(db: None) -> None:
    make_practice()


def sign_in(client: Client, email: str, password: str = PASSWORD) -> str:
    return client.post("/accounts/login/", {"login": email, "password": password}, follow=True).content.decode()


@pytest.mark.parametrize("path", ["login/", "password/reset/", "password/reset/done/", "signup/"])
def test_pages_for_strangers_wear_the_design_system(path: str) -> None:
    page = Client().get(f"/accounts/{path}").content.decode()
    assert "account__card" in page
    assert "<script>" not in page


@pytest.mark.parametrize("path", ["logout/", "password/change/", "2fa/", "2fa/totp/activate/"])
def test_pages_for_members_wear_the_design_system(path: str) -> None:
    client = Client()
    sign_in(client, make_user("admin").email)
    page = client.get(f"/accounts/{path}", follow=True).content.decode()
    assert "account__card" in page


def test_each_role_lands_on_its_own_page() -> None:
    admin, doctor = make_user("admin"), make_user("provider")
    make_provider(user=doctor)
    assert "Today" in sign_in(Client(), admin.email)
    assert "My visits" in sign_in(Client(), doctor.email)


def test_a_wrong_password_is_said_without_telling_who_exists() -> None:
    known = sign_in(Client(), make_user("admin").email, "wrong")
    unknown = sign_in(Client(), "nobody@example.com", "wrong")
    assert "error-summary" in known
    assert "error-summary" in unknown


def test_strangers_can_not_make_accounts() -> None:
    page = Client().post("/accounts/signup/", {"email": "me@example.com", "password1": PASSWORD}).content.decode()
    assert "Accounts are made by the practice" in page


def test_a_second_factor_can_be_switched_on_and_is_asked_for() -> None:
    user = make_user("admin")
    client = Client()
    sign_in(client, user.email)
    activate = "/accounts/2fa/totp/activate/"
    asked = client.get(activate)
    page = client.post(asked["Location"], {"password": PASSWORD}, follow=True)
    assert "data:image/svg+xml" in page.content.decode()
    client.post(activate, {"code": present_code(page.context["form"].secret)})
    assert Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists()
    other = Client()
    assert "One more step" in sign_in(other, user.email)
    assert other.get("/desk/").status_code == 302


def present_code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
