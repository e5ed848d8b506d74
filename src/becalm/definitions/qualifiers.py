"""Additions to a total: the published probability, and doubts of the source about its values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from becalm import vocabulary
from becalm.core.frame import Frame
from becalm.definitions.model import Definition, ProbabilityRow
from becalm.records import Doubt


def probability_interval(low: float, high: float, table: Sequence[ProbabilityRow]) -> str:
    """Return the printed probability of totals from `low` to `high`, such as `70–80 %`.

    The probability is that of the paper's own table, and nothing in between: no source gives a
    formula, and the formulas in circulation contradict the table. So a total that is not in the table
    gets the two rows around it. The first row of the table is for its total and everything below, the last for its total and
    everything above.
    """
    least = _printed(low, table)[0]
    most = _printed(high, table)[1]
    return f"{least} %" if least == most else f"{least}–{most} %"


def _printed(total: float, table: Sequence[ProbabilityRow]) -> tuple[str, str]:
    """Return the rows before and after a total; the same row twice if the total is in the table."""
    below = [row for row in table if row.total <= total] or [table[0]]
    above = [row for row in table if row.total >= total] or [table[-1]]
    return below[-1].percent, above[0].percent


def doubted(totals: Frame, definition: Definition, doubts: Iterable[Doubt]) -> Frame:
    """Return `criteria` of a definition, marked as not verified if it reads a doubtful variable.

    A value that is computed from several rows could use any doubtful variable, so it is marked too.
    """
    variables = {doubt.variable for doubt in doubts if doubt.variable}
    if variables:
        variables |= {each.name for each in vocabulary.load().derived}
    if not variables.intersection(definition.variables):
        return totals
    return totals.replace(verified=np.zeros(len(totals), np.bool_))
