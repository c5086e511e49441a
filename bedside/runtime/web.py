"""The web server: granian, one process for the pages and the live stream, on one port."""

from __future__ import annotations

import os
import signal
from typing import Any

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from bedside.runtime import processes

APPLICATION = "bedside.config.asgi:application"


def serve(host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT. Open requests get two seconds to end; live streams never would."""
    parent = os.getpid()

    def load(target: str) -> Any:
        """Runs in the serving process, which must not outlive granian's main one: it would keep the port."""
        processes.bind_to_parent(parent, signal.SIGKILL)
        from bedside.config.asgi import application

        return application

    Granian(
        APPLICATION,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=1,
        websockets=False,
        log_access=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=2,
    ).serve(target_loader=load)
