"""What can go wrong with money, by name."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from bedside.core.errors import BedsideError


class CheckoutUnavailable(BedsideError):
    """The processor can't open a checkout now. The hold was released."""

    code = "checkout-unavailable"
    status = 503
    default_message = _(
        "Our payment service isn't answering, so we couldn't keep this time for you. Nothing was charged. "
        "Please try again in a minute, or call us."
    )


class EventHandled(BedsideError):
    """A webhook that was handled; handling it again would change nothing."""

    code = "event-handled"
    status = 409
    default_message = _("That event was handled in the meantime. There is nothing to run again.")


class NothingToRefund(BedsideError):
    code = "nothing-to-refund"
    status = 409
    default_message = _("There is nothing left to refund on this payment.")


class RefundTooLarge(BedsideError):
    code = "refund-too-large"
    status = 422
    default_message = _("That is more than is left to refund.")


class RefundNotPositive(RefundTooLarge):
    code = "refund-not-positive"
    default_message = _("Enter an amount above zero.")


class WrongCurrency(BedsideError):
    """Money of one currency was asked of a payment in another."""

    code = "wrong-currency"
    status = 422
    default_message = _("That payment was made in another currency. Give it back in the same one.")


class PaymentDisputed(BedsideError):
    """The bank holds the money while it decides: giving it back as well would pay twice."""

    code = "payment-disputed"
    status = 409
    default_message = _(
        "The patient's bank has disputed this payment and holds the money. Answer the dispute instead of refunding."
    )


class KeyReused(BedsideError):
    """The same form came again, asking for something else."""

    code = "form-reused"
    status = 409
    default_message = _("This form was used already. Look at what it did, then start again.")


class AlreadyPaid(BedsideError):
    """The money came by another way meanwhile."""

    code = "already-paid"
    status = 409
    default_message = _("This visit has been paid meanwhile. Nothing was recorded.")


class CreditUnusable(BedsideError):
    """Unknown, used up, expired or somebody else's: which one is not said, so that nothing can be probed."""

    code = "credit-unusable"
    status = 422
    default_message = _(
        "That credit code can't be used. Check it against our message, and use the email or mobile number it came to."
    )


class CreditChanged(BedsideError):
    """What is left of the credit isn't what was asked for."""

    code = "credit-changed"
    status = 409
    default_message = _("Nothing is left of this credit: it was spent, reversed or has expired.")


class NothingToReceipt(BedsideError):
    code = "nothing-to-receipt"
    status = 409
    default_message = _("Nothing was paid or returned, so there is no receipt.")


class DamagedReceipt(BedsideError):
    """What a receipt says is not what it was written with."""

    code = "damaged-receipt"
    status = 409
    default_message = _("This receipt can't be shown now. Please call us: we will send it to you.")


class DaysOutOfOrder(BedsideError):
    code = "days-out-of-order"
    status = 422
    default_message = _("Choose a last day that isn't before the first, and three years at most.")


class AlreadyResolved(BedsideError):
    code = "already-resolved"
    status = 409
    default_message = _("This was resolved meanwhile. Nothing was changed.")


class ProcessorSilent(BedsideError):
    """Whether the patient is paying online can't be known at this moment."""

    code = "processor-silent"
    status = 503
    default_message = _(
        "Our payment service isn't answering, so we can't be sure that the patient isn't paying online right now. "
        "Nothing was recorded. Please try again in a minute."
    )


class RefundsUnknown(BedsideError):
    """What was refunded in the processor's own dashboard can't be known at this moment."""

    code = "refunds-unknown"
    status = 503
    default_message = _(
        "Our payment service isn't answering, so we can't be sure what was refunded there already. "
        "Nothing was changed. Please try again in a minute."
    )


class ReasonNeeded(BedsideError):
    code = "reason-needed"
    status = 422
    default_message = _("Say why, in a few words: whoever looks at this later will ask.")


class TooSoonForLink(BedsideError):
    """The visit starts before anybody could have paid by link."""

    code = "too-soon-for-a-link"
    status = 422
    default_message = _("The visit starts too soon for a payment link. Take the payment now, or choose a later time.")
