"""The API's addresses, version 1."""

from __future__ import annotations

from django.urls import path

from bedside.web.api.bookings import cancel_booking, create, reschedule_booking, show
from bedside.web.api.catalogue import list_services
from bedside.web.api.document import document
from bedside.web.api.endpoint import endpoint, nothing_here
from bedside.web.api.openings import list_openings

app_name = "api"
urlpatterns = [
    path("openings", endpoint(GET=list_openings), name="openings"),
    path("services", endpoint(GET=list_services), name="services"),
    path("bookings", endpoint(POST=create), name="bookings"),
    path("bookings/<str:token>", endpoint(GET=show), name="booking"),
    path("bookings/<str:token>/cancel", endpoint(POST=cancel_booking), name="cancel"),
    path("bookings/<str:token>/reschedule", endpoint(POST=reschedule_booking), name="reschedule"),
    path("openapi.json", endpoint(GET=document), name="document"),
    path("", nothing_here),
    path("<path:rest>", nothing_here),
]
