"""Weekly rules as people think of them: sets of hours that hold in the same weeks, for the same visits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from bedside.schedule.rules import ANYBODY, Hours, Limit, Rule


class Terms(NamedTuple):
    """When and for whom a set of hours holds."""

    valid_from: date | None = None
    valid_until: date | None = None
    every_weeks: int = 1
    anchor: date | None = None
    limit: Limit = ANYBODY


@dataclass
class Group:
    """One set of hours: its terms, and its hours by weekday (0 is Monday)."""

    terms: Terms
    hours: dict[int, list[Hours]] = field(default_factory=dict)

    def rules(self) -> list[Rule]:
        terms = self.terms
        return [
            Rule(
                weekday,
                start,
                end,
                terms.valid_from,
                terms.valid_until,
                terms.every_weeks,
                terms.anchor if terms.every_weeks > 1 else None,
                terms.limit,
            )
            for weekday, several in sorted(self.hours.items())
            for start, end in several
        ]


def groups_of(rules: Sequence[Rule]) -> list[Group]:
    """In a steady order: the usual hours first."""
    groups: dict[Terms, Group] = {}
    for rule in rules:
        terms = Terms(rule.valid_from, rule.valid_until, rule.every_weeks, rule.anchor, rule.limit)
        group = groups.setdefault(terms, Group(terms))
        group.hours.setdefault(rule.weekday, []).append((rule.start, rule.end))
    return sorted(groups.values(), key=_order)


def _order(group: Group) -> tuple[object, ...]:
    terms = group.terms
    return (
        terms.limit,
        terms.valid_from or date.min,
        terms.valid_until or date.max,
        terms.every_weeks,
        terms.anchor or date.min,
    )
