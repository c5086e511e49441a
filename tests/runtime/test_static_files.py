"""What is collected for the browser: ours without comments, what others wrote as it came."""

from __future__ import annotations

from pathlib import Path

import pytest

from bedside.web.staticfiles import HashedStaticFiles, StaticFilesMiddleware

CSS = "/* why */\n.card {\n  color: red;\n}\n"
JS = '// why\nexport const said = `a\n  // b`;\nconst url = "//c";\n'


@pytest.mark.parametrize("folder", ["bedside", "vendor/htmx-2"])
def test_comments_stay_at_home(tmp_path: Path, folder: str) -> None:
    storage = HashedStaticFiles(location=tmp_path, base_url="/static/")
    for name, text in {"a.css": CSS, "b.js": JS}.items():
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / name).write_text(text)
    paths = {f"{folder}/{name}": (storage, f"{folder}/{name}") for name in ("a.css", "b.js")}
    list(storage.post_process(paths))
    css, js = ((tmp_path / storage.stored_name(name)).read_text() for name in paths)
    if folder == "bedside":
        assert css == ".card{color:red}"
        assert "why" not in js
        assert "`a\n  // b`" in js
        assert '"//c"' in js
    else:
        assert (css, js) == (CSS, JS)


def test_what_is_kept_for_good_is_not_asked_about_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = StaticFilesMiddleware(lambda request: None)
    monkeypatch.setattr(files, "immutable_file_test", lambda path, url: "0123456789ab" in url)
    for name in ("a.0123456789ab.css", "a.css"):
        (tmp_path / name).write_text(CSS)
    kept = files.get_static_file(str(tmp_path / "a.0123456789ab.css"), "/static/a.0123456789ab.css")
    asked = files.get_static_file(str(tmp_path / "a.css"), "/static/a.css")
    assert {"ETag", "Last-Modified"}.isdisjoint(dict(kept.alternatives[-1][2]))
    assert {"ETag", "Last-Modified"} <= set(dict(asked.alternatives[-1][2]))
