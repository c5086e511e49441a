"""How a stand-in vendor says no."""

from __future__ import annotations


class VendorRefused(Exception):
    """An HTTP answer that is not 2xx: its status, and the vendor's own code and words."""

    def __init__(self, status: int, code: str, message: str = "") -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(f"{status} {code}")


class ConnectionDropped(Exception):
    """No answer came. What was asked for may have been done."""
