"""Numbers as text, in one way for every table, card and figure."""

from __future__ import annotations

import numpy as np


def digits(value: float, significant: int = 3) -> str:
    """Write so many significant digits, or all before the point, without an exponent."""
    if not np.isfinite(value) or abs(value) >= 10**significant:
        return f"{value:.0f}"
    return np.format_float_positional(
        value, precision=significant, unique=False, fractional=False, trim="-"
    )


def interval(value: float, low: float, high: float, significant: int = 3) -> str:
    """Write a value with the ends of its interval; without them where there are none (NaN)."""
    text = digits(value, significant)
    if not np.isfinite(low):
        return text
    return f"{text} [{digits(low, significant)}, {digits(high, significant)}]"
