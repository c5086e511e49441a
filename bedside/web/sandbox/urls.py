"""The stand-in vendors' pages. They exist only while no real vendor is configured (see config.urls)."""

from __future__ import annotations

from django.urls import path

from bedside.web.sandbox import bank, checkout, clock, design, faults, inbox, overview, phone, video

app_name = "sandbox"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("checkout/<str:session>", checkout.checkout, name="checkout"),
    path("checkout/<str:session>/pay", checkout.pay, name="pay"),
    path("bank", bank.bank, name="bank"),
    path("inbox", inbox.inbox, name="inbox"),
    path("inbox/<int:message>", inbox.message, name="message"),
    path("inbox/<int:message>/files/<int:file>", inbox.attachment, name="attachment"),
    path("messages.json", inbox.messages_json, name="messages"),
    path("phone", phone.phone, name="phone"),
    path("phone/reply", phone.reply, name="reply"),
    path("video/<str:meeting>", video.room, name="room"),
    path("video/<str:meeting>/<str:step>", video.move, name="move"),
    path("clock", clock.clock_page, name="clock"),
    path("faults", faults.faults_page, name="faults"),
    path("design", design.design, name="design"),
]
