"""Users and roles: invitations, roles, accounts switched off and on; never the last admin, never oneself."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.db import IntegrityError, close_old_connections, connection, transaction
from django.test import Client

from bedside.accounts.models import DeskInvitation, User
from bedside.clinic.models import ProviderInvitation
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.core.models import AuditEntry
from bedside.flows import users, users_invite
from bedside.sandbox.models import Message
from tests.conftest import TestClock
from tests.factories import make_practice, make_provider, make_user

pytestmark = pytest.mark.django_db
GOOD = "a long and private sentence"


@pytest.fixture
def other(admin: User) -> User:
    return make_user("admin", name="Kim Ito", email="kim@example.com")


def sent_link(pattern: str) -> str:
    found = re.search(pattern, Message.objects.latest("pk").body)
    assert found
    return found[0]


def deed(desk: Client, user: User, do: str, version: int | None = None) -> Any:
    user.refresh_from_db()
    return desk.post(f"/desk/users/{user.pk}", {"do": do, "version": version or user.version})


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    assert client.get("/desk/users").status_code == 200
    return client


def test_from_the_invitation_to_the_desk(desk: Client, client: Client) -> None:
    form = {"role": "admin", "name": "Lee  Park", "email": "Lee@Example.com"}
    assert desk.post("/desk/users/invite", form).status_code == 303
    page = unescape(desk.get("/desk/users").content.decode())
    assert "Lee Park" in page
    assert "Being sent" in page
    users_invite.send_desk_invitation.plain(invitation_id=DeskInvitation.objects.get().pk)
    link = sent_link(r"/accounts/join/\S+")
    assert "Lee Park" in client.get(link).content.decode()
    assert client.post(link, {"password": "short", "again": "short"}).status_code == 422
    response = client.post(link, {"password": GOOD, "again": GOOD})
    assert (response.status_code, response["Location"]) == (303, "/desk/")
    assert client.get("/desk/users").status_code == 200
    user = User.objects.get(email="lee@example.com")
    assert (user.name, user.role) == ("Lee Park", "admin")
    assert Client().get(link).status_code == 409
    told = str(list(AuditEntry.objects.values_list("before", "after")))
    assert "example.com" not in told.lower()
    assert AuditEntry.objects.filter(action="user.joined", actor_id=user.pk).exists()


def test_an_invitation_lasts_a_week_is_withdrawn_and_sent_anew(desk: Client, client: Client, clock: TestClock) -> None:
    def invite() -> tuple[DeskInvitation, str]:
        desk.post("/desk/users/invite", {"role": "admin", "name": "Lee", "email": "lee@example.com"})
        made = DeskInvitation.objects.latest("pk")
        return made, f"/accounts/join/{users_invite.signed_key(made)}"

    _, first = invite()
    made, second = invite()
    assert client.get(first).status_code == 409
    assert client.get(second).status_code == 200
    desk.post(f"/desk/users/invitations/{made.pk}/withdraw")
    assert client.get(second).status_code == 409
    made, third = invite()
    desk.post(f"/desk/users/invitations/{made.pk}/withdraw", {"again": "1"})
    assert client.get(third).status_code == 409
    fourth = f"/accounts/join/{users_invite.signed_key(DeskInvitation.objects.latest('pk'))}"
    clock.forward(timedelta(days=7))
    assert client.get(fourth).status_code == 409
    assert client.get("/accounts/join/made.up").status_code == 404
    assert User.objects.count() == 1


def test_a_provider_is_invited_to_the_portal(desk: Client) -> None:
    provider = make_provider(slug="rivera", name="Dr. Rivera")
    form = {"role": "provider", "provider": "rivera", "email": "rivera@example.com"}
    assert desk.post("/desk/users/invite", form).status_code == 303
    assert ProviderInvitation.objects.get().provider == provider
    assert not DeskInvitation.objects.exists()


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"role": "admin", "name": "Lee", "email": "lee"}, "email"),
        ({"role": "admin", "name": "Lee", "email": "KIM@example.com"}, "email"),
        ({"role": "admin", "name": "", "email": "lee@example.com"}, "name"),
        ({"role": "provider", "provider": "", "email": "lee@example.com"}, "provider"),
        ({"role": "provider", "provider": "nobody", "email": "lee@example.com"}, "provider"),
        ({"role": "owner", "name": "Lee", "email": "lee@example.com"}, "role"),
    ],
)
def test_a_bad_invitation_says_why(desk: Client, other: User, form: dict[str, str], field: str) -> None:
    response = desk.post("/desk/users/invite", form)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not DeskInvitation.objects.exists()


def test_name_and_role_are_changed_and_audited(desk: Client, other: User) -> None:
    provider = make_provider()
    provider.user = other
    provider.save()
    url = f"/desk/users/{other.pk}"
    assert desk.post(url, {"version": "1", "name": "Kim M. Ito", "role": "provider"}).status_code == 303
    other.refresh_from_db()
    assert (other.name, other.role, other.version) == ("Kim M. Ito", "provider", 2)
    entry = AuditEntry.objects.get(action="user.role_changed")
    assert (entry.before, entry.after) == (
        {"name": "Kim Ito", "role": "admin"},
        {"name": "Kim M. Ito", "role": "provider"},
    )
    assert desk.post(url, {"version": "2", "name": "Kim M. Ito", "role": "provider"}).status_code == 303
    other.refresh_from_db()
    assert other.version == 2


@pytest.mark.parametrize(("name", "role", "field"), [(" ", "admin", "name"), ("Kim", "provider", "role")])
def test_a_bad_change_says_why(desk: Client, other: User, name: str, role: str, field: str) -> None:
    response = desk.post(f"/desk/users/{other.pk}", {"version": "1", "name": name, "role": role})
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    other.refresh_from_db()
    assert (other.name, other.role) == ("Kim Ito", "admin")


def test_deactivated_is_out_for_good_even_after_coming_back(desk: Client, other: User) -> None:
    theirs = signed_in(other)
    assert deed(desk, other, "deactivate").status_code == 303
    assert theirs.get("/desk/users").status_code == 302
    assert "Kim Ito" in desk.get("/desk/users?show=archived").content.decode()
    assert deed(desk, other, "reactivate").status_code == 303
    assert theirs.get("/desk/users").status_code == 302
    signed_in(User.objects.get(pk=other.pk))
    assert list(AuditEntry.objects.filter(subject_kind="user").order_by("pk").values_list("action", flat=True)) == [
        "user.deactivated",
        "user.reactivated",
    ]


def test_signing_out_everywhere_ends_every_session(desk: Client, other: User) -> None:
    first, second = signed_in(other), signed_in(other)
    deed(desk, other, "sign-out")
    assert [one.get("/desk/users").status_code for one in (first, second)] == [302, 302]
    assert desk.get("/desk/users").status_code == 200


def test_a_lost_phone_is_forgotten(desk: Client, other: User) -> None:
    theirs = signed_in(other)
    Authenticator.objects.create(user=other, type="totp", data={"secret": "x"})
    Authenticator.objects.create(user=other, type="recovery_codes", data={"seed": "x", "used_mask": 0})
    assert "Reset the second step" in desk.get(f"/desk/users/{other.pk}").content.decode()
    deed(desk, other, "second-factor")
    assert not Authenticator.objects.exists()
    assert theirs.get("/desk/users").status_code == 302
    assert AuditEntry.objects.get(action="user.second_factor_reset").before == {
        "second_factor": ["recovery_codes", "totp"]
    }


def test_a_password_link_lets_choose_a_new_one(desk: Client, other: User, client: Client) -> None:
    deed(desk, other, "password")
    users.send_link.plain(user_id=other.pk, reference="password-link-1")
    users.send_link.plain(user_id=other.pk, reference="password-link-1")
    assert Message.objects.count() == 1
    link = sent_link(r"/accounts/password/reset/key/\S+")
    page = client.get(link, follow=True)
    assert page.status_code == 200
    answer = client.post(page.redirect_chain[-1][0], {"password1": GOOD, "password2": GOOD})
    assert answer.status_code == 302
    other.refresh_from_db()
    assert other.check_password(GOOD)


def test_who_forgot_the_password_asks_at_the_sign_in_page(other: User, client: Client) -> None:
    from procrastinate.contrib.django.models import ProcrastinateJob

    for email in ("kim@example.com", "nobody@example.com"):
        assert client.post("/accounts/password/reset/", {"email": email}).status_code == 302
    [job] = ProcrastinateJob.objects.filter(task_name="flows.send_password_link")
    assert job.args["user_id"] == other.pk


@pytest.mark.parametrize("do", ["deactivate", "second-factor"])
def test_nobody_does_it_to_themselves(desk: Client, admin: User, other: User, do: str) -> None:
    Authenticator.objects.create(user=admin, type="totp", data={"secret": "x"})
    assert deed(desk, admin, do).status_code == 303
    admin.refresh_from_db()
    assert admin.is_active
    assert Authenticator.objects.exists()
    response = desk.post(f"/desk/users/{admin.pk}", {"version": "1", "name": "Sam", "role": "provider"})
    assert list(response.context["form"].errors) == ["role"]


def test_the_database_keeps_the_last_admin(admin: User) -> None:
    for change in ({"is_active": False}, {"role": "provider"}):
        with pytest.raises(IntegrityError, match="last admin"), transaction.atomic():
            User.objects.filter(pk=admin.pk).update(**change)
    with pytest.raises(IntegrityError, match="last admin"), transaction.atomic():
        admin.delete()
    make_user("admin")
    User.objects.filter(pk=admin.pk).update(is_active=False)


def test_a_closed_account_stays_closed(desk: Client, other: User) -> None:
    other.email, other.is_active = "closed-1@invalid.example", False
    other.save()
    deed(desk, other, "reactivate")
    other.refresh_from_db()
    assert not other.is_active
    assert "closed for good" in desk.get(f"/desk/users/{other.pk}").content.decode()


def test_unknown_accounts_and_buttons(desk: Client, other: User) -> None:
    for pk in (987654321, 10**30):
        assert desk.get(f"/desk/users/{pk}").status_code == 404
        assert desk.post(f"/desk/users/invitations/{pk}/withdraw").status_code == 404
    assert deed(desk, other, "promote").status_code == 400


def test_an_old_button_is_told_apart(desk: Client, other: User) -> None:
    desk.post(f"/desk/users/{other.pk}", {"version": "1", "name": "Kim M. Ito", "role": "admin"})
    assert deed(desk, other, "deactivate", version=1).status_code == 409
    other.refresh_from_db()
    assert other.is_active


@pytest.mark.django_db(transaction=True)
def test_of_two_who_send_each_other_away_one_stays() -> None:
    make_practice()
    people = [make_user("admin"), make_user("admin")]
    results: list[str] = []
    barrier = threading.Barrier(2)

    def send_away(me: User, colleague: User) -> None:
        try:
            barrier.wait()
            users.deactivate(user_id=colleague.pk, version=1, actor=Actor("admin", me.pk, str(me)))
            results.append("done")
        except PermissionRefused:
            results.append("refused")
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=send_away, args=pair) for pair in (people, people[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["done", "refused"]
    assert User.objects.filter(is_active=True, role="admin").count() == 1
