"""Addresses of the desk's calendar and of providers' calendars and invitations; part of the desk's."""

from __future__ import annotations

from django.urls import path

from bedside.web.desk import calendar, calendars, invitations

urlpatterns = [
    path("calendar", calendar.day, name="calendar"),
    path("calendar/week", calendar.week, name="calendar_week"),
    path("calendars", calendars.everybody, name="calendars"),
    path("calendars/<slug:slug>", calendars.provider_calendars, name="provider_calendars"),
    path("calendars/<slug:slug>/account", invitations.portal_account, name="portal_account"),
]
