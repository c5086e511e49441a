"""The desk's pages and actions for its templates: ``{% load desk_places %}``."""

from __future__ import annotations

from django import template

from bedside.web.desk.places import ACTIONS, PAGES, Place

register = template.Library()


@register.simple_tag
def desk_keys() -> list[Place]:
    """Those that have keys of their own."""
    return [place for place in (*PAGES, *ACTIONS) if place.keys]
