"""Static files: smaller, and named by their content's hash once collected (cached for good); as written before that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import rcssmin
import rjsmin
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

SMALLER: dict[str, Callable[[str], str]] = {".css": rcssmin.cssmin, ".js": rjsmin.jsmin}


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    manifest_strict = False

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        """Our own files lose their comments and indentation first; what others wrote stays as it came."""
        for name in () if dry_run else paths:
            file = Path(self.path(name))
            if name.startswith("bedside/") and "vendor" not in file.parts and file.suffix in SMALLER:
                file.write_text(SMALLER[file.suffix](file.read_text(encoding="utf-8")), encoding="utf-8")
        yield from super().post_process(paths, dry_run, **options)


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]
    """A file that is kept for good is never asked about again: what a browser would ask with is left off."""

    def get_static_file(self, path: str, url: str, stat_cache: Any = None) -> StaticFile:
        file = super().get_static_file(path, url, stat_cache=stat_cache)
        if self.immutable_file_test(path, url):
            file.alternatives = [
                (encoding, where, [(name, value) for name, value in headers if name not in ("ETag", "Last-Modified")])
                for encoding, where, headers in file.alternatives
            ]
        return file
