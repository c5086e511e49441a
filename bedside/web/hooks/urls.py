"""Where vendors call us."""

from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from bedside.web.hooks import email, stripe, twilio, zoom

app_name = "hooks"
urlpatterns: list[URLPattern | URLResolver] = [
    path("stripe", stripe.stripe, name="stripe"),
    path("twilio", twilio.twilio, name="twilio"),
    path("zoom", zoom.zoom, name="zoom"),
    path("email", email.email, name="email"),
]
if settings.EMAIL_PROVIDER:
    # /hooks/email/postmark/tracking/ and its like; signed, or with the secret, as the provider does it.
    urlpatterns.append(path("email/", include("anymail.urls")))
