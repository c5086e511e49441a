"""Two at once: edits of one service, a booking against an archiving, and two of one name."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.db import connection

from bedside.appointments.errors import SlotTaken
from bedside.appointments.models import Appointment
from bedside.clinic.errors import ChangedMeanwhile
from bedside.clinic.models import Provider, Service
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.core.models import AuditEntry
from bedside.flows import catalogue, people
from bedside.flows.book import book
from bedside.flows.details import Consent
from tests.factories import make_provider, make_service
from tests.flows.conftest import first_opening, patient

SAM = Actor("admin", None, "Sam")


def at_once(*tasks: Callable[[], object]) -> Counter[str]:
    """Run them in threads let go together; counts what came of each."""
    barrier, results = threading.Barrier(len(tasks)), []

    def run(task: Callable[[], object]) -> None:
        try:
            barrier.wait(timeout=30)
            task()
            results.append("done")
        except Exception as error:
            results.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return Counter(results)


@pytest.mark.django_db(transaction=True)
def test_of_ten_who_save_at_once_one_is_kept_and_nine_are_told() -> None:
    service = make_service()
    facts = catalogue.facts_of(service)

    def save(n: int) -> Callable[[], object]:
        mine = replace(facts, name=f"Name {n}")
        return lambda: catalogue.change_service(service_id=service.pk, version=1, facts=mine, actor=SAM)

    assert at_once(*(save(n) for n in range(10))) == {"done": 1, "ChangedMeanwhile": 9}
    service.refresh_from_db()
    assert service.version == 2
    assert AuditEntry.objects.filter(action="service.changed").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_provider_who_is_archived_while_patients_book_has_no_booking_after_that() -> None:
    provider = make_provider()
    service = make_service(provider)
    start = first_opening(service)

    def want(n: int) -> Callable[[], object]:
        return lambda: book(service=service, start=start, details=patient(n), consent=Consent(given=True))

    def archive() -> None:
        people.archive_provider(provider_id=provider.pk, version=1, actor=SAM)

    came = at_once(archive, *(want(n) for n in range(6)))
    assert came["done"] in {1, 2}
    assert set(came) <= {"done", "SlotTaken", "NotOffered"}
    assert Appointment.objects.count() == came["done"] - 1
    with pytest.raises(SlotTaken):
        book(service=service, start=start, details=patient(9), consent=Consent(given=True))


@pytest.mark.django_db(transaction=True)
def test_two_services_and_two_providers_of_one_name_get_two_addresses() -> None:
    facts = replace(catalogue.facts_of(make_service()), name="Follow-up")
    made = at_once(*(lambda: catalogue.create_service(facts=facts, actor=SAM) for _ in range(4)))
    assert made == {"done": 4}
    slugs = set(Service.objects.filter(name="Follow-up").values_list("slug", flat=True))
    assert slugs == {"follow-up", "follow-up-2", "follow-up-3", "follow-up-4"}
    person = replace(people.facts_of(make_provider()), name="New")
    assert at_once(*(lambda: people.create_provider(facts=person, actor=SAM) for _ in range(3))) == {"done": 3}
    # "new" itself is the address of the empty form.
    assert set(Provider.objects.filter(name="New").values_list("slug", flat=True)) == {"new-2", "new-3", "new-4"}


@pytest.mark.django_db
def test_only_the_desk_may_change_the_catalogue() -> None:
    service = make_service()
    facts, provider = catalogue.facts_of(service), service.providers.get()
    for actor in (Actor.patient(), Actor("provider", 1, "Dr. Rivera")):
        with pytest.raises(PermissionRefused):
            catalogue.change_service(service_id=service.pk, version=1, facts=facts, actor=actor)
        with pytest.raises(PermissionRefused):
            catalogue.archive_service(service_id=service.pk, version=1, actor=actor)
        with pytest.raises(PermissionRefused):
            people.archive_provider(provider_id=provider.pk, version=1, actor=actor)
        with pytest.raises(PermissionRefused):
            people.save_group(group_id=None, version=0, name="Physicians", members=[], actor=actor)


@pytest.mark.django_db
def test_a_further_horizon_asks_for_windows_that_reach_it() -> None:
    from procrastinate.contrib.django.models import ProcrastinateJob

    service = make_service()
    facts = catalogue.facts_of(service)
    catalogue.change_service(service_id=service.pk, version=1, facts=replace(facts, summary="Other."), actor=SAM)
    assert not ProcrastinateJob.objects.filter(task_name="schedule.rebuild").exists()
    catalogue.change_service(service_id=service.pk, version=2, facts=replace(facts, horizon_days=365), actor=SAM)
    assert ProcrastinateJob.objects.filter(task_name="schedule.rebuild").count() == 1
    with pytest.raises(ChangedMeanwhile):
        catalogue.change_service(service_id=service.pk, version=2, facts=facts, actor=SAM)
