"""The stand-in processor's hosted payment page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from bedside.core.money import Money, format_money
from bedside.sandbox import processor
from bedside.sandbox.cards import CARDS, DECLINES
from bedside.sandbox.errors import VendorRefused
from bedside.sandbox.models import Checkout
from bedside.web.sandbox.answers import posted, problem, speaks_json

PAID_CARD = "4242424242424242"


@require_safe
@never_cache
def checkout(request: HttpRequest, session: str) -> HttpResponse:
    """What is asked for, and a card to pay it with. A paid or expired session says so, with the way back."""
    try:
        processor.retrieve_session(session_id=session)
    except VendorRefused:
        return render(request, "sandbox/checkout_unknown.html", status=404)
    return _page(request, Checkout.objects.get(session_id=session))


@csrf_exempt
@require_POST
def pay(request: HttpRequest, session: str) -> HttpResponse:
    """POST {"card": "4242…"}: 200 {"status", "redirect_url"}, 402 {"status", "decline_code"}, 410 when it has expired.

    A form is led on to the visit, or shown the page again with the reason.
    """
    card = posted(request).get("card", "")
    try:
        state = processor.pay(session, card)
    except VendorRefused as refused:
        if speaks_json(request):
            return problem(refused.status, refused.code.replace("_", "-"), refused.message)
        return checkout(_as_get(request), session)
    kept = Checkout.objects.get(session_id=session)
    if state["status"] == "complete":
        if speaks_json(request):
            return JsonResponse({"status": "complete", "redirect_url": kept.success_url})
        return HttpResponseRedirect(kept.success_url)
    if speaks_json(request):
        message = DECLINES[kept.decline_code]
        return JsonResponse({"status": "open", "decline_code": kept.decline_code, "message": message}, status=402)
    return _page(request, kept, card=card, decline=DECLINES[kept.decline_code], status=402)


def _page(
    request: HttpRequest, kept: Checkout, *, card: str = PAID_CARD, decline: str = "", status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {
        "checkout": kept,
        "amount": format_money(Money(kept.amount_minor, kept.currency.upper())),
        "cards": CARDS.values(),
        "card": card[:30],
        "decline": decline,
    }
    if kept.status == "expired" and status == 200:
        status = 410
    return render(request, "sandbox/checkout.html", context, status=status)


def _as_get(request: HttpRequest) -> HttpRequest:
    request.method = "GET"
    return request
