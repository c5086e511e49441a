"""The words of messages, changed by an admin: checked, kept as versions, and taken back to the default."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from bedside.appointments.errors import InvalidDetails
from bedside.clinic.errors import ChangedMeanwhile
from bedside.core import audit, clock
from bedside.core.alerts import resolve_alert
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.notifications.gsm7 import segments
from bedside.notifications.models import Channel
from bedside.notifications.rendering import BROKEN, alert_key, write_draft
from bedside.notifications.template_models import TemplateVersion
from bedside.notifications.wording import samples
from bedside.notifications.wording.checking import BrokenWords, problems, tidy
from bedside.notifications.wording.defaults import allowed, default_parts, missing
from bedside.notifications.wording.slots import Slot
from bedside.notifications.wording.stored import current

# A text in more parts than this is an email.
MOST_SEGMENTS = 4


def checked(slot: Slot, parts: Mapping[str, str]) -> dict[str, str]:
    """The words as they would be kept. Raises InvalidDetails by part, naming what is wrong; nothing is stored."""
    clean = {part: tidy(part, str(parts.get(part, ""))) for part in slot.parts}
    errors = problems(slot, clean, allowed=allowed(slot))
    if not errors:
        errors = _left_out(slot, clean) or _on_samples(slot, clean)
    if errors:
        raise InvalidDetails(errors=errors)
    return clean


def _left_out(slot: Slot, parts: dict[str, str]) -> dict[str, str]:
    """What the message can't do without, said beside the part in which the default says it."""
    errors: dict[str, str] = {}
    for group in missing(slot, parts):
        part = next((p for p, text in default_parts(slot).items() if any(f"{{{{ {n} }}}}" in text for n in group)), "")
        names = _(" or ").join(f"{{{{ {name} }}}}" for name in group if name in allowed(slot))
        errors.setdefault(part or slot.parts[-1], _("This message needs %(names)s.") % {"names": names})
    return errors


def _on_samples(slot: Slot, parts: dict[str, str]) -> dict[str, str]:
    """Written for every sample visit: no part may come out empty, no text longer than people read."""
    for case in samples.cases(slot.kind, slot.audience):
        try:
            facts = samples.facts(slot, case)
            message = write_draft(slot, parts, facts, variant=case.variant, words=case.words)
        except BrokenWords as error:
            part = str(error.args[0]) if error.args and error.args[0] in slot.parts else slot.parts[-1]
            return {part: _("Nothing is left to say in the case “%(case)s”.") % {"case": case.title}}
        if slot.channel == Channel.SMS and (count := segments(message.body)) > MOST_SEGMENTS:
            said = {"case": case.title, "count": count, "most": MOST_SEGMENTS}
            return {"text": _("In the case “%(case)s” this takes %(count)d texts; at most %(most)d.") % said}
    return {}


def save(*, slot: Slot, parts: Mapping[str, str], version: int, actor: Actor) -> TemplateVersion | None:
    """Keep words in place of what holds now; ``version`` is the one they were written over (0: never changed).

    None where nothing differs. Raises PermissionRefused, InvalidDetails, ChangedMeanwhile.
    """
    _admin_only(slot, actor)
    clean = checked(slot, parts)
    return _add(slot, {} if clean == default_parts(slot) else clean, version, actor, "template.changed")


def back_to_default(*, slot: Slot, version: int, actor: Actor) -> TemplateVersion | None:
    """The default holds again; what was written stays among the versions. None where it holds already."""
    _admin_only(slot, actor)
    return _add(slot, {}, version, actor, "template.reset")


def _admin_only(slot: Slot, actor: Actor) -> None:
    if not actor.is_staff:
        raise PermissionRefused
    if not slot.exists:
        raise ValidationError("no such slot")


def _add(slot: Slot, parts: dict[str, str], version: int, actor: Actor, action: str) -> TemplateVersion | None:
    """The next version. The unique number lets one of two who save at once in."""
    before = current(slot)
    if (before.number if before else 0) != version:
        raise ChangedMeanwhile
    if (before.parts if before else {}) == parts:
        return None
    try:
        with transaction.atomic():
            made = TemplateVersion.objects.create(
                kind=slot.kind,
                audience=slot.audience,
                channel=slot.channel,
                language=slot.language,
                number=version + 1,
                parts=parts,
                created_at=clock.now(),
                created_by_id=actor.user_id,
            )
            where = {"message": f"{slot.kind} {slot.audience} {slot.channel} {slot.language}"}
            audit.record(
                actor,
                action,
                made,
                before=where | ((before.parts if before else {}) or default_parts(slot)),
                after=where | (parts or default_parts(slot)),
            )
    except IntegrityError as error:
        if "template_version_once" in str(error):
            raise ChangedMeanwhile from None
        raise
    # Whatever was broken about the words before is gone with them.
    resolve_alert(BROKEN, alert_key(slot))
    return made
