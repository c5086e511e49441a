"""Invite a colleague to the desk: a link by email, good once, for a week; and the account that comes of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, Signer
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from bedside.accounts.events import DeskInvited
from bedside.accounts.locks import lock_admins
from bedside.accounts.models import DeskInvitation, Role, User
from bedside.clinic.errors import InvalidFacts
from bedside.core import audit, clock, crypto, ids
from bedside.core.audit import Actor
from bedside.core.errors import NotFound
from bedside.core.events import publish
from bedside.core.jobs import PATIENT_RETRY, defer, task
from bedside.flows.details import check_email
from bedside.flows.invite import InvitationOver, WeakPassword
from bedside.flows.users import MAX_NAME, permit
from bedside.notifications import account_letters

GOOD_FOR = timedelta(days=7)
SALT = "bedside.desk-invitation"


def invite(*, name: str, email: str, actor: Actor) -> DeskInvitation:
    """A link to ``email``; one that was sent there before stops working. Raises InvalidFacts, PermissionRefused."""
    name, errors = " ".join(name.split()), dict[str, Any]()
    try:
        email = check_email(email)
    except ValidationError as error:
        errors["email"] = error.messages[0]
    if not name or len(name) > MAX_NAME:
        errors["name"] = _("Give a name of at most %(max)d characters.") % {"max": MAX_NAME}
    with transaction.atomic():
        lock_admins()
        permit(actor)
        if "email" not in errors and User.objects.filter(email__iexact=email).exists():
            errors["email"] = _("Somebody signs in with this address already. Find the account in the list.")
        if errors:
            raise InvalidFacts(errors=errors)
        index = crypto.blind_index("email", email)
        for before in DeskInvitation.objects.filter(email_index=index, claimed_at=None, revoked_at=None):
            _close(before, actor)
        made = DeskInvitation.objects.create(
            name=name,
            email=email,
            token=ids.new_token(32),
            created_at=clock.now(),
            expires_at=clock.now() + GOOD_FOR,
        )
        audit.record(actor, "user.invited", made, after={"name": name, "role": Role.ADMIN.value})
        publish(DeskInvited(invitation_id=made.pk))
        defer(send_desk_invitation, invitation_id=made.pk)
    return made


def withdraw(*, invitation_id: int, actor: Actor) -> bool:
    """The link stops working. False where it was used or withdrawn already. Raises NotFound, PermissionRefused."""
    with transaction.atomic():
        lock_admins()
        permit(actor)
        invitation = DeskInvitation.objects.select_for_update().filter(pk=invitation_id).first()
        if invitation is None:
            raise NotFound
        if invitation.claimed_at or invitation.revoked_at:
            return False
        _close(invitation, actor)
    return True


def open_invitation(signed: str) -> DeskInvitation:
    """The invitation that a link opens. Raises NotFound (forged or unknown), InvitationOver."""
    try:
        token = _signer().unsign(signed)
    except BadSignature:
        raise NotFound from None
    invitation = DeskInvitation.objects.filter(token_index=crypto.blind_index("invitation", token)).first()
    if invitation is None or not invitation.is_open:
        raise InvitationOver
    return invitation


def join(*, signed: str, password: str) -> User:
    """Make the account. Raises NotFound, InvitationOver, WeakPassword. Of two at once one wins."""
    invitation = open_invitation(signed)
    with transaction.atomic():
        invitation = DeskInvitation.objects.select_for_update().get(pk=invitation.pk)
        if not invitation.is_open:
            raise InvitationOver
        user = _new_user(invitation, password)
        invitation.claimed_at, invitation.token = clock.now(), ""
        invitation.save(update_fields=["claimed_at", "token", "token_index"])
        audit.record(Actor("admin", user.pk, str(user)), "user.joined", user, after={"role": user.role})
        publish(DeskInvited(invitation_id=invitation.pk))
    return user


def _new_user(invitation: DeskInvitation, password: str) -> User:
    try:
        validate_password(password, User(email=invitation.email, name=invitation.name))
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages)) from None
    try:
        with transaction.atomic():
            return User.objects.create_user(invitation.email, password, name=invitation.name, role=Role.ADMIN)
    except IntegrityError:
        # Somebody took the address since the invitation went out.
        raise InvitationOver from None


def _close(invitation: DeskInvitation, actor: Actor) -> None:
    invitation.revoked_at, invitation.token = clock.now(), ""
    invitation.save(update_fields=["revoked_at", "token", "token_index"])
    audit.record(actor, "user.invitation_withdrawn", invitation)
    publish(DeskInvited(invitation_id=invitation.pk))


def signed_key(invitation: DeskInvitation) -> str:
    """What the link ends with: the key, and our signature, so that made-up links are told without a look-up."""
    return _signer().sign(invitation.token)


def _signer() -> Signer:
    return Signer(sep=".", salt=SALT)


@task(name="flows.send_desk_invitation", retry=PATIENT_RETRY)
def send_desk_invitation(invitation_id: int) -> None:
    """Hand the letter over, once. What the mail server refuses for good is kept as advice for the desk."""
    invitation = DeskInvitation.objects.filter(pk=invitation_id).first()
    if invitation is None or not invitation.is_open or invitation.sent_at is not None:
        return
    refused = account_letters.send_invitation(invitation, signed_key(invitation))
    with transaction.atomic():
        row = DeskInvitation.objects.filter(pk=invitation.pk, sent_at=None)
        row.update(error=refused[:300]) if refused else row.update(sent_at=clock.now(), error="")
        publish(DeskInvited(invitation_id=invitation.pk))
