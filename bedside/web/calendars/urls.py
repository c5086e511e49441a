"""Addresses without a sign-in: the token is the key."""

from __future__ import annotations

from django.urls import path

from bedside.web.calendars import feed

urlpatterns = [path("<str:token>.ics", feed.feed, name="calendar_feed")]
