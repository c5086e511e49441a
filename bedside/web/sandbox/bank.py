"""The stand-in processor's dashboard: payments with what a bank or a person may do to them, disputes, payouts, balance.

The same as JSON for programs: ``POST /sandbox/bank {"do": "dispute", "session": "cs_…", "reason": "fraudulent"}``.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from bedside.clinic.models import Practice
from bedside.core import clock
from bedside.core.money import Money, format_money
from bedside.sandbox import books, disputes, listing, processor
from bedside.sandbox.errors import VendorRefused
from bedside.sandbox.models import Checkout, ProcessorDispute, ProcessorPayout
from bedside.web.sandbox.answers import posted, problem, speaks_json


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def bank(request: HttpRequest) -> HttpResponse:
    """GET shows it. POST ``do``: dispute, answer, won, lost, refund or pay_out, with what that needs."""
    if request.method != "POST":
        return _page(request)
    fields = posted(request)
    action = ACTIONS.get(fields.get("do", ""))
    if action is None:
        return problem(422, "unknown-action", "Say what to do.", actions=sorted(ACTIONS))
    try:
        made = action(fields)
    except VendorRefused as refused:
        if speaks_json(request):
            return problem(refused.status, refused.code.replace("_", "-"), refused.message)
        return _page(request, trouble=refused.message, status=refused.status)
    return JsonResponse(made) if speaks_json(request) else redirect("sandbox:bank")


def _refund(fields: dict[str, str]) -> dict[str, Any]:
    """As in the dashboard: without Bedside's key in it. ``amount`` in minor units, all that is left without it."""
    checkout = Checkout.objects.filter(session_id=fields.get("session", "")).first()
    if checkout is None:
        raise VendorRefused(404, "resource_missing", "No such checkout session.")
    left = checkout.amount_minor - sum(one.amount_minor for one in checkout.refunds.exclude(status="failed"))
    asked = fields.get("amount") or str(left)
    if not (asked.isascii() and asked.isdigit() and len(asked) < 10):
        raise VendorRefused(422, "parameter_invalid_integer", "An amount is a whole number of cents.")
    key = f"dashboard-{secrets.token_hex(8)}"
    return processor.create_refund(idempotency_key=key, payment_intent=checkout.intent_id, amount=int(asked))


def _dispute(fields: dict[str, str]) -> dict[str, Any]:
    return disputes.open_dispute(fields.get("session", ""), fields.get("reason") or "fraudulent")


def _pay_out(fields: dict[str, str]) -> dict[str, Any]:
    made = books.pay_out(clock.now())
    return {"object": "list", "data": [listing.retrieve_payout(payout_id=one.payout_id) for one in made]}


ACTIONS: dict[str, Callable[[dict[str, str]], dict[str, Any]]] = {
    "dispute": _dispute,
    "answer": lambda fields: disputes.respond(fields.get("dispute", "")),
    "won": lambda fields: disputes.close(fields.get("dispute", ""), "won"),
    "lost": lambda fields: disputes.close(fields.get("dispute", ""), "lost"),
    "refund": _refund,
    "pay_out": _pay_out,
}


def _page(request: HttpRequest, *, trouble: str = "", status: int = 200) -> HttpResponse:
    currency = Practice.current().currency if Practice.objects.exists() else "USD"
    paid = Checkout.objects.filter(payment_status="paid")
    balance = format_money(Money(books.balance(currency), currency))
    context = {
        "area": "bank",
        "balance": balance,
        "trouble": trouble,
        "payments": paid.prefetch_related("refunds", "disputes").order_by("-pk")[:20],
        "disputes": ProcessorDispute.objects.select_related("checkout").order_by("-pk")[:20],
        "payouts": ProcessorPayout.objects.order_by("-pk")[:10],
        "reasons": disputes.REASONS,
    }
    return render(request, "sandbox/bank.html", context, status=status)
