"""Policies: a new version from a day on. What was booked before keeps the version that it was booked under."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bedside.appointments.models import Appointment
from bedside.appointments.states import Status
from bedside.clinic.errors import ChangedMeanwhile
from bedside.clinic.events import ServiceUpdated
from bedside.clinic.models import Practice, Service
from bedside.clinic.policy import Terms
from bedside.clinic.policy_models import CancellationPolicy, versions_on
from bedside.core import audit, clock
from bedside.core.audit import Actor
from bedside.core.errors import BedsideError, PermissionRefused
from bedside.core.events import publish


class PolicyInThePast(BedsideError):
    code = "policy-in-the-past"
    status = 422
    default_message = _("Choose today or a later day: what was booked before keeps its policy.")


class NothingToFollow(BedsideError):
    code = "nothing-to-follow"
    status = 409
    default_message = _("The practice has no policy on that day yet, or the service follows it already.")


def follow_practice(*, actor: Actor, service: Service, valid_from: date) -> CancellationPolicy:
    """From that day on bookings of a service with a policy of its own get the practice's.

    Raises PermissionRefused, PolicyInThePast, NothingToFollow.
    """
    if not actor.is_staff:
        raise PermissionRefused
    if valid_from < today():
        raise PolicyInThePast
    with transaction.atomic():
        Service.objects.select_for_update().get(pk=service.pk)
        in_force = versions_on(valid_from)
        before, practices = in_force.get(service.pk), in_force.get(None)
        if before is None or practices is None:
            raise NothingToFollow
        version = CancellationPolicy.objects.create(
            service=service,
            valid_from=valid_from,
            follows_practice=True,
            free_hours=practices.free_hours,
            created_at=clock.now(),
            created_by_id=actor.user_id,
        )
        after = {"service": service.slug, "valid_from": valid_from.isoformat(), "follows_practice": True}
        audit.record(actor, "policy.added", version, before=_values(before), after=after)
        publish(ServiceUpdated(service_id=service.pk))
    return version


def newest_version(service: Service | None) -> int:
    """The number of the latest decision for a service, or for the practice; 0 before any."""
    newest = CancellationPolicy.objects.filter(service=service).order_by("-pk").values_list("pk", flat=True)
    return newest.first() or 0


def add_version(
    *,
    actor: Actor,
    service: Service | None,
    valid_from: date,
    terms: Terms,
    words: str,
    newest: int | None = None,
) -> CancellationPolicy:
    """Decide a version for bookings from ``valid_from`` (a day of the practice) on; service None: the practice's own.

    Of several from one day the last decided holds. ``newest``: `newest_version` as the form was opened; None: whatever
    it is. Raises PermissionRefused, PolicyInThePast, ChangedMeanwhile.
    """
    if not actor.is_staff:
        raise PermissionRefused
    if valid_from < today():
        raise PolicyInThePast
    with transaction.atomic():
        # Decisions follow one another: the practice's row is the lock.
        Practice.objects.select_for_update().filter(pk=1).first()
        if newest is not None and newest != newest_version(service):
            raise ChangedMeanwhile
        before = versions_on(valid_from).get(service.pk if service else None)
        version = CancellationPolicy.objects.create(
            service=service,
            valid_from=valid_from,
            free_hours=terms.free_hours,
            late_percent=terms.late_percent,
            no_show_fee_percent=terms.no_show_fee_percent,
            late_minutes=terms.late_minutes,
            move_hours=terms.move_hours,
            max_moves=terms.max_moves,
            words=words.strip(),
            created_at=clock.now(),
            created_by_id=actor.user_id,
        )
        audit.record(actor, "policy.added", version, before=_values(before) if before else None, after=_values(version))
        for concerned in [service] if service else Service.objects.filter(active=True):
            publish(ServiceUpdated(service_id=concerned.pk))
    return version


def today() -> date:
    return clock.now().astimezone(Practice.current().zone).date()


def booked_before(service: Service | None) -> int:
    """How many visits ahead keep the policy they were booked under."""
    ahead = Appointment.objects.filter(status=Status.PAID, start__gt=clock.now())
    return (ahead.filter(service=service) if service else ahead).count()


def _values(version: CancellationPolicy) -> dict[str, object]:
    terms = version.terms
    return {
        "service": version.service.slug if version.service else "",
        "valid_from": version.valid_from.isoformat(),
        "free_hours": terms.free_hours,
        "late_percent": terms.late_percent,
        "no_show_fee_percent": terms.no_show_fee_percent,
        "late_minutes": terms.late_minutes,
        "move_hours": terms.move_hours,
        "max_moves": terms.max_moves,
        "words": version.words,
    }
