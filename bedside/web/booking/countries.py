"""The country list beside the mobile number."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from babel import Locale
from django.utils.translation import get_language

# On the page from the start, after the practice's own country; the whole list follows once the page is there.
COMMON = ("US", "CA", "MX", "GB", "IE", "AU", "NZ", "DE", "FR", "ES", "IN", "PH", "BR", "DO", "PR")


@dataclass(frozen=True)
class Country:
    """``region``: ISO 3166; ``code``: what is dialed before its numbers."""

    region: str
    name: str
    code: int


@lru_cache(maxsize=8)
def _by_region(language: str) -> dict[str, Country]:
    names = Locale.parse(language.replace("-", "_")).territories
    countries = (
        Country(region, names.get(region, region), phonenumbers.country_code_for_region(region))
        for region in phonenumbers.SUPPORTED_REGIONS
    )
    return {country.region: country for country in sorted(countries, key=lambda country: country.name)}


def common(practice_country: str, chosen: str) -> list[Country]:
    """The practice's country, the chosen one, and those that are asked for most."""
    known = _by_region(get_language() or "en")
    regions = dict.fromkeys([practice_country, chosen, *COMMON])
    return [known[region] for region in regions if region in known]


def every(practice_country: str) -> list[Country]:
    """All countries by name, the practice's first."""
    known = _by_region(get_language() or "en")
    first = [known[practice_country]] if practice_country in known else []
    return first + [country for country in known.values() if country.region != practice_country]


def checked(region: str, practice_country: str) -> str:
    """The region if there is such a one, else the practice's."""
    return region if region in phonenumbers.SUPPORTED_REGIONS else practice_country
