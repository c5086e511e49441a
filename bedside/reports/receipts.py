"""Receipts in words: what the page and the PDF show, in the active language. Read only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from babel.dates import format_date
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from bedside.appointments.models import Appointment
from bedside.core import phones, when
from bedside.core.money import Money, format_money
from bedside.payments.errors import DamagedReceipt
from bedside.payments.receipt_models import Receipt, ReceiptKind
from bedside.reports import listing

Row = tuple[str, str]
# What Bedside calls money that no processor knows: no number that anybody could look up.
OUR_OWN = ("free-", "manual-")


@dataclass
class Sheet:
    """One document as rows of label and value, ready to be set on paper or screen."""

    receipt: Receipt
    title: str
    sender: list[str]
    facts: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    total: Row = ("", "")
    settled: list[Row] = field(default_factory=list)
    codes: list[Row] = field(default_factory=list)
    note: str = ""
    country: str = "US"


def of_appointment(appointment: Appointment) -> list[Receipt]:
    """Every document of a visit and of those that it was moved from, in the order of their numbers."""
    return of_chain(listing.chain_of(appointment))


def of_chain(chain: list[Appointment]) -> list[Receipt]:
    return list(Receipt.objects.filter(payment__appointment__in=chain).order_by("number"))


def sheet(receipt: Receipt, *, discreet: bool = False) -> Sheet:
    """What a receipt says. ``discreet``: the visit by its discreet name, and no codes. Raises DamagedReceipt."""
    if not receipt.is_genuine:
        raise DamagedReceipt
    said = receipt.content
    made = Sheet(
        receipt=receipt,
        title=str(ReceiptKind(receipt.kind).label),
        sender=_sender(said["practice"]),
        facts=_facts(receipt, said, discreet=discreet),
        country=said["practice"]["country"],
    )
    made.lines = [(_line_word(line, said, discreet=discreet), _money(line["minor"], said)) for line in said["lines"]]
    made.total = (_("Total"), _money(said["total_minor"], said))
    made.settled = _settled(said)
    if said.get("codes") and not discreet:
        made.codes = _codes(said["codes"])
    made.note = _note(receipt.kind, said)
    return made


def _sender(practice: dict[str, str]) -> list[str]:
    lines = [practice["legal_name"] or practice["name"], *practice["address"].splitlines()]
    lines.append(phones.as_written(practice["phone"]))
    lines.append(practice["email"])
    if practice["tax_id"]:
        lines.append(_("Tax number %(number)s") % {"number": practice["tax_id"]})
    return [line for line in lines if line]


def _facts(receipt: Receipt, said: dict[str, Any], *, discreet: bool) -> list[Row]:
    visit, provider = said["visit"], said["provider"]
    who = ", ".join(part for part in (provider["name"], provider["title"]) if part)
    rows = [
        (_("Number"), receipt.label),
        (_("Issued"), _say_day(said["issued_on"])),
        (_("Patient"), said["patient"]["name"]),
        (_("Provider"), who),
    ]
    if provider["npi"]:
        rows.append((_("NPI"), provider["npi"]))
    # Neither the dash of "US-NY" nor the space after it is a place to break the line.
    licenses = [f"{one['place']}".replace("-", "\u2011") + f"\u00a0{one['number']}" for one in _numbered(provider)]
    if licenses:
        rows.append((_("License"), ", ".join(licenses)))
    start = datetime.fromisoformat(visit["start"])
    rows += [
        (_("Visit"), _visit_name(visit, discreet=discreet)),
        (_("Date of visit"), _say_instant(start, visit["zone"])),
        (_("Reference"), visit["code"]),
    ]
    if said.get("of"):
        rows.append((_("Belongs to"), said["of"]))
    reference = said.get("refund_reference") or said["reference"]
    if reference and not reference.startswith(OUR_OWN):
        rows.append((_("Payment reference"), reference))
    return rows


def _numbered(provider: dict[str, Any]) -> list[dict[str, str]]:
    return [one for one in provider["licenses"] if one["number"]]


def _visit_name(visit: dict[str, Any], *, discreet: bool) -> str:
    name = visit["discreet"] if discreet else visit["service"]
    return _("%(name)s, %(minutes)s minutes") % {"name": name, "minutes": visit["minutes"]}


def _line_word(line: dict[str, Any], said: dict[str, Any], *, discreet: bool) -> str:
    visit, tax = said["visit"], line.get("name") or _("Tax")
    words = {
        "price": visit["discreet"] if discreet else visit["service"],
        "discount": _("Discount"),
        "tax": tax,
        "tax_included": _("%(tax)s, included in the price") % {"tax": tax},
    }
    return str(words.get(line["what"], _("Other")))


def _settled(said: dict[str, Any]) -> list[Row]:
    """How the total was met, and what has gone back."""
    rows = []
    if said["credit_minor"]:
        rows.append((_("Paid with credit"), _money(said["credit_minor"], said)))
    if said["paid_minor"] or not said["credit_minor"]:
        how = {"card": _("Card"), "cash": _("Cash"), "terminal": _("Card terminal"), "transfer": _("Bank transfer")}
        word = how.get(said["how"], said["how"])
        paid = _("Paid on %(day)s, %(how)s") % {"day": _say_day(said["paid_on"]), "how": word}
        rows.append((paid, _money(said["paid_minor"], said)))
    if said.get("returned_minor"):
        rows.append((_("Returned"), _money(-said["returned_minor"], said)))
    if "refund_minor" in said:
        if said["kind"] == ReceiptKind.REFUND_FAILED:
            row = _("Refund that did not arrive, taken back into the books"), _money(said["refund_minor"], said)
        else:
            row = _("Returned on %(day)s") % {"day": _say_day(said["refund_on"])}, _money(-said["refund_minor"], said)
        rows.append(row)
    return rows


def _codes(codes: dict[str, Any]) -> list[Row]:
    rows = [
        (_("Procedure code"), " ".join([codes["procedure"], *codes["modifiers"]]).strip()),
        (_("Place of service"), codes["place"]),
        (_("Diagnosis codes"), ", ".join(codes["diagnoses"])),
    ]
    return [(label, value) for label, value in rows if value]


def _note(kind: str, said: dict[str, Any]) -> str:
    if kind == ReceiptKind.REFUND:
        return _("Banks usually show a refund within 5 to 10 business days.")
    if kind == ReceiptKind.REFUND_FAILED:
        return _("The bank sent this refund back. We will return the money another way.")
    if kind == ReceiptKind.STATEMENT:
        return _("For the patient to send to the insurer. The visit has been paid as shown.")
    return ""


def _money(minor: int, said: dict[str, Any]) -> str:
    return format_money(Money(minor, said["currency"]), str(when.babel_locale(_language())))


def _say_day(day: str) -> str:
    return format_date(date.fromisoformat(day), "long", locale=when.babel_locale(_language()))


def _say_instant(start: datetime, zone: str) -> str:
    """With the year: a receipt is read years later."""
    from zoneinfo import ZoneInfo

    local = start.astimezone(ZoneInfo(zone))
    day = format_date(local.date(), "long", locale=when.babel_locale(_language()))
    return f"{day}, {when.clock_time(start, zone, _language())} {when.zone_label(zone, _language())}"


def _language() -> str:
    return get_language() or "en"
