"""What a source says of itself and nobody checked, carried on to the totals that rest on it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from becalm import vocabulary
from becalm.core.frame import Frame
from becalm.definitions.model import Definition
from becalm.records import Doubt


def doubted(totals: Frame, definition: Definition, doubts: Iterable[Doubt]) -> Frame:
    """Return `criteria` of a definition, marked as not verified where it reads what is in doubt.

    What is worked out from several rows could rest on any doubtful variable, so it does.
    """
    variables = {doubt.variable for doubt in doubts if doubt.variable}
    if variables:
        variables |= {each.name for each in vocabulary.load().derived}
    if not variables.intersection(definition.variables):
        return totals
    return totals.replace(verified=np.zeros(len(totals), np.bool_))
