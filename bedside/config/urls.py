"""The addresses of the house. Each area keeps its own."""

from __future__ import annotations

from django.conf import settings
from django.urls import include, path

from bedside.web import health

urlpatterns = [
    path("", include("bedside.web.booking.urls")),
    path("desk/", include("bedside.web.desk.urls")),
    path("portal/", include("bedside.web.portal.urls")),
    path("accounts/", include("bedside.web.accounts_urls")),
    path("api/v1/", include("bedside.web.api.urls")),
    path("hooks/", include("bedside.web.hooks.urls")),
    path("calendars/", include("bedside.web.calendars.urls")),
    path("live/", include("bedside.web.live.urls")),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
]
if settings.SANDBOX:
    urlpatterns.append(path("sandbox/", include("bedside.web.sandbox.urls")))

handler400 = "bedside.web.errors.bad_request"
handler403 = "bedside.web.errors.forbidden"
handler404 = "bedside.web.errors.not_found"
handler500 = "bedside.web.errors.server_error"
