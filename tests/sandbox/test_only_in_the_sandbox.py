"""The stand-ins stand in only while no real vendor is configured."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from bedside.core import faults
from bedside.payments.processors import processor
from bedside.payments.processors.sandbox import SandboxProcessor


def test_the_sandbox_has_the_stand_in(settings: Any) -> None:
    assert isinstance(processor(), SandboxProcessor)


def test_with_a_real_key_the_stand_in_takes_no_payment(settings: Any) -> None:
    settings.SANDBOX = False
    with pytest.raises(ImproperlyConfigured):
        processor()


@pytest.mark.django_db
def test_faults_do_nothing_outside_the_sandbox(settings: Any) -> None:
    faults.arm("sms-busy")
    settings.SANDBOX = False
    assert not faults.armed("sms-busy")
