"""Who may sign in, and as what. Changed by admins only, one change at a time, never down to no admin at all.

Whoever acts is looked up again under the lock: of two admins who send each other away, the second is refused.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bedside.accounts.events import UserUpdated
from bedside.accounts.locks import lock_admins
from bedside.accounts.models import Role, User
from bedside.clinic.errors import ChangedMeanwhile, InvalidFacts
from bedside.core import audit, ids
from bedside.core.audit import Actor
from bedside.core.errors import BedsideError, NotFound, PermissionRefused
from bedside.core.events import publish
from bedside.core.jobs import PATIENT_RETRY, defer, task
from bedside.notifications import account_letters

MAX_NAME = 120


class CannotChangeAccount(BedsideError):
    """``message`` says why not, and what to do instead."""

    code = "cannot-change-account"
    status = 409
    default_message = gettext_lazy("This account can't be changed like that.")


def change_user(*, user_id: int, version: int, name: str, role: str, actor: Actor) -> bool:
    """Whether anything changed. Raises InvalidFacts, ChangedMeanwhile, NotFound, PermissionRefused."""
    name = " ".join(name.split())
    with transaction.atomic():
        user = _locked(user_id, version, actor)
        errors: dict[str, Any] = {}
        if not name or len(name) > MAX_NAME:
            errors["name"] = _("Give a name of at most %(max)d characters.") % {"max": MAX_NAME}
        if problem := _problem_with_role(user, role, actor):
            errors["role"] = problem
        if errors:
            raise InvalidFacts(errors=errors)
        before, after = {"name": user.name, "role": user.role}, {"name": name, "role": role}
        changed = {field for field in after if before[field] != after[field]}
        if not changed:
            return False
        user.name, user.role = name, role
        _saved(user, ["name", "role"])
        audit.record(
            actor,
            "user.role_changed" if "role" in changed else "user.changed",
            user,
            before={field: before[field] for field in sorted(changed)},
            after={field: after[field] for field in sorted(changed)},
        )
    return True


def deactivate(*, user_id: int, version: int, actor: Actor) -> bool:
    """Out at once, everywhere, until reactivated. False where it was so. Raises as `change_user`."""
    return _switch(user_id, version, actor, active=False)


def reactivate(*, user_id: int, version: int, actor: Actor) -> bool:
    """May sign in again, with the password of before. False where it was so."""
    return _switch(user_id, version, actor, active=True)


def sign_out_everywhere(*, user_id: int, version: int, actor: Actor) -> None:
    """Every session of the account ends. Allowed for one's own."""
    with transaction.atomic():
        user = _locked(user_id, version, actor)
        user.session_number += 1
        _saved(user, ["session_number"])
        audit.record(actor, "user.signed_out", user)


def reset_second_factor(*, user_id: int, version: int, actor: Actor) -> bool:
    """For a lost phone: codes and recovery codes stop counting, sessions end. False where there is none."""
    with transaction.atomic():
        user = _locked(user_id, version, actor)
        if user.pk == actor.user_id:
            raise CannotChangeAccount(_("Switch your own second factor off under account security."))
        kinds = sorted(Authenticator.objects.filter(user=user).values_list("type", flat=True))
        if not kinds:
            return False
        Authenticator.objects.filter(user=user).delete()
        user.session_number += 1
        _saved(user, ["session_number"])
        audit.record(actor, "user.second_factor_reset", user, before={"second_factor": kinds}, after={})
    return True


def send_password_link(*, user_id: int, actor: Actor) -> None:
    """A link for choosing a new password, to the account's own address. The present password goes on working."""
    with transaction.atomic():
        user = _locked(user_id, None, actor)
        if not user.is_active:
            raise CannotChangeAccount(_("Reactivate the account first."))
        audit.record(actor, "user.password_link", user)
        _defer_link(user)


def forgot_password(*, user_id: int) -> None:
    """The same, asked for at the sign-in page."""
    with transaction.atomic():
        user = User.objects.filter(pk=user_id, is_active=True).first()
        if user is not None:
            _defer_link(user)


def _defer_link(user: User) -> None:
    defer(send_link, user_id=user.pk, reference=f"password-link-{user.pk}-{ids.new_code()}")


@task(name="flows.send_password_link", retry=PATIENT_RETRY)
def send_link(user_id: int, reference: str) -> None:
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is not None:
        account_letters.send_password_link(user, reference)


def _problem_with_role(user: User, role: str, actor: Actor) -> str:
    if role not in Role.values:
        return _("Choose from the list.")
    if role == user.role:
        return ""
    if user.pk == actor.user_id:
        return _("You can't take your own role away: ask another admin to do it.")
    if role == Role.PROVIDER and not hasattr(user, "provider"):
        return _("Nobody of this account sees patients. Deactivate it instead, or invite the provider under People.")
    return ""


def _switch(user_id: int, version: int, actor: Actor, *, active: bool) -> bool:
    with transaction.atomic():
        user = _locked(user_id, None, actor)
        if user.is_active == active:
            return False
        if user.version != version:
            raise ChangedMeanwhile
        if user.pk == actor.user_id:
            raise CannotChangeAccount(_("You can't deactivate yourself: ask another admin to do it."))
        if active and user.is_closed:
            raise CannotChangeAccount(_("This account was closed for good. Send a new invitation instead."))
        user.is_active = active
        user.session_number += not active
        _saved(user, ["is_active", "session_number"])
        audit.record(
            actor,
            "user.reactivated" if active else "user.deactivated",
            user,
            before={"active": not active},
            after={"active": active},
        )
    return True


def permit(actor: Actor) -> None:
    """Of an admin who is one still. Call it under the lock. Raises PermissionRefused."""
    if (
        actor.kind != "admin"
        or not User.objects.filter(pk=actor.user_id or 0, role=Role.ADMIN, is_active=True).exists()
    ):
        raise PermissionRefused


def _locked(user_id: int, version: int | None, actor: Actor) -> User:
    lock_admins()
    permit(actor)
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        raise NotFound
    if version is not None and user.version != version:
        raise ChangedMeanwhile
    return user


def _saved(user: User, fields: list[str]) -> None:
    user.version += 1
    user.save(update_fields=[*fields, "version"])
    publish(UserUpdated(user_id=user.pk))
