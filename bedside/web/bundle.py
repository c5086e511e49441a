"""One stylesheet and one module for every page, one more for the visit's: put together when static files are collected.

Each file over the wire costs some four hundred bytes of headers, and small files compress badly. No other build exists.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage, Storage

BUNDLES = {
    "bedside/site.css": [
        f"bedside/{name}.css" for name in ("tokens", "base", "frame", "controls", "components", "patterns", "overlays")
    ],
    "bedside/js/site.js": [f"bedside/js/{name}.js" for name in ("page", "dialog", "timezone", "steps", "live")],
    # The heaviest of the patient's pages.
    "bedside/js/visit.js": [f"bedside/js/{name}.js" for name in ("countdown", "copy", "place")],
}


def bundled(path: str) -> str:
    """The text of a bundle, in the order of its parts."""
    parts = []
    for part in BUNDLES[path]:
        found = finders.find(part)
        assert isinstance(found, str), f"{part} is missing"
        with open(found, encoding="utf-8") as file:  # noqa: PTH123
            parts.append(file.read())
    return "\n".join(parts)


class BundleFinder(BaseFinder):
    """Offers the bundles to ``collectstatic``. Without it, pages link the parts (see the ``stylesheets`` tag)."""

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        return []

    def check(self, **kwargs: Any) -> list[Any]:
        return []

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, Storage]]:
        for path in BUNDLES:
            storage = InMemoryStorage()
            storage.save(path, ContentFile(bundled(path).encode()))
            yield path, storage
