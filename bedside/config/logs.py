"""Structured logs: one JSON line an event, with request or job and appointment ids, never contact details."""

from __future__ import annotations

import logging.config
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

# A patient's link is a key: it must not be readable in a log.
TOKEN_IN_PATH = re.compile(r"(/(?:visits|v|g|waitlist|calendars|accounts/claim)/|/api/v1/bookings/)[A-Za-z0-9]{8,}")


def hide_tokens(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if "request" in event:
        # Django's own lines bring the request object. Its address may hold a token, its query a name.
        event["request"] = str(event["request"]).split("?", 1)[0]
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = TOKEN_IN_PATH.sub(r"\1…", value).split("?ticket=", 1)[0]
    # django-structlog adds the address; it isn't needed to trace an appointment.
    event.pop("ip", None)
    return event


def configure_logging(kind: str, *, debug: bool = False) -> None:
    """``kind``: "json" for machines, anything else for people."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.stdlib.ExtraAdder(),
        hide_tokens,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer() if kind == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "house": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        structlog.processors.format_exc_info,
                        hide_tokens,
                        renderer,
                    ],
                    "foreign_pre_chain": shared,
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "house"}},
            "root": {"handlers": ["stderr"], "level": "INFO"},
            "loggers": {
                "django.server": {"level": "WARNING"},
                "procrastinate": {"level": "WARNING"},
                "httpx": {"level": "WARNING"},
                "django_structlog": {"level": "INFO" if debug else "WARNING"},
            },
        }
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
