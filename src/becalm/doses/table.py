"""The table of remarks on doses: one row for each remark."""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from becalm.core.arrays import Mask
from becalm.core.frame import Frame
from becalm.doses.exposure import Doses
from becalm.doses.plausibility import IMPLAUSIBLE
from becalm.persons.weight import DISAGREE, SET_ASIDE
from becalm.tables import DOSE_REMARKS

NOT_CONSERVING: Final = "rate × time is not the amount"
CONTRADICTS: Final = "concentration contradicts rate and amount"
_NUMBERS: Final = (
    (re.compile(rf"({CONTRADICTS}): .*"), r"\1"),
    (re.compile(r"rate × time is [^|]*, the amount [^|]*"), NOT_CONSERVING),
    (re.compile(r"entered as .*, charted as .*"), "the rate entered is not the one charted"),
    (re.compile(rf"({IMPLAUSIBLE}): .*"), r"\1"),
    (re.compile(r"(dosed by a body surface) of .*"), r"\1"),
    (re.compile(r"(spans a clock change): .*"), r"\1"),
    (re.compile(rf"({SET_ASIDE}|{DISAGREE}): .*"), r"\1"),
)


def kind_of(flag: str) -> str:
    """Return a remark without the numbers of its row."""
    for pattern, instead in _NUMBERS:
        flag = pattern.sub(instead, flag)
    return flag


def remarks(doses: Doses, persons: Mask) -> Frame:
    """Return every remark on the doses of some persons, with the row and whether it counts."""
    f = doses.frame
    flagged = np.flatnonzero((f["flag"] != "") & persons[f["person"]])
    parts = [flag.split("|") for flag in f["flag"][flagged].tolist()]
    rows = np.repeat(flagged, [len(each) for each in parts])
    detail = [one for each in parts for one in each]
    return Frame.of(
        DOSE_REMARKS,
        person_id=f["person_id"][rows],
        remark=[kind_of(one) for one in detail],
        detail=detail,
        drug=f["drug"][rows],
        label=f["label"][rows],
        start=f["start"][rows],
        end=f["end"][rows],
        amount=f["amount"][rows],
        amount_unit=f["amount_unit"][rows],
        rate_canonical_per_h=f["rate_canonical_per_h"][rows],
        set_canonical_per_h=f["set_canonical_per_h"][rows],
        unit_canonical=f["unit_canonical"][rows],
        counted=f["counted"][rows],
        source_row=f["source_row"][rows],
    )
