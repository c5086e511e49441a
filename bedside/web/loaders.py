"""Template loaders that leave the indentation of pages behind: a tenth of what goes over the wire says nothing."""

from __future__ import annotations

import re

from django.template import Origin
from django.template.loaders import app_directories, filesystem

INDENTATION = re.compile(r"\n\s+")


class Filesystem(filesystem.Loader):
    """Templates under ``DIRS``."""

    def get_contents(self, origin: Origin) -> str:
        return _lean(super().get_contents(origin), origin)


class AppDirectories(app_directories.Loader):
    """Templates of the installed apps."""

    def get_contents(self, origin: Origin) -> str:
        return _lean(super().get_contents(origin), origin)


def _lean(source: str, origin: Origin) -> str:
    """Only pages: in a message's text, blank lines part the paragraphs."""
    return INDENTATION.sub("\n", source) if origin.name.endswith(".html") else source
