"""What vendors' error codes mean for us: whether another try can help, and what the desk should do. Data, not code.

Source: twilio.com/docs/api/errors, read November 2026. Twilio says that codes change: an unknown one falls back to its
HTTP class, and is shown as it came.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Meaning:
    """``permanent``: another try can't help. ``advice``: a sentence for the desk; empty where there is none."""

    permanent: bool
    advice: Promise | str = ""


_CORRECT = _("This number can't receive texts: correct it and send again, or use email.")
_LATER = _("The phone was off or out of reach. Send it again later, or use email.")
MEANINGS: dict[str, Meaning] = {
    # Texts
    "21211": Meaning(True, _("This isn't a phone number: correct it and send again.")),
    "21408": Meaning(True, _("Texts to this country are not switched on at the text gateway. Use email.")),
    "21610": Meaning(True, _("This number answered STOP. Ask the patient to text START, or use email.")),
    "21612": Meaning(True, _CORRECT),
    "21614": Meaning(True, _("This is not a mobile number: correct it and send again, or use email.")),
    "30001": Meaning(False, _("The text gateway's queue was full. It is tried again.")),
    "30003": Meaning(False, _LATER),
    "30004": Meaning(True, _("The phone refuses texts from us. Use email, or call.")),
    "30005": Meaning(True, _("This number doesn't exist. Ask for the right one.")),
    "30006": Meaning(True, _("This is a landline, or it can't take texts. Ask for a mobile number, or use email.")),
    "30007": Meaning(True, _("The carrier took it for spam. Send an email; the wording may be at fault.")),
    "30008": Meaning(False, _("The carrier gave no reason. Send it again, or use email.")),
    "30034": Meaning(True, _("Our number isn't registered for texts to the United States. Register it at Twilio.")),
    "20003": Meaning(False, _("The text gateway refused our sign-in. Check its keys.")),
    "20429": Meaning(False, _("The text gateway was busy. It is tried again.")),
    # Email, by the mail server's answer
    "550": Meaning(True, _("This mailbox doesn't exist. Ask for the right address.")),
    "complained": Meaning(True, _("The reader marked it as spam. Use texts, or call.")),
}


def meaning_of(code: str, http_status: int = 0) -> Meaning:
    """By the table, else by the HTTP class: 429 and 5xx pass, other refusals stay. Without either, it may pass."""
    known = MEANINGS.get(code)
    if known:
        return known
    return Meaning(400 <= http_status < 500 and http_status != 429)
