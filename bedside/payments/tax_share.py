"""How much of a sum is tax. Pure: imports no Django. Amounts are minor units."""

from __future__ import annotations


def share(tax: int, part: int, whole: int) -> int:
    """The tax within ``part`` of a ``whole`` that holds ``tax``; half a minor unit is rounded up. All of it: all."""
    return (2 * tax * part + whole) // (2 * whole) if whole > 0 else 0
