"""A day in an address: 2026-12-01, and nothing else."""

from __future__ import annotations

import re
from datetime import date

from django.urls import register_converter


class DayConverter:
    regex = r"\d{4}-\d{2}-\d{2}"

    def to_python(self, text: str) -> date:
        """A ValueError makes it no match, and so a 404."""
        if not re.fullmatch(self.regex, text, re.ASCII):
            raise ValueError(text)
        return date.fromisoformat(text)

    def to_url(self, day: date) -> str:
        return day.isoformat()


register_converter(DayConverter, "practice_day")
