"""The cancellation policy on the patient's pages: the words are clinic's, language and moment are the page's."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import get_language

from bedside.clinic import policy_words
from bedside.clinic.models import Service
from bedside.clinic.policy import Terms
from bedside.clinic.policy_models import InForce, in_force, of_service
from bedside.core import clock


def short(service: Service) -> str:
    """For a card: "Free to cancel until 24 hours before"."""
    return policy_words.short(of_service(service).terms)


def shorts(services: list[Service]) -> dict[int, str]:
    """The same for several, by id."""
    return {pk: policy_words.short(found.terms) for pk, found in in_force(services).items()}


def sentence(start: datetime, terms: Terms, zone: str) -> str:
    """For one visit: until when canceling is free, and what holds after that; honest where that moment has passed."""
    return policy_words.sentence(terms, start, clock.now(), zone, get_language() or "en")


def whole(agreed: InForce) -> str:
    """Everything, without dates. Where there is no policy but the practice's own words, they are all."""
    return policy_words.whole(agreed.terms, agreed.words) if agreed.policy or not agreed.words else agreed.words
