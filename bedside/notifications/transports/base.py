"""What a way of sending must do, and the one error it may raise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with an email. ``content_type`` as MIME writes it."""

    name: str
    content_type: str
    data: bytes


class Transport(Protocol):
    """One channel's way out: a mail server, a text gateway, or the sandbox's stand-in for either."""

    name: str

    def send(
        self,
        *,
        to: str,
        subject: str,
        body: str,
        html: str,
        reference: str,
        kind: str,
        audience: str,
        attachments: Sequence[Attachment] = (),
    ) -> str:
        """Hand one message over and return the vendor's id for it. Texts have no attachments.

        ``reference`` is ours: stable for the message, the same at every try, so that `find` can look it up.
        ``subject`` and ``html`` are empty for texts. Never called inside a transaction. Raises `TransportError`.
        """
        ...

    def find(self, reference: str, *, to: str, body: str, since: datetime) -> str | None:
        """The vendor's id of a message handed over before under ``reference``, or None where there is none.

        Asked before every try but the first: a dropped connection is not a no. A vendor that keeps no references may
        look for ``body`` sent to ``to`` since then; one that can't be asked answers None. Raises `TransportError`
        where asking fails; nothing is sent then.
        """
        ...


class TransportError(Exception):
    """The vendor refused, or could not be reached.

    ``permanent``: another try can't help. ``advice`` is a sentence for the desk, without contact details.
    """

    def __init__(self, code: str, *, permanent: bool, advice: str = "") -> None:
        super().__init__(code)
        self.code, self.permanent, self.advice = code, permanent, advice
