"""What can go wrong with the catalogue and the people in it, by name."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from bedside.core.errors import BedsideError


class InvalidFacts(BedsideError):
    """What was typed makes no sense. ``errors`` is {field: message}; a license's fields are "licenses.0.place"."""

    code = "invalid-facts"
    status = 422
    default_message = _("Please check the marked fields. Nothing was changed.")

    @property
    def errors(self) -> dict[str, Any]:
        return dict(self.details.get("errors", {}))


class ChangedMeanwhile(BedsideError):
    """Somebody else saved since the form was opened. Nothing was kept of this one."""

    code = "changed-meanwhile"
    status = 409
    default_message = _("Somebody else changed this meanwhile. Nothing of yours is saved yet.")
