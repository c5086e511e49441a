"""Fetching an address that somebody typed, from inside our own network: with limits, and never inwards.

The host's name is resolved first, every address it has must be public, and the connection goes to the address that was
checked: a name that answers otherwise the second time gains nothing. Each redirect is looked at in the same way. One
deadline holds for everything together, so a server that drips a byte a second can't hold a worker.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx
from django.conf import settings

SCHEMES = {"http": 80, "https": 443}
REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Services that listen on public-looking addresses for machines inside a cloud only.
METADATA = frozenset({ipaddress.ip_address("168.63.129.16"), ipaddress.ip_address("192.0.0.192")})
NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))


class FetchFailed(Exception):
    """``code`` says why: bad-address, private-address, unknown-host, unreachable, tls, too-slow, too-large,
    too-many-redirects, bad-answer, or http-404 and its like. Never quotes the address."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Limits:
    """Bytes as they arrive and as they unpack, seconds for everything together, redirects."""

    max_bytes: int = 5_000_000
    seconds: float = 20
    redirects: int = 4


@dataclass(frozen=True)
class Fetched:
    """``status`` is 200 or 304; ``headers`` have lower-case names."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def fetch(url: str, *, headers: dict[str, str] | None = None, limits: Limits | None = None) -> Fetched:
    """GET ``url`` (http or https) within the limits. Raises `FetchFailed`. Never called inside a transaction."""
    limits = limits or Limits()
    deadline = _Deadline(limits.seconds)
    for _hop in range(limits.redirects + 1):
        answer, onwards = _get(url, headers or {}, limits, deadline)
        if answer is not None:
            return answer
        url = urljoin(url, onwards)
    raise FetchFailed("too-many-redirects")


def check_address(url: str) -> None:
    """Whether we would ask at all, as far as the address itself tells. Raises `FetchFailed`."""
    try:
        parts = urlsplit(url)
        port = parts.port or SCHEMES.get(parts.scheme, 0)
        host = (parts.hostname or "").encode("idna").decode()
    except (ValueError, UnicodeError):
        raise FetchFailed("bad-address") from None
    if parts.scheme not in SCHEMES or not host or parts.username or parts.password or not url.isprintable():
        raise FetchFailed("bad-address")
    if not (port in SCHEMES.values() or port >= 1024):
        raise FetchFailed("bad-address")
    try:
        literal = ipaddress.ip_address(host)
    except ValueError:
        return
    if not is_public(literal):
        raise FetchFailed("private-address")


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether it belongs to the internet at large. Addresses that carry another one inside are opened up."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and any(address in network for network in NAT64):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    if address.is_loopback:
        return bool(settings.OUTWARD_ALLOWS_LOOPBACK)
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_unspecified
        and address not in METADATA
    )


class _Deadline:
    def __init__(self, seconds: float) -> None:
        self.at = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds, more than none; raises `FetchFailed` when there are none."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise FetchFailed("too-slow")
        return left


def _get(url: str, headers: dict[str, str], limits: Limits, deadline: _Deadline) -> tuple[Fetched | None, str]:
    """One request: the answer, or where it sends us on to."""
    check_address(url)
    backend = _CheckedBackend(deadline)
    sent = {"User-Agent": "Bedside calendar import", "Accept": "text/calendar, */*;q=0.1", "Accept-Encoding": "gzip"}
    try:
        with (
            httpcore.ConnectionPool(network_backend=backend, ssl_context=_tls(), http2=False) as pool,
            pool.stream("GET", url, headers=list((sent | headers).items())) as response,
        ):
            got = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            if response.status in REDIRECTS:
                if not got.get("location"):
                    raise FetchFailed("bad-answer")
                return None, got["location"]
            if response.status == 304:
                return Fetched(304, headers=got), ""
            if response.status != 200:
                raise FetchFailed(f"http-{response.status}")
            return Fetched(200, _read(response.iter_stream(), got, limits, deadline), got), ""
    except ssl.SSLError:
        raise FetchFailed("tls") from None
    except (httpcore.TimeoutException, TimeoutError):
        raise FetchFailed("too-slow") from None
    except (httpcore.ConnectError, httpcore.ReadError, httpcore.WriteError, OSError) as error:
        raise FetchFailed("tls" if "ssl" in str(error).lower() else "unreachable") from None
    except (httpcore.ProtocolError, httpcore.UnsupportedProtocol, UnicodeError, ValueError):
        raise FetchFailed("bad-answer") from None


def _read(chunks: Iterable[bytes], headers: dict[str, str], limits: Limits, deadline: _Deadline) -> bytes:
    """The body, unpacked as it comes: what unpacks to too much is dropped before it is held."""
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "", "gzip", "x-gzip", "deflate"}:
        raise FetchFailed("bad-answer")
    unpack = None if encoding in {"identity", ""} else zlib.decompressobj(zlib.MAX_WBITS | 32)
    body, arrived = bytearray(), 0
    for chunk in chunks:
        _ = deadline.left
        arrived += len(chunk)
        try:
            body += chunk if unpack is None else unpack.decompress(chunk, limits.max_bytes + 1 - len(body))
        except zlib.error:
            raise FetchFailed("bad-answer") from None
        if arrived > limits.max_bytes or len(body) > limits.max_bytes or (unpack and unpack.unconsumed_tail):
            raise FetchFailed("too-large")
    if unpack is not None and not unpack.eof:
        raise FetchFailed("bad-answer")
    return bytes(body)


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


class _CheckedBackend(httpcore.NetworkBackend):
    """Connects only where it may, to the very address that was checked, and never past the deadline."""

    def __init__(self, deadline: _Deadline) -> None:
        self.deadline = deadline
        self.plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        found = resolve(host, port, self.deadline.left)
        if not all(is_public(address) for address in found):
            raise FetchFailed("private-address")
        for address in found[:3]:
            try:
                stream = self.plain.connect_tcp(str(address), port, timeout=min(self.deadline.left, 8))
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
            return _TimedStream(stream, self.deadline)
        raise FetchFailed("unreachable")


class _TimedStream(httpcore.NetworkStream):
    """Every read and write may take what is left of the whole, not a time-out of its own."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self.stream, self.deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.stream.read(max_bytes, timeout=self.deadline.left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.stream.write(buffer, timeout=self.deadline.left)

    def close(self) -> None:
        self.stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _TimedStream(self.stream.start_tls(ssl_context, server_hostname, self.deadline.left), self.deadline)

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)


def resolve(host: str, port: int, seconds: float) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """All addresses of a host, in the system's order. Raises `FetchFailed`. The system's resolver knows no deadline:
    it is asked on a thread of its own, which is left behind where it takes too long."""
    answers: queue.SimpleQueue[list[Any] | None] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError):
            answers.put(None)

    threading.Thread(target=ask, daemon=True, name="resolve").start()
    try:
        found = answers.get(timeout=seconds)
    except queue.Empty:
        raise FetchFailed("too-slow") from None
    if not found:
        raise FetchFailed("unknown-host")
    # A scope such as %eth0 belongs to link-local addresses; it is cut off, and they are refused.
    return [ipaddress.ip_address(str(answer[4][0]).split("%")[0]) for answer in found]
