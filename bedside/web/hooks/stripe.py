"""The payment processor's webhooks. What they say is not trusted: a job asks the processor."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from bedside.core.jobs import defer
from bedside.flows.jobs import handle_processor_event
from bedside.flows.processor_events import OTHER_ENVIRONMENT
from bedside.payments.processors import processor
from bedside.payments.processors.base import BadSignature
from bedside.web.hooks.door import Refused, first_time, taken, webhook


@webhook("stripe")
def stripe(request: HttpRequest) -> HttpResponse:
    """Keep the event and the job that handles it in one transaction, then answer."""
    bank = processor()
    try:
        event = bank.read_webhook(request.body, request.headers)
    except BadSignature as error:
        raise Refused(error) from error
    with transaction.atomic():
        # A test event at a place of real money, or the other way round: kept, and left alone.
        note = "" if event.live == bank.live else OTHER_ENVIRONMENT
        kept = first_time(bank.name, event.event_id, event.kind, event.object_id, note=note)
        if kept is not None and not note:
            # No lock for each object: one that fails would hold up the later ones until its last try, an hour on.
            defer(handle_processor_event, processor_event_id=kept.pk)
    return taken()
