"""A whole Bedside, started as a user starts it, and a real Chromium looking at it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# What must come at last may take a busy machine longer than the five seconds that Playwright gives it.
expect.set_options(timeout=20_000)
INHERITED = {"DATABASE_URL", "BEDSIDE_DATA", "BEDSIDE_SECRETS", "BEDSIDE_PUBLIC_URL", "DJANGO_SETTINGS_MODULE"}


@dataclass
class House:
    """A running Bedside: its address, and the sign-ins that it printed."""

    url: str
    accounts: dict[str, tuple[str, str]]

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=20)

    def messages(self, **query: str) -> list[dict[str, str]]:
        with self.client() as client:
            found: list[dict[str, str]] = client.get("/sandbox/messages.json", params=query).json()["messages"]
            return found

    def forward(self, amount: str) -> datetime:
        """Move the sandbox clock; the new present."""
        with self.client() as client:
            answer = client.post("/sandbox/clock", json={"forward": amount}).raise_for_status()
            return datetime.fromisoformat(answer.json()["now"])


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """One for the session, with the demo practice in it."""
    data = Path(tempfile.mkdtemp(prefix="bedside-journey-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {key: value for key, value in os.environ.items() if key not in INHERITED}
    command = [sys.executable, "-m", "bedside", "run", "--port", str(port), "--data", str(data)]
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    killer = threading.Timer(300, process.kill)
    killer.start()
    lines, accounts = [], {}
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        role, _, rest = line.partition(": ")
        if role in {"admin", "provider"}:
            email, password = rest.split()
            accounts[role] = (email, password)
            if role == "provider":
                break
    killer.cancel()
    assert len(accounts) == 2, "".join(lines)
    threading.Thread(target=process.stdout.read, daemon=True).start()
    yield House(f"http://127.0.0.1:{port}", accounts)
    process.send_signal(signal.SIGINT)
    try:
        process.wait(20)
    finally:
        process.kill()
        shutil.rmtree(data, ignore_errors=True)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def context(browser: Browser, house: House) -> Iterator[BrowserContext]:
    """A patient's browser in Chicago."""
    made = browser.new_context(base_url=house.url, timezone_id="America/Chicago", locale="en-US")
    made.set_default_timeout(20_000)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that fails its test when the browser refused something by the content security policy."""
    made = context.new_page()
    refused: list[str] = []
    made.on(
        "console", lambda message: refused.append(message.text) if "Content Security Policy" in message.text else None
    )
    made.on("pageerror", lambda error: refused.append(str(error)))
    yield made
    assert refused == []
