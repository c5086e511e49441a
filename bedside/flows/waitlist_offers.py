"""Who waits is offered what comes free: in order, one person a time, for some minutes; then it is the next one's turn.

An offer keeps the time from nobody else: who claims it books on the usual way, and the constraint decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q

from bedside.appointments.locks import lock_provider
from bedside.appointments.models import Appointment, Source
from bedside.appointments.states import Status
from bedside.clinic.models import Practice, Provider
from bedside.core import audit, clock, ids
from bedside.core.audit import Actor
from bedside.core.events import publish
from bedside.core.jobs import defer
from bedside.flows import announce, lookup, price
from bedside.notifications import queue
from bedside.notifications.quiet import QuietHours
from bedside.schedule import openings
from bedside.schedule.waiting.events import WaitlistUpdated
from bedside.schedule.waiting.models import EntryStatus, OfferStatus, WaitlistEntry, WaitlistOffer
from bedside.schedule.waiting.wishes import suits

# Enough for a practice's morning; the rest is looked at again a minute later.
MOST_AT_ONCE = 50
# Somebody's turn: offered, or being claimed this moment.
SOMEBODYS = Q(status=OfferStatus.OPEN) | Q(status=OfferStatus.CLAIMED, taken=None)


@dataclass(frozen=True)
class Turn:
    """Whose turn it is, for which visit to be moved (if any), and what the time must lie before."""

    entry: WaitlistEntry
    moving: Appointment | None

    @property
    def before(self) -> datetime | None:
        return self.moving.start if self.moving else None


def look_soon(provider_id: int | None = None, service_id: int | None = None) -> None:
    """Have a job look for what can be offered: of one provider, or of all who offer a service. Asks once."""
    from bedside.flows.waitlist_jobs import look_at_waitlist

    waiting = WaitlistEntry.objects.filter(status=EntryStatus.WAITING)
    providers = Provider.objects.filter(active=True, services__waitlist__in=waiting)
    providers = providers.filter(pk=provider_id) if provider_id else providers
    providers = providers.filter(services=service_id) if service_id else providers
    for found in sorted(set(providers.values_list("pk", flat=True))):
        defer(look_at_waitlist, once=f"waitlist:{found}", provider_id=found)


def look(provider_id: int) -> int:
    """Offer the provider's openings to those who wait for them; returns how many offers were made."""
    provider = Provider.objects.filter(pk=provider_id, active=True).first()
    if provider is None:
        return 0
    lapse_due()
    made = 0
    for turn in _turns(provider):
        made += _offer_first(turn, provider)
    return made


def _turns(provider: Provider) -> Iterator[Turn]:
    """Those whose turn it can be, the longest waiting first; who is asleep, by the quiet hours, is passed over."""
    practice, now = Practice.current(), clock.now()
    quiet = QuietHours(practice.quiet_from, practice.quiet_until)
    entries = WaitlistEntry.objects.select_related("service", "appointment").filter(
        Q(provider=provider) | Q(provider=None), status=EntryStatus.WAITING, service__providers=provider
    )
    busy = WaitlistOffer.objects.filter(SOMEBODYS).values("entry")
    for entry in entries.exclude(pk__in=busy).order_by("pk")[:MOST_AT_ONCE]:
        moving = lookup.latest(entry.appointment) if entry.appointment else None
        if entry.last_day < now.astimezone(entry.zone).date() or (moving and moving.status != Status.PAID):
            with transaction.atomic():
                end(WaitlistEntry.objects.select_for_update().get(pk=entry.pk), EntryStatus.OVER, Actor.system())
        elif not quiet.around(now, entry.patient_timezone):
            yield Turn(entry, moving)


def _offer_first(turn: Turn, provider: Provider) -> bool:
    """The first opening that suits and is nobody's turn, under the provider's lock."""
    with transaction.atomic():
        lock_provider(provider.pk)
        entry = WaitlistEntry.objects.select_for_update(of=("self",)).select_related("service").get(pk=turn.entry.pk)
        if entry.status != EntryStatus.WAITING or entry.offers.filter(SOMEBODYS).exists():
            return False
        start = next(_suitable(Turn(entry, turn.moving), provider), None)
        if start is None:
            return False
        _make(entry, provider, start)
    return True


def _suitable(turn: Turn, provider: Provider) -> Iterator[datetime]:
    entry, today = turn.entry, clock.now().astimezone(turn.entry.zone).date()
    last = min(entry.last_day, today + timedelta(days=entry.service.horizon_days))
    found = openings.openings(
        service=entry.service,
        first=max(entry.first_day, today),
        last=last,
        timezone=entry.patient_timezone,
        provider=provider,
        location=entry.patient_location or None,
        moving=turn.moving.pk if turn.moving else None,
    )
    had = set(entry.offers.filter(provider=provider).values_list("start", flat=True))
    others = list(WaitlistOffer.objects.filter(SOMEBODYS, provider=provider).values_list("blocked"))
    for opening in found:
        wanted = suits(
            opening.start,
            zone=entry.zone,
            first_day=entry.first_day,
            last_day=entry.last_day,
            weekdays=entry.weekdays,
            parts=entry.parts,
            before=turn.before,
        )
        if wanted and opening.start not in had:
            block = Appointment.block(entry.service, opening.start)
            if not _overlaps(block, (blocked for (blocked,) in others)):
                yield opening.start


def _overlaps(block: DateTimeTZRange, others: Iterable[DateTimeTZRange]) -> bool:
    return any(other.lower < block.upper and block.lower < other.upper for other in others)


def _make(entry: WaitlistEntry, provider: Provider, start: datetime) -> WaitlistOffer:
    now = clock.now()
    draft = _draft(entry, provider, start)
    offer = WaitlistOffer.objects.create(
        entry=entry,
        provider=provider,
        start=start,
        blocked=draft.blocked,
        draft=draft,
        offered_at=now,
        expires_at=min(now + timedelta(minutes=Practice.current().waitlist_offer_minutes), start),
    )
    announce.waitlist_offer(draft)
    after = {"start": start.isoformat(), "provider": provider.slug, "until": offer.expires_at.isoformat()}
    audit.record(Actor.system(), "waitlist.offered", entry, after=after)
    publish(WaitlistUpdated(waitlist_entry_id=entry.pk, provider_id=provider.pk))
    from bedside.flows.waitlist_jobs import lapse_offers

    defer(lapse_offers, at=offer.expires_at)
    return offer


def _draft(entry: WaitlistEntry, provider: Provider, start: datetime) -> Appointment:
    """What the offer's messages are about. A draft holds no time, and nobody's link opens it."""
    service, now = entry.service, clock.now()
    return Appointment.objects.create(
        token=ids.new_token(),
        service=service,
        provider=provider,
        start=start,
        end=start + service.duration,
        blocked=Appointment.block(service, start),
        status=Status.DRAFT,
        patient_name=entry.patient_name,
        patient_email=entry.patient_email,
        patient_mobile=entry.patient_mobile,
        patient_timezone=entry.patient_timezone,
        patient_location=entry.patient_location,
        locale=entry.locale,
        currency=service.currency,
        price_minor=price.of(service, now=now, place=entry.patient_location).quote.total_minor,
        free_cancellation_hours=service.free_cancellation_hours,
        cancellation_policy=service.cancellation_policy,
        sms_consent=True,
        sms_consent_text=entry.sms_consent_text,
        sms_consent_at=entry.sms_consent_at,
        sms_consent_source=entry.sms_consent_source,
        sms_consent_version=entry.sms_consent_version,
        source=Source.WEB,
        created_at=now,
        updated_at=now,
    )


def lapse_due() -> int:
    """Offers whose time is up, and claims that broke off halfway, give the turn to the next."""
    now = clock.now()
    up = Q(status=OfferStatus.OPEN, expires_at__lte=now)
    broken = Q(status=OfferStatus.CLAIMED, taken=None, claimed_at__lte=now - timedelta(minutes=2))
    due = list(WaitlistOffer.objects.filter(up | broken).select_related("entry", "draft"))
    for offer in due:
        settle(offer, OfferStatus.LAPSED)
    return len(due)


def settle(offer: WaitlistOffer, status: OfferStatus, *, taken: Appointment | None = None) -> None:
    """End an offer: its draft and its unsent messages with it. A claim ends the waiting; else the next one is looked
    for."""
    with transaction.atomic():
        lock_provider(offer.provider_id)
        entry = WaitlistEntry.objects.select_for_update().get(pk=offer.entry_id)
        locked = WaitlistOffer.objects.select_for_update().get(pk=offer.pk)
        if locked.taken_id or locked.status in {OfferStatus.LAPSED, OfferStatus.LOST, OfferStatus.DECLINED}:
            return
        _close(locked, status, taken)
        audit.record(Actor.system(), f"waitlist.{status}", entry, after={"offer": locked.pk})
        if taken is not None and entry.status == EntryStatus.WAITING:
            entry.status, entry.ended_at = EntryStatus.SERVED, clock.now()
            entry.save(update_fields=["status", "ended_at"])
        publish(WaitlistUpdated(waitlist_entry_id=entry.pk, provider_id=offer.provider_id))
        if taken is None:
            look_soon(offer.provider_id)


def _close(offer: WaitlistOffer, status: OfferStatus, taken: Appointment | None) -> None:
    offer.status, offer.taken = status, taken
    offer.save(update_fields=["status", "taken"])
    queue.withdraw(offer.draft_id, reason=f"offer-{status}")
    draft = Appointment.objects.select_for_update().get(pk=offer.draft_id)
    if draft.status == Status.DRAFT:
        draft.move_to(Status.EXPIRED)
        draft.save(update_fields=["status", "updated_at", "version"])


def end(entry: WaitlistEntry, status: EntryStatus, actor: Actor) -> None:
    """The waiting is over; an open offer goes to the next. In the caller's transaction, the entry's row locked."""
    entry.status, entry.ended_at = status, clock.now()
    entry.save(update_fields=["status", "ended_at"])
    for offer in WaitlistOffer.objects.select_for_update().filter(entry=entry, status=OfferStatus.OPEN):
        _close(offer, OfferStatus.DECLINED, None)
        look_soon(offer.provider_id)
    audit.record(actor, f"waitlist.{status}", entry)
    publish(WaitlistUpdated(waitlist_entry_id=entry.pk))


def wait_again(appointment_id: int) -> None:
    """A claimed time that was never paid for: the patient waits again, in the old place."""
    offer = WaitlistOffer.objects.filter(taken_id=appointment_id, entry__status=EntryStatus.SERVED).first()
    if offer is None or offer.entry.appointment_id:
        return
    entry = WaitlistEntry.objects.select_for_update().get(pk=offer.entry_id)
    others = WaitlistEntry.objects.filter(
        service=entry.service_id, patient_email_index=entry.patient_email_index, status=EntryStatus.WAITING
    )
    if not others.exists():
        entry.status, entry.ended_at = EntryStatus.WAITING, None
        entry.save(update_fields=["status", "ended_at"])
