"""What each field of each table means: the model's own help text, or, where a field has none, the words here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Field
from django.utils.text import capfirst

from bedside.core.fields import BlindIndexField

# By model and field.
WORDS: Mapping[str, str] = {
    "accounts.User.password": "Salted hash of the password.",
    "accounts.User.last_login": "When the person last signed in, UTC.",
    "core.Alert.kind": "What kind of trouble, for example refund_failed.",
    "core.Alert.key": "What it is about; one alert is open per kind and key.",
    "core.Alert.ids": "The ids of what it speaks of.",
    "core.Alert.raised_at": "When it was first raised, UTC.",
    "core.Alert.last_raised_at": "When it was last raised, UTC.",
    "core.Alert.count": "How often it was raised.",
    "core.ClockOffset.offset_seconds": "Seconds by which the sandbox clock is ahead.",
    "core.Fault.name": "The fault, as the sandbox page names it.",
    "core.Fault.remaining": "How many times it will still happen.",
    "core.Fault.armed_at": "When it was armed, UTC.",
    "core.IdempotencyRecord.scope": "Which kind of request.",
    "core.IdempotencyRecord.key": "Keyed hash of the Idempotency-Key.",
    "core.IdempotencyRecord.request_hash": "Keyed hash of the request.",
    "core.IdempotencyRecord.response": "The first answer; sealed.",
    "core.RateBucket.scope": "What is counted, for example book-contact.",
    "core.RateBucket.key": "Keyed hash of whom it counts.",
    "core.RateBucket.count": "How often in this window.",
    "notifications.InboundText.vendor_id": "The text gateway's id of the message.",
    "notifications.InboundText.at": "When it came, UTC.",
    "notifications.Notification.kind": "What it says: confirmation, reminder, canceled, refunded, ...",
    "notifications.Notification.audience": "To whom: patient or provider.",
    "notifications.Notification.channel": "How: email or sms.",
    "notifications.Notification.idempotency_key": "Appointment, kind, audience, channel and version: sent once.",
    "notifications.Notification.locale": "The language it is written in.",
    "notifications.Notification.status": "Where it stands: queued, sent, delivered, failed or withdrawn.",
    "notifications.Notification.attempts": "How often it was tried.",
    "notifications.Notification.sent_at": "When the vendor took it, UTC.",
    "notifications.Notification.error_code": "Why the last try failed, in the vendor's or our own code.",
    "notifications.Notification.error_advice": "What to do about it, in words.",
    "notifications.Notification.vendor_id": "The vendor's id of the message.",
    "notifications.Notification.subject": "The email's subject as sent; sealed.",
    "notifications.Notification.requested_by": "Who asked for it: patient, admin, provider or system.",
    "notifications.Notification.requested_by_id": "The user's id where a member of the practice asked.",
    "notifications.OptOut.at": "When it was said, UTC.",
    "notifications.OptOut.ended_at": "Since when texts are welcome again, UTC.",
    "notifications.OptOut.ended_by": "How that was said.",
    "payments.CreditEntry.kind": "What happened to the credit: issued, used, returned, expired, reversed.",
    "payments.CreditEntry.actor_id": "The user's id where a member of the practice did it.",
    "payments.CreditEntry.at": "When, UTC.",
    "payments.DailyClose.practice_day": "The day that was closed, in the practice's zone.",
    "payments.DailyCloseLine.dimension": "By what the day is split: service or provider.",
    "payments.DailyCloseLine.name": "The service's or provider's name on that day.",
    "payments.LedgerEntry.kind": "What money did: charge, refund, refund_failed, credit_issued, dispute, fee, ...",
    "payments.LedgerEntry.service_id": "The id of the service that it counts for.",
    "payments.LedgerEntry.provider_id": "The id of the provider whom it counts for.",
    "payments.Mismatch.kind": "How the ledger and the processor differ.",
    "payments.Mismatch.first_seen_at": "When it was first found, UTC.",
    "payments.Mismatch.last_seen_at": "When it was last found, UTC.",
    "payments.Mismatch.resolved_by_id": "The id of the user who explained it.",
    "payments.Payment.status": "Where it stands: initiated, succeeded, refunded or failed.",
    "payments.Payment.session_expires_at": "Until when the patient can pay, UTC.",
    "payments.Payment.succeeded_at": "When the money was received, UTC.",
    "payments.Payout.failure_code": "Why the bank sent it back.",
    "payments.ProcessorEvent.event_id": "The processor's id of the event.",
    "payments.ProcessorEvent.kind": "The event's type, as the processor names it.",
    "payments.ProcessorEvent.object_id": "The processor's object that it speaks of.",
    "payments.ProcessorEvent.received_at": "When it came, UTC.",
    "payments.ProcessorEvent.processed_at": "When it was handled, UTC.",
    "payments.ProcessorObject.what": "Which list it stands in: charges, refunds, payouts, ...",
    "payments.ProcessorObject.object_id": "The processor's id.",
    "payments.ProcessorObject.amount_minor": "Signed minor units.",
    "payments.ProcessorObject.state": "As the processor says it stands.",
    "payments.ProcessorObject.reference": "What it says that it belongs to.",
    "payments.Receipt.kind": "What the document is: receipt, refund, correction or statement.",
    "payments.ReceiptCounter.last": "The last number that was given.",
    "payments.ReconciliationRun.first": "The first practice day that was compared.",
    "payments.ReconciliationRun.last": "The last practice day that was compared.",
    "payments.ReconciliationRun.asked_by_id": "The id of the user who asked for it; empty: the nightly one.",
    "payments.ReconciliationRun.missing_here": "How many of the processor's objects the ledger lacks.",
    "payments.ReconciliationRun.missing_there": "How many of the ledger's lines the processor lacks.",
    "payments.ReconciliationRun.payout_count": "How many payouts were compared.",
    "payments.Refund.status": "Where it stands: pending, succeeded or failed.",
    "payments.Refund.requested_by_id": "The id of the user who asked for it.",
    "payments.Refund.settled_at": "When the processor had decided, UTC.",
    "payments.ServiceBilling.procedure_code": "The insurer's code of the procedure.",
    "schedule.Holiday.day": "On which day.",
    "schedule.Holiday.name": "What it is called.",
    "schedule.TimeOff.kind": "Away, vacation, or blocked.",
    "video.HostUse.day": "The UTC day that is counted.",
    "video.HostUse.count": "How many calls that day.",
    "video.Meeting.error": "Why it could not be made.",
    "video.Meeting.passcode": "The room's passcode; sealed.",
    "video.Meeting.patient_waiting_since": "Since when the patient waits in the room, UTC.",
    "video.Meeting.host_joined_at": "When the provider joined, UTC.",
    "video.VendorToken.vendor": "Whose token it is.",
    "waiting.WaitlistEntry.sms_consent_source": "Where texts were agreed to: web, api or phone.",
    "waiting.WaitlistEntry.sms_consent_version": "Version of the sentence.",
}
# By the field's name, where it means the same everywhere.
EVERYWHERE: Mapping[str, str] = {
    "id": "The row's own number.",
    "at": "When, UTC.",
    "currency": "ISO 4217.",
    "processor": "Whose books: sandbox, stripe, manual (taken at the desk) or none.",
    "status": "Where it stands.",
    "reason": "Why, in somebody's words; sealed.",
    "locale": "The language of the messages.",
    "host_id": "The video service's user.",
    "idempotency_key": "What makes asking twice the same as asking once.",
    "failure_code": "Why it failed.",
    "created_at": "When the row was made, UTC.",
    "updated_at": "When the row last changed, UTC.",
    "resolved_at": "When it was settled, UTC.",
    "revoked_at": "When it was taken back, UTC.",
    "expires_at": "Until when it holds, UTC.",
    "start": "When it begins, UTC.",
    "end": "When it ends, UTC.",
    "start_time": "From then on, on the provider's clock.",
    "end_time": "Until then, on the provider's clock.",
}


def words_of(field: Any) -> str:
    """What a model's field means, in a sentence; "" where nobody has said."""
    if field.help_text:
        return str(field.help_text)
    if found := WORDS.get(f"{field.model._meta.label}.{field.name}"):
        return found
    if isinstance(field, BlindIndexField):
        return f"Keyed hash of {field.source}, to find it by."
    if field.is_relation and field.related_model is not None:
        return f"{capfirst(str(field.related_model._meta.verbose_name))} that it belongs to."
    return EVERYWHERE.get(field.name, "")


def type_of(field: Field[Any, Any]) -> str:
    """The type as the database has it, and what it points at."""
    if field.is_relation and field.related_model is not None:
        return f"reference to {field.related_model._meta.db_table}"
    from django.db import connection

    return str(field.db_type(connection) or "")
