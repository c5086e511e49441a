"""What patients and the desk do in a history of money, all of it through the real flows."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bedside.appointments.models import Appointment
from bedside.core.audit import Actor
from bedside.core.money import Money
from bedside.flows import conclude, credits, pay, pay_manually, reschedule, reverse_credit
from bedside.flows.book import book
from bedside.flows.book_by_hand import LINK, HowPaid, book_by_hand
from bedside.flows.details import Consent, PatientDetails
from bedside.payments.credit_models import Credit
from bedside.payments.models import Method, Payment
from bedside.sandbox.models import Checkout

WHO = PatientDetails("Robin Sample", "robin@example.com", "+12025550143", "America/New_York")
AGREED = Consent(given=True, text="I agree.")
DESK = Actor("admin", None)


class FrontDesk:
    """Actions of `World`, which gives it chance, clock and log."""

    chance: random.Random
    offers: list[tuple[Any, list[Any]]]
    clock: Any
    attempt: Callable[[str, Callable[[], object]], None]

    def _any(self, rows: Any) -> Any:
        found = list(rows.order_by("pk"))
        return self.chance.choice(found) if found else None

    def _wish(self) -> tuple[Any, Any]:
        service, starts = self.chance.choice(self.offers)
        return service, self.chance.choice(starts)

    def book(self) -> None:
        """Online, with a credit where there is one and the patient thinks of it."""
        service, start = self._wish()
        credit = self._any(Credit.objects.all()) if self.chance.random() < 0.6 else None
        code = credit.code if credit else ""
        self.attempt(
            f"book {service.pk}{f' with credit {credit.pk}' if credit else ''}",
            lambda: book(service=service, start=start, details=WHO, consent=AGREED, credit_code=code),
        )
        self._date_payments()

    def by_phone(self) -> None:
        """The desk books: paid at once, waived, or by link; sometimes with the credits that there are."""
        service, start = self._wish()
        way = self.chance.choice([LINK, LINK, *Method.values])
        paid = HowPaid(way, hours=1, reference="-")
        spend = self.chance.random() < 0.4
        self.attempt(
            f"by phone {service.pk} {way}{' with credits' if spend else ''}",
            lambda: book_by_hand(
                service=service,
                start=start,
                provider=None,
                details=WHO,
                consent=AGREED,
                paid=paid,
                actor=DESK,
                spend_credits=spend,
            ),
        )
        self._date_payments()

    def _date_payments(self) -> None:
        # The column's default was bound before the tests' clock was.
        Payment.objects.filter(created_at__lt=self.clock.now() - timedelta(days=20)).update(created_at=self.clock.now())

    def take_money(self) -> None:
        """At the desk, for a visit that is held; the patient may be paying online at the same time."""
        waiting = self._any(Appointment.objects.filter(status__in=["pending_payment", "expired", "paid"]))
        if waiting is not None and not self._paid_unawares(waiting):
            method = Method(self.chance.choice(Method.values))
            self.attempt(
                f"take {method} for {waiting.pk}",
                lambda: pay_manually.pay_manually(appointment_id=waiting.pk, method=method, reference="-", actor=DESK),
            )

    def open_link(self) -> None:
        """The visit's own page leads to a checkout, a fresh one where it must be."""
        waiting = self._any(Appointment.objects.filter(status__in=["pending_payment", "expired"]))
        if waiting is not None and not self._paid_unawares(waiting):
            self.attempt(f"open link {waiting.pk}", lambda: pay.checkout_url(waiting))

    def _paid_unawares(self, visit: Appointment) -> bool:
        """On a page whose address nobody was told: it can be found again only while nothing took its place."""
        ids = [str(payment.pk) for payment in visit.payments.filter(session_id="")]
        return Checkout.objects.filter(metadata__payment_id__in=ids, payment_status="paid").exists()

    def move(self) -> None:
        visit = self._any(Appointment.objects.filter(status="paid"))
        if visit is None:
            return
        starts = next(starts for service, starts in self.offers if service.pk == visit.service_id)
        start, actor = self.chance.choice(starts), self.chance.choice([Actor.patient(), DESK])
        self.attempt(
            f"move {visit.pk} by {actor.kind}",
            lambda: reschedule.reschedule(appointment_id=visit.pk, start=start, actor=actor),
        )

    def conclude(self) -> None:
        """Where its time has come: it took place, or was missed, or that is taken back."""
        visit = self._any(Appointment.objects.filter(status__in=["paid", "completed", "no_show"]))
        if visit is not None:
            end = self.chance.choice([conclude.complete, conclude.no_show, conclude.no_show, conclude.undo])
            self.attempt(f"{end.__name__} {visit.pk}", lambda: end(appointment_id=visit.pk, actor=DESK))

    def credit(self) -> None:
        payment = self._any(Payment.objects.exclude(intent_id=""))
        if payment is None:
            return
        amount = self.chance.choice([payment.refundable_minor, 1500])
        key = f"credit-{self.chance.randrange(4)}"
        self.attempt(
            f"credit {amount} of {payment.pk}",
            lambda: credits.by_hand(
                payment_id=payment.pk, amount=Money(amount, payment.currency), reason="-", actor=DESK, key=key
            ),
        )

    def goodwill(self) -> None:
        payment = self._any(Payment.objects.exclude(intent_id=""))
        if payment is not None:
            amount, key = Money(self.chance.choice([1000, 9000])), f"goodwill-{self.chance.randrange(3)}"
            self.attempt(
                f"goodwill {amount} on {payment.pk}",
                lambda: credits.by_hand(
                    payment_id=payment.pk, amount=amount, reason="-", actor=DESK, key=key, goodwill=True
                ),
            )

    def reverse(self) -> None:
        credit = self._any(Credit.objects.all())
        if credit is not None:
            keep = self.chance.random() < 0.3
            self.attempt(
                f"reverse credit {credit.pk}{' and keep' if keep else ''}",
                lambda: reverse_credit.reverse(credit_id=credit.pk, reason="-", actor=DESK, keep=keep),
            )

    def lapse(self) -> None:
        """A year in a moment, for one credit."""
        credit = self._any(Credit.objects.all())
        if credit is not None and self.chance.random() < 0.5:
            Credit.objects.filter(pk=credit.pk).update(expires_at=self.clock.now())
            self.attempt(f"credit {credit.pk} lapses", lambda: credits.expire(credit.pk))
