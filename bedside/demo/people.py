"""Who works at the demo practice, what it offers, and who has been there. All invented."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time

PRACTICE = {
    "name": "Lakeside Clinic",
    "timezone": "America/New_York",
    "currency": "USD",
    "country": "US",
    "phone": "+12025550100",
    "email": "hello@lakeside.example.com",
    "about": "A small practice that sees you by video, on time, from wherever you are. Every clinician is licensed, "
    "and the one you choose is the one you meet.",
}

Hours = tuple[time, time]
MORNING: Hours = (time(9), time(12, 30))
AFTERNOON: Hours = (time(13, 30), time(17, 30))
EVENING: Hours = (time(16), time(20))
WEEKDAYS = (0, 1, 2, 3, 4)


@dataclass(frozen=True)
class Person:
    """A provider: the rest of the fields are clinic.Provider's."""

    slug: str
    name: str
    title: str
    bio: str
    languages: tuple[str, ...]
    timezone: str
    number: str
    avatar: str
    hours: dict[int, tuple[Hours, ...]] = field(default_factory=dict)

    @property
    def email(self) -> str:
        return f"{self.slug.replace('-', '.')}@example.com"


def every(days: tuple[int, ...], *hours: Hours) -> dict[int, tuple[Hours, ...]]:
    return dict.fromkeys(days, hours)


PROVIDERS = (
    Person(
        "elena-rivera",
        "Dr. Elena Rivera",
        "MD, Family medicine",
        "Family doctor for fifteen years. Listens first, explains plainly, and writes down what you agreed.",
        ("English", "Spanish"),
        "America/New_York",
        "+12025550111",
        "one",
        every(WEEKDAYS, MORNING, AFTERNOON),
    ),
    Person(
        "marcus-chen",
        "Dr. Marcus Chen",
        "MD, Internal medicine",
        "Looks after long-standing conditions: blood pressure, diabetes, thyroid. Likes a good list of questions.",
        ("English", "Mandarin"),
        "America/Chicago",
        "+13125550112",
        "two",
        every((0, 1, 3, 4), MORNING, AFTERNOON),
    ),
    Person(
        "amara-okafor",
        "Amara Okafor",
        "PMHNP, Mental health",
        "Psychiatric nurse practitioner. Anxiety, sleep and low mood, with or without medicine.",
        ("English", "French"),
        "America/Denver",
        "+13035550113",
        "three",
        every((0, 1, 2, 3), AFTERNOON, (time(18), time(20))),
    ),
    Person(
        "hannah-lindqvist",
        "Dr. Hannah Lindqvist",
        "MD, Dermatology",
        "Skin, hair and nails by video and photographs. Will tell you when it has to be seen in person.",
        ("English", "Swedish"),
        "America/Los_Angeles",
        "+14155550114",
        "four",
        every((1, 2, 4), MORNING, AFTERNOON),
    ),
    Person(
        "priya-nair",
        "Dr. Priya Nair",
        "PhD, Psychology",
        "Psychologist. Short courses of therapy with a clear plan, in the evening if you work.",
        ("English", "Hindi", "Malayalam"),
        "America/New_York",
        "+12025550115",
        "five",
        every((0, 2, 3, 4), EVENING) | {5: (MORNING,)},
    ),
    Person(
        "joe-whitaker",
        "Joe Whitaker",
        "PA-C, Urgent care",
        "Physician assistant. Coughs, infections, refills: the things that shouldn't wait until next week.",
        ("English",),
        "America/Chicago",
        "+13125550116",
        "six",
        every((0, 1, 2, 3, 4, 5, 6), (time(8), time(14))),
    ),
)


@dataclass(frozen=True)
class Offer:
    """A service: fields are clinic.Service's. ``hours`` is the free cancellation window."""

    slug: str
    name: str
    summary: str
    description: str
    minutes: int
    price_minor: int
    providers: tuple[str, ...]
    prep: int = 0
    wrap: int = 5
    step: int = 15
    notice: int = 60
    hours: int = 24
    asks_location: bool = False
    groups: tuple[str, ...] = ()

    @property
    def policy(self) -> str:
        return (
            f"Cancel your visit up to {self.hours} hours before it starts and you get all of it back. "
            "After that the visit is charged in full, because the time can rarely be given to somebody else. "
            "If we have to cancel, you always get all of it back."
        )


SERVICES = (
    Offer(
        "urgent-visit",
        "Same-day visit",
        "Coughs, infections, rashes, refills: seen today.",
        "Fifteen minutes with a clinician, usually within hours. You leave with a plan, and a prescription if needed.",
        15,
        5900,
        ("joe-whitaker", "elena-rivera"),
        notice=30,
        hours=4,
    ),
    Offer(
        "first-visit",
        "First visit",
        "Meet your doctor and go through everything once.",
        "Half an hour to get to know you: your history, your medicines, what worries you, and what to do next.",
        30,
        12500,
        ("elena-rivera", "marcus-chen"),
        prep=5,
        wrap=10,
        notice=120,
    ),
    Offer(
        "follow-up",
        "Follow-up visit",
        "Results, refills, and how it has been going.",
        "A quarter of an hour with the doctor who knows you.",
        15,
        7500,
        ("elena-rivera", "marcus-chen", "hannah-lindqvist", "joe-whitaker"),
        wrap=5,
        groups=("physicians",),
    ),
    Offer(
        "therapy-session",
        "Therapy session",
        "Fifty minutes, one to one, at your pace.",
        "A confidential conversation with a psychologist or psychiatric nurse practitioner.",
        50,
        16000,
        ("amara-okafor", "priya-nair"),
        prep=5,
        wrap=10,
        step=30,
        notice=240,
        asks_location=True,
    ),
    Offer(
        "skin-check",
        "Skin consultation",
        "A dermatologist looks at what bothers you.",
        "Twenty minutes by video. Good light helps; you can show photographs during the visit.",
        20,
        9900,
        ("hannah-lindqvist",),
        wrap=10,
        step=10,
        notice=180,
    ),
)

# Where each provider is licensed. Together the two who do therapy cover every zone that the demo's patients live in.
LICENSES = {
    "elena-rivera": ("US-NY", "US-NJ", "US-CT"),
    "marcus-chen": ("US-IL", "US-WI", "US-IN"),
    "amara-okafor": ("US-CO", "US-AZ", "US-CA"),
    "hannah-lindqvist": ("US-CA", "US-OR", "US-WA"),
    "priya-nair": ("US-NY", "US-NJ", "US-PA", "US-IL"),
    "joe-whitaker": ("US-IL", "US-IN", "US-MO"),
}
GROUPS = {"physicians": ("Physicians", ("elena-rivera", "marcus-chen", "hannah-lindqvist"))}

# First names and surnames of invented patients; their addresses are at example.com, their numbers end in 555-01xx.
FIRST = (
    "Robin",
    "Avery",
    "Jordan",
    "Casey",
    "Morgan",
    "Taylor",
    "Quinn",
    "Riley",
    "Jamie",
    "Drew",
    "Alex",
    "Sasha",
    "Noor",
    "Lena",
)
LAST = (
    "Sample",
    "Fielding",
    "Brook",
    "Marsh",
    "Holloway",
    "Ives",
    "Penn",
    "Larkin",
    "Vance",
    "Osei",
    "Duarte",
    "Kim",
    "Rahman",
)
# The zones that patients live in, each with the state they are in.
PLACE_IN_ZONE = {
    "America/New_York": "US-NY",
    "America/Chicago": "US-IL",
    "America/Denver": "US-CO",
    "America/Los_Angeles": "US-CA",
}
PATIENT_ZONES = tuple(PLACE_IN_ZONE)
