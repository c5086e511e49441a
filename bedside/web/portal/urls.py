"""The provider's addresses. Every view asks for a provider's account, and shows that provider's visits only."""

from __future__ import annotations

from django.urls import path

from bedside.web.availability.place import paths
from bedside.web.portal import availability, calendar, calendars, profile, visits

app_name = "portal"
urlpatterns = [
    path("", visits.upcoming, name="today"),
    path("upcoming", visits.booked, name="upcoming"),
    path("visits/<str:code>", visits.show, name="visit"),
    path("visits/<str:code>/intake", visits.answers, name="intake"),
    path("visits/<str:code>/start", visits.start, name="start"),
    path("calendar", calendar.day, name="calendar"),
    path("calendar/week", calendar.week, name="calendar_week"),
    path("calendars", calendars.calendars, name="calendars"),
    path("profile", profile.profile, name="profile"),
    *paths("availability", availability.in_portal),
]
