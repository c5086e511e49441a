"""What can go wrong on the waitlist, by name."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from bedside.core.errors import BedsideError


class OfferGone(BedsideError):
    """The offer lapsed, or somebody was quicker. The patient keeps the place in the queue."""

    code = "offer-gone"
    status = 409
    default_message = _(
        "This time is gone: somebody was quicker, or the offer ran out. You keep your place, and we write again as "
        "soon as another time opens."
    )


class NothingToWaitFor(BedsideError):
    """The visit is over, or can't be moved any more."""

    code = "nothing-to-wait-for"
    status = 409
    default_message = _("This visit can't be moved to an earlier time any more.")
