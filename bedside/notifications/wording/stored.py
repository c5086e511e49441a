"""What is stored of a slot's words: its versions, and the one that holds."""

from __future__ import annotations

from django.db.models import QuerySet

from bedside.core import remember
from bedside.notifications.template_models import TemplateVersion
from bedside.notifications.wording.slots import Slot

HOLDING = "wording:holding"


def versions(slot: Slot) -> QuerySet[TemplateVersion]:
    """Newest first."""
    return TemplateVersion.objects.filter(
        kind=slot.kind, audience=slot.audience, channel=slot.channel, language=slot.language
    ).order_by("-number")


def current(slot: Slot) -> TemplateVersion | None:
    """The version that holds; None where nobody ever changed anything."""
    return versions(slot).first()


def edited_parts(slot: Slot) -> dict[str, str]:
    """The words in place of the default; empty where the default holds."""
    known = remember.recall(HOLDING, _unknown)
    found = current(slot) if known is None else known.get(slot)
    return dict(found.parts) if found else {}


def gather() -> None:
    """Before writing many messages: ask once for the words of all."""
    remember.keep(HOLDING, holding())


def _unknown() -> dict[Slot, TemplateVersion] | None:
    return None


def holding() -> dict[Slot, TemplateVersion]:
    """The version that holds in every slot that has one."""
    order = ("kind", "audience", "channel", "language")
    rows = TemplateVersion.objects.order_by(*order, "-number").distinct(*order)
    return {Slot(row.kind, row.audience, row.channel, row.language): row for row in rows}
