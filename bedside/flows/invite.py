"""Invite a provider to the portal; claim the profile with the link; take invitation or access back."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, Signer
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from bedside.accounts.models import Role, User
from bedside.clinic.events import ProviderClaimed, ProviderInvited
from bedside.clinic.models import Provider, ProviderInvitation
from bedside.core import audit, clock, crypto, ids
from bedside.core.audit import Actor
from bedside.core.errors import BedsideError, NotFound, PermissionRefused
from bedside.core.events import publish
from bedside.core.jobs import PATIENT_RETRY, defer, task
from bedside.flows.details import check_email
from bedside.notifications import invitation as letter

GOOD_FOR = timedelta(days=7)
SALT = "bedside.invitation"


class CannotInvite(BedsideError):
    """``message`` says why; it belongs beside the address."""

    code = "cannot-invite"
    status = 422


class InvitationOver(BedsideError):
    code = "invitation-over"
    status = 409
    default_message = _("This invitation doesn't work any more. Ask the practice for a new one.")


class WeakPassword(BedsideError):
    """``message`` says what is missing."""

    code = "weak-password"
    status = 422


def invite(*, provider_id: int, email: str, actor: Actor) -> ProviderInvitation:
    """A link to ``email``, good once for seven days; one that was sent before stops working. Raises CannotInvite."""
    _only_the_practice(actor)
    try:
        email = check_email(email)
    except ValidationError as error:
        raise CannotInvite(error.messages[0]) from None
    with transaction.atomic():
        provider = Provider.objects.select_for_update().get(pk=provider_id)
        if provider.user_id is not None:
            raise CannotInvite(_("This provider has an account already."))
        if User.objects.filter(email__iexact=email).exists():
            raise CannotInvite(_("Somebody signs in with this address already. Use another one."))
        _close(provider, actor)
        made = ProviderInvitation.objects.create(
            provider=provider,
            email=email,
            token=ids.new_token(32),
            created_at=clock.now(),
            expires_at=clock.now() + GOOD_FOR,
        )
        audit.record(actor, "provider.invited", provider, after={"invitation_id": made.pk})
        publish(ProviderInvited(provider_id=provider.pk))
        defer(send_invitation, invitation_id=made.pk)
    return made


def withdraw(*, provider_id: int, actor: Actor) -> None:
    """The open invitation's link stops working. Without one nothing happens."""
    _only_the_practice(actor)
    with transaction.atomic():
        provider = Provider.objects.select_for_update().get(pk=provider_id)
        if _close(provider, actor):
            publish(ProviderInvited(provider_id=provider.pk))


def revoke_access(*, provider_id: int, actor: Actor) -> None:
    """The account is switched off and let go: whoever is signed in with it is out at the next click."""
    _only_the_practice(actor)
    with transaction.atomic():
        provider = Provider.objects.select_for_update().get(pk=provider_id)
        user = provider.user
        if user is None:
            return
        if user.role != Role.PROVIDER:
            raise PermissionRefused
        provider.user = None
        provider.save(update_fields=["user"])
        user.is_active = False
        # The address is free again, for a new invitation.
        user.email = f"closed-{user.pk}@invalid.example"
        user.set_unusable_password()
        user.save(update_fields=["is_active", "email", "password"])
        audit.record(actor, "provider.access_revoked", provider, before={"user_id": user.pk}, after={"user_id": None})
        publish(ProviderClaimed(provider_id=provider.pk))


def open_invitation(signed: str) -> ProviderInvitation:
    """The invitation that a link opens. Raises NotFound (forged or unknown), InvitationOver."""
    try:
        token = _signer().unsign(signed)
    except BadSignature:
        raise NotFound from None
    found = ProviderInvitation.objects.select_related("provider")
    invitation = found.filter(token_index=crypto.blind_index("invitation", token)).first()
    if invitation is None or not invitation.is_open or invitation.provider.user_id is not None:
        # Signed by us, so it was one: used, withdrawn or too old.
        raise InvitationOver
    return invitation


def claim(*, signed: str, password: str) -> User:
    """Make the account and link it. Raises NotFound, InvitationOver, WeakPassword. Of two at once one wins."""
    invitation = open_invitation(signed)
    with transaction.atomic():
        provider = Provider.objects.select_for_update().get(pk=invitation.provider_id)
        invitation = ProviderInvitation.objects.select_for_update().get(pk=invitation.pk)
        if not invitation.is_open or provider.user_id is not None:
            raise InvitationOver
        user = _new_user(invitation.email, provider.name, password)
        provider.user = user
        provider.save(update_fields=["user"])
        invitation.claimed_at, invitation.token = clock.now(), ""
        invitation.save(update_fields=["claimed_at", "token", "token_index"])
        audit.record(
            Actor("provider", user.pk, str(user)), "provider.claimed", provider, after={"invitation_id": invitation.pk}
        )
        publish(ProviderClaimed(provider_id=provider.pk))
    return user


def _new_user(email: str, name: str, password: str) -> User:
    try:
        validate_password(password, User(email=email, name=name))
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages)) from None
    try:
        with transaction.atomic():
            return User.objects.create_user(email, password, name=name, role=Role.PROVIDER)
    except IntegrityError:
        # Somebody took the address since the invitation went out.
        raise InvitationOver from None


def _close(provider: Provider, actor: Actor) -> bool:
    """Withdraw the provider's open invitation; False where there is none."""
    before = provider.invitations.filter(claimed_at=None, revoked_at=None).first()
    if before is None:
        return False
    before.revoked_at, before.token = clock.now(), ""
    before.save(update_fields=["revoked_at", "token", "token_index"])
    audit.record(actor, "provider.invitation_withdrawn", provider, after={"invitation_id": before.pk})
    return True


def signed_key(invitation: ProviderInvitation) -> str:
    """What the link ends with: the key, and our signature, so that made-up links are told without a look-up."""
    return _signer().sign(invitation.token)


def _signer() -> Signer:
    return Signer(sep=".", salt=SALT)


def _only_the_practice(actor: Actor) -> None:
    if actor.kind != "admin":
        raise PermissionRefused


@task(name="flows.send_invitation", retry=PATIENT_RETRY)
def send_invitation(invitation_id: int) -> None:
    """Hand the letter over, once. What the mail server refuses for good is kept as advice for the desk."""
    invitation = ProviderInvitation.objects.select_related("provider").filter(pk=invitation_id).first()
    if invitation is None or not invitation.is_open or invitation.sent_at is not None:
        return
    refused = letter.send(invitation, signed_key(invitation))
    with transaction.atomic():
        row = ProviderInvitation.objects.filter(pk=invitation.pk, sent_at=None)
        row.update(error=refused[:300]) if refused else row.update(sent_at=clock.now(), error="")
        publish(ProviderInvited(provider_id=invitation.provider_id))
