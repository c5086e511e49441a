"""What one request or job asks the database again and again is asked once, and forgotten at its end.

Outside ``while_it_lasts`` nothing is remembered, so nothing is ever older than the request that shows it.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")
_memory: contextvars.ContextVar[dict[str, Any] | None] = contextvars.ContextVar("memory", default=None)


@contextmanager
def while_it_lasts() -> Iterator[None]:
    """Around a request or a job."""
    token = _memory.set({})
    try:
        yield
    finally:
        _memory.reset(token)


def once(key: str, ask: Callable[[], T]) -> T:
    """The first answer to ``ask`` under this key, within the present request."""
    memory = _memory.get()
    if memory is None:
        return ask()
    if key not in memory:
        memory[key] = ask()
    answer: T = memory[key]
    return answer


def keep(key: str, answer: Any) -> None:
    """What was asked for many at once, for `recall` to find. Nothing outside ``while_it_lasts``."""
    memory = _memory.get()
    if memory is not None:
        memory[key] = answer


def recall(key: str, ask: Callable[[], T]) -> T:
    """What was kept under this key; else the answer to ``ask``, which is not kept."""
    memory = _memory.get()
    if memory is not None and key in memory:
        kept: T = memory[key]
        return kept
    return ask()


def forget(key: str) -> None:
    """Ask again next time: it was just changed."""
    memory = _memory.get()
    if memory is not None:
        memory.pop(key, None)
