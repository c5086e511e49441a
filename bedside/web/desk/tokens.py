"""A form's own token: made when the form is drawn, so that pressing its button twice is asking once."""

from __future__ import annotations

import re

from django import forms
from django.utils.translation import gettext_lazy as _

TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")


class FormToken(forms.RegexField):
    """Hidden. A form that lost it has to be opened anew."""

    def __init__(self) -> None:
        super().__init__(
            TOKEN,
            widget=forms.HiddenInput,
            error_messages=dict.fromkeys(("required", "invalid"), _("This page is stale. Open it again.")),
        )
