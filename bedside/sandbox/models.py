"""The stand-in vendors' own state. Bedside's rooms never read it: they ask the stand-ins as they would the vendors."""

from __future__ import annotations

from django.db import models

from bedside.core.fields import BlindIndexField, EncryptedTextField


class IdempotencyKey(models.Model):
    """One answer per key, errors too, as at Stripe. Stripe forgets them after a day at the earliest; we never do."""

    key = models.CharField(max_length=255, unique=True)
    parameters = models.BinaryField(max_length=32, help_text="SHA-256 of what was asked for.")
    status = models.PositiveSmallIntegerField(default=200, help_text="HTTP status that is replayed.")
    object_id = models.CharField(max_length=80, blank=True, default="")
    created_at = models.DateTimeField()


class Checkout(models.Model):
    """The stand-in processor's checkout session and its payment intent, in the shape of Stripe's."""

    session_id = models.CharField(max_length=80, unique=True)
    client_reference = models.CharField(max_length=80)
    amount_minor = models.PositiveIntegerField()
    currency = models.CharField(max_length=3, help_text="Lower case, as Stripe writes it.")
    description = models.CharField(max_length=200)
    email = EncryptedTextField(blank=True, default="")
    success_url = EncryptedTextField(help_text="Carries the patient's token, so it is sealed.")
    cancel_url = EncryptedTextField()
    status = models.CharField(max_length=10, default="open", help_text="open, complete or expired.")
    payment_status = models.CharField(max_length=10, default="unpaid", help_text="unpaid or paid.")
    intent_id = models.CharField(max_length=80, unique=True)
    decline_code = models.CharField(max_length=60, blank=True, default="")
    last_four = models.CharField(max_length=4, blank=True, default="")
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    metadata = models.JSONField(default=dict, help_text="Text by name, as the caller gave it; ids only.")

    class Meta:
        indexes = [models.Index(fields=["paid_at", "id"], name="sandbox_checkout_time")]


class ProcessorRefund(models.Model):
    """The stand-in processor's refund."""

    refund_id = models.CharField(max_length=80, unique=True)
    checkout = models.ForeignKey(Checkout, on_delete=models.CASCADE, related_name="refunds")
    amount_minor = models.PositiveIntegerField()
    status = models.CharField(max_length=10, default="succeeded", help_text="pending, succeeded or failed.")
    failure_reason = models.CharField(max_length=60, blank=True, default="")
    created_at = models.DateTimeField()
    metadata = models.JSONField(default=dict, help_text="Text by name; empty where the dashboard made it.")

    class Meta:
        indexes = [models.Index(fields=["created_at", "id"], name="sandbox_refund_time")]


class ProcessorDispute(models.Model):
    """The stand-in processor's dispute: a patient's bank takes a payment back until it is decided."""

    dispute_id = models.CharField(max_length=80, unique=True)
    checkout = models.ForeignKey(Checkout, on_delete=models.CASCADE, related_name="disputes")
    amount_minor = models.PositiveIntegerField()
    reason = models.CharField(max_length=40, default="fraudulent")
    status = models.CharField(max_length=24, default="needs_response", help_text="Stripe's words; won and lost end it.")
    due_by = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["checkout"],
                condition=~models.Q(status__in=["won", "lost"]),
                name="sandbox_one_open_dispute",
            )
        ]


class ProcessorPayout(models.Model):
    """The stand-in processor's transfer to the practice's bank."""

    payout_id = models.CharField(max_length=80, unique=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=12, default="paid")
    arrives_at = models.DateTimeField()
    created_at = models.DateTimeField()


class BalanceEntry(models.Model):
    """One movement of the stand-in processor's balance, as Stripe's balance transactions: net = amount - fee."""

    balance_id = models.CharField(max_length=80, unique=True)
    category = models.CharField(max_length=24, help_text="Stripe's reporting category.")
    source_id = models.CharField(max_length=80, help_text="The charge, refund, dispute or payout.")
    checkout = models.ForeignKey(Checkout, on_delete=models.CASCADE, null=True, related_name="balance")
    amount_minor = models.BigIntegerField(help_text="Signed.")
    fee_minor = models.BigIntegerField(default=0, help_text="Taken off the amount.")
    currency = models.CharField(max_length=3)
    payout = models.ForeignKey(ProcessorPayout, on_delete=models.CASCADE, null=True, related_name="entries")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["category", "source_id"], name="sandbox_balance_once"),
        ]
        indexes = [models.Index(fields=["created_at", "id"], name="sandbox_balance_time")]


class Webhook(models.Model):
    """A webhook on its way to Bedside. Its body may carry numbers and addresses, so it is sealed."""

    vendor = models.CharField(max_length=8, help_text="stripe, zoom, twilio or email.")
    event_id = models.CharField(max_length=80, help_text="The vendor's id of the event.")
    kind = models.CharField(max_length=80)
    body = EncryptedTextField(help_text="The exact bytes that are signed and sent, as UTF-8.")
    created_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    answer = models.PositiveSmallIntegerField(null=True, help_text="HTTP status of the last answer.")
    lost = models.BooleanField(default=False, help_text="A fault: it is never sent.")
    delivered_at = models.DateTimeField(null=True)


class Message(models.Model):
    """What the stand-in mail server and text gateway took: the inbox and the phone."""

    channel = models.CharField(max_length=6, help_text="email or sms.")
    to = EncryptedTextField(help_text="For an inbound text, the number that it came from.")
    to_index = BlindIndexField(source="to", kind="email", db_index=True)
    subject = EncryptedTextField(blank=True, default="")
    body = EncryptedTextField(help_text="Plain text.")
    html = EncryptedTextField(blank=True, default="")
    vendor_id = models.CharField(max_length=255, unique=True)
    client_reference = models.CharField(max_length=120, blank=True, default="", db_index=True)
    kind = models.CharField(max_length=20, blank=True, default="")
    audience = models.CharField(max_length=10, blank=True, default="")
    status = models.CharField(max_length=12, default="sent", help_text="sent, delivered, undelivered or bounced.")
    inbound = models.BooleanField(default=False, help_text="Written on the phone, to Bedside.")
    at = models.DateTimeField()


class MessageFile(models.Model):
    """A file that came with an email."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=80)
    data = EncryptedTextField(help_text="Base64; sealed.")


class OptOut(models.Model):
    """Numbers that answered STOP: the stand-in gateway rejects texts to them (21610), as Twilio does by itself."""

    number = EncryptedTextField()
    number_index = BlindIndexField(source="number", kind="mobile", unique=True)
    at = models.DateTimeField()


class Room(models.Model):
    """The stand-in video service's meeting."""

    meeting_id = models.CharField(max_length=40, unique=True)
    uuid = models.CharField(max_length=40)
    topic = models.CharField(max_length=200)
    host_id = models.CharField(max_length=120)
    client_reference = models.CharField(max_length=120, blank=True, default="", db_index=True)
    start = models.DateTimeField()
    duration_minutes = models.PositiveSmallIntegerField()
    passcode = models.CharField(max_length=20)
    deleted_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()


class Participant(models.Model):
    """Who is, or was, in a room of the stand-in video service."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="participants")
    role = models.CharField(max_length=8, help_text="host or guest.")
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["room", "role"], condition=models.Q(left_at__isnull=True), name="participant_once_in_room"
            )
        ]
