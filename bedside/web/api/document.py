"""The OpenAPI 3.1 document, kept by hand beside the endpoints; tests/api holds the two together."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from bedside.web.api.endpoint import as_json
from bedside.web.api.problems import MEDIA_TYPE
from bedside.web.api.schemas import SCHEMAS

PROBLEMS = {
    400: "The request can't be read, or the Idempotency-Key is not 1 to 255 printable ASCII characters.",
    404: "There is no such service, provider or booking.",
    409: "The time has been taken (slot-taken, with alternatives), the visit can't be changed any more (already-over), "
    "was changed by somebody else (changed-meanwhile) or can't be moved by its policy (move-not-allowed), or the "
    "first request with this Idempotency-Key is still under way.",
    413: "More than one megabyte.",
    415: "The body isn't sent as application/json.",
    422: "Fields need correcting (errors), the time isn't offered (not-offered, with alternatives), or the "
    "Idempotency-Key came with another request before (idempotency-key-reused); a move to where it is (same-time).",
    429: "Too many requests; Retry-After says when to come back.",
    500: "Something went wrong on our side.",
    503: "The payment service doesn't answer; nothing is kept.",
}
RETRY_AFTER = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}
REPLAYED = {
    "description": "Present and true where this is the first answer again.",
    "schema": {"type": "string", "enum": ["true"]},
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key with the same request gets the first answer again, for 24 hours. Use a UUID.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
}
TOKEN = {"name": "token", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def document(request: HttpRequest) -> HttpResponse:
    """GET openapi.json."""
    return as_json(openapi())


def openapi() -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Bedside",
            "version": "1",
            "description": "Book video visits. Errors are problem details (RFC 9457); instants are RFC 3339 with an "
            "offset; money is in minor units. Fields that aren't named here are ignored.",
        },
        "servers": [{"url": "/api/v1"}],
        "paths": {
            "/services": {"get": _services()},
            "/openings": {"get": _openings()},
            "/bookings": {"post": _create()},
            "/bookings/{token}": {"get": _show()},
            "/bookings/{token}/cancel": {"post": _cancel()},
            "/bookings/{token}/reschedule": {"post": _reschedule()},
            "/openapi.json": {"get": _document()},
        },
        "components": {"schemas": SCHEMAS},
    }


def _services() -> dict[str, Any]:
    return {
        "operationId": "listServices",
        "summary": "What can be booked, and with whom",
        "responses": {"200": _gives("ServiceList", "All active services."), **_problems(500)},
    }


def _openings() -> dict[str, Any]:
    return {
        "operationId": "listOpenings",
        "summary": "The times that can be booked",
        "parameters": [
            _query("service", "The service's slug.", {"type": "string", "minLength": 1}),
            _query("from", "First day, in the zone.", {"$ref": "#/components/schemas/Day"}),
            _query("to", "Last day, included; at most 62 days in all.", {"$ref": "#/components/schemas/Day"}),
            _query(
                "timezone", "IANA zone of the days and of the answer's offsets.", {"$ref": "#/components/schemas/Zone"}
            ),
            _query(
                "provider",
                "Only these providers'; may be repeated. Without it, everybody's.",
                {"type": "array", "items": {"type": "string"}},
                required=False,
            ),
            _query(
                "location",
                "Where the patient will be: only who is licensed there. Needed where the service asks_location.",
                {"$ref": "#/components/schemas/Place"},
                required=False,
            ),
        ],
        "responses": {
            "200": _gives("OpeningList", "Openings, earliest first."),
            **_problems(404, 422, 429, 500),
        },
    }


def _create() -> dict[str, Any]:
    created = _gives("Booking", "The time is held until hold_expires_at; the patient pays at checkout_url.")
    created["headers"] = {
        "Location": {"description": "The booking's address.", "schema": {"type": "string"}},
        "Idempotent-Replayed": REPLAYED,
    }
    return {
        "operationId": "createBooking",
        "summary": "Hold a time and open its checkout",
        "parameters": [IDEMPOTENCY_KEY],
        "requestBody": _takes("BookingRequest", required=True),
        "responses": {"201": created, **_problems(400, 404, 409, 413, 415, 422, 429, 500, 503)},
    }


def _show() -> dict[str, Any]:
    return {
        "operationId": "showBooking",
        "summary": "How a booking stands",
        "parameters": [TOKEN],
        "responses": {"200": _gives("Booking", "The newest of its chain of reschedules."), **_problems(404, 429, 500)},
    }


def _cancel() -> dict[str, Any]:
    return {
        "operationId": "cancelBooking",
        "summary": "Cancel, by the service's policy; canceling twice changes nothing more",
        "parameters": [TOKEN, IDEMPOTENCY_KEY],
        "requestBody": _takes("CancelRequest", required=False),
        "responses": {
            "200": _gives("Booking", "The booking, canceled."),
            **_problems(400, 404, 409, 413, 415, 422, 429, 500),
        },
    }


def _reschedule() -> dict[str, Any]:
    return {
        "operationId": "rescheduleBooking",
        "summary": "Move to another time, as far as the policy lets the patient; the token stays the same",
        "parameters": [TOKEN, IDEMPOTENCY_KEY],
        "requestBody": _takes("RescheduleRequest", required=True),
        "responses": {
            "200": _gives("Booking", "The booking at its new time."),
            **_problems(400, 404, 409, 413, 415, 422, 429, 500),
        },
    }


def _document() -> dict[str, Any]:
    answer = {"description": "This document.", "content": {"application/json": {"schema": {"type": "object"}}}}
    return {"operationId": "showDocument", "summary": "This document", "responses": {"200": answer, **_problems(500)}}


def _query(name: str, description: str, schema: dict[str, Any], *, required: bool = True) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "description": description, "schema": schema}


def _takes(schema: str, *, required: bool) -> dict[str, Any]:
    return {
        "required": required,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


def _gives(schema: str, description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


def _problems(*statuses: int) -> dict[str, Any]:
    """These errors, and the one that every address gives to another method."""
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    found: dict[str, Any] = {
        str(status): {"description": PROBLEMS[status], "content": {MEDIA_TYPE: problem}} for status in statuses
    }
    for status in {"429", "503"} & found.keys():
        found[status]["headers"] = {"Retry-After": RETRY_AFTER}
    found["405"] = {"description": "Another method; Allow names those that work.", "content": {MEDIA_TYPE: problem}}
    return found
