"""A cancellation policy in words, the same on pages, in messages and at the desk. In the active language."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bedside.clinic.policy import Terms
from bedside.core import when


def short(terms: Terms) -> str:
    """For a card: "Free to cancel until 24 hours before"."""
    if terms.free_hours == 0 or terms.late_percent == 100:
        return _("Free to cancel until it starts")
    return _until(
        terms.free_hours,
        lambda count: ngettext(
            "Free to cancel until %(count)d day before", "Free to cancel until %(count)d days before", count
        ),
        lambda count: ngettext(
            "Free to cancel until %(count)d hour before", "Free to cancel until %(count)d hours before", count
        ),
    )


def _until(hours: int, days_said, hours_said) -> str:  # type: ignore[no-untyped-def]
    if hours >= 48 and hours % 24 == 0:
        return str(days_said(hours // 24) % {"count": hours // 24})
    return str(hours_said(hours) % {"count": hours})


def sentence(terms: Terms, start: datetime, now: datetime, zone: str, language: str) -> str:
    """For one visit: until when canceling is free, and what holds after that; honest where that moment has passed."""
    free_until = terms.free_until(start)
    if now > free_until:
        return _("This visit is so near that canceling it is not free any more: %(late)s.") % {"late": late(terms)}
    said = {"when": when.long_time(free_until, zone, language), "late": late(terms)}
    if free_until == start:
        return _("Free to cancel until it starts, %(when)s.") % said
    return _("Free to cancel until %(when)s. After that, %(late)s.") % said


def late(terms: Terms) -> str:
    """What a cancellation after the free time gives back, within a sentence."""
    if terms.late_percent == 0:
        return _("the price is not returned")
    if terms.late_percent == 100:
        return _("the price is still returned")
    return _("%(percent)d%% of the price is returned") % {"percent": terms.late_percent}


def missed(terms: Terms) -> str:
    """For a visit that the patient doesn't come to."""
    said = {"minutes": terms.late_minutes, "percent": 100 - terms.no_show_fee_percent}
    if terms.no_show_fee_percent == 100:
        return (
            _("If you haven't come %(minutes)d minutes after the start, it is missed: the price is not returned.")
            % said
        )
    if terms.no_show_fee_percent == 0:
        return _("If you miss it, the price is returned.")
    return (
        _(
            "If you haven't come %(minutes)d minutes after the start, it is missed: "
            "%(percent)d%% of the price is returned."
        )
        % said
    )


def moving(terms: Terms) -> str:
    """How long and how often a patient moves a visit online."""
    if not terms.max_moves:
        return _("To move it, call us.")
    until = _("until it starts")
    if terms.move_hours:
        until = _until(
            terms.move_hours,
            lambda count: ngettext("until %(count)d day before", "until %(count)d days before", count),
            lambda count: ngettext("until %(count)d hour before", "until %(count)d hours before", count),
        )
    times = ngettext("once", "up to %(count)d times", terms.max_moves) % {"count": terms.max_moves}
    return _("You can move it online %(until)s, %(times)s.") % {"until": until, "times": times}


def whole(terms: Terms, words: str) -> str:
    """Everything in a paragraph without dates, then the practice's own words."""
    free = _("%(short)s. After that, %(late)s.") % {"short": short(terms), "late": late(terms)}
    if terms.free_hours == 0 or terms.late_percent == 100:
        free = _("%(short)s.") % {"short": short(terms)}
    lines = [f"{free} {missed(terms)} {moving(terms)}", words.strip()]
    return "\n\n".join(line for line in lines if line)
