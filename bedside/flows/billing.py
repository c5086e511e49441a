"""Billing details: what receipts say of the practice, and the codes that insurers ask for."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from bedside.appointments.models import Appointment
from bedside.clinic.errors import ChangedMeanwhile
from bedside.clinic.models import Practice, Service
from bedside.core import audit, clock
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.core.fingerprint import fingerprint
from bedside.payments.receipt_models import PracticeBilling, ServiceBilling, VisitCodes

CODES = ("procedure_code", "modifiers", "place_of_service")
DETAILS = ("legal_name", "address", "tax_id")


def set_codes(
    *,
    appointment_id: int,
    actor: Actor,
    procedure_code: str,
    modifiers: str,
    place_of_service: str,
    diagnoses: str,
) -> bool:
    """Keep a visit's codes; whether anything changed. The audit says that diagnoses changed, never which they are."""
    if not actor.is_staff:
        raise PermissionRefused
    with transaction.atomic():
        appointment = Appointment.objects.select_for_update().get(pk=appointment_id)
        codes = VisitCodes.objects.filter(appointment=appointment).first() or VisitCodes(appointment=appointment)
        wanted = {"procedure_code": procedure_code, "modifiers": modifiers, "place_of_service": place_of_service}
        before = {name: getattr(codes, name) for name in CODES if getattr(codes, name) != wanted[name]}
        after = {name: wanted[name] for name in before}
        if codes.diagnoses != diagnoses:
            before["diagnoses"], after["diagnoses"] = _count(codes.diagnoses), _count(diagnoses)
        if not after:
            return False
        for name, value in wanted.items():
            setattr(codes, name, value)
        codes.diagnoses, codes.updated_at = diagnoses, clock.now()
        codes.save()
        audit.record(actor, "receipt.codes_changed", appointment, before=before, after=after)
    return True


def _count(diagnoses: str) -> str:
    return f"{len(diagnoses.split())} codes"


def saved_details() -> dict[str, str]:
    """As saved, by name; each service's usual code as ``procedure_<id>``."""
    billing = PracticeBilling.objects.filter(pk=1).first() or PracticeBilling()
    usual = dict(ServiceBilling.objects.values_list("service_id", "procedure_code"))
    codes = {f"procedure_{pk}": usual.get(pk, "") for pk in Service.objects.values_list("pk", flat=True)}
    return {name: getattr(billing, name) for name in DETAILS} | codes


def set_details(*, actor: Actor, version: int, details: Mapping[str, str], procedures: Mapping[int, str]) -> bool:
    """Keep the practice's details and each service's usual code (by service id); whether anything changed.

    ``version``: the fingerprint of `saved_details` as the form was opened. Raises ChangedMeanwhile, PermissionRefused.
    """
    if not actor.is_staff:
        raise PermissionRefused
    with transaction.atomic():
        # The practice's row is the lock: two who save at once follow one another.
        practice = Practice.objects.select_for_update().get(pk=1)
        if fingerprint(saved_details()) != version:
            raise ChangedMeanwhile
        billing = PracticeBilling.objects.filter(pk=1).first() or PracticeBilling()
        before = {name: getattr(billing, name) for name in DETAILS if getattr(billing, name) != details[name]}
        if before:
            for name in before:
                setattr(billing, name, details[name])
            billing.save()
            after = {name: details[name] for name in before}
            audit.record(actor, "practice.billing_changed", practice, before=before, after=after)
        changed = [_set_procedure(actor, service, procedures) for service in Service.objects.filter(pk__in=procedures)]
    return bool(before) or any(changed)


def _set_procedure(actor: Actor, service: Service, procedures: Mapping[int, str]) -> bool:
    billing = ServiceBilling.objects.filter(service=service).first() or ServiceBilling(service=service)
    before, after = billing.procedure_code, procedures[service.pk]
    if before == after:
        return False
    billing.procedure_code = after
    billing.save()
    audit.record(
        actor,
        "service.procedure_code_changed",
        service,
        before={"procedure_code": before},
        after={"procedure_code": after},
    )
    return True
