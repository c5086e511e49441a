"""Addresses of the practice's settings, and of who may sign in; part of the desk's."""

from __future__ import annotations

from django.urls import path

from bedside.web.desk import practice, users

urlpatterns = [
    path("settings", practice.practice, name="practice"),
    path("users", users.users, name="users"),
    path("users/invite", users.invite, name="user_invite"),
    path("users/invitations/<int:pk>/withdraw", users.withdraw, name="invitation_withdraw"),
    path("users/<int:pk>", users.user, name="user"),
]
