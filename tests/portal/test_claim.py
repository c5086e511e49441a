"""Invitations: a link by email, good once, for seven days; and the account that comes of it."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import close_old_connections, connection
from django.test import Client

from bedside.accounts.models import Role, User
from bedside.clinic.models import Provider, ProviderInvitation
from bedside.core import faults
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.core.models import AuditEntry
from bedside.flows import invite
from bedside.notifications.transports.base import TransportError
from bedside.sandbox.models import Message
from tests.factories import make_practice, make_provider, make_user

pytestmark = pytest.mark.django_db
ADMIN = Actor("admin", 1, "Desk")
GOOD = "a long and private sentence"


@pytest.fixture
def newcomer(db: None) -> Provider:
    make_practice()
    return make_provider(name="Dr. Ada Newcomer", email="ada@example.com")


@pytest.fixture
def desk(db: None) -> Client:
    make_practice()
    client = Client()
    client.force_login(make_user("admin"))
    return client


def invited(provider: Provider, email: str = "ada@example.com") -> str:
    """Invite, let the letter go out, and take the link from it."""
    made = invite.invite(provider_id=provider.pk, email=email, actor=ADMIN)
    invite.send_invitation.plain(invitation_id=made.pk)
    return link_in(Message.objects.order_by("-pk").first())


def link_in(message: Any) -> str:
    found = re.search(r"(/accounts/claim/\S+)", message.body)
    assert found
    return found[1]


def choose(client: Client, link: str, password: str = GOOD, again: str | None = None) -> Any:
    return client.post(link, {"password": password, "again": password if again is None else again})


def test_from_the_invitation_to_the_portal(client: Client, desk: Client, newcomer: Provider) -> None:
    page = f"/desk/calendars/{newcomer.slug}/account"
    assert desk.post(page, {"do": "invite", "email": "ada@example.com"}).status_code == 303
    assert "Being sent" in desk.get(page).content.decode()
    invitation = ProviderInvitation.objects.get()
    invite.send_invitation.plain(invitation_id=invitation.pk)
    assert "Invited" in desk.get(page).content.decode()
    assert "Invited" in desk.get("/desk/calendars").content.decode()
    [letter] = Message.objects.all()
    assert (letter.to, letter.kind, letter.audience) == ("ada@example.com", "invitation", "provider")
    assert link_in(letter) in letter.html
    shown = client.get(link_in(letter)).content.decode()
    assert "Dr. Ada Newcomer" in shown
    assert "ada@example.com" in shown
    answer = choose(client, link_in(letter))
    assert (answer.status_code, answer["Location"]) == (303, "/portal/")
    assert client.get("/portal/").status_code == 200
    newcomer.refresh_from_db()
    assert newcomer.user is not None
    assert (newcomer.user.role, newcomer.user.email) == (Role.PROVIDER, "ada@example.com")
    assert newcomer.user.check_password(GOOD)
    assert "Claimed" in desk.get(page).content.decode()
    actions = AuditEntry.objects.filter(subject_kind="provider").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["provider.invited", "provider.claimed"]


def test_a_link_works_once(client: Client, newcomer: Provider) -> None:
    link = invited(newcomer)
    choose(client, link)
    assert Client().get(link).status_code == 409
    assert choose(Client(), link).status_code == 409
    assert User.objects.filter(role=Role.PROVIDER).count() == 1
    assert ProviderInvitation.objects.get().token == ""


def test_a_link_is_good_for_seven_days(client: Client, newcomer: Provider, clock: Any) -> None:
    link = invited(newcomer)
    clock.forward(timedelta(days=7) - timedelta(minutes=1))
    assert client.get(link).status_code == 200
    clock.forward(timedelta(minutes=2))
    assert client.get(link).status_code == 409
    assert choose(client, link).status_code == 409
    assert "Ask the practice for a new one" in client.get(link).content.decode()


def test_withdrawing_and_inviting_again_close_the_link_before(client: Client, desk: Client, newcomer: Provider) -> None:
    first = invited(newcomer)
    second = invited(newcomer, "ada.home@example.com")
    assert client.get(first).status_code == 409
    assert client.get(second).status_code == 200
    desk.post(f"/desk/calendars/{newcomer.slug}/account", {"do": "withdraw"})
    assert client.get(second).status_code == 409


@pytest.mark.parametrize("change", [lambda key: key[:-1] + ("A" if key[-1] != "A" else "B"), lambda key: "x" + key])
def test_a_forged_link_opens_nothing(client: Client, newcomer: Provider, change: Any) -> None:
    link = invited(newcomer)
    key = link.removeprefix("/accounts/claim/")
    assert client.get(f"/accounts/claim/{change(key)}").status_code == 404
    for odd in ("x", "a.b", "." * 40, "%00", "x" * 900):
        assert client.get(f"/accounts/claim/{odd}").status_code == 404


@pytest.mark.parametrize(
    ("password", "again", "says"),
    [
        ("short", None, "too short"),
        ("password1234", None, "too common"),
        (GOOD, "another long sentence", "differ"),
        ("", None, "Enter a password"),
    ],
)
def test_passwords_that_won_t_do(
    client: Client, newcomer: Provider, password: str, again: str | None, says: str
) -> None:
    answer = choose(client, invited(newcomer), password, again)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not User.objects.filter(role=Role.PROVIDER).exists()


@pytest.mark.parametrize("email", ["", "nobody", "a@b", "x" * 260 + "@example.com"])
def test_addresses_that_won_t_do(desk: Client, newcomer: Provider, email: str) -> None:
    answer = desk.post(f"/desk/calendars/{newcomer.slug}/account", {"do": "invite", "email": email})
    assert answer.status_code == 422
    assert "id_email-error" in answer.content.decode()
    assert not ProviderInvitation.objects.exists()


def test_an_address_that_signs_in_already_is_refused(desk: Client, newcomer: Provider) -> None:
    make_user("admin", email="boss@example.com")
    page = f"/desk/calendars/{newcomer.slug}/account"
    answer = desk.post(page, {"do": "invite", "email": "Boss@Example.com"})
    assert answer.status_code == 422
    assert "signs in with this address already" in answer.content.decode()


def test_an_address_that_was_taken_meanwhile(client: Client, newcomer: Provider) -> None:
    link = invited(newcomer)
    make_user("admin", email="ada@example.com")
    assert choose(client, link).status_code == 409
    newcomer.refresh_from_db()
    assert newcomer.user is None


def test_taking_the_access_back_signs_out_at_once(desk: Client, newcomer: Provider) -> None:
    theirs = Client()
    choose(theirs, invited(newcomer))
    page = f"/desk/calendars/{newcomer.slug}/account"
    assert desk.post(page, {"do": "revoke-access"}).status_code == 303
    assert theirs.get("/portal/").status_code == 302
    newcomer.refresh_from_db()
    assert newcomer.user is None
    assert not User.objects.get(role=Role.PROVIDER).is_active
    again = Client()
    assert choose(again, invited(newcomer)).status_code == 303
    assert again.get("/portal/").status_code == 200


def test_only_the_practice_invites(newcomer: Provider) -> None:
    someone = Actor("provider", make_user("provider").pk)
    for deed in (
        lambda: invite.invite(provider_id=newcomer.pk, email="a@example.com", actor=someone),
        lambda: invite.withdraw(provider_id=newcomer.pk, actor=someone),
        lambda: invite.revoke_access(provider_id=newcomer.pk, actor=someone),
    ):
        with pytest.raises(PermissionRefused):
            deed()


def test_the_letter_goes_out_once_and_a_refusal_is_told(desk: Client, newcomer: Provider) -> None:
    made = invite.invite(provider_id=newcomer.pk, email="ada@example.com", actor=ADMIN)
    invite.send_invitation.plain(invitation_id=made.pk)
    invite.send_invitation.plain(invitation_id=made.pk)
    assert Message.objects.count() == 1
    faults.arm("email-busy")
    made = invite.invite(provider_id=newcomer.pk, email="ada2@example.com", actor=ADMIN)
    with pytest.raises(TransportError):
        invite.send_invitation.plain(invitation_id=made.pk)
    faults.arm("email-bounces")
    invite.send_invitation.plain(invitation_id=made.pk)
    made.refresh_from_db()
    assert (made.sent_at, bool(made.error)) == (None, True)
    page = desk.get(f"/desk/calendars/{newcomer.slug}/account").content.decode()
    assert "Not sent" in page


def test_address_and_key_are_sealed_and_no_job_carries_them(newcomer: Provider) -> None:
    made = invite.invite(provider_id=newcomer.pk, email="ada@example.com", actor=ADMIN)
    with connection.cursor() as cursor:
        cursor.execute("SELECT email, token FROM clinic_providerinvitation")
        email, token = (bytes(value) for value in cursor.fetchone())
        cursor.execute("SELECT args::text FROM procrastinate_jobs WHERE task_name = 'flows.send_invitation'")
        [(arguments,)] = cursor.fetchall()
    assert b"ada" not in email
    assert made.token.encode() not in token
    assert arguments == f'{{"invitation_id": {made.pk}}}'


def test_buttons_nobody_knows(desk: Client, newcomer: Provider) -> None:
    assert desk.post(f"/desk/calendars/{newcomer.slug}/account", {"do": "x"}).status_code == 400
    assert desk.get("/desk/calendars/nobody/account").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_of_two_who_claim_at_once_one_wins() -> None:
    make_practice()
    provider = make_provider()
    made = invite.invite(provider_id=provider.pk, email="ada@example.com", actor=ADMIN)
    signed = invite.signed_key(made)
    outcomes: list[str] = []
    gate = threading.Barrier(4)

    def claim() -> None:
        try:
            gate.wait()
            invite.claim(signed=signed, password=GOOD)
            outcomes.append("claimed")
        except invite.InvitationOver:
            outcomes.append("over")
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["claimed", "over", "over", "over"]
    assert User.objects.count() == 1
