"""Who waits for a time, in the order of the queue."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from bedside.clinic.models import Practice
from bedside.flows import reveal, waitlist
from bedside.schedule.waiting.models import EntryStatus, WaitlistEntry, WaitlistOffer
from bedside.web.access import actor_of, admin_required
from bedside.web.live.tickets import ticket


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def index(request: HttpRequest) -> HttpResponse:
    """The queue; ``?off=ID`` asks before somebody loses the place.

    Posting ``entry`` takes them off, ``show`` reveals one person's contact details.
    """
    shown_id = 0
    if request.method == "POST" and "show" in request.POST:
        shown_id = _shown(request)
    elif request.method == "POST":
        number = request.POST.get("entry", "")
        entry_id = int(number) if number.isascii() and number.isdigit() and len(number) < 18 else 0
        if WaitlistEntry.objects.filter(pk=entry_id).exists():
            waitlist.leave(entry_id=entry_id, actor=actor_of(request))
            messages.success(request, _("Taken off the waitlist."))
        return redirect("desk:waitlist")
    asked = request.GET.get("off", "")
    if asked.isascii() and asked.isdigit() and len(asked) < 18:
        entry = WaitlistEntry.objects.filter(pk=int(asked), status=EntryStatus.WAITING).first()
        if entry is not None:
            return render(request, "desk/waitlist_off.html", {"area": "waitlist", "entry": entry})
    offers = WaitlistOffer.objects.select_related("provider", "draft").order_by("-pk")
    entries = (
        WaitlistEntry.objects.filter(status=EntryStatus.WAITING)
        .select_related("service", "provider", "appointment")
        .prefetch_related(Prefetch("offers", queryset=offers, to_attr="newest_first"))
        .order_by("pk")
    )
    context = {
        "area": "waitlist",
        "page": Paginator(entries, 50).get_page(request.GET.get("page")),
        "zone": Practice.current().timezone,
        "live_ticket": ticket("desk"),
        "shown_id": shown_id,
    }
    return render(request, "desk/waitlist.html", context)


def _shown(request: HttpRequest) -> int:
    """Whose contact details were asked for; it is audited. 0 where nobody of that number waits."""
    number = request.POST["show"]
    found = number.isascii() and number.isdigit() and len(number) < 18
    entry = WaitlistEntry.objects.filter(pk=int(number)).first() if found else None
    if entry is None:
        return 0
    reveal.reveal(subject=entry, whose="patient", what=("email", "mobile"), where="waitlist", actor=actor_of(request))
    return entry.pk
