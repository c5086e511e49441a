"""Availability: when a provider works. Every edit says what it changes, and which booked visits it leaves outside.

Booked visits are never touched: the desk moves them, or leaves them. With ``preview`` nothing is kept. ``version`` is
the one that the editor saw (`version_of`); None: whatever stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from django.db import transaction

from bedside.appointments.locks import lock_provider
from bedside.clinic.models import Provider
from bedside.core import audit, flags
from bedside.core.audit import Actor
from bedside.core.errors import NotFound
from bedside.core.events import publish
from bedside.flows.own import check_may_manage
from bedside.schedule import jobs, rebuild, validation
from bedside.schedule.errors import ChangedMeanwhile
from bedside.schedule.events import AvailabilityUpdated
from bedside.schedule.facts import as_rule
from bedside.schedule.impact import Impact, impact_of
from bedside.schedule.models import AvailabilityState, DayOverride, OverrideHours, TimeOff, WeeklyRule
from bedside.schedule.rules import Hours, Rule

Values = dict[str, Any] | None


@dataclass(frozen=True)
class Change:
    """What an edit did, or would do. ``version`` is the availability's new one."""

    provider: Provider
    version: int
    impact: Impact


def version_of(provider: Provider) -> int:
    """How often the provider's availability was edited; what a form keeps to notice that somebody was quicker."""
    state = AvailabilityState.objects.filter(provider=provider).first()
    return state.version if state else 0


def set_weekly_hours(
    *, provider_id: int, rules: Sequence[Rule], actor: Actor, version: int | None = None, preview: bool = False
) -> Change:
    """Replace all weekly rules. Raises InvalidAvailability, ChangedMeanwhile, PermissionRefused, FeatureOff."""

    def replace(provider: Provider) -> tuple[Values, Values]:
        present = [as_rule(row) for row in WeeklyRule.objects.filter(provider=provider)]
        validation.check_rules(rules, provider, present)
        WeeklyRule.objects.filter(provider=provider).delete()
        WeeklyRule.objects.bulk_create(_row(provider, rule) for rule in rules)
        return {"weekly_hours": _said(present)}, {"weekly_hours": _said(rules)}

    return _edit("availability.weekly_hours", provider_id, actor, version, preview, replace)


def add_time_off(
    *,
    provider_id: int,
    kind: str,
    first_day: date,
    last_day: date,
    start_time: time | None = None,
    end_time: time | None = None,
    reason: str = "",
    actor: Actor,
    version: int | None = None,
    preview: bool = False,
) -> Change:
    """Take whole days out, or from a time on the first day to a time on the last. The reason stays private, sealed."""

    def add(provider: Provider) -> tuple[Values, Values]:
        row = TimeOff(
            provider=provider,
            kind=kind,
            first_day=first_day,
            last_day=last_day,
            start_time=start_time,
            end_time=end_time,
            reason=reason.strip(),
        )
        validation.check_time_off(row, rebuild.today_of(provider))
        row.save()
        return None, {"time_off": _said_off(row)}

    return _edit("availability.time_off_added", provider_id, actor, version, preview, add)


def remove_time_off(
    *, provider_id: int, time_off_id: int, actor: Actor, version: int | None = None, preview: bool = False
) -> Change:
    """Raises NotFound where it is gone already."""

    def remove(provider: Provider) -> tuple[Values, Values]:
        row = TimeOff.objects.filter(provider=provider, pk=time_off_id).first()
        if row is None:
            raise NotFound
        said = _said_off(row)
        row.delete()
        return {"time_off": said}, None

    return _edit("availability.time_off_removed", provider_id, actor, version, preview, remove)


def override_day(
    *,
    provider_id: int,
    day: date,
    hours: Sequence[Hours],
    actor: Actor,
    version: int | None = None,
    preview: bool = False,
) -> Change:
    """On this day these hours instead of the usual ones; none: a day off. Replaces an override that is there."""

    def replace(provider: Provider) -> tuple[Values, Values]:
        validation.check_override(day, hours, rebuild.today_of(provider))
        before = _said_override(DayOverride.objects.filter(provider=provider, day=day).first())
        DayOverride.objects.filter(provider=provider, day=day).delete()
        row = DayOverride.objects.create(provider=provider, day=day)
        OverrideHours.objects.bulk_create(
            OverrideHours(override=row, start_time=start, end_time=end) for start, end in hours
        )
        return {"override": before}, {"override": _said_override(row)}

    return _edit("availability.day_overridden", provider_id, actor, version, preview, replace)


def remove_override(
    *, provider_id: int, day: date, actor: Actor, version: int | None = None, preview: bool = False
) -> Change:
    """The day follows the weekly hours again. Raises NotFound where it does already."""

    def remove(provider: Provider) -> tuple[Values, Values]:
        row = DayOverride.objects.filter(provider=provider, day=day).first()
        if row is None:
            raise NotFound
        said = _said_override(row)
        row.delete()
        return {"override": said}, None

    return _edit("availability.override_removed", provider_id, actor, version, preview, remove)


def _edit(
    action: str,
    provider_id: int,
    actor: Actor,
    version: int | None,
    preview: bool,
    apply: Callable[[Provider], tuple[Values, Values]],
) -> Change:
    """One transaction under the provider's lock; a preview does the very same and takes it back."""
    with transaction.atomic():
        lock_provider(provider_id)
        provider = Provider.objects.filter(pk=provider_id).first()
        if provider is None:
            raise NotFound
        _check_allowed(actor, provider)
        state, _ = AvailabilityState.objects.get_or_create(provider=provider)
        if version is not None and version != state.version:
            raise ChangedMeanwhile
        validation.check_zone(provider)
        today = rebuild.today_of(provider)
        last = rebuild.last_day(provider, today)
        windows_before = rebuild.computed_windows(provider, today, last)
        before, after = apply(provider)
        windows_after = rebuild.computed_windows(provider, today, last)
        state.version += 1
        change = Change(provider, state.version, impact_of(provider, windows_before, windows_after))
        if preview:
            transaction.set_rollback(True)
            return change
        state.save(update_fields=["version"])
        audit.record(actor, action, provider, before=before, after=after)
        _rebuild(provider)
    return change


def _check_allowed(actor: Actor, provider: Provider) -> None:
    check_may_manage(actor, provider)
    if actor.kind == "provider":
        flags.require("provider-availability")


def _rebuild(provider: Provider) -> None:
    """At once, so that nobody books a time that was just taken out. Should it fail, the edit stands all the same."""
    try:
        with transaction.atomic():
            changed = rebuild.rebuild_windows(provider)
    except Exception:
        jobs.warn_of(provider)
        jobs.rebuild_soon(provider)
        changed = False
    if not changed:
        publish(AvailabilityUpdated(provider_id=provider.pk))


def _row(provider: Provider, rule: Rule) -> WeeklyRule:
    return WeeklyRule(
        provider=provider,
        weekday=rule.weekday,
        start_time=rule.start,
        end_time=rule.end,
        valid_from=rule.valid_from,
        valid_until=rule.valid_until,
        every_weeks=rule.every_weeks,
        anchor=rule.anchor if rule.every_weeks > 1 else None,
        services=sorted(rule.limit.services),
        locations=sorted(rule.limit.locations),
    )


def _said(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """Rules for the audit trail: what isn't as usual only."""
    return [
        {
            key: value
            for key, value in {
                "weekday": rule.weekday,
                "hours": _clock(rule.start, rule.end),
                "valid_from": rule.valid_from and rule.valid_from.isoformat(),
                "valid_until": rule.valid_until and rule.valid_until.isoformat(),
                "every_weeks": rule.every_weeks if rule.every_weeks > 1 else None,
                "anchor": rule.anchor.isoformat() if rule.anchor and rule.every_weeks > 1 else None,
                "services": list(rule.limit.services),
                "locations": list(rule.limit.locations),
            }.items()
            if value not in (None, [])
        }
        for rule in sorted(rules, key=lambda rule: (rule.weekday, rule.start))
    ]


def _said_override(row: DayOverride | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {"day": row.day.isoformat(), "hours": [_clock(one.start_time, one.end_time) for one in row.hours.all()]}


def _said_off(row: TimeOff) -> dict[str, Any]:
    """Without the reason: that is the provider's own."""
    said = {"kind": row.kind, "first_day": row.first_day.isoformat(), "last_day": row.last_day.isoformat()}
    if row.start_time and row.end_time:
        said["hours"] = _clock(row.start_time, row.end_time)
    return said


def _clock(start: time, end: time) -> str:
    return f"{start:%H:%M}-{end:%H:%M}"
