"""The sandbox's front page: what stands in for whom, and what is going on there."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from bedside.core import clock
from bedside.sandbox.cards import CARDS
from bedside.sandbox.models import Checkout, Message, Room, Webhook


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    context = {
        "now": clock.now(),
        "cards": CARDS.values(),
        "checkouts": Checkout.objects.order_by("-pk")[:8],
        "rooms": Room.objects.filter(deleted_at=None, start__gte=clock.now()).order_by("start")[:8],
        "webhooks": Webhook.objects.defer("body").order_by("-pk")[:12],
        "messages_sent": Message.objects.filter(inbound=False).count(),
        "area": "overview",
    }
    return render(request, "sandbox/overview.html", context)
