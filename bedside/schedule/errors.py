"""What can go wrong with availability, by name."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from bedside.core.errors import BedsideError


class InvalidAvailability(BedsideError):
    """What was typed makes no sense. ``errors`` is {field: message}; fields are those of the flow that was asked."""

    code = "invalid-availability"
    status = 422
    default_message = _("Please check the marked fields. Nothing was changed.")

    @property
    def errors(self) -> dict[str, Any]:
        return dict(self.details.get("errors", {}))


class ChangedMeanwhile(BedsideError):
    """Somebody else edited the same provider's availability since the page was opened."""

    code = "changed-meanwhile"
    status = 409
    default_message = _("Somebody else changed these hours meanwhile. Here they are as they stand now.")
