"""Words of calendar pages: ``{% load cal %}``."""

from __future__ import annotations

from datetime import date

from django import template

from bedside.web.templatetags.when import say_day

register = template.Library()


@register.filter
def day_short(day: date) -> str:
    """Say "Tue, Dec 1"."""
    return say_day(day, short=True)


@register.filter
def day_long(day: date) -> str:
    """Say "Tuesday, December 1"."""
    return say_day(day)
