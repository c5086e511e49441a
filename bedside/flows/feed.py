"""A provider's calendar feed: made, shown again, changed, revoked. One is open at a time."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from bedside.appointments.locks import lock_provider
from bedside.clinic.models import Provider
from bedside.core import audit, clock, crypto
from bedside.core.audit import Actor
from bedside.core.errors import NotFound, PermissionRefused
from bedside.flows.own import check_may_manage
from bedside.schedule.models import CalendarFeed

# Calendar programs ask every few minutes: one note an hour is enough to see that somebody reads it.
NOTE_READING_EVERY = timedelta(hours=1)


def open_feed(*, provider: Provider, actor: Actor) -> CalendarFeed:
    """A new secret address for the provider's visits; one that was open before opens nothing from now on."""
    check_may_manage(actor, provider)
    with transaction.atomic():
        lock_provider(provider.pk)
        before = _open_one(provider)
        names = bool(before and before.patient_names)
        if before:
            _close(before, actor)
        feed = CalendarFeed.objects.create(
            provider=provider,
            token=CalendarFeed.new_token(),
            patient_names=names,
            created_at=clock.now(),
            changed_at=clock.now(),
        )
        audit.record(actor, "calendar_feed.opened", feed, after={"provider_id": provider.pk, "patient_names": names})
    return feed


def revoke_feed(*, provider: Provider, actor: Actor) -> None:
    """The address opens nothing any more. Without an open feed nothing happens."""
    check_may_manage(actor, provider)
    with transaction.atomic():
        lock_provider(provider.pk)
        feed = _open_one(provider)
        if feed:
            _close(feed, actor)


def name_patients(*, provider: Provider, allowed: bool, actor: Actor) -> None:
    """Whether the feed's entries name the patients: the practice decides. Raises PermissionRefused, NotFound."""
    if actor.kind != "admin":
        raise PermissionRefused
    with transaction.atomic():
        lock_provider(provider.pk)
        feed = _open_one(provider)
        if feed is None:
            raise NotFound
        if feed.patient_names == allowed:
            return
        feed.patient_names, feed.changed_at = allowed, clock.now()
        feed.save(update_fields=["patient_names", "changed_at"])
        audit.record(
            actor,
            "calendar_feed.changed",
            feed,
            before={"patient_names": not allowed},
            after={"patient_names": allowed},
        )


def feed_by_token(token: str) -> CalendarFeed:
    """The open feed behind an address. Raises NotFound; a revoked one is as unknown as one that never was."""
    index = crypto.blind_index("calendar-feed", token)
    feed = CalendarFeed.objects.select_related("provider").filter(token_index=index, revoked_at=None).first()
    if feed is None:
        raise NotFound
    now = clock.now()
    if feed.read_at is None or now - feed.read_at >= NOTE_READING_EVERY:
        CalendarFeed.objects.filter(pk=feed.pk).update(read_at=now)
    return feed


def _open_one(provider: Provider) -> CalendarFeed | None:
    return CalendarFeed.objects.filter(provider=provider, revoked_at=None).first()


def _close(feed: CalendarFeed, actor: Actor) -> None:
    feed.revoked_at = clock.now()
    feed.save(update_fields=["revoked_at"])
    audit.record(actor, "calendar_feed.revoked", feed, after={"provider_id": feed.provider_id})
