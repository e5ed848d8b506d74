"""The probability that the paper prints for a total: its own table, and nothing in between.

No source gives a formula, and the formulas in circulation contradict the table. So a total that
is not in the table gets the two rows around it.
"""

from __future__ import annotations

from collections.abc import Sequence

from becalm.definitions.model import ProbabilityRow


def probability_interval(low: float, high: float, table: Sequence[ProbabilityRow]) -> str:
    """Return the printed probability of totals from `low` to `high`, such as `70–80 %`.

    The first row of the table is for its total and everything below, the last for its total and
    everything above.
    """
    least = _printed(low, table)[0]
    most = _printed(high, table)[1]
    return f"{least} %" if least == most else f"{least}–{most} %"


def _printed(total: float, table: Sequence[ProbabilityRow]) -> tuple[str, str]:
    """The rows at or next to a total: the same one twice where the table prints it."""
    below = [row for row in table if row.total <= total] or [table[0]]
    above = [row for row in table if row.total >= total] or [table[-1]]
    return below[-1].percent, above[0].percent
