"""The patient's addresses. Tokens and slugs are looked up, never trusted; what doesn't exist gets a helpful 404."""

from __future__ import annotations

from django.conf import settings
from django.urls import path

from bedside.web.booking import (
    calendar_file,
    cancellation,
    choices_lists,
    design,
    details,
    guests,
    intake,
    language,
    links,
    moving,
    receipt,
    services,
    steps,
    times,
    visit,
    waitlist,
)

app_name = "booking"
urlpatterns = [
    path("", services.services, name="services"),
    path("book/<slug:slug>", times.times, name="times"),
    path("book/<slug:slug>/with", times.several, name="several"),
    path("book/<slug:slug>/details", details.details, name="details"),
    path("language/<str:code>", language.choose, name="language"),
    path("steps", steps.reached, name="steps"),
    path("lists/zone", choices_lists.zone, name="zone"),
    path("lists/countries", choices_lists.countries_list, name="countries"),
    path("book/<slug:slug>/waitlist", waitlist.join, name="waitlist_join"),
    path("visits/<str:token>/earlier", waitlist.earlier, name="earlier"),
    path("waitlist/<str:token>", waitlist.show, name="waitlist"),
    path("waitlist/<str:token>/claim", waitlist.claim, name="waitlist_claim"),
    path("waitlist/<str:token>/leave", waitlist.leave, name="waitlist_leave"),
    path("visits/<str:token>", visit.visit, name="visit"),
    path("visits/<str:token>/pay", visit.go_pay, name="pay"),
    path("visits/<str:token>/resend", visit.send_again, name="resend"),
    path("visits/<str:token>/guests", guests.invite, name="guests"),
    path("visits/<str:token>/guests/<int:guest>/take-back", guests.take_back, name="guest_back"),
    path("g/<str:token>", guests.guest, name="guest"),
    path("test-camera", guests.devices, name="devices"),
    path("visits/<str:token>/intake", intake.questions, name="intake"),
    path("visits/<str:token>/texts", visit.texts, name="texts"),
    path("visits/<str:token>/cancel", cancellation.cancel_visit, name="cancel"),
    path("visits/<str:token>/move", moving.move, name="move"),
    path("visits/<str:token>/move/confirm", moving.confirm, name="move_confirm"),
    path("visits/<str:token>/calendar.ics", calendar_file.calendar_file, name="calendar_file"),
    path("visits/<str:token>/receipt", receipt.page, name="receipt"),
    path("visits/<str:token>/receipts/<int:number>.pdf", receipt.pdf, name="receipt_pdf"),
    path("v/<str:token>", visit.short_link, name="short_link"),
    path("my/", links.my, name="my"),
]
if settings.SANDBOX:
    urlpatterns.append(path("sandbox/design", design.design, name="design"))
