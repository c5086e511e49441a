"""Fetching what somebody typed: never inwards, never too much, never too long."""

from __future__ import annotations

import gzip
import ipaddress
import socket
import time
from typing import Any

import pytest

from bedside.core import outward
from bedside.core.outward import FetchFailed, Limits, fetch
from tests.calendars.servers import CalendarServer, dripping


def code_of(url: str, **limits: Any) -> str:
    with pytest.raises(FetchFailed) as caught:
        fetch(url, limits=Limits(**limits))
    return caught.value.code


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "100.100.100.200", "192.0.0.192", "168.63.129.16", "224.0.0.1", "255.255.255.255", "198.18.0.1", "::1", "::",
        "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::", "2001:db8::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_the_internet(address: str) -> None:
    assert not outward.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "142.250.1.1", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_addresses_that_are(address: str) -> None:
    assert outward.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]:8080/", "http://localhost/", "http://2130706433/",
        "http://0x7f.1/", "http://127.1/", "http://169.254.169.254/latest/meta-data/", "https://10.1.2.3/cal.ics",
    ],
)  # fmt: skip
def test_inwards_is_refused_before_any_connection(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *a, **k: pytest.fail("connected"))
    assert code_of(url) in {"private-address", "unknown-host"}


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "//example.com/x", "example.com/x", "",
        "http://", "http://user:secret@example.com/", "http://example.com:22/", "http://example.com:99999/",
        "http://exa\nmple.com/", "http://[::1/", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_addresses_that_make_no_sense(url: str) -> None:
    assert code_of(url) == "bad-address"


def test_a_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(2, 1, 6, "", ("93.184.216.34", 80)), (2, 1, 6, "", ("10.0.0.5", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: answers)
    assert code_of("http://calendar.example.com/") == "private-address"


def test_the_address_that_was_checked_is_the_one_that_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that says something else the second time (DNS rebinding) is not asked a second time."""
    asked: list[Any] = []
    connected: list[Any] = []

    def getaddrinfo(host: str, *args: Any, **kwargs: Any) -> Any:
        asked.append(host)
        return [(2, 1, 6, "", ("93.184.216.34" if len(asked) == 1 else "127.0.0.1", 80))]

    def connect(address: Any, *args: Any, **kwargs: Any) -> Any:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket, "create_connection", connect)
    assert code_of("http://calendar.example.com/") == "unreachable"
    assert (asked, connected) == (["calendar.example.com"], [("93.184.216.34", 80)])


def test_a_plain_answer_with_its_marks(server: CalendarServer) -> None:
    url = server.serve("/a.ics", b"hello", ETag='"7"')
    answer = fetch(url, headers={"If-None-Match": '"6"'})
    assert (answer.status, answer.body, answer.headers["etag"]) == (200, b"hello", '"7"')
    [(_path, sent)] = server.seen
    assert sent["if-none-match"] == '"6"'
    assert sent["host"].startswith("127.0.0.1")


def test_not_modified(server: CalendarServer) -> None:
    assert fetch(server.serve("/a.ics", b"", status=304)).status == 304


def test_redirects_are_followed_and_looked_at(server: CalendarServer) -> None:
    server.serve("/b.ics", b"there")
    assert fetch(server.serve("/a.ics", b"", status=302, Location="/b.ics")).body == b"there"
    assert code_of(server.serve("/loop", b"", status=301, Location="/loop")) == "too-many-redirects"
    assert code_of(server.serve("/file", b"", status=302, Location="file:///etc/passwd")) == "bad-address"
    assert code_of(server.serve("/in", b"", status=302, Location="http://169.254.169.254/")) == "private-address"
    assert code_of(server.serve("/nowhere", b"", status=302)) == "bad-answer"


def test_a_redirect_to_this_machine_is_refused(server: CalendarServer, settings: Any, monkeypatch: Any) -> None:
    """The first server may be asked (its name is taken for a public one), the second is ours."""
    inner = server.serve("/secret", b"inside")
    outer = server.serve("/a.ics", b"", status=302, Location=inner)
    asked: list[str] = []
    check = outward.is_public
    monkeypatch.setattr(outward, "is_public", lambda address: not asked or check(address))
    real_get = outward._get

    def counting(url: str, *rest: Any) -> Any:
        answer = real_get(url, *rest)
        asked.append(url)
        settings.OUTWARD_ALLOWS_LOOPBACK = False
        return answer

    monkeypatch.setattr(outward, "_get", counting)
    assert code_of(outer) == "private-address"
    assert [path for path, _ in server.seen] == ["/a.ics"]


def test_too_large_whether_announced_or_not(server: CalendarServer) -> None:
    assert code_of(server.serve("/big", b"x" * 200_000), max_bytes=100_000) == "too-large"

    def endless(handler: Any) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"x" * 65536)

    server.answers["/endless"] = endless
    assert code_of(server.url("/endless"), max_bytes=1_000_000) == "too-large"


def test_a_zip_bomb_is_dropped_before_it_is_held(server: CalendarServer) -> None:
    bomb = gzip.compress(b"\0" * 200_000_000, 1)
    started = time.monotonic()
    assert code_of(server.serve("/bomb", bomb, Content_Encoding="gzip")) == "too-large"
    assert time.monotonic() - started < 5


def test_gzip_is_read_and_broken_gzip_is_not(server: CalendarServer) -> None:
    packed = gzip.compress(b"BEGIN:VCALENDAR")
    assert fetch(server.serve("/a", packed, Content_Encoding="gzip")).body == b"BEGIN:VCALENDAR"
    assert code_of(server.serve("/b", packed[:-9], Content_Encoding="gzip")) == "bad-answer"
    assert code_of(server.serve("/c", b"not gzip", Content_Encoding="gzip")) == "bad-answer"
    assert code_of(server.serve("/d", b"?", Content_Encoding="br")) == "bad-answer"


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nBEGIN"])
def test_a_server_that_drips_is_left(settings: Any, beginning: bytes) -> None:
    settings.OUTWARD_ALLOWS_LOOPBACK = True
    with dripping(beginning) as url:
        started = time.monotonic()
        assert code_of(url, seconds=0.8) == "too-slow"
        assert time.monotonic() - started < 3


def test_a_name_server_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: time.sleep(3))
    started = time.monotonic()
    assert code_of("http://calendar.example.com/", seconds=0.3) == "too-slow"
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 500, 503, 204, 206])
def test_other_answers_are_failures_by_number(server: CalendarServer, status: int) -> None:
    assert code_of(server.serve("/a", b"", status=status)) == f"http-{status}"


def test_nobody_there_and_not_http(settings: Any) -> None:
    settings.OUTWARD_ALLOWS_LOOPBACK = True
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert code_of(f"http://127.0.0.1:{port}/") == "unreachable"
    with dripping(b"SSH-2.0-OpenSSH_9.2\r\n") as url:
        assert code_of(url, seconds=2) in {"bad-answer", "too-slow"}


def test_a_certificate_that_nobody_signed(server: CalendarServer) -> None:
    url = server.serve("/a", b"x").replace("http:", "https:")
    assert code_of(url, seconds=3) in {"tls", "unreachable", "too-slow"}
