"""Who may sign in. Patients have no account: their link is their key."""

from __future__ import annotations

from typing import Any, ClassVar

import pgtrigger
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.utils.translation import gettext_lazy as _

from bedside.accounts.invitations import DeskInvitation as DeskInvitation
from bedside.accounts.locks import ADMINS
from bedside.core import clock


class Role(models.TextChoices):
    ADMIN = "admin", _("Admin")
    PROVIDER = "provider", _("Provider")


# Without an admin nobody could let anybody in again. The lock makes two who leave at once wait for each other.
LAST_ADMIN_STAYS = pgtrigger.Trigger(
    name="last_admin_stays",
    when=pgtrigger.Before,
    operation=pgtrigger.Update | pgtrigger.Delete,
    func=f"""
        IF OLD.role = 'admin' AND OLD.is_active
           AND (TG_OP = 'DELETE' OR NOT (NEW.role = 'admin' AND NEW.is_active)) THEN
            PERFORM pg_advisory_xact_lock({ADMINS});
            IF NOT EXISTS (SELECT 1 FROM accounts_user WHERE role = 'admin' AND is_active AND id <> OLD.id) THEN
                RAISE EXCEPTION 'user % is the last admin', OLD.id USING ERRCODE = 'check_violation';
            END IF;
        END IF;
        IF TG_OP = 'DELETE' THEN
            RETURN OLD;
        END IF;
        RETURN NEW;
    """,  # noqa: S608  # a number of ours
)


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, role=Role.ADMIN, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A member of the practice. Signs in with an email address and a password, and a second factor if switched on."""

    email = models.EmailField(_("email"), unique=True, help_text="The work address that the person signs in with.")
    name = models.CharField(_("name"), max_length=120, blank=True, help_text="The name shown to colleagues.")
    role = models.CharField(_("role"), max_length=12, choices=Role.choices, help_text="admin or provider.")
    is_active = models.BooleanField(default=True, help_text="Whether the person may sign in.")
    is_staff = models.BooleanField(default=False, help_text="Unused by Bedside; Django's libraries look at it.")
    date_joined = models.DateTimeField(default=clock.now, help_text="When the account was made, UTC.")
    version = models.PositiveIntegerField(
        default=1, help_text="Grows with each change; stale forms are told apart by it."
    )
    session_number = models.PositiveIntegerField(
        default=0, help_text="Grows when the person is signed out everywhere: sessions of before don't count any more."
    )

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_known")]
        triggers = [LAST_ADMIN_STAYS]

    def __str__(self) -> str:
        return self.name or self.email

    def _get_session_auth_hash(self, secret: Any = None) -> str:
        """Django ends a session whose hash is no longer this one: after a new password, or a new session number."""
        of_password: str = super()._get_session_auth_hash(secret=secret)  # type: ignore[misc]
        return f"{of_password}-{self.session_number}" if self.session_number else of_password

    @property
    def is_closed(self) -> bool:
        """Whether the account was given up for good: its address was let go, nobody can sign in with it."""
        return self.email.startswith("closed-") and self.email.endswith("@invalid.example")

    @property
    def is_admin(self) -> bool:
        return self.is_active and self.role == Role.ADMIN

    @property
    def is_provider(self) -> bool:
        return self.is_active and hasattr(self, "provider")
