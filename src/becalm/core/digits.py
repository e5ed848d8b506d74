"""Numbers as print has them: one rounding, half away from zero, of what Python itself would print."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

_EXACT: Final = Context(prec=400)


def fixed(value: float, places: int = 0, *, sign: bool = False) -> str:
    """Return a number with so many decimals, rounded half away from zero, with thousands apart.

    sign : whether a number above zero has its sign, too.

    >>> fixed(2.5), fixed(-2.5), fixed(0.125, 2), fixed(1234.5, sign=True)
    ('3', '-3', '0.13', '+1,235')
    """
    if not math.isfinite(value):
        return str(float(value))
    return f"{_rounded(Decimal(repr(float(value))), places):{'+' if sign else ''},f}"


def percentage(part: float, places: int = 0) -> str:
    """Return a fraction in percent, without the sign, rounded half away from zero.

    0 and 100 stand only for none and for all.

    >>> percentage(1 / 201), percentage(0.5), percentage(200 / 201), percentage(1.0)
    ('<1', '50', '>99', '100')
    """
    step = Decimal(1).scaleb(-places)
    text = _rounded(100 * Decimal(repr(float(part))), places)
    if part > 0 and text < step:
        return f"<{step}"
    if part < 1 and text > 100 - step:
        return f">{100 - step}"
    return str(text)


def _rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _EXACT)
