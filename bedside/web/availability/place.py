"""Where the availability editor stands: at the desk for everybody, in the portal for oneself.

An area of the web makes its addresses with `paths` and hands each request on with a `Place`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.urls import URLPattern, path, reverse

from bedside.clinic.models import Provider
from bedside.core.audit import Actor

Page = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Place:
    """Whose hours, who edits, the template that frames the pages, and how their addresses are called.

    ``namespace`` is that of the area's addresses, ``args`` what its address takes before the page's own parts.
    """

    provider: Provider
    actor: Actor
    base: str
    area: str
    namespace: str
    args: tuple[Any, ...] = ()
    can_edit: bool = True
    is_desk: bool = False

    def url(self, name: str = "availability", *parts: Any) -> str:
        return reverse(f"{self.namespace}:{name}", args=[*self.args, *parts])

    @property
    def overview_url(self) -> str:
        return self.url()

    @property
    def new_hours_url(self) -> str:
        return self.url("availability_hours", "new")

    @property
    def time_off_url(self) -> str:
        return self.url("availability_time_off")

    @property
    def day_url(self) -> str:
        return self.url("availability_day")


def paths(prefix: str, view_of: Callable[[Page], Page]) -> list[URLPattern]:
    """The editor's addresses below ``prefix``; ``view_of`` makes a view of a page, which takes (request, place, …)."""
    from bedside.web.availability import day, hours, overview, time_off

    return [
        path(prefix, view_of(overview.overview), name="availability"),
        path(f"{prefix}/hours/<str:which>", view_of(hours.hours), name="availability_hours"),
        path(f"{prefix}/time-off", view_of(time_off.time_off), name="availability_time_off"),
        path(
            f"{prefix}/time-off/<int:time_off_id>/remove", view_of(time_off.remove), name="availability_time_off_remove"
        ),
        path(f"{prefix}/day", view_of(day.day), name="availability_day"),
        path(f"{prefix}/day/<str:on>/remove", view_of(day.remove), name="availability_day_remove"),
    ]
