"""Yes, no and unknown: one form for all tables, `True`, `False` and `None`."""

from __future__ import annotations

import numpy as np

from becalm.core.arrays import Mask, Texts


def answers(yes: Mask, known: Mask | None = None) -> Texts:
    """Return True where yes and False elsewhere; None where it is not known.

    >>> import numpy as np
    >>> answers(np.array([True, False, True]), known=np.array([True, True, False])).tolist()
    [True, False, None]
    """
    column = np.empty(len(yes), dtype=object)
    column[:] = yes.tolist()
    if known is not None:
        column[~known] = None
    return column


def answers_of_both(yes: Mask, no: Mask) -> Texts:
    """Return True where certainly yes, False where certainly no, None where neither is certain.

    >>> import numpy as np
    >>> answers_of_both(np.array([True, False, False]), np.array([False, True, False])).tolist()
    [True, False, None]
    """
    return answers(yes, known=yes | no)
