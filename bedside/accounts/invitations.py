"""Invitations to the desk: how a colleague comes to an account. Providers' own are in the clinic, with the profile."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from bedside.core import clock
from bedside.core.fields import BlindIndexField, EncryptedTextField


class DeskInvitation(models.Model):
    """A link by email, good once, for a week, that makes an admin's account."""

    email = EncryptedTextField(help_text="Where it was sent, and what the account signs in with; sealed.")
    email_index = BlindIndexField(source="email", kind="email")
    name = models.CharField(max_length=120, help_text="The name shown to colleagues.")
    token = EncryptedTextField(blank=True, default="", help_text="The key in the link; sealed, emptied when used.")
    token_index = BlindIndexField(source="token", kind="invitation", unique=True)
    created_at = models.DateTimeField(default=clock.now, help_text="When somebody asked for it, UTC.")
    expires_at = models.DateTimeField(help_text="From when on it opens nothing, UTC.")
    sent_at = models.DateTimeField(null=True, help_text="When the mail server took it, UTC.")
    error = models.CharField(max_length=300, blank=True, default="", help_text="Why it couldn't be sent, as advice.")
    claimed_at = models.DateTimeField(null=True, help_text="When the account was made, UTC.")
    revoked_at = models.DateTimeField(null=True, help_text="When it was withdrawn, UTC.")

    objects: ClassVar[models.Manager[DeskInvitation]] = models.Manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["email_index"],
                condition=models.Q(claimed_at__isnull=True, revoked_at__isnull=True),
                name="desk_invitation_one_open_per_address",
            ),
            models.CheckConstraint(
                condition=models.Q(claimed_at__isnull=True) | models.Q(revoked_at__isnull=True),
                name="desk_invitation_claimed_or_revoked",
            ),
            models.CheckConstraint(
                condition=models.Q(claimed_at__isnull=True, revoked_at__isnull=True)
                | models.Q(token_index__isnull=True),
                name="desk_invitation_used_has_no_key",
            ),
        ]

    @property
    def is_open(self) -> bool:
        """Whether its link still works."""
        return self.claimed_at is None and self.revoked_at is None and self.expires_at > clock.now()
