"""Words beside a name that nobody knows: units, specimens, organisms and statuses.

Only those are asked for on which something depends: the unit of a variable or a drug that becalm knows, the
specimen of a variable that is read in one material, the status of a diagnosis that matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, get_args

import numpy as np

from becalm.core.arrays import Array
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.frame import Frame, distinct_rows
from becalm.doses import Doses, unknown_units
from becalm.patients.label_rows import keys, label_rows, measured
from becalm.records import Records
from becalm.vocabulary import (
    UNKNOWN_SPECIMEN,
    UNKNOWN_UNIT,
    Meaning,
    Vocabulary,
    row_statuses,
    vital_status,
)

DIAGNOSIS_STATUS: Final = "conditions.status"
_NO_STATUS: Final = "outside the closed list of the column"
_ENDS: Final = frozenset({"", "home", "transfer", "alive", "died"})


def unrecognised_words(records: Records, doses: Doses, vocabulary: Vocabulary) -> Iterator[Frame]:
    """Yield the rows of the records with an unknown unit, specimen, organism or status."""
    yield from _measured(records, vocabulary)
    yield from _dose_units(records, doses)
    yield from _cultures(records, vocabulary)
    yield from _statuses(records, vocabulary)


def _measured(records: Records, vocabulary: Vocabulary) -> Iterator[Frame]:
    """Yield measurements of known variables that are refused for their unit or their specimen."""
    units, specimens = {}, {}
    for kind in records.kinds:
        resolution = vocabulary.resolve(kind)
        if resolution.variable is None:
            continue
        variable = vocabulary.variables[resolution.variable]
        if resolution.reason == UNKNOWN_SPECIMEN:
            specimens[kind] = variable.name, "no specimen has this name"
        if resolution.reason == UNKNOWN_UNIT or (
            kind in specimens and vocabulary.unit_of(variable, kind.unit)[1] == UNKNOWN_UNIT
        ):
            units[kind] = variable.name, f"no unit of {variable.label} has this name"
    yield measured("unit", records, units, "unit")
    yield measured("specimen", records, specimens, "specimen")


def _dose_units(records: Records, doses: Doses) -> Iterator[Frame]:
    """Yield the units of amounts, rates and concentrations of known drugs that were given."""
    table, frame = records.administrations, doses.frame
    given = np.isin(table["status"].astype(str), ("", "given")) & (frame["drug_code"] >= 0)
    for column in ("amount", "rate", "concentration"):
        unit = f"{column}_unit"
        asked = np.flatnonzero(given & ~np.isnan(table[column]) & (table[unit] != ""))
        written, ways = distinct_rows(table[unit][asked])
        unknown = unknown_units(column, [way[0] for way in ways])
        rows = asked[unknown[written]] if len(asked) else asked
        drugs = [doses.drugs[code] for code in frame["drug_code"][rows].tolist()]
        yield label_rows(
            "unit",
            table,
            rows,
            label=table[unit][rows],
            about=drugs,
            reason=f"no unit of {'an' if column == 'amount' else 'a'} {column} has this name",
            start=table["start"][rows],
            source_row=frame["source_row"][rows].tolist(),
        )


def _cultures(records: Records, vocabulary: Vocabulary) -> Iterator[Frame]:
    table = records.cultures
    readers: Mapping[str, Callable[[str], Meaning]] = {
        "specimen": vocabulary.row_words.specimen, "organism": vocabulary.row_words.organism,
    }  # fmt: skip
    for kind, meaning_of in readers.items():
        meant = {text: meaning_of(text) for text in set(table[kind].tolist())}
        lost = {text for text, meaning in meant.items() if meaning.fate == "not understood"}
        rows = _where(table[kind], lost.__contains__)
        yield label_rows(
            kind,
            table,
            rows,
            label=table[kind][rows],
            about="cultures" if kind == "specimen" else "",
            reason=[meant[text].reason for text in table[kind][rows].tolist()],
            start=table["collected"][rows],
            source_row=keys("cultures", table, rows),
        )


def _statuses(records: Records, vocabulary: Vocabulary) -> Iterator[Frame]:
    """Yield words for what a row is worth, and for dead and alive, that no closed list has."""
    results = frozenset(row_statuses.names("cultures.result"))
    sure = frozenset(row_statuses.names(DIAGNOSIS_STATUS))
    conditions = records.conditions
    unsure = _where(conditions["status"], lambda text: text not in sure)
    matters = [
        vocabulary.diagnosis(*row).fate != "not needed"
        for row in zip(
            *(conditions[name][unsure].tolist() for name in ("system", "code", "name")), strict=True
        )
    ]
    asked: tuple[tuple[str, Frame, str, str, Array], ...] = (
        ("persons.last_contact_status", records.persons, "last_contact_status", "last_contact",
         _where(records.persons["last_contact_status"],
                lambda text: vital_status.status_of(text) not in get_args(vital_status.Status))),
        ("stays.to", records.stays, "destination", "end",
         _where(records.stays["destination"], lambda text: text not in _ENDS)),
        (DIAGNOSIS_STATUS, conditions, "status", "onset", unsure[np.array(matters, np.bool_)]),
        ("cultures.result", records.cultures, "result", "collected",
         _where(records.cultures["result"], lambda text: text not in results)),
    )  # fmt: skip
    for about, table, column, time, rows in asked:
        yield label_rows(
            "status",
            table,
            rows,
            label=table[column][rows],
            about=about,
            reason=_NO_STATUS,
            start=table[time][rows] if len(rows) else np.full(0, UNKNOWN_TIME),
            source_row=keys(about.partition(".")[0], table, rows),
        )


def _where(texts: Array, lost: Callable[[str], bool]) -> Array:
    """Return the positions of texts, not blank, of which something is true; each is asked once."""
    answers = {text: bool(text.strip()) and lost(text) for text in set(texts.tolist())}
    return np.array([at for at, text in enumerate(texts.tolist()) if answers[text]], np.intp)
