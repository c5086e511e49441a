"""The chart of sales: an SVG of attributes only (the content security policy refuses styles), each bar a link.

Gross stands above the line, refunds hang below it. Coordinates are units of the view box.
"""

from __future__ import annotations

from dataclasses import dataclass

from babel.dates import format_date, format_skeleton
from django.utils.translation import gettext as _

from bedside.core.money import Money, format_money
from bedside.reports.overview import Share
from bedside.reports.periods import Period
from bedside.web.templatetags.when import spoken_locale

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 960, 240, 8, 22, 26
MOST_LABELS = 8


@dataclass(frozen=True)
class Bar:
    """One span: where its two bars stand, and what a screen reader or a pointer is told."""

    x: str
    width: str
    middle: str
    gross_y: str
    gross_height: str
    refunds_y: str
    refunds_height: str
    hit_height: str
    label: str
    axis: str
    query: str


@dataclass(frozen=True)
class Chart:
    bars: list[Bar]
    width: int
    height: int
    line_y: str
    axis_y: str
    top_label: str
    summary: str


def chart(spans: list[Share], currency: str, height: int = HEIGHT) -> Chart | None:
    """None where there is nothing to draw."""
    gross = max((max(one.figures.gross_minor, 0) for one in spans), default=0)
    back = max((max(one.figures.refunds_minor, 0) for one in spans), default=0)
    if not gross and not back:
        return None
    room = height - TOP - BOTTOM
    scale = room / (gross + back)
    line = TOP + gross * scale
    step = (WIDTH - 2 * LEFT) / len(spans)
    every = -(-len(spans) // MOST_LABELS)
    bars = [_bar(at, one, step, scale, line, room, at % every == 0) for at, one in enumerate(spans)]
    best = max(spans, key=lambda one: one.figures.gross_minor)
    assert best.period is not None
    return Chart(
        bars=bars,
        width=WIDTH,
        height=height,
        line_y=f"{line:.1f}",
        axis_y=f"{height - 8}",
        top_label=_money(gross, currency),
        summary=_("Highest: %(amount)s on %(day)s. The table below has every figure.")
        % {"amount": _money(gross, currency), "day": say_span(best.period)},
    )


def _bar(at: int, one: Share, step: float, scale: float, line: float, room: int, labelled: bool) -> Bar:
    figures, period = one.figures, one.period
    assert period is not None
    wide = max(step * 0.72, 1.0)
    x = LEFT + at * step + (step - wide) / 2
    up, down = max(figures.gross_minor, 0) * scale, max(figures.refunds_minor, 0) * scale
    currency = figures.currency
    said = _("%(day)s: gross %(gross)s, refunds %(refunds)s, net %(net)s") % {
        "day": say_span(period),
        "gross": _money(figures.gross_minor, currency),
        "refunds": _money(figures.refunds_minor, currency),
        "net": _money(figures.net_minor, currency),
    }
    return Bar(
        x=f"{x:.1f}",
        width=f"{wide:.1f}",
        middle=f"{x + wide / 2:.1f}",
        gross_y=f"{line - up:.1f}",
        gross_height=f"{up:.1f}",
        refunds_y=f"{line:.1f}",
        refunds_height=f"{down:.1f}",
        hit_height=f"{room}",
        label=said,
        axis=_short(period) if labelled else "",
        query=f"from={period.first}&to={period.last}",
    )


def say_span(period: Period) -> str:
    """Say "Tue, Dec 1, 2026" or "Dec 1, 2026 – Dec 7, 2026"."""
    locale = spoken_locale()
    if period.first == period.last:
        return format_skeleton("yMMMEd", period.first, locale=locale)
    return f"{format_date(period.first, 'medium', locale=locale)} – {format_date(period.last, 'medium', locale=locale)}"


def _short(period: Period) -> str:
    return format_skeleton("MMMd", period.first, locale=spoken_locale())


def _money(minor: int, currency: str) -> str:
    return format_money(Money(minor, currency), str(spoken_locale()))
