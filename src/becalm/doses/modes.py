"""Whether an infusion is continuous: as somebody said, or not known.

A rate per hour, a pump, and a route that says so (`IV continuous`, `IV infusion`) are continuous. An amount per day, or an
amount with a start and an end, is neither continuous nor intermittent unless somebody says so, and rows that follow one
another do not make it so. A route that says bolus contradicts a rate.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from becalm.core.arrays import Mask
from becalm.core.columns import Categorical
from becalm.doses.limits import LONG_SINGLE_DOSE
from becalm.doses.rates import Converted, WrittenRate
from becalm.vocabulary import Vocabulary

SAID: Final = ("", "continuous", "intermittent")
"""What a row says of its mode; arrays hold positions in this list. A single dose is intermittent."""
NOT_SAID, CONTINUOUSLY, INTERMITTENTLY = range(3)

HOURLY_UPTO: Final = 1.0
"""Hours in the unit of a rate per hour or per minute; a rate per day has 24."""


def modes(
    route: Categorical, written: WrittenRate, done: Converted, vocabulary: Vocabulary
) -> npt.NDArray[np.int8]:
    """Return the mode that each row says, by its code in `SAID`.

    route : as written.
    """
    by_route = route.map(lambda text: SAID.index(vocabulary.mode_of_route(text)), np.int8)
    hourly = ~np.isnan(written.rate.value) & written.rate.each(
        lambda unit: not unit.reason and 0 < unit.hours <= HOURLY_UPTO, np.bool_
    )
    mode = np.where(hourly, np.int8(CONTINUOUSLY), np.int8(NOT_SAID))
    mode[by_route == CONTINUOUSLY] = CONTINUOUSLY
    mode[hourly & (by_route == INTERMITTENTLY)] = NOT_SAID
    mode[done.single] = INTERMITTENTLY
    return mode


def ambiguous(written: WrittenRate, done: Converted, mode: npt.NDArray[np.int8]) -> Mask:
    """Return the amounts over more than a day that may be the total or what was given each day.

    They have no rate, and nobody said that they ran continuously.
    """
    length = done.end - written.start
    long = done.timed & ~done.states_rate & (length > LONG_SINGLE_DOSE)
    mask: Mask = long & (mode != CONTINUOUSLY)
    return mask
