"""Where a patient can be and a provider can be licensed: countries, and states where licenses follow those.

A place is an ISO 3166 code: "US-NY" for a state, "GB" for a whole country. Imports no Django; names are in English.
"""

from __future__ import annotations

import re
from functools import lru_cache

from babel import Locale

PATTERN = r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$"
# Codes of two letters that are no countries, in the locale data.
NO_COUNTRIES = frozenset({"EU", "EZ", "UN", "XA", "XB", "ZZ", "QO"})

# Countries in which a state or province licenses; a whole country is too coarse an answer there.
STATES: dict[str, dict[str, str]] = {
    "US": {
        "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California", "CO": "Colorado",
        "CT": "Connecticut", "DE": "Delaware", "DC": "District of Columbia", "FL": "Florida", "GA": "Georgia",
        "HI": "Hawaii", "ID": "Idaho", "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas",
        "KY": "Kentucky", "LA": "Louisiana", "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan",
        "MN": "Minnesota", "MS": "Mississippi", "MO": "Missouri", "MT": "Montana", "NE": "Nebraska", "NV": "Nevada",
        "NH": "New Hampshire", "NJ": "New Jersey", "NM": "New Mexico", "NY": "New York", "NC": "North Carolina",
        "ND": "North Dakota", "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania",
        "RI": "Rhode Island", "SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas",
        "UT": "Utah", "VT": "Vermont", "VA": "Virginia", "WA": "Washington", "WV": "West Virginia", "WI": "Wisconsin",
        "WY": "Wyoming", "AS": "American Samoa", "GU": "Guam", "MP": "Northern Mariana Islands", "PR": "Puerto Rico",
        "VI": "U.S. Virgin Islands",
    },
    "CA": {
        "AB": "Alberta", "BC": "British Columbia", "MB": "Manitoba", "NB": "New Brunswick",
        "NL": "Newfoundland and Labrador", "NT": "Northwest Territories", "NS": "Nova Scotia", "NU": "Nunavut",
        "ON": "Ontario", "PE": "Prince Edward Island", "QC": "Quebec", "SK": "Saskatchewan", "YT": "Yukon",
    },
    "AU": {
        "ACT": "Australian Capital Territory", "NSW": "New South Wales", "NT": "Northern Territory",
        "QLD": "Queensland", "SA": "South Australia", "TAS": "Tasmania", "VIC": "Victoria", "WA": "Western Australia",
    },
}  # fmt: skip


@lru_cache(maxsize=1)
def countries() -> dict[str, str]:
    """Countries by code, sorted by name."""
    names = Locale("en").territories
    found = {code: name for code, name in names.items() if re.fullmatch("[A-Z]{2}", code) and code not in NO_COUNTRIES}
    return dict(sorted(found.items(), key=lambda pair: pair[1]))


def is_place(code: str) -> bool:
    """Whether a license can be for it: a known state, or a country."""
    country, dash, state = code.partition("-")
    return state in STATES.get(country, {}) if dash else country in countries()


def is_exact(code: str) -> bool:
    """Whether it says enough about where a patient is: the state, in countries whose states license."""
    return is_place(code) and ("-" in code or code not in STATES)


def name_of(code: str) -> str:
    """ "New York, United States" for "US-NY"; the code itself where it is unknown."""
    country, _dash, state = code.partition("-")
    name = countries().get(country, country)
    return f"{STATES.get(country, {}).get(state, state)}, {name}" if state else name


def short_name(code: str) -> str:
    """ "New York" for "US-NY"."""
    country, _dash, state = code.partition("-")
    return STATES.get(country, {}).get(state, state) if state else countries().get(country, country)


def covering(code: str) -> list[str]:
    """The places whose license holds at ``code``: itself, and its country."""
    return list(dict.fromkeys([code, code.partition("-")[0]]))


def find(text: str) -> str:
    """The code of a place that was typed as its code or its name, in any case; what isn't one comes back as typed."""
    typed = text.strip()
    if is_place(typed.upper()):
        return typed.upper()
    return _by_name().get(typed.casefold(), typed)


@lru_cache(maxsize=1)
def every() -> list[tuple[str, str]]:
    """All places with their full names: states first, then countries."""
    states = [f"{country}-{state}" for country, known in STATES.items() for state in known]
    return [(code, name_of(code)) for code in [*states, *countries()]]


@lru_cache(maxsize=1)
def _by_name() -> dict[str, str]:
    known = every()
    # Georgia alone is the country: the later one wins. The state is found by its full name.
    short = {short_name(code).casefold(): code for code, _name in known}
    return short | {name.casefold(): code for code, name in known}
