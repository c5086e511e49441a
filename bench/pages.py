"""How fast and how heavy the booking pages are.

    .venv/bin/python -m bench.pages

Server time through Django's test client (every middleware, no network) beside the floor: the page's own queries, told
apart as "of it SQL". Then the weight over the wire, from a real web process: a first load of the page and of each file
that it names, as a browser asks for them (gzip or brotli).
"""

from __future__ import annotations

import http.client
import re
from datetime import timedelta
from typing import Any

from bench.harness import measure, served, throwaway_bedside


def main() -> None:
    with throwaway_bedside():
        pages = build()
        print("Server time")
        for name, path in pages.items():
            time_of(name, path)
        print("\nWeight of a first load, bytes")
        with served(worker=False) as port:
            for name, path in pages.items():
                weigh(port, name, path)


def build() -> dict[str, str]:
    """Six clinicians, four services, bookings among them; the address of each page of a patient's way."""
    from bedside.core import clock
    from bedside.schedule.openings import next_opening
    from tests.factories import make_appointment, make_provider, make_service

    providers = [make_provider(avatar="") for _ in range(6)]
    service = make_service(*providers, slug="first-visit")
    for n in range(3):
        make_service(*providers[: n + 1], name=f"Service {n}")
    opening = next_opening(service, after=clock.now() + timedelta(days=3))
    assert opening is not None
    visit = make_appointment(service, status="paid")
    start = opening.start.strftime("%Y-%m-%dT%H:%MZ")
    return {
        "services": "/",
        "times": f"/book/{service.slug}",
        "times of one clinician": f"/book/{service.slug}?provider={providers[0].slug}",
        "details": f"/book/{service.slug}/details?start={start}",
        "visit": f"/visits/{visit.token}",
        "cancel": f"/visits/{visit.token}/cancel",
    }


def time_of(name: str, path: str) -> None:
    from django.db import connection
    from django.test import Client

    client = Client()
    sql: list[float] = []

    def watched(execute: Any, statement: Any, params: Any, many: Any, context: Any) -> Any:
        import time

        began = time.perf_counter()
        try:
            return execute(statement, params, many, context)
        finally:
            sql.append((time.perf_counter() - began) * 1000)

    figure = measure(name, lambda: client.get(path))
    assert figure.result.status_code == 200, figure.result.status_code
    with connection.execute_wrapper(watched):
        client.get(path)
    print(f"  of it SQL: {len(sql)} queries, {sum(sql):.1f} ms")


def weigh(port: int, name: str, path: str) -> None:
    html, packed = fetch(port, path)
    files = set(re.findall(r'(?:src|href)="(/static/[^"#]+)', html.decode()))
    rest = sum(fetch(port, file)[1] for file in files)
    print(f"{name:<28} HTML {len(html):6d}   over the wire {packed + rest:6d} ({len(files)} files)")


def fetch(port: int, path: str) -> tuple[bytes, int]:
    """The content, unpacked where it is text, and how many bytes came over the wire with its headers."""
    import gzip

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    sizes = []
    for headers in ({}, {"Accept-Encoding": "gzip"}):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200, f"{path}: {answer.status}"
        body = answer.read()
        head = sum(len(key) + len(value) + 4 for key, value in answer.getheaders())
        sizes.append((body, len(body) + head))
    connection.close()
    plain, packed = sizes
    assert not packed[0].startswith(b"\x1f\x8b") or gzip.decompress(packed[0])
    return plain[0], packed[1]


if __name__ == "__main__":
    main()
