"""Numbers whose owners want no texts: kept in step with the gateway's own list, honoured everywhere."""

from __future__ import annotations

from collections.abc import Collection

import structlog
from django.db import transaction

from bedside.core import clock
from bedside.core.crypto import blind_index
from bedside.notifications.models import Channel, Notification, OptOut
from bedside.notifications.states import NotificationStatus

log = structlog.get_logger(__name__)


def is_opted_out(number: str) -> bool:
    """Whether texts to this number (E.164) are refused by its owner."""
    return bool(number) and present(number) is not None


def among(numbers: Collection[str]) -> set[str]:
    """Those of these numbers whose owners want no texts, in one question."""
    by_index = {blind_index("mobile", number): number for number in numbers if number}
    if not by_index:
        return set()
    listed = OptOut.objects.filter(number_index__in=list(by_index), ended_at=None)
    return {by_index[bytes(index)] for index in listed.values_list("number_index", flat=True)}


def present(number: str) -> OptOut | None:
    """The entry that stands for this number, with when and how."""
    return OptOut.objects.filter(number_index=blind_index("mobile", number), ended_at=None).first()


def opt_out(number: str, source: str) -> bool:
    """Keep the number from texts; what is queued for it is withdrawn. False where it stood on the list already."""
    with transaction.atomic():
        _entry, new = OptOut.objects.get_or_create(
            number_index=blind_index("mobile", number), ended_at=None, defaults={"number": number, "source": source}
        )
        if new:
            _withdraw_texts(number)
            log.info("opted_out", source=source)
    return new


def opt_in(number: str, source: str) -> bool:
    """Texts are welcome again. False where they were all along."""
    ended = OptOut.objects.filter(number_index=blind_index("mobile", number), ended_at=None).update(
        ended_at=clock.now(), ended_by=source
    )
    return bool(ended)


def _withdraw_texts(number: str) -> None:
    """Every waiting text to this number, whoever it is for: patients share phones with their families."""
    index = blind_index("mobile", number)
    waiting = Notification.objects.filter(channel=Channel.SMS, status=NotificationStatus.QUEUED)
    to_patient = waiting.filter(audience="patient", appointment__patient_mobile_index=index)
    to_patient.update(status=NotificationStatus.WITHDRAWN, error_code="opted-out")
