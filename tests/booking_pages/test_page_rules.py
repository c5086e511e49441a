"""What holds for every page of the patient: small, no inline code, nothing from elsewhere, a language, a title."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlsplit

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils import translation

from bedside.clinic.models import Service
from bedside.web.bundle import BUNDLES, bundled
from tests.booking_pages.conftest import text_of
from tests.booking_pages.test_visit import make_meeting, make_paid
from tests.factories import make_provider, make_service

pytestmark = pytest.mark.django_db

HTML_LIMIT = 15_000
WIRE_LIMIT = 60_000
ALREADY_PACKED = (".woff2",)


@pytest.fixture
def spanish(client: Client) -> Iterator[None]:
    client.cookies["django_language"] = "es"
    yield
    translation.activate("en")


@pytest.fixture
def pages(client: Client, service: Service, start: datetime, details_url: str) -> dict[str, str]:
    """Each page as a first visit gets it, with a choice of services and of people."""
    for n in range(4):
        make_service(name=f"Service {n}")
    for n in range(5):
        service.providers.add(
            make_provider(
                name=f"Dr. Number {n}", avatar=f"bedside/avatars/{['one', 'two', 'three', 'four', 'five'][n]}.svg"
            )
        )
    visit = make_paid()
    make_meeting(visit)
    addresses = {
        "services": "/",
        "times": f"/book/{service.slug}",
        "details": details_url,
        "visit": f"/visits/{visit.token}",
        "cancel": f"/visits/{visit.token}/cancel",
        "my": "/my/",
        "unknown": "/visits/unknown",
    }
    return {name: client.get(address).content.decode() for name, address in addresses.items()}


def html_size(html: str) -> int:
    """Bytes of the page as it is sent, where one file stands for the parts that a bundle is made of."""
    for parts in BUNDLES.values():
        if f'"/static/{parts[0]}"' not in html:
            continue
        for part in parts[1:]:
            html, found = re.subn(rf'<(link|script) [^>]*"/static/{re.escape(part)}"[^>]*>(</script>)?\n', "", html)
            assert found == 1, part
    return len(html.encode())


def wire_size(html: str) -> int:
    """Bytes of the page and of all that it loads, packed and bundled as the server does it, each file once."""
    total = len(gzip.compress(html.encode()))
    used = set(re.findall(r'(?:src|href)="(/static/[^"#]+)', html))
    for path, parts in BUNDLES.items():
        files = {f"/static/{part}" for part in parts}
        if used.isdisjoint(files):
            continue
        assert used.issuperset(files), path
        used.difference_update(files)
        total += len(gzip.compress(bundled(path).encode()))
    total += 20_156 if not any("latin-wght" in path for path in used) else 0
    for path in used:
        content = open_static(path)
        total += len(content) if path.endswith(ALREADY_PACKED) else len(gzip.compress(content))
    return total


def open_static(url: str) -> bytes:
    name = urlsplit(url).path.removeprefix("/static/")
    found = finders.find(name)
    assert found, f"{name} is not there"
    with open(found, "rb") as file:  # noqa: PTH123
        return file.read()


def test_the_html_of_each_page_is_small(pages: dict[str, str]) -> None:
    sizes = {name: html_size(html) for name, html in pages.items()}
    assert {name: size for name, size in sizes.items() if size > HTML_LIMIT} == {}


@pytest.mark.usefixtures("spanish")
def test_a_page_in_spanish_is_small_too(pages: dict[str, str]) -> None:
    sizes = {name: html_size(html) for name, html in pages.items()}
    assert all('<html lang="es"' in html for html in pages.values())
    assert {name: size for name, size in sizes.items() if size > HTML_LIMIT} == {}


def test_a_first_visit_stays_within_its_budget_over_the_wire(pages: dict[str, str]) -> None:
    sizes = {name: wire_size(html) for name, html in pages.items()}
    assert {name: size for name, size in sizes.items() if size > WIRE_LIMIT} == {}


def test_nothing_is_inline_and_nothing_comes_from_elsewhere(pages: dict[str, str]) -> None:
    for name, html in pages.items():
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", html), name
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", html)), name
        loaded = re.findall(r'<(?:script|link|img|use)[^>]*(?:src|href)="([^"]+)"', html)
        assert all(address.startswith("/static/") for address in loaded), name


def test_each_page_says_its_language_title_and_one_heading(pages: dict[str, str]) -> None:
    titles = set()
    for name, html in pages.items():
        assert '<html lang="en"' in html, name
        assert len(re.findall(r"<h1[ >]", html)) == 1, name
        titles.add(re.search(r"<title>([^<]+)</title>", html).group(1))  # type: ignore[union-attr]
    assert len(titles) == len(pages)


def test_pages_with_personal_data_are_kept_out_of_search_engines(pages: dict[str, str]) -> None:
    for name in ("details", "visit", "cancel", "unknown"):
        assert '<meta name="robots" content="noindex">' in pages[name]


def test_every_page_says_that_it_is_the_sandbox(pages: dict[str, str]) -> None:
    assert all("Sandbox: no real money, texts or meetings" in html for html in pages.values())


@pytest.mark.parametrize(
    ("cookie", "drawn"), [("dark", ' data-theme="dark"'), ("light", ' data-theme="light"'), ("<x>", "")]
)
def test_the_chosen_theme_is_drawn_by_the_server(client: Client, service: Service, cookie: str, drawn: str) -> None:
    client.cookies["theme"] = cookie
    assert f'<html lang="en"{drawn}>' in text_of(client.get("/my/"))


def test_static_modules_import_nothing_so_that_hashed_names_work() -> None:
    for module in ("page", "dialog", "live", "countdown", "copy", "timezone", "calendar"):
        assert "import " not in open_static(f"/static/bedside/js/{module}.js").decode()
