"""Addresses of the notification center; part of the desk's."""

from __future__ import annotations

from django.urls import path

from bedside.web.desk import messages, templates

urlpatterns = [
    path("messages", messages.center, name="messages"),
    path("messages/retry", messages.retry, name="messages_retry"),
    path("messages/<int:pk>", messages.one, name="message"),
    path("templates", templates.templates, name="templates"),
    path(
        "templates/<slug:kind>/<slug:audience>/email/<slug:language>/page",
        templates.email_page,
        name="template_email",
    ),
    path("templates/<slug:kind>/<slug:audience>/<slug:channel>/<slug:language>", templates.template, name="template"),
    path(
        "templates/<slug:kind>/<slug:audience>/<slug:channel>/<slug:language>/default",
        templates.default,
        name="template_default",
    ),
    path("appointments/<str:code>/message", messages.write, name="message_write"),
    path("appointments/<str:code>/contact", messages.contact, name="contact"),
]
