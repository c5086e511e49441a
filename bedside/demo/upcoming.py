"""The days ahead, booked and paid through the same flows that patients use, so that every job and message is real."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

from bedside.appointments.errors import SlotTaken
from bedside.clinic.models import Practice, Service
from bedside.core import clock
from bedside.demo.patients import draw
from bedside.demo.people import PLACE_IN_ZONE
from bedside.flows import pay
from bedside.flows.book import book
from bedside.flows.details import Consent, consent_text
from bedside.sandbox import processor as bank
from bedside.schedule import openings

VISITS = 18
DAYS = 8


def load(services: list[Service]) -> None:
    """Book visits over the coming days, and pay them at the stand-in processor."""
    rng = random.Random(20)  # noqa: S311  # a fixed seed: the demo is the same every time
    practice = Practice.current()
    today = clock.now().astimezone(practice.zone).date()
    consent = Consent(given=True, text=consent_text(practice.name), source="web")
    for number in range(VISITS):
        service = services[number % len(services)]
        details = draw(rng)
        if service.asks_location:
            details = replace(details, location=PLACE_IN_ZONE[details.timezone])
        offered = openings.openings(
            service=service,
            first=today,
            last=today + timedelta(days=DAYS),
            timezone=practice.timezone,
            location=details.location or None,
        )
        if not offered:
            continue
        # Denser in the next days: a desk with something to do.
        chosen = offered[int(len(offered) * rng.random() ** 1.6)]
        try:
            booking = book(service=service, start=chosen.start, details=details, consent=consent)
        except SlotTaken:
            continue
        payment = booking.appointment.payment
        if number % 9 != 8:
            bank.pay(session_id=payment.session_id, card_number="4242424242424242")
            pay.settle(payment.pk)
