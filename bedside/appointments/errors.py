"""What can go wrong with an appointment, by name, each with what a person needs to go on."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from bedside.core.errors import BedsideError


class SlotTaken(BedsideError):
    """Somebody else has that time. ``alternatives`` are the nearest openings."""

    code = "slot-taken"
    status = 409
    default_message = _("That time has just been taken. Here are the nearest times that are still free.")

    @property
    def alternatives(self) -> list[Any]:
        return list(self.details.get("alternatives", []))


class NotOffered(SlotTaken):
    """The start is past, off the step, outside working hours or too soon."""

    code = "not-offered"
    status = 422
    default_message = _("That time isn't offered. Here are the nearest times that are.")


class NotLicensed(NotOffered):
    """The provider, or any of them, may not see patients where this one will be; ``alternatives`` are with who may."""

    code = "not-licensed"
    default_message = _(
        "Nobody you chose is licensed where you will be during the visit. Here are times with those who are."
    )


class ConsentRequired(BedsideError):
    code = "consent-required"
    status = 422
    default_message = _("Please agree to appointment texts: that is how we send your link and reminders.")


class InvalidDetails(BedsideError):
    """Field errors: ``errors`` is {field: message}."""

    code = "invalid-details"
    status = 422
    default_message = _("Please check the marked fields.")

    @property
    def errors(self) -> dict[str, Any]:
        return dict(self.details.get("errors", {}))


class AlreadyOver(BedsideError):
    """The appointment is past the state in which this can be done."""

    code = "already-over"
    status = 409
    default_message = _("This visit can't be changed any more.")


class ChangedMeanwhile(BedsideError):
    """Somebody else was quicker: what was shown is no longer how it stands. Nothing was done."""

    code = "changed-meanwhile"
    status = 409
    default_message = _("This visit was changed meanwhile. Look at how it stands now, and try again if it is needed.")


class MoveRefused(BedsideError):
    """The policy doesn't let the patient move this visit; the desk may."""

    code = "move-not-allowed"
    status = 409
    default_message = _("This visit can't be moved online. Please call us, and we'll look for a time together.")


class SameTime(BedsideError):
    code = "same-time"
    status = 422
    default_message = _("That is the time of your visit already. Choose another one, or keep it.")


class ReasonRequired(BedsideError):
    """Going beyond the rules is the desk's right, and has a reason that is kept."""

    code = "reason-required"
    status = 422
    default_message = _("Say why, in a few words: whoever looks at this later will ask.")


class HoldExpired(BedsideError):
    code = "hold-expired"
    status = 409
    default_message = _("Your time was kept as long as we could. Please choose a time again; nothing was charged.")


class TooManyHolds(BedsideError):
    code = "too-many-holds"
    status = 429
    default_message = _("You are holding several times already. Please pay for one, or wait until they run out.")
