"""What the operational metrics count that no other row tells: looks at the booking pages, and waits for an opening."""

from __future__ import annotations

from bedside.clinic.models import Practice, Service
from bedside.core import clock, tallies
from bedside.core.errors import NotFound
from bedside.schedule import openings

TIMES, DETAILS = "step.times", "step.details"
# Minutes until the next opening, how often they were looked up, and how often there was none.
WAIT, LOOKED, NOTHING = "wait.minutes", "wait.looked", "wait.nothing"
STEPS = {"times": TIMES, "details": DETAILS}


def reached(*, step: str, service_slug: str) -> None:
    """A browser saw the times of a service, or chose one. Raises NotFound for a step or a service that isn't there."""
    service = Service.objects.filter(slug=service_slug, active=True).values_list("pk", flat=True).first()
    if step not in STEPS or service is None:
        raise NotFound
    today = clock.now().astimezone(Practice.current().zone).date()
    tallies.add([(today, STEPS[step], service, 0, 1)])


def look_up_waits() -> None:
    """How long it is until the next opening of each service, with anybody and with each of its providers."""
    now = clock.now()
    today = now.astimezone(Practice.current().zone).date()
    rows = []
    for service in Service.objects.filter(active=True, providers__active=True).distinct().order_by("pk"):
        for provider in [None, *service.providers.filter(active=True).order_by("pk")]:
            whom = provider.pk if provider else 0
            found = openings.next_opening(service, provider=provider, now=now)
            if found is None:
                rows.append((today, NOTHING, service.pk, whom, 1))
                continue
            minutes = int((found.start - now).total_seconds() // 60)
            rows += [(today, WAIT, service.pk, whom, minutes), (today, LOOKED, service.pk, whom, 1)]
    tallies.add(rows)
