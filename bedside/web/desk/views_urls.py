"""Addresses of saved views of the list; part of the desk's."""

from __future__ import annotations

from django.urls import path

from bedside.web.desk import saved_views

urlpatterns = [
    path("appointments/views", saved_views.index, name="views"),
    path("appointments/views/new", saved_views.new, name="new_view"),
    path("appointments/views/<int:pk>", saved_views.rename, name="rename_view"),
    path("appointments/views/<int:pk>/delete", saved_views.delete, name="delete_view"),
]
