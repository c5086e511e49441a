"""Sealing: unreadable in the database, bound to its column, readable after the keys were rotated."""

from __future__ import annotations

import os

import pytest
from django.core.exceptions import FieldError
from django.db import connection

from bedside.appointments.models import Appointment
from bedside.core import crypto
from bedside.core.crypto import DecryptionFailed, Keyring, blind_index
from bedside.flows.commands import rotate_keys
from tests.factories import make_appointment


@pytest.fixture
def ring() -> Keyring:
    return Keyring(keys={1: os.urandom(32), 2: os.urandom(32)}, primary=2, index_key=os.urandom(32))


def test_what_is_sealed_comes_back(ring: Keyring) -> None:
    assert ring.decrypt(ring.encrypt("José 李", "a.b"), "a.b") == "José 李"


def test_the_same_text_is_sealed_differently_each_time(ring: Keyring) -> None:
    assert ring.encrypt("x", "a.b") != ring.encrypt("x", "a.b")


def test_a_value_moved_to_another_column_does_not_open(ring: Keyring) -> None:
    with pytest.raises(DecryptionFailed):
        ring.decrypt(ring.encrypt("x", "a.b"), "a.c")


@pytest.mark.parametrize("position", [0, 3, 8, -1])
def test_an_altered_value_does_not_open(ring: Keyring, position: int) -> None:
    sealed = bytearray(ring.encrypt("x", "a.b"))
    sealed[position] ^= 1
    with pytest.raises(DecryptionFailed):
        ring.decrypt(bytes(sealed), "a.b")


def test_an_older_key_still_opens_what_it_sealed(ring: Keyring) -> None:
    older = Keyring(keys={1: ring.keys[1]}, primary=1, index_key=ring.index_key)
    assert ring.decrypt(older.encrypt("x", "a.b"), "a.b") == "x"


@pytest.mark.django_db
def test_the_database_never_sees_a_name_an_address_or_a_number() -> None:
    make_appointment(patient_name="Robin Sample", patient_email="robin@example.com")
    with connection.cursor() as cursor:
        cursor.execute("SELECT a::text FROM appointments_appointment a")
        row = cursor.fetchone()[0]
    for secret in (b"Robin", b"robin@example.com", b"2025550143"):
        assert secret.hex() not in row
        assert secret.decode() not in row


@pytest.mark.django_db
def test_people_are_found_through_the_blind_index_whatever_the_case() -> None:
    appointment = make_appointment(patient_email="Robin@Example.com")
    found = Appointment.objects.get(patient_email_index=blind_index("email", "robin@example.COM "))
    assert found == appointment


@pytest.mark.django_db
def test_looking_up_a_sealed_field_directly_is_an_error_not_an_empty_answer() -> None:
    with pytest.raises(FieldError):
        Appointment.objects.filter(patient_email="robin@example.com").exists()


@pytest.mark.django_db
def test_rotating_the_keys_seals_every_row_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    appointment = make_appointment(patient_name="Robin Sample")
    present = crypto.keyring()
    newer = Keyring(keys={**present.keys, 9: os.urandom(32)}, primary=9, index_key=present.index_key)
    for module in ("bedside.core.crypto", "bedside.flows.commands"):
        monkeypatch.setattr(f"{module}.keyring", lambda: newer)
    assert rotate_keys() > 0
    assert rotate_keys() == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT patient_name FROM appointments_appointment")
        assert crypto.key_id_of(bytes(cursor.fetchone()[0])) == 9
    assert Appointment.objects.get(pk=appointment.pk).patient_name == "Robin Sample"
