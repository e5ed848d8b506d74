"""Immune-effector cell therapy, in whichever table it was written: as a drug or as a procedure."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from becalm.core.arrays import Persons, Texts, Times
from becalm.core.frame import distinct_rows
from becalm.doses import Doses
from becalm.records import Records
from becalm.vocabulary import Vocabulary

CONDITION = "immune_effector_therapy"
DRUG_CLASS = "immune-effector therapy"
PROCEDURE = "car_t_infusion"


class CellTherapies(NamedTuple):
    """Infusions of cells. person : int32. time : int64, µs, `UNKNOWN_TIME` where not recorded. row : `table:key`."""

    person: Persons
    time: Times
    row: Texts


def cell_therapies(records: Records, doses: Doses, vocabulary: Vocabulary) -> CellTherapies:
    """Return every infusion of immune-effector cells: a drug of that class, or the procedure."""
    names = vocabulary.drugs_of_class(DRUG_CLASS)
    rows = np.concatenate([np.empty(0, np.intp), *(doses.exposed(name) for name in names)])
    table = records.procedures
    written, ways = distinct_rows(table["system"], table["code"], table["name"])
    meant = np.array([PROCEDURE in vocabulary.procedures_of(*way) for way in ways], np.bool_)
    done = np.flatnonzero(meant[written]) if len(table) else np.empty(0, np.intp)
    keys = [f"procedures:{key}" for key in table["key"][done].tolist()]
    return CellTherapies(
        np.concatenate([doses.frame["person"][rows], table["person"][done]]),
        np.concatenate([doses.frame["start"][rows], table["start"][done]]),
        np.concatenate([doses.frame["source_row"][rows].astype(object), np.array(keys, object)]),
    )
