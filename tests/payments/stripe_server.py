"""A small Stripe over HTTP: Checkout Sessions, refunds and lists, with Stripe's rules on parameters and keys.

Written from Stripe's documents, apart from the client. It checks the form-encoded bytes that really arrive, and fails
on demand: ``fail("drop")`` does what was asked and hangs up before answering.
"""

from __future__ import annotations

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bedside.core import clock as house_clock

KNOWN = re.compile(
    r"mode|success_url|cancel_url|client_reference_id|customer_email|expires_at|allowed_payment_method_types\[\d\]"
    r"|(payment_intent_data\[metadata\]|metadata)\[[a-z_]+\]"
    r"|line_items\[\d\]\[(quantity|price_data\]\[(currency|unit_amount|product_data\]\[name))\]"
)
REQUIRED = ("mode", "success_url", "line_items[0][quantity]", "line_items[0][price_data][unit_amount]")


class Refusal(Exception):
    def __init__(
        self, status: int, code: str | None, kind: str = "invalid_request_error", message: str = "No."
    ) -> None:
        self.status = status
        self.body = {"error": {"type": kind, "message": message} | ({"code": code} if code else {})}


FAULTS = {
    "500": Refusal(500, None, "api_error"),
    "429": Refusal(429, "rate_limit"),
    "402": Refusal(402, "card_declined", "card_error"),
    "401": Refusal(401, None),
    "403": Refusal(403, None, message="The provided key 'rk_test_***' does not have the required permissions"),
    "409": Refusal(409, "idempotency_key_in_use", "idempotency_error"),
}


class StripeServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.now = int(house_clock.now().timestamp())
        self.sessions: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.lists: dict[str, list[dict[str, Any]]] = {}
        self.requests: list[tuple[str, str, dict[str, str], dict[str, str]]] = []
        self.kept: dict[str, tuple[dict[str, str], int, dict[str, Any]]] = {}
        self.faults: list[str] = []
        self.lock = threading.RLock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def fail(self, *names: str) -> None:
        """The next requests, in this order: a status, ``hang``, or ``drop`` (done, but the answer never comes)."""
        self.faults += names

    def pay(self, session_id: str) -> None:
        """The patient, on Stripe's page."""
        session = self.sessions[session_id]
        charge = {
            "id": f"ch_{session_id}", "object": "charge", "amount": session["amount_total"], "created": self.now,
            "amount_captured": session["amount_total"], "amount_refunded": 0, "captured": True, "status": "succeeded",
            "currency": session["currency"], "payment_intent": f"pi_{session_id}", "metadata": session["metadata"],
            "disputed": False, "balance_transaction": {
                "id": f"txn_{session_id}", "object": "balance_transaction", "amount": session["amount_total"],
                "fee": 277, "currency": session["currency"], "created": self.now, "reporting_category": "charge",
                "source": f"ch_{session_id}",
            },
        }  # fmt: skip
        intent = {"id": f"pi_{session_id}", "object": "payment_intent", "latest_charge": charge,
                  "amount_received": session["amount_total"]}  # fmt: skip
        session |= {"status": "complete", "payment_status": "paid", "payment_intent": intent, "url": None}

    # --- What is asked for ----------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, asked: dict[str, str]) -> dict[str, Any]:
        if (method, path) == ("POST", "/v1/checkout/sessions"):
            return self._open(asked)
        if found := re.fullmatch(r"/v1/checkout/sessions/(\w+)(/expire)?", path):
            return self._session(found[1], expire=bool(found[2]), asked=asked)
        if (method, path) == ("POST", "/v1/refunds"):
            return self._refund(asked)
        if found := re.fullmatch(r"/v1/refunds/(\w+)", path):
            return self._or_missing(self.refunds, found[1])
        if found := re.fullmatch(r"/v1/payment_intents/pi_(\w+)", path):
            intent: dict[str, Any] = self._or_missing(self.sessions, found[1])["payment_intent"]
            return intent
        if found := re.fullmatch(r"/v1/(\w+)", path):
            return self._list(found[1], asked)
        raise Refusal(404, None)

    def _open(self, asked: dict[str, str]) -> dict[str, Any]:
        unknown = [name for name in asked if not KNOWN.fullmatch(name)]
        missing = [name for name in REQUIRED if name not in asked]
        if unknown or missing:
            raise Refusal(400, "parameter_unknown" if unknown else "parameter_missing", message=str(unknown + missing))
        if asked["line_items[0][price_data][currency]"] != "usd" or int(asked[REQUIRED[3]]) < 50:
            raise Refusal(400, "amount_too_small")
        if not 1800 <= int(asked["expires_at"]) - self.now <= 86400:
            raise Refusal(400, None, message="The `expires_at` timestamp must be 30 minutes to 24 hours from now.")
        session_id = f"cs_test_{len(self.sessions) + 1}"
        self.sessions[session_id] = {
            "id": session_id, "object": "checkout.session", "status": "open", "payment_status": "unpaid",
            "amount_total": int(asked[REQUIRED[3]]), "currency": "usd", "expires_at": int(asked["expires_at"]),
            "url": f"https://checkout.stripe.com/c/pay/{session_id}", "payment_intent": None,
            "metadata": {k[9:-1]: v for k, v in asked.items() if k.startswith("metadata[")},
        }  # fmt: skip
        return self.sessions[session_id]

    def _session(self, session_id: str, *, expire: bool, asked: dict[str, str]) -> dict[str, Any]:
        session = self._or_missing(self.sessions, session_id)
        if not expire:
            assert asked == {"expand[0]": "payment_intent.latest_charge.refunds"}
            if session["payment_intent"]:
                mine = [
                    one for one in self.refunds.values() if one["payment_intent"] == session["payment_intent"]["id"]
                ]
                session["payment_intent"]["latest_charge"]["refunds"] = {"object": "list", "data": mine}
        elif session["status"] != "open":
            raise Refusal(400, None, message="Only Checkout Sessions with a status of open can be expired.")
        else:
            session["status"] = "expired"
        return session

    def _refund(self, asked: dict[str, str]) -> dict[str, Any]:
        session = self._or_missing(self.sessions, asked["payment_intent"].removeprefix("pi_"))
        given = sum(one["amount"] for one in self.refunds.values() if one["payment_intent"] == asked["payment_intent"])
        if int(asked["amount"]) + given > session["amount_total"]:
            raise Refusal(400, "charge_already_refunded")
        refund_id = f"re_{len(self.refunds) + 1}"
        self.refunds[refund_id] = {
            "id": refund_id, "object": "refund", "amount": int(asked["amount"]), "currency": "usd",
            "status": "succeeded", "created": self.now, "payment_intent": asked["payment_intent"],
            "metadata": {k[9:-1]: v for k, v in asked.items() if k.startswith("metadata[")},
        }  # fmt: skip
        return self.refunds[refund_id]

    def _list(self, kind: str, asked: dict[str, str]) -> dict[str, Any]:
        rows = [*self.refunds.values()][::-1] if kind == "refunds" else self.lists.get(kind, [])
        low, high = int(asked.get("created[gte]", 0)), int(asked.get("created[lt]", 2**40))
        rows = [row for row in rows if low <= row["created"] < high]
        for name in ("payment_intent", "payout"):
            rows = [row for row in rows if name not in asked or row.get(name) == asked[name]]
        if after := asked.get("starting_after"):
            rows = rows[[row["id"] for row in rows].index(after) + 1 :]
        limit = int(asked.get("limit", 10))
        return {"object": "list", "url": f"/v1/{kind}", "data": rows[:limit], "has_more": len(rows) > limit}

    @staticmethod
    def _or_missing(rows: dict[str, dict[str, Any]], key: str) -> dict[str, Any]:
        if key not in rows:
            raise Refusal(404, "resource_missing")
        return rows[key]


class _Handler(BaseHTTPRequestHandler):
    server: StripeServer

    def do_GET(self) -> None:
        self._take("GET", urlsplit(self.path).query)

    def do_POST(self) -> None:
        self._take("POST", self.rfile.read(int(self.headers["Content-Length"] or 0)).decode())

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def _take(self, method: str, form: str) -> None:
        path, asked = urlsplit(self.path).path, dict(parse_qsl(form, keep_blank_values=True))
        with self.server.lock:
            self.server.requests.append((method, path, asked, {k.lower(): v for k, v in self.headers.items()}))
            fault = self.server.faults.pop(0) if self.server.faults else ""
        if fault == "hang":
            time.sleep(0.6)
            return
        with self.server.lock:
            status, body = self._once(method, path, asked, fault)
        if fault == "drop":
            self.close_connection = True
            return
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Request-Id", "req_1")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def _once(self, method: str, path: str, asked: dict[str, str], fault: str) -> tuple[int, dict[str, Any]]:
        """A key's first answer is kept and given again, errors of the server too; other parameters are refused."""
        key = self.headers.get("Idempotency-Key", "") if method == "POST" else ""
        if key in self.server.kept:
            before, status, body = self.server.kept[key]
            if before != asked:
                return 400, Refusal(400, None, "idempotency_error").body
            return status, body
        try:
            if fault in FAULTS:
                raise FAULTS[fault]
            status, body = 200, self.server.answer(method, path, asked)
        except Refusal as refusal:
            status, body = refusal.status, refusal.body
        if key and (status < 400 or status >= 500):
            self.server.kept[key] = (asked, status, body)
        return status, body
