"""What the environment says, typed. Secrets come from it or from one private file, never from the repository."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Environment(BaseSettings):
    """Environment variables, each prefixed ``BEDSIDE_`` (``DATABASE_URL`` alone keeps its customary name)."""

    model_config = SettingsConfigDict(env_prefix="BEDSIDE_", env_file=None, extra="ignore")

    data: Path = Path("var")
    public_url: str = "http://127.0.0.1:8000"
    secrets: Path | None = None
    debug: bool = False
    allowed_hosts: str = "*"
    log_format: str = "json"
    web_threads: int = 12
    worker_concurrency: int = 12
    # Processes of each worker that send messages.
    senders: int = 2
    database_url: str = Field(default="", validation_alias="DATABASE_URL")

    stripe_api_key: str = ""
    stripe_webhook_secret: str = ""
    stripe_webhook_secret_previous: str = ""
    stripe_api_base: str = ""
    twilio_account_sid: str = ""
    twilio_auth_token: str = ""
    twilio_from: str = ""
    twilio_api_base: str = ""
    zoom_account_id: str = ""
    zoom_client_id: str = ""
    zoom_client_secret: str = ""
    zoom_webhook_secret: str = ""
    email_url: str = ""
    email_from: str = "Bedside <visits@localhost>"
    # An email provider that anymail knows (postmark, sendgrid, mailgun, amazon_ses ...), and its settings as JSON.
    email_provider: str = ""
    anymail: dict[str, Any] = Field(default_factory=dict)
    email_webhook_secret: str = ""

    @cached_property
    def secret_file(self) -> dict[str, Any]:
        """The JSON file of keys that ``./run`` makes (mode 0600); see bedside.runtime.secrets."""
        path = self.secrets or self.data / "secrets.json"
        if not path.exists():
            raise SystemExit(f"There is no keys file at {path}. Start Bedside with ./run, or set BEDSIDE_SECRETS.")
        loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return loaded

    def secret(self, name: str) -> str:
        """One secret by name: the environment's value if set, else the key file's."""
        from_environment = getattr(self, name, "")
        return str(from_environment or self.secret_file.get(name, ""))

    @property
    def sandbox(self) -> bool:
        """True until a payment processor's key is configured: the stand-in vendors then answer for the real ones."""
        return not self.stripe_api_key
