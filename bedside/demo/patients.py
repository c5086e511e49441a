"""Invented patients, drawn from a fixed seed."""

from __future__ import annotations

import random

from bedside.demo import people
from bedside.flows.details import PatientDetails


def draw(rng: random.Random) -> PatientDetails:
    """A patient: the same person each time for the same name."""
    first, last = rng.choice(people.FIRST), rng.choice(people.LAST)
    number = (people.FIRST.index(first) * len(people.LAST) + people.LAST.index(last)) % 100
    return PatientDetails(
        name=f"{first} {last}",
        email=f"{first}.{last}@example.com".lower(),
        mobile=f"+1202555{100 + number:04d}",
        timezone=people.PATIENT_ZONES[number % len(people.PATIENT_ZONES)],
    )
