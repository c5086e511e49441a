"""Where words stand: one slot for each kind, audience, channel and language that there is a message for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from django.conf import settings
from django.template import TemplateDoesNotExist
from django.template.loader import get_template

from bedside.notifications.models import Audience, Channel, Kind
from bedside.notifications.queue import PROVIDER_LOCALE

EMAIL_PARTS = ("subject", "preheader", "heading", "lead", "more")
TEXT_PARTS = ("text",)
# What may be left empty. The rest of an email (its facts, its button) is not words, and always there.
OPTIONAL = frozenset({"preheader", "more"})
# Parts of a single line.
LINES = frozenset({"subject", "preheader", "heading", "text"})
MOST = {"subject": 160, "preheader": 300, "heading": 160, "lead": 2000, "more": 4000, "text": 900}


@dataclass(frozen=True)
class Slot:
    """``kind``, ``audience`` and ``channel`` as in `Notification`; ``language`` is "en" or "es"."""

    kind: str
    audience: str
    channel: str
    language: str

    @property
    def folder(self) -> str:
        """What the names of its default files begin with."""
        return f"notifications/{self.kind}/{self.audience}.{self.channel}"

    @property
    def parts(self) -> tuple[str, ...]:
        return TEXT_PARTS if self.channel == Channel.SMS else EMAIL_PARTS

    @cached_property
    def exists(self) -> bool:
        """Whether anybody is told of this, on this channel, in this language."""
        spoken = dict(settings.LANGUAGES) if self.audience == Audience.PATIENT else {PROVIDER_LOCALE: ""}
        if self.language not in spoken or self.kind not in Kind.values:
            return False
        if self.audience not in Audience.values or self.channel not in Channel.values:
            return False
        try:
            get_template(f"{self.folder}.txt")
        except TemplateDoesNotExist:
            return False
        return True


def slots() -> Iterator[Slot]:
    """All there are, kind by kind."""
    for kind in Kind.values:
        for audience in Audience.values:
            for channel in Channel.values:
                for language, _name in settings.LANGUAGES:
                    slot = Slot(kind, audience, channel, language)
                    if slot.exists:
                        yield slot
