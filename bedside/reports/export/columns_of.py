"""The columns of each exported table, in the file's order."""

from __future__ import annotations

from bedside.reports.export.columns import Column, Kind

MINUTES, HOURS, DAYS = "minutes", "hours", "days"
CODE = "The code of the appointment that it belongs to."
SERVICE_ID = "The id of the service, as in the services' export."
SERVICE = "The service's name, as patients see it."
PROVIDER_ID = "The id of the provider, as in the providers' export."
PROVIDER = "The provider's name, as patients see it."
ZONE = Column("timezone", kind=Kind.ZONE, meaning="The practice's zone: dates and times of this row are in it.")

APPOINTMENTS = (
    Column("code", "code"),
    Column("patient_name", "patient_name"),
    Column("patient_email", "patient_email"),
    Column("patient_mobile", "patient_mobile"),
    Column("service_id", "service_id", Kind.INTEGER, SERVICE_ID),
    Column("service", "service__name", meaning=SERVICE),
    Column("provider_id", "provider_id", Kind.INTEGER, PROVIDER_ID),
    Column("provider", "provider__name", meaning=PROVIDER, personal=True),
    Column("start", "start", Kind.INSTANT, "When the visit begins."),
    Column("end", "end", Kind.INSTANT, "When the visit ends."),
    ZONE,
    Column("status", "status"),
    Column("payment_status", "payment_status", meaning="Where the latest payment stands; empty: there was none."),
    Column("price", "price_minor", Kind.MONEY, "What the visit cost when booked, after the discount, tax included.",
           currency="currency"),
    Column("payment_amount", "paid_minor", Kind.MONEY, "What was received by the latest payment.", currency="currency"),
    Column("refund_amount", "refunded_minor", Kind.MONEY, "What was given back of it, pending refunds included.",
           currency="currency"),
    Column("discount", "discount_amount", Kind.MONEY, "Taken off by the promo code.", currency="currency"),
    Column("tax", "tax_amount", Kind.MONEY, "Tax; part of the price.", currency="currency"),
    Column("currency", "currency"),
    Column("promo_code", "promo_code__code", meaning="The promo code that was used."),
    Column("sms_consent", "sms_consent", Kind.FLAG),
    Column("source", "source"),
    Column("patient_timezone", "patient_timezone", meaning="The zone the patient reads times in; not this file's."),
    Column("patient_location", "patient_location"),
    Column("locale", "locale"),
    Column("cancellation_reason", "cancellation_reason"),
    Column("canceled_by", "canceled_by"),
    Column("canceled_at", "canceled_at", Kind.INSTANT, "When it was canceled."),
    Column("rescheduled_from", "rescheduled_from__code", meaning="The code of the appointment that it replaces."),
    Column("paid_at", "paid_at", Kind.INSTANT, "When the payment was known to have succeeded."),
    Column("concluded_at", "concluded_at", Kind.INSTANT, "When it was marked completed or missed."),
    Column("created_at", "created_at", Kind.INSTANT, "When the time was taken."),
    Column("updated_at", "updated_at", Kind.INSTANT, "When the appointment last changed."),
)  # fmt: skip

PROVIDERS = (
    Column("id", "id", Kind.INTEGER),
    Column("slug", "slug", personal=True),
    Column("name", "name", personal=True),
    Column("title", "title"),
    Column("email", "email", personal=True),
    Column("mobile_number", "mobile_number"),
    Column("npi", "npi", personal=True),
    Column("languages", "languages", Kind.LIST),
    Column("working_timezone", "timezone"),
    Column("services", "service_slugs", Kind.LIST, "The services that the provider offers, by their slugs."),
    Column("active", "active", Kind.FLAG),
    Column("zoom_user_id", "zoom_user_id", personal=True),
    Column("version", "version", Kind.INTEGER),
)

SERVICES = (
    Column("id", "id", Kind.INTEGER),
    Column("slug", "slug"),
    Column("name", "name"),
    Column("discreet_name", "discreet_name"),
    Column("summary", "summary"),
    Column("duration_minutes", "duration_minutes", Kind.INTEGER, unit=MINUTES),
    Column("price", "price_minor", Kind.MONEY, "What a visit costs by itself.", currency="currency"),
    Column("currency", "currency"),
    Column("prep_minutes", "prep_minutes", Kind.INTEGER, unit=MINUTES),
    Column("wrap_minutes", "wrap_minutes", Kind.INTEGER, unit=MINUTES),
    Column("step_minutes", "step_minutes", Kind.INTEGER, unit=MINUTES),
    Column("minimum_notice_minutes", "minimum_notice_minutes", Kind.INTEGER, unit=MINUTES),
    Column("horizon_days", "horizon_days", Kind.INTEGER, unit=DAYS),
    Column("free_cancellation_hours", "free_cancellation_hours", Kind.INTEGER, unit=HOURS),
    Column("daily_limit", "daily_limit", Kind.INTEGER, unit="visits"),
    Column("tax_category", "tax_category"),
    Column("asks_location", "asks_location", Kind.FLAG),
    Column("first_reminder_hours", "first_reminder_hours", Kind.INTEGER, unit=HOURS),
    Column("last_reminder_minutes", "last_reminder_minutes", Kind.INTEGER, unit=MINUTES),
    Column("reminder_24h_email", "reminder_24h_email", Kind.FLAG),
    Column("reminder_24h_sms", "reminder_24h_sms", Kind.FLAG),
    Column("reminder_1h_email", "reminder_1h_email", Kind.FLAG),
    Column("reminder_1h_sms", "reminder_1h_sms", Kind.FLAG),
    Column("active", "active", Kind.FLAG),
    Column("position", "position", Kind.INTEGER),
    Column("version", "version", Kind.INTEGER),
)

LEDGER = (
    Column("id", "id", Kind.INTEGER),
    Column("kind", "kind"),
    Column("amount", "amount_minor", Kind.MONEY, "In is positive, out is negative.", currency="currency"),
    Column("tax", "tax_minor", Kind.MONEY, "Tax within the amount, signed as it is.", currency="currency"),
    Column("currency", "currency"),
    Column("processor", "processor"),
    Column("processor_object", "processor_object"),
    Column("appointment", "appointment__code", meaning=CODE),
    Column("payment_id", "payment_id", Kind.INTEGER, "The id of the payment that it belongs to."),
    Column("service_id", "service_id", Kind.INTEGER, SERVICE_ID),
    Column("service", "appointment__service__name", meaning=SERVICE),
    Column("provider_id", "provider_id", Kind.INTEGER, PROVIDER_ID),
    Column("provider", "appointment__provider__name", meaning=PROVIDER, personal=True),
    Column("occurred_at", "occurred_at", Kind.INSTANT, "When the processor says it happened."),
    Column("practice_day", "practice_day", Kind.DAY),
    ZONE,
)

NOTIFICATIONS = (
    Column("id", "id", Kind.INTEGER),
    Column("appointment", "appointment__code", meaning=CODE),
    Column("kind", "kind"),
    Column("variant", "variant"),
    Column("audience", "audience"),
    Column("channel", "channel"),
    Column("version", "version", Kind.INTEGER),
    Column("status", "status"),
    Column("due_at", "due_at", Kind.INSTANT, "Not to be sent before."),
    Column("attempts", "attempts", Kind.INTEGER),
    Column("attempted_at", "attempted_at", Kind.INSTANT, "When the last try began."),
    Column("sent_at", "sent_at", Kind.INSTANT, "When the vendor took it."),
    ZONE,
    Column("error_code", "error_code"),
    Column("error_advice", "error_advice"),
    Column("vendor_id", "vendor_id"),
    Column("recipient", "recipient"),
    Column("subject", "subject"),
    Column("body", "body"),
    Column("locale", "locale"),
    Column("requested_by", "requested_by"),
    Column("requested_by_id", "requested_by_id", Kind.INTEGER),
    Column("created_at", "created_at", Kind.INSTANT, "When it was queued."),
)
