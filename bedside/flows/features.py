"""Switch a feature on or off, for the whole practice, at once."""

from __future__ import annotations

from django.db import transaction
from waffle.models import Flag as WaffleFlag

from bedside.core import audit
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.core.events import publish
from bedside.core.flags import FLAGS, FeatureSwitched, FlagName


def switch(*, name: FlagName, on: bool, actor: Actor) -> bool:
    """True if it changed. Every process sees it at its next question. Raises PermissionRefused."""
    if actor.kind not in {"admin", "system"}:
        raise PermissionRefused
    with transaction.atomic():
        WaffleFlag.objects.get_or_create(name=name, defaults={"everyone": FLAGS[name].default})
        flag = WaffleFlag.objects.select_for_update().get(name=name)
        before = bool(flag.everyone)
        if before == on:
            return False
        flag.everyone = on
        flag.save()
        audit.record(
            actor, "feature.switched", flag, before={"flag": name, "on": before}, after={"flag": name, "on": on}
        )
        publish(FeatureSwitched(flag_id=flag.pk))
    return True
