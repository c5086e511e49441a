"""Where the desk can go: every page and action with its name, its keys, and the other words people call it by."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Place:
    """``keys``: typed one after the other, for example "g a". ``also``: what else it may be looked for by."""

    name: str | Promise
    view: str
    shape: str
    keys: str = ""
    also: str = ""

    @property
    def url(self) -> str:
        return reverse(self.view)

    @property
    def pressed(self) -> list[str]:
        return self.keys.split()

    def fits(self, words: list[str]) -> bool:
        """Whether each word begins one of its own."""
        own = f"{self.name} {self.also}".lower().replace("-", " ").split()
        return all(any(one.startswith(word) for one in own) for word in words)


PAGES = (
    Place(_("Today"), "desk:today", "house", "g h", "home dashboard waiting alerts"),
    Place(_("Appointments"), "desk:appointments", "calendar-days", "g a", "visits bookings list"),
    Place(_("Calendar"), "desk:calendar", "columns-3", "g c", "day schedule"),
    Place(_("Calendar, by week"), "desk:calendar_week", "columns-3", "", "schedule"),
    Place(_("Messages"), "desk:messages", "mail", "g m", "emails texts sms notifications reminders"),
    Place(_("Templates"), "desk:templates", "file-text", "", "messages words emails texts wording language"),
    Place(_("Waitlist"), "desk:waitlist", "hourglass", "g w", "waiting"),
    Place(_("People"), "desk:people", "users", "g p", "providers doctors clinicians hours availability"),
    Place(_("Catalogue"), "desk:services", "layers", "g k", "services prices"),
    Place(_("Groups of providers"), "desk:groups", "users"),
    Place(_("Policies"), "desk:policies", "clipboard-list", "", "cancellation no show rescheduling"),
    Place(_("Promo codes"), "desk:promo_codes", "tag", "g d", "discounts coupons"),
    Place(_("Taxes"), "desk:taxes", "tag", "", "vat rates"),
    Place(_("Sales"), "desk:sales", "chart-column", "g s", "revenue money gross net figures"),
    Place(_("Metrics"), "desk:metrics", "activity", "g i", "operations conversion delivery no show rates insights"),
    Place(_("Refunds"), "desk:sales_refunds", "undo-2", "g f", "money back"),
    Place(_("Daily close"), "desk:closes", "receipt", "g x", "closed days"),
    Place(_("Reconciliation"), "desk:reconciliation", "shield-check", "g r", "mismatches ledger processor stripe"),
    Place(_("Credits"), "desk:credits", "receipt", "", "owed vouchers"),
    Place(_("Disputes"), "desk:disputes", "triangle-alert", "g o", "operations chargebacks evidence"),
    Place(_("Payouts"), "desk:payouts", "dollar-sign", "", "bank operations"),
    Place(_("Events of the processor"), "desk:events", "webhook", "", "webhooks operations stripe"),
    Place(_("Exports"), "desk:exports", "download", "", "csv download files"),
    Place(_("Data dictionary"), "desk:data_dictionary", "file-text", "", "fields columns exports"),
    Place(_("Holidays"), "desk:holidays", "calendar-x", "", "closed days"),
    Place(_("Calendar feeds"), "desk:calendars", "link", "", "ics import"),
    Place(_("Settings: feature flags"), "desk:flags", "settings", "", "switches"),
    Place(_("Settings: payment"), "desk:payment_terms", "credit-card", "", "terms"),
    Place(_("Billing details"), "desk:billing", "file-text", "", "receipts insurer"),
)
ACTIONS = (
    Place(_("New appointment by phone"), "desk:new_appointment", "calendar-plus", "n", "book add create visit"),
    Place(_("Conclude the day's visits"), "desk:end_of_day", "square-check", "g e", "end of day complete no show"),
    Place(_("Issue a credit"), "desk:credit_issue", "plus", "", "new voucher"),
    Place(_("New promo code"), "desk:promo_new", "plus", "", "add discount coupon"),
    Place(_("New provider"), "desk:provider_new", "user-plus", "", "add doctor clinician people"),
    Place(_("New service"), "desk:service_new", "plus", "", "add catalogue"),
    Place(_("New policy"), "desk:new_policy", "plus", "", "add cancellation"),
)


def fitting(text: str, among: tuple[Place, ...]) -> list[Place]:
    """Those that the words fit, in their usual order; all where nothing is typed."""
    words = text.lower().replace("-", " ").split()
    return [place for place in among if place.fits(words)]
