"""Booking over the API: take a time, look at it, cancel it. The token in the answer is the key to all of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import phonenumbers
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from bedside.appointments.errors import InvalidDetails, NotOffered, SlotTaken
from bedside.appointments.models import Appointment, Source
from bedside.clinic.models import Practice
from bedside.clinic.prices.errors import PromoRefused
from bedside.core import crypto, ratelimit
from bedside.core.audit import Actor
from bedside.core.errors import NotFound
from bedside.flows import cancel, lookup, promo, reschedule
from bedside.flows.book import book
from bedside.flows.details import Consent, PatientDetails, check_details, consent_text, location_needed
from bedside.payments.errors import CreditUnusable
from bedside.web.api import reading, represent
from bedside.web.api.catalogue import find_provider, find_providers, find_service
from bedside.web.api.endpoint import as_json, idempotent
from bedside.web.api.problems import InvalidFields, Problem
from bedside.web.api.reading import Fields, json_body

FIELD_OF = {"name": "patient.name", "email": "patient.email", "mobile": "patient.mobile"}


@idempotent("bookings")
def _create(request: HttpRequest, body: Mapping[str, Any]) -> HttpResponse:
    fields, practice = Fields(), Practice.current()
    slug = fields.read("service", lambda: reading.slug(body.get("service")))
    start = fields.read("start", lambda: reading.start(body.get("start")))
    zone = fields.read("timezone", lambda: reading.zone(body.get("timezone")))
    wanted = body.get("provider")
    slugs = fields.read("provider", lambda: reading.slugs(wanted)) or []
    details = _patient(fields, body, practice)
    fields.read("sms_consent", lambda: _consent(body.get("sms_consent")))
    promo_code = fields.read("promo_code", lambda: _promo_code(body.get("promo_code")))
    credit_code = fields.read("credit_code", lambda: _credit_code(body.get("credit_code")))
    fields.done()
    assert start is not None
    assert zone is not None
    assert details is not None
    service = find_service(slug)
    provider = find_providers(service, slugs)
    if service.asks_location and not details.location:
        raise InvalidFields({"patient.location": [location_needed()]})
    try:
        booking = book(
            service=service,
            start=start,
            provider=provider,
            details=details,
            consent=Consent(given=True, text=consent_text(practice.name), source="api"),
            source=Source.API,
            hold_key=_hold_key(request),
            address=address_of(request),
            promo_code=promo_code or "",
            credit_code=credit_code or "",
        )
    except CreditUnusable as error:
        raise InvalidFields({"credit_code": [error.message]}) from error
    except PromoRefused as error:
        raise InvalidFields({"promo_code": [error.message]}) from error
    except SlotTaken as error:
        members: dict[str, Any] = {"alternatives": represent.alternatives(error.alternatives, zone)}
        if isinstance(error, NotOffered):
            members["errors"] = {"start": [error.message]}
        raise Problem(error.status, error.code, error.message, **members) from error
    shown = represent.booking(booking.appointment, payment=booking.payment, checkout_url=booking.checkout_url)
    return as_json(shown, status=201, headers={"Location": f"/api/v1/bookings/{shown['token']}"})


def create(request: HttpRequest) -> HttpResponse:
    """POST bookings. What can't be read as JSON is refused before an idempotency key is spent on it."""
    return _create(request, body=json_body(request))


def show(request: HttpRequest, token: str) -> HttpResponse:
    """GET bookings/TOKEN."""
    return as_json(represent.booking(_find(request, token)))


@idempotent("bookings/cancel")
def _cancel(request: HttpRequest, token: str, body: Mapping[str, Any]) -> HttpResponse:
    fields = Fields()
    why = fields.read("reason", lambda: reading.reason(body.get("reason")))
    fields.done()
    appointment = _find(request, token)
    cancel.cancel(appointment_id=appointment.pk, actor=Actor.patient(), reason=why or "")
    return as_json(represent.booking(_find(request, token)))


def cancel_booking(request: HttpRequest, token: str) -> HttpResponse:
    """POST bookings/TOKEN/cancel; without a body there is no reason."""
    return _cancel(request, token=token, body=json_body(request) if request.body else {})


@idempotent("bookings/reschedule")
def _reschedule(request: HttpRequest, token: str, body: Mapping[str, Any]) -> HttpResponse:
    fields = Fields()
    start = fields.read("start", lambda: reading.start(body.get("start")))
    named = body.get("timezone")
    zone = fields.read("timezone", lambda: reading.zone(named)) if named is not None else None
    wanted = body.get("provider")
    slug = fields.read("provider", lambda: reading.slug(wanted)) if wanted is not None else None
    fields.done()
    assert start is not None
    appointment = _find(request, token)
    provider = find_provider(appointment.service, slug) if wanted is not None else None
    try:
        moved = reschedule.reschedule(
            appointment_id=appointment.pk,
            start=start,
            actor=Actor.patient(),
            provider=provider,
            timezone=zone.key if zone else None,
        )
    except SlotTaken as error:
        nearest = represent.alternatives(error.alternatives, zone or appointment.patient_zone)
        members: dict[str, Any] = {"alternatives": nearest}
        if isinstance(error, NotOffered):
            members["errors"] = {"start": [error.message]}
        raise Problem(error.status, error.code, error.message, **members) from error
    return as_json(represent.booking(moved))


def reschedule_booking(request: HttpRequest, token: str) -> HttpResponse:
    """POST bookings/TOKEN/reschedule: the token stays the key to the visit at its new time."""
    return _reschedule(request, token=token, body=json_body(request))


def address_of(request: HttpRequest) -> str:
    """The address that the request came from, as the server in front of us or the socket says."""
    return str(request.META.get("REMOTE_ADDR", ""))


def _find(request: HttpRequest, token: str) -> Appointment:
    """The newest of the token's chain. Misses are counted, so that tokens can't be guessed without end."""
    try:
        return lookup.latest(lookup.by_token(token))
    except NotFound:
        ratelimit.hit("token-miss", address_of(request))
        raise


def _hold_key(request: HttpRequest) -> bytes | None:
    """A client that asks again under its key replaces its own hold, where the first try died before its answer."""
    key = request.headers.get("Idempotency-Key")
    return crypto.blind_index("hold", f"api:{key}") if key else None


def _patient(fields: Fields, body: Mapping[str, Any], practice: Practice) -> PatientDetails | None:
    patient = body.get("patient")
    if not isinstance(patient, dict):
        fields.errors["patient"] = [_("Give the patient's name, email and mobile.")]
        return None
    number = _text(patient.get("mobile"))
    location = fields.read("patient.location", lambda: reading.location(patient.get("location")))
    country = fields.read("patient.country", lambda: _country(patient.get("country"), number, practice))
    try:
        return check_details(
            name=_text(patient.get("name")),
            email=_text(patient.get("email")),
            mobile=number,
            country=country or practice.country,
            timezone=_text(body.get("timezone")),
            locale=body.get("locale", "en"),
            location=location or "",
        )
    except InvalidDetails as error:
        fields.errors |= {FIELD_OF.get(name, name): [str(message)] for name, message in error.errors.items()}
        return None


def _text(value: object) -> str:
    """Numbers and objects are no names: they are answered as if nothing was there."""
    return value if isinstance(value, str) else ""


def _country(named: object, number: str, practice: Practice) -> str:
    """The country that was named; else the one that an international number bears; else the practice's own."""
    if named is not None:
        if named not in list(phonenumbers.SUPPORTED_REGIONS):
            raise ValidationError(_("Use a country's two letters, for example US, or leave it out."))
        return str(named)
    if not number.strip().startswith("+"):
        return practice.country
    try:
        parsed = phonenumbers.parse(number[:40], None)
    except phonenumbers.NumberParseException:
        return practice.country
    regions = phonenumbers.region_codes_for_country_code(parsed.country_code or 0)
    return practice.country if practice.country in regions else next(iter(regions), practice.country)


def _consent(value: object) -> bool:
    if value is not True:
        raise ValidationError(
            _("Appointment texts must be agreed to: they carry the link and the reminders. Send true.")
        )
    return True


def _credit_code(value: object) -> str:
    """As it was sent to the patient; whether it can be spent is the flow's question."""
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > 40:
        raise ValidationError(CreditUnusable().message)
    return value.strip()


def _promo_code(value: object) -> str:
    """As codes are spelled; whether it lowers the price is the flow's question."""
    try:
        return promo.spelled(value)
    except PromoRefused as error:
        raise ValidationError(error.message) from error
