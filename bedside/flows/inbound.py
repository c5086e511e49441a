"""What somebody answers to a text: STOP and START are kept, a confirmation is noted, a wish to be called is shown."""

from __future__ import annotations

from typing import Literal

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from bedside.appointments.events import PatientAnswered
from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.clinic.models import Practice
from bedside.core import audit, clock, when
from bedside.core.alerts import raise_alert
from bedside.core.audit import Actor
from bedside.core.crypto import blind_index
from bedside.core.events import publish
from bedside.core.phones import as_written
from bedside.flows import hold
from bedside.notifications import optout
from bedside.notifications.models import InboundText

Meaning = Literal["stop", "start", "help", "confirm", "call", "other"]
# Twilio's own words act by themselves there; these are ours. English and Spanish, whole messages only.
CONFIRM_WORDS = frozenset({"C", "CONFIRM", "CONFIRMED", "OK", "Y", "CONFIRMO", "CONFIRMAR", "SI", "SÍ"})
CALL_WORDS = frozenset({"CALL", "CALL ME", "LLAMAR", "LLAMAME", "LLÁMAME"})
STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START_WORDS = frozenset({"START", "YES", "UNSTOP"})
HELP_WORDS = frozenset({"HELP", "INFO"})
MAX_BODY = 1600


def receive(*, number: str, body: str, vendor_id: str, told: str = "") -> str:
    """Keep an answer and act on it; returns what to answer, "" for nothing. ``told``: the gateway's own reading.

    The same ``vendor_id`` again changes nothing. An answer belongs to the number's next visit, else to its last.
    """
    meaning = meaning_of(body, told)
    with transaction.atomic():
        appointment = _visit_of(number)
        _kept, new = InboundText.objects.get_or_create(
            vendor_id=vendor_id,
            defaults={"number": number, "body": body[:MAX_BODY], "meaning": meaning, "appointment": appointment},
        )
        if not new:
            return ""
        return _act(meaning, number, appointment)


def meaning_of(body: str, told: str = "") -> Meaning:
    """The gateway's reading first; then the whole message as one of the known words."""
    word = " ".join(body.upper().split()).strip(".! ")
    if told.upper() == "STOP" or word in STOP_WORDS:
        return "stop"
    if told.upper() == "START" or word in START_WORDS:
        return "start"
    if told.upper() == "HELP" or word in HELP_WORDS:
        return "help"
    if word in CONFIRM_WORDS:
        return "confirm"
    return "call" if word in CALL_WORDS else "other"


def _act(meaning: Meaning, number: str, appointment: Appointment | None) -> str:
    """STOP, START and HELP are answered by the gateway itself."""
    if meaning == "stop":
        optout.opt_out(number, "text")
        _note(appointment, "texts.stopped")
    elif meaning == "start":
        optout.opt_in(number, "text")
        _note(appointment, "texts.started")
    elif meaning != "help":
        with translation.override(appointment.locale if appointment else "en"):
            return _answer(meaning, appointment)
    return ""


def _answer(meaning: Meaning, appointment: Appointment | None) -> str:
    practice = Practice.current()
    phone = as_written(practice.phone)
    upcoming = appointment is not None and appointment.status == Status.PAID and appointment.start > clock.now()
    if meaning == "confirm" and appointment is not None and upcoming:
        _confirm(appointment)
        time = when.tiny_time(appointment.start, appointment.patient_timezone, appointment.locale)
        return _("%(practice)s: thank you, see you %(time)s.") % {"practice": practice.name, "time": time}
    if appointment is not None:
        asked = meaning == "call"
        raise_alert(
            "patient-asks-call" if asked else "patient-wrote",
            f"appointment:{appointment.pk}",
            f"The patient of {appointment.code} {'asks to be called' if asked else 'answered a text'}.",
            appointment_id=appointment.pk,
        )
        publish(PatientAnswered(**hold.ids_of(appointment)))
    if meaning == "call":
        return _("%(practice)s: we'll call you at this number. In an emergency call 911.") % {"practice": practice.name}
    if not phone:
        return _("%(practice)s: reply C to confirm your visit, or CALL and we call you.") % {"practice": practice.name}
    return _("%(practice)s: reply C to confirm your visit, CALL and we call you, or call %(phone)s.") % {
        "practice": practice.name,
        "phone": phone,
    }


def _confirm(appointment: Appointment) -> None:
    if appointment.patient_confirmed_at is None:
        Appointment.objects.filter(pk=appointment.pk).update(patient_confirmed_at=clock.now())
        _note(appointment, "appointment.confirmed_by_patient")
    publish(PatientAnswered(**hold.ids_of(appointment)))


def _note(appointment: Appointment | None, action: str) -> None:
    if appointment is not None:
        audit.record(Actor.patient(), action, appointment)


def _visit_of(number: str) -> Appointment | None:
    """The next paid visit of this number, else the one that ended last."""
    mine = Appointment.objects.filter(patient_mobile_index=blind_index("mobile", number))
    upcoming = mine.filter(status=Status.PAID, end__gt=clock.now()).order_by("start", "pk").first()
    return upcoming or mine.order_by("-start", "-pk").first()
