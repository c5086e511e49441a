"""The desk's addresses of people's working hours and the practice's holidays."""

from __future__ import annotations

from django.urls import path

from bedside.web.availability.place import paths
from bedside.web.desk import availability, holidays

urlpatterns = [
    *paths("people/<slug:slug>/availability", availability.at_desk),
    path("holidays", holidays.holidays, name="holidays"),
    path("holidays/<int:holiday_id>/remove", holidays.remove, name="holiday_remove"),
]
