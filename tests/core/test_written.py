"""What is written out in SQL reads and inserts exactly what Django's own queries would."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import models

from bedside.appointments.models import Appointment
from bedside.clinic.models import Practice, Provider, Service
from bedside.clinic.policy_models import CancellationPolicy
from bedside.clinic.prices.models import TaxRate
from bedside.core import ids, written
from bedside.core.audit import Actor, record
from bedside.core.models import AuditEntry
from bedside.payments.models import Payment
from tests.factories import make_appointment, make_practice, make_provider, make_service

pytestmark = pytest.mark.django_db


def held(row: models.Model) -> dict[str, Any]:
    return {
        field.attname: bytes(value) if isinstance(value := getattr(row, field.attname), memoryview) else value
        for field in row._meta.concrete_fields
    }


@pytest.mark.parametrize("model", [Practice, Provider, Service, CancellationPolicy, TaxRate])
def test_rows_are_what_the_manager_gives(model: type[models.Model]) -> None:
    make_practice()
    make_service(make_provider(mobile_number="+12025550143", languages=["English", "Español"]))
    today = date(2026, 1, 1)
    CancellationPolicy.objects.create(valid_from=today, free_hours=24)
    TaxRate.objects.create(name="VAT", percent="8.8750", valid_from=today)
    ours = written.rows(model, "ORDER BY id")
    theirs = list(model._default_manager.order_by("pk"))
    assert [held(row) for row in ours] == [held(row) for row in theirs]
    assert ours
    assert all(not row._state.adding for row in ours)


@pytest.mark.parametrize("model", [Appointment, Payment, AuditEntry])
def test_an_inserted_row_reads_back_as_it_was_given(model: type[models.Model]) -> None:
    make_practice()
    appointment = make_appointment(patient_name="Zoë O'Brien 🌷", hold_key=b"k" * 32)
    record(Actor.patient(), "appointment.created", appointment, after={"status": "paid"})
    Payment.objects.get_or_create(appointment=appointment, defaults={"amount_minor": 7500, "processor": "sandbox"})
    given = model._default_manager.order_by("-pk")[0]
    copy = model(**{name: value for name, value in held(given).items() if name != given._meta.pk.attname})
    if isinstance(copy, Appointment):
        copy.token, copy.code, copy.hold_key = ids.new_token(), "", b"l" * 32
        copy.start, copy.end = copy.start + timedelta(days=1), copy.end + timedelta(days=1)
        copy.blocked = Appointment.block(copy.service, copy.start)
    if isinstance(copy, Payment):
        copy.appointment = make_appointment(start=appointment.start + timedelta(days=2))
        Payment.objects.filter(appointment=copy.appointment).delete()
    inserted = written.insert(copy)
    read = model._default_manager.get(pk=inserted.pk)
    assert inserted.pk != given.pk
    assert not inserted._state.adding
    assert held(read) == held(inserted)
