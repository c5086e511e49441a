"""One appointment at the desk: everything known about it, and what can be done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from bedside.accounts.models import User
from bedside.appointments.errors import AlreadyOver
from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.clinic import policy_words
from bedside.clinic.models import Practice
from bedside.core import audit, clock
from bedside.core.models import AuditEntry
from bedside.core.ratelimit import RateLimited
from bedside.flows import cancel, conclude, credits, payment_link, reschedule, resend, reveal
from bedside.notifications import optout
from bedside.notifications.models import Channel
from bedside.reports import bank, listing, record
from bedside.web.access import actor_of, admin_required
from bedside.web.desk.revealing import held_pass, pass_for
from bedside.web.live.tickets import ticket

# A page that follows live reads the record again and again: that is one look, not hundreds.
ONE_LOOK = timedelta(minutes=15)
MEMBER = audit.Actor("admin")
TOO_MUCH_BY_HAND = gettext_lazy(
    "Many messages were sent by hand for this visit within the hour. Please wait a while, or call the patient."
)


def with_appointment(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Find what the code in the address names, for admins only."""

    @never_cache
    @admin_required
    @wraps(view)
    def found(request: HttpRequest, code: str) -> HttpResponse:
        people = Appointment.objects.select_related("service", "provider", "meeting")
        appointment = people.filter(code=code[:12]).first()
        if appointment is None:
            raise Http404
        return view(request, appointment)

    return found


@require_safe
@with_appointment
def show(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """The record. Reading it is audited."""
    part = bool(request.htmx)  # type: ignore[attr-defined]
    _audit_look(request, appointment, is_refresh=part)
    template = "desk/_appointment.html" if part else "desk/appointment.html"
    shown = held_pass(request, appointment) if part else ""
    return render(request, template, _context(appointment) | {"shown": shown})


@require_POST
@with_appointment
def show_contact(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """The record with the patient's address, number and answers in it. Asking is audited; loading anew hides them."""
    reveal.reveal(
        subject=appointment,
        whose="patient",
        what=reveal.PATIENT_FIELDS,
        where="appointment",
        actor=actor_of(request),
    )
    context = _context(appointment) | {"shown": pass_for(request, appointment), "just_shown": True}
    return render(request, "desk/appointment.html", context)


def _context(appointment: Appointment) -> dict[str, Any]:
    chain = listing.chain_of(appointment)
    payments = list(appointment.payments.prefetch_related("refunds", "credits_issued").order_by("-pk"))
    return {
        "area": "appointments",
        "live_ticket": ticket(f"appointment:{appointment.pk}"),
        "zone": Practice.current().timezone,
        "appointment": appointment,
        "meeting": getattr(appointment, "meeting", None),
        "milestones": record.milestones(appointment, payments),
        "guests": appointment.guests.filter(revoked_at=None).count(),
        "chain": chain if len(chain) > 1 else [],
        "moved_to": chain[-1] if appointment.status == Status.RESCHEDULED and chain[-1] != appointment else None,
        "payments": payments,
        "disputes": bank.disputes_of(appointment),
        "refunds": record.refunds_of(payments),
        "open_credits": credits.open_credits(appointment.patient_email, appointment.patient_mobile),
        "consent_taken_by": User.objects.filter(pk=appointment.sms_consent_taken_by or 0).first(),
        "link_until": _link_until(appointment),
        "can_refund": any(payment.status == "succeeded" and payment.refundable_minor > 0 for payment in payments),
        "ledger": list(record.ledger_of(chain)),
        "notifications": list(appointment.notifications.defer("subject", "body").order_by("-pk")),
        "opted_out": optout.present(appointment.patient_mobile),
        "answers": list(appointment.inbound_texts.order_by("-pk")[:20]),
        "activity": record.activity(chain),
        "can_resend": appointment.status == Status.PAID and appointment.end > clock.now(),
        "policy_sentence": _policy_of(appointment),
        "can_cancel": cancel.preview(appointment).possible,
        "can_move": reschedule.preview(appointment, actor=MEMBER).possible,
        "can_complete": conclude.may_complete(appointment),
        "can_miss": conclude.may_miss(appointment),
        "can_undo": conclude.undo_until(appointment),
    }


def _policy_of(appointment: Appointment) -> str:
    """What canceling costs, while there is a visit to cancel."""
    if appointment.status not in {Status.PENDING_PAYMENT, Status.PAID}:
        return ""
    return policy_words.sentence(
        appointment.terms, appointment.start, clock.now(), Practice.current().timezone, get_language() or "en"
    )


def _link_until(appointment: Appointment) -> datetime | None:
    """Until when a payment link can be sent; None where it is too late, or nothing is to be paid."""
    until = payment_link.pay_until(appointment) if appointment.hold_is_open else None
    return until if until and until > clock.now() else None


def _audit_look(request: HttpRequest, appointment: Appointment, *, is_refresh: bool) -> None:
    actor = actor_of(request)
    if is_refresh:
        seen = AuditEntry.objects.filter(
            subject_kind="appointment",
            subject_id=str(appointment.pk),
            action="appointment.viewed",
            actor_id=actor.user_id,
        )
        if seen.filter(at__gt=clock.now() - ONE_LOOK).exists():
            return
    audit.record(actor, "appointment.viewed", appointment)


@require_POST
@with_appointment
def send_again(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    """The patient's confirmation again, on the channel that was pressed or on both."""
    channels = [channel for channel in request.POST.getlist("channel") if channel in Channel.values]
    try:
        made = resend.resend(
            appointment_id=appointment.pk, actor=actor_of(request), channels=channels or [Channel.EMAIL, Channel.SMS]
        )
        messages.success(
            request, _("The confirmation is on its way again.") if made else _("There was nothing to send.")
        )
    except AlreadyOver as error:
        messages.warning(request, error.message)
    except RateLimited:
        messages.warning(request, TOO_MUCH_BY_HAND)
    return back_to(appointment)


def back_to(appointment: Appointment) -> HttpResponse:
    return HttpResponseRedirect(reverse("desk:appointment", args=[appointment.code]), status=303)
