"""Credits: money owed in visits. Issued, spent, returned, reversed, lapsed; each move is an entry and a ledger line.

Locks are taken in this order: provider, appointment, payment, credit.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, Sum

from bedside.appointments.events import AppointmentEvent
from bedside.clinic.models import Practice
from bedside.core import audit, clock, flags, ids
from bedside.core.audit import Actor
from bedside.core.crypto import blind_index
from bedside.core.errors import PermissionRefused
from bedside.core.events import publish
from bedside.core.money import Money
from bedside.flows import announce, refund
from bedside.payments import ledger
from bedside.payments.credit_models import Credit, CreditEntry, CreditKind
from bedside.payments.errors import CreditChanged, CreditUnusable, KeyReused, RefundNotPositive, WrongCurrency
from bedside.payments.events import CreditChange, CreditIssued
from bedside.payments.models import Payment
from bedside.payments.states import PaymentStatus

CODE_LENGTH = 12  # 30 signs each: 58 bits
# What comes back to a credit that has lapsed meanwhile can be spent for so long.
AT_LEAST = timedelta(days=30)
MOST_GOODWILL = 1_000_000


def issue(payment: Payment, *, amount: Money, reason: str, actor: Actor, key: str, goodwill: bool = False) -> Credit:
    """Owe the patient of this payment a visit's worth instead of money. ``key``: asking twice with it is one credit.

    Unless it is ``goodwill`` it stands in for a refund: it counts against what may be given back, and raises what a
    refund raises. Raises FeatureOff where credits are switched off, KeyReused. The patient gets the code.
    """
    with transaction.atomic():
        locked = Payment.objects.select_for_update().select_related("appointment").get(pk=payment.pk)
        existing = Credit.objects.filter(idempotency_key=key).first()
        if existing:
            if (existing.payment_id, existing.amount_minor) != (locked.pk, amount.minor_units):
                raise KeyReused
            return existing
        flags.require("credits")
        _check(locked, amount, goodwill)
        credit = _make(locked, amount, reason, actor, key, goodwill=goodwill)
        if not goodwill:
            locked.credited_minor += amount.minor_units
            locked.save(update_fields=["credited_minor"])
            if not locked.refundable_minor:
                announce.nothing_to_remind_of(locked.appointment)
        _enter(credit, CreditKind.ISSUED, amount.minor_units, locked, actor, key, reason)
        announce.credit_issued(credit)
        publish(CreditIssued(appointment_id=locked.appointment_id, credit_id=credit.pk))
    return credit


def by_hand(*, payment_id: int, amount: Money, reason: str, actor: Actor, key: str, goodwill: bool = False) -> Credit:
    """A credit that somebody at the desk decides. A part of a refund only where the practice allows parts."""
    if not actor.is_staff:
        raise PermissionRefused
    with transaction.atomic():
        payment = Payment.objects.select_for_update().get(pk=payment_id)
        is_new = not Credit.objects.filter(idempotency_key=key).exists()
        if is_new and not goodwill and 0 < amount.minor_units < payment.refundable_minor:
            flags.require("partial-refunds")
        return issue(payment, amount=amount, reason=reason.strip(), actor=actor, key=key, goodwill=goodwill)


def _check(payment: Payment, amount: Money, goodwill: bool) -> None:
    if not goodwill:
        refund.check(payment, amount.minor_units, amount.currency)
    elif amount.currency != payment.currency:
        raise WrongCurrency
    elif not 0 < amount.minor_units <= MOST_GOODWILL:
        raise RefundNotPositive


def _make(payment: Payment, amount: Money, reason: str, actor: Actor, key: str, *, goodwill: bool) -> Credit:
    appointment, now = payment.appointment, clock.now()
    return Credit.objects.create(
        code=ids.new_code(CODE_LENGTH),
        patient_name=appointment.patient_name,
        patient_email=appointment.patient_email,
        patient_mobile=appointment.patient_mobile,
        amount_minor=amount.minor_units,
        currency=amount.currency,
        appointment=appointment,
        payment=payment,
        goodwill=goodwill,
        reason=reason,
        issued_by=actor.kind,
        issued_by_id=actor.user_id,
        expires_at=now + timedelta(days=Practice.current().credit_days),
        idempotency_key=key,
        created_at=now,
    )


def spelled(code: str) -> str:
    """A code as it is kept: no dashes, no spaces, capitals."""
    return re.sub(r"[\s-]", "", code).upper()[:40]


def find(code: str, *, email: str, mobile: str, currency: str, lock: bool = False) -> Credit:
    """The credit that this patient may spend now. Raises CreditUnusable, which doesn't say why.

    The code alone is not enough: the email or the mobile number must be the one that it was sent to.
    """
    if not flags.enabled("credits"):
        raise CreditUnusable
    rows = Credit.objects.select_for_update() if lock else Credit.objects.all()
    credit = rows.filter(code_index=blind_index("credit-code", spelled(code))).first()
    if credit is None or credit.currency != currency or credit.has_expired:
        raise CreditUnusable
    theirs = {bytes(index) for index in (credit.patient_email_index, credit.patient_mobile_index) if index}
    if not theirs & {blind_index("email", email), blind_index("mobile", mobile)} or credit.left_minor <= 0:
        raise CreditUnusable
    return credit


def open_credits(email: str, mobile: str) -> list[tuple[Credit, int]]:
    """For the desk, with the patient on the phone: credits to be spent, the first to lapse first, and what is left."""
    theirs = Q(patient_email_index=blind_index("email", email)) | Q(patient_mobile_index=blind_index("mobile", mobile))
    mine = Credit.objects.filter(theirs, expires_at__gt=clock.now())
    return [(credit, left) for credit in mine.order_by("expires_at", "pk") if (left := credit.left_minor) > 0]


def pay_part(payment: Payment, *, code: str, without_code: bool, actor: Actor) -> Payment:
    """Let a credit pay what it can of a new payment, in the booking's transaction; the rest stays to be paid.

    With ``code`` the patient's own, found by its code and a contact; ``without_code`` the desk spends every open one.
    Raises CreditUnusable.
    """
    appointment = payment.appointment
    due = payment.amount_minor
    if code:
        email, mobile = appointment.patient_email, appointment.patient_mobile
        usable = [find(code, email=email, mobile=mobile, currency=payment.currency, lock=True)]
    elif without_code and flags.enabled("credits"):
        theirs = [credit.pk for credit, _ in open_credits(appointment.patient_email, appointment.patient_mobile)]
        rows = Credit.objects.select_for_update().filter(pk__in=theirs, currency=payment.currency)
        usable = list(rows.order_by("expires_at", "pk"))
    else:
        return payment
    for credit in usable:
        minor = min(due - payment.credit_minor, credit.left_minor)
        if minor > 0:
            spend(credit, payment, amount_minor=minor, actor=actor)
            payment.credit_minor += minor
    payment.amount_minor = due - payment.credit_minor
    payment.save(update_fields=["amount_minor", "credit_minor"])
    return payment


def spend(credit: Credit, payment: Payment, *, amount_minor: int, actor: Actor) -> None:
    """Set ``amount_minor`` aside for a payment, in the caller's transaction and under its lock of the credit's row.

    Counted as used at once, so that no second booking can have it; `let_go` returns it where the visit isn't paid.
    """
    _enter(
        credit,
        CreditKind.USED,
        -amount_minor,
        payment,
        actor,
        f"used-{credit.pk}-{payment.pk}-{payment.credit_entries.count()}",
        "",
    )


def spend_again(payment: Payment) -> None:
    """Money came late, and what credits were to pay had been returned: set it aside once more, from the same credits.

    Raises CreditChanged where not enough is left; the caller rolls back.
    """
    missing = payment.credit_minor - sum(used_by(payment).values())
    if missing <= 0:
        return
    before = payment.credit_entries.filter(kind=CreditKind.USED).values_list("credit_id", flat=True)
    for credit in Credit.objects.select_for_update().filter(pk__in=set(before)).order_by("pk"):
        minor = min(missing, 0 if credit.has_expired else credit.left_minor)
        if minor > 0:
            spend(credit, payment, amount_minor=minor, actor=Actor.system())
            missing -= minor
    if missing > 0:
        raise CreditChanged


def used_by(payment: Payment) -> dict[int, int]:
    """What each credit has paid of a payment and not had back, minor units by the credit's id."""
    sums: dict[int, int] = defaultdict(int)
    for entry in CreditEntry.objects.filter(payment=payment, kind__in=[CreditKind.USED, CreditKind.RETURNED]):
        sums[entry.credit_id] -= entry.amount_minor
    return {credit_id: minor for credit_id, minor in sums.items() if minor > 0}


def give_back(payment: Payment, *, actor: Actor, key: str, reason: str = "", at_most: int | None = None) -> int:
    """Return what credits paid of a payment to them, in the caller's transaction; how much, minor units.

    The payment's row is locked by the caller. A credit that has lapsed meanwhile opens again for thirty days.
    """
    returned = 0
    for credit_id, minor in sorted(used_by(payment).items()):
        minor = minor if at_most is None else min(minor, at_most - returned)
        if minor <= 0:
            continue
        credit = Credit.objects.select_for_update().get(pk=credit_id)
        if credit.expires_at < clock.now() + AT_LEAST:
            credit.expires_at = clock.now() + AT_LEAST
            credit.save(update_fields=["expires_at"])
        _enter(credit, CreditKind.RETURNED, minor, payment, actor, f"returned-{credit_id}-{key}", reason)
        returned += minor
    return returned


def spent_on(payment: Payment) -> int:
    """What credits have paid of it and not had back, minor units."""
    return sum(used_by(payment).values())


def unspend(payment: Payment, amount: Money, *, actor: Actor, key: str) -> None:
    """Return so much of what credits paid, in the caller's transaction."""
    if amount:
        locked = Payment.objects.select_for_update().get(pk=payment.pk)
        give_back(locked, actor=actor, key=key, at_most=amount.minor_units)


def let_go(event: AppointmentEvent) -> None:
    """A reaction: a visit that ends unpaid sets free what was set aside for it."""
    waiting = Payment.objects.filter(appointment_id=event.appointment_id, credit_minor__gt=0)
    unpaid = waiting.exclude(status__in=[PaymentStatus.SUCCEEDED, PaymentStatus.REFUNDED])
    for payment in unpaid.select_for_update().order_by("pk"):
        give_back(payment, actor=Actor.system(), key=f"unpaid-{payment.pk}-{payment.credit_entries.count()}")


def take_back(credit: Credit, payment: Payment, *, actor: Actor, reason: str) -> None:
    """What is left of it ends, in the caller's transaction and under its locks of both rows (flows.reverse_credit).

    A credit that stood in for a refund gives room for one again: as much as the payment still counts for it.
    """
    left = credit.left_minor
    _enter(credit, CreditKind.REVERSED, -left, payment, actor, _nth("reversed", credit), reason)
    if not credit.goodwill:
        payment.credited_minor -= min(left, payment.credited_minor)
        payment.save(update_fields=["credited_minor"])


def expire(credit_id: int) -> None:
    """What is left of a credit lapses, once its day has come. Running twice is harmless."""
    with transaction.atomic():
        credit = Credit.objects.select_for_update().select_related("payment").get(pk=credit_id)
        left = credit.left_minor
        if credit.has_expired and left > 0:
            _enter(credit, CreditKind.EXPIRED, -left, credit.payment, Actor.system(), _nth("expired", credit), "")


def due_to_expire() -> list[int]:
    """Credits whose day has come and of which something is left."""
    past = Credit.objects.filter(expires_at__lte=clock.now()).annotate(remaining=Sum("entries__amount_minor"))
    return list(past.filter(remaining__gt=0).order_by("pk").values_list("pk", flat=True)[:500])


def _nth(what: str, credit: Credit) -> str:
    return f"{what}-{credit.pk}-{credit.entries.count()}"


def _enter(credit: Credit, kind: CreditKind, minor: int, payment: Payment, actor: Actor, key: str, reason: str) -> None:
    entry = CreditEntry.objects.create(
        credit=credit,
        kind=kind,
        amount_minor=minor,
        payment=payment,
        actor_kind=actor.kind,
        actor_id=actor.user_id,
        reason=reason,
        idempotency_key=key,
        at=clock.now(),
    )
    ledger.record_credit(entry, occurred_at=entry.at)
    audit.record(
        actor,
        f"credit.{kind}",
        payment.appointment,
        before={"left_minor": credit.left_minor - minor},
        after={"credit": credit.pk, "amount_minor": minor, "left_minor": credit.left_minor},
        reason=reason,
    )
    if kind != CreditKind.ISSUED:
        publish(CreditChange(appointment_id=payment.appointment_id, credit_id=credit.pk))
