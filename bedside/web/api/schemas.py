"""The shapes of the API, as JSON Schema for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from bedside.appointments.states import Status
from bedside.payments.states import PaymentStatus

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
SLUG: Schema = {"type": "string", "minLength": 1}
COUNT: Schema = {"type": "integer", "minimum": 0}
INSTANT: Schema = {"type": "string", "format": "date-time", "examples": ["2026-12-01T14:30:00-05:00"]}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def record(properties: dict[str, Schema], *, optional: tuple[str, ...] = (), **more: Any) -> Schema:
    """An object in which everything is required but what is named optional."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, **more}


SCHEMAS: dict[str, Schema] = {
    "Money": record({"minor_units": COUNT, "currency": {"type": "string", "pattern": "^[A-Z]{3}$"}}),
    "Day": {
        "type": "string",
        "format": "date",
        "pattern": "^20[0-9]{2}-[0-9]{2}-[0-9]{2}$",
        "examples": ["2026-12-01"],
    },
    "Zone": {
        "type": "string",
        "minLength": 1,
        "examples": ["America/New_York"],
        "description": "A time zone of the IANA database.",
    },
    "Place": {
        "type": "string",
        "pattern": "^[A-Z]{2}(-[A-Z0-9]{1,3})?$",
        "examples": ["US-NY", "GB"],
        "description": "ISO 3166: a state where states license (US, CA, AU), else a country.",
    },
    "Opening": record({"start": INSTANT, "end": INSTANT, "provider": {**SLUG, "description": "The provider's slug."}}),
    "OpeningList": record({"openings": array(ref("Opening")), "service": SLUG, "timezone": ref("Zone")}),
    "Provider": record({"slug": SLUG, "name": TEXT, "title": TEXT, "languages": array(TEXT)}),
    "Service": record(
        {
            "slug": SLUG,
            "name": TEXT,
            "summary": TEXT,
            "description": TEXT,
            "duration_minutes": COUNT,
            "price": ref("Money"),
            "minimum_notice_minutes": COUNT,
            "horizon_days": COUNT,
            "asks_location": {"type": "boolean", "description": "Whether a booking needs the patient's location."},
            "free_cancellation_hours": COUNT,
            "late_cancellation_percent": {**COUNT, "maximum": 100, "description": "Returned after the free time."},
            "no_show_fee_percent": {**COUNT, "maximum": 100, "description": "Kept of a visit that was missed."},
            "cancellation_policy": TEXT,
            "providers": array(ref("Provider")),
        }
    ),
    "ServiceList": record({"services": array(ref("Service"))}),
    "Patient": record(
        {
            "name": {"type": "string", "minLength": 1, "maxLength": 120, "description": "Full name, without emoji."},
            "email": {"type": "string", "minLength": 3, "maxLength": 254, "format": "email"},
            "mobile": {
                "type": "string",
                "minLength": 3,
                "maxLength": 40,
                "examples": ["+12025550143"],
                "description": "A number that can receive texts: E.164, or as dialed within the country.",
            },
            "country": {
                "anyOf": [{"type": "string", "pattern": "^[A-Z]{2}$"}, {"type": "null"}],
                "description": "ISO 3166: the number's country. Without it, the number's own or the practice's.",
            },
            "location": {
                "anyOf": [ref("Place"), {"type": "null"}],
                "description": "Where the patient will be during the visit. Needed where the service asks_location.",
            },
        },
        optional=("country", "location"),
    ),
    "BookingRequest": record(
        {
            "service": SLUG,
            "provider": {
                "anyOf": [SLUG, {"type": "array", "items": SLUG, "maxItems": 50}, {"type": "null"}],
                "description": "One, or any of several. Without it, whoever is free.",
            },
            "start": {**INSTANT, "description": "An opening's start; RFC 3339 with an offset."},
            "timezone": ref("Zone"),
            "patient": ref("Patient"),
            "sms_consent": {"const": True, "description": "The patient agrees to appointment texts."},
            "promo_code": {
                "type": ["string", "null"],
                "maxLength": 80,
                "description": "A code for a lower price, in upper or lower case. A price of nothing is paid at once.",
            },
            "credit_code": {
                "type": ["string", "null"],
                "maxLength": 40,
                "description": "The code of the patient's credit. It pays what it can; refused with another contact.",
            },
            "locale": {"description": "The language of the patient's messages: en or es; English where it is another."},
        },
        optional=("provider", "promo_code", "credit_code", "locale"),
        examples=[
            {
                "service": "primary-care",
                "start": "2026-12-01T14:30:00-05:00",
                "timezone": "America/New_York",
                "patient": {"name": "Robin Sample", "email": "robin@example.com", "mobile": "+12025550143"},
                "sms_consent": True,
            }
        ],
    ),
    "CancelRequest": record({"reason": {"type": ["string", "null"], "maxLength": 1000}}, optional=("reason",)),
    "RescheduleRequest": record(
        {
            "start": {**INSTANT, "description": "An opening's start; RFC 3339 with an offset."},
            "provider": {"anyOf": [SLUG, {"type": "null"}], "description": "Without it, whom the visit is with now."},
            "timezone": {
                "anyOf": [ref("Zone"), {"type": "null"}],
                "description": "The zone of the patient's times from now on; without it, as before.",
            },
        },
        optional=("provider", "timezone"),
        examples=[{"start": "2026-12-02T10:00:00-05:00"}],
    ),
    "Booking": record(
        {
            "token": {
                "type": "string",
                "description": "The key to this booking. Whoever has it can see, move and cancel it.",
            },
            "code": {"type": "string", "description": "The reference that is said on the phone; no secret."},
            "status": {"enum": [status.value for status in Status]},
            "start": INSTANT,
            "end": INSTANT,
            "timezone": ref("Zone"),
            "service": SLUG,
            "provider": SLUG,
            "amount": {**ref("Money"), "description": "What the visit costs: after the discount, tax included."},
            "list_price": {**ref("Money"), "description": "Before the discount and a tax that is added."},
            "discount_amount": ref("Money"),
            "promo_code": nullable(TEXT),
            "credit_amount": {**ref("Money"), "description": "What the patient's credit pays of the amount."},
            "tax_amount": {**ref("Money"), "description": "The tax within the amount."},
            "hold_expires_at": nullable(INSTANT),
            "checkout_url": nullable({**TEXT, "description": "Where the patient pays, while the time is held."}),
            "join_url": nullable({**TEXT, "description": "The video link, once the visit is paid."}),
            "page_url": {**TEXT, "description": "The patient's own page."},
            "cancellation": record({"possible": {"type": "boolean"}, "free_until": INSTANT, "refund": ref("Money")}),
            "move": record({"possible": {"type": "boolean"}, "until": INSTANT, "moves_left": COUNT}),
            "payment_status": nullable({"enum": [status.value for status in PaymentStatus]}),
            "refunded": ref("Money"),
        }
    ),
    "Problem": record(
        {
            "type": {"type": "string", "description": "A code that stays the same, for example slot-taken."},
            "title": TEXT,
            "status": {"type": "integer"},
            "detail": {**TEXT, "description": "What to do, in words for people."},
            "errors": {
                "type": "object",
                "additionalProperties": array(TEXT),
                "description": "By field, for example patient.email.",
            },
            "alternatives": array(ref("Opening")),
        },
        optional=("errors", "alternatives"),
    ),
}
