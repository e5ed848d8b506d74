"""Labels of the records that nobody knows: rows that are not understood, and the persons who have them.

They are listed and never dropped: a drug nobody knows may explain a response, a diagnosis nobody knows
may be a reason for exclusion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from becalm.core.arrays import Array, Mask
from becalm.core.errors import shortened
from becalm.core.frame import Frame, distinct_rows
from becalm.doses import Doses
from becalm.patients.label_rows import keys, label_rows, measured
from becalm.patients.unrecognised_words import DIAGNOSIS_STATUS, unrecognised_words
from becalm.records import Records
from becalm.tables import NOT_UNDERSTOOD
from becalm.vocabulary import UNKNOWN_VARIABLE, Meaning, Vocabulary
from becalm.vocabulary.site_words import KINDS

MAY_EXCLUDE: Final = ("diagnosis", "procedure", "drug")
"""Kinds whose unknown labels leave an exclusion open."""
STATUS_OF_DIAGNOSIS: Final = "status of a diagnosis"
"""What a person has whose diagnosis may be confirmed or not."""


def unrecognised(records: Records, doses: Doses, vocabulary: Vocabulary) -> Frame:
    """Return one row for each row of the records whose label is not understood.

    kind : drug, route, diagnosis, procedure, finding, test, unit, specimen, organism or status. code and
    system : as written. about : what a unit, a specimen or a status belongs to. Rows of administrations that
    were not given are left out.
    """
    parts = [
        *_drugs(records, doses, vocabulary),
        _coded("diagnosis", records.conditions, "onset", vocabulary.diagnosis),
        _coded("procedure", records.procedures, "start", vocabulary.procedure_meaning),
        _findings(records, vocabulary),
        _tests(records, vocabulary),
        *unrecognised_words(records, doses, vocabulary),
    ]
    return Frame.concat(parts)


def _lost(meant: list[Meaning], written: Array) -> Array:
    """Return the positions of the rows whose way of writing is not understood."""
    if not len(written):
        return np.empty(0, np.intp)
    lost = np.array([each.fate == "not understood" for each in meant], np.bool_)
    return np.flatnonzero(lost[written])


def _drugs(records: Records, doses: Doses, vocabulary: Vocabulary) -> Iterator[Frame]:
    table, frame = records.administrations, doses.frame
    given = np.isin(table["status"].astype(str), ("", "given", "stopped"))
    unknown = np.flatnonzero(given & (frame["drug_code"] < 0))
    written, ways = distinct_rows(*(table[n][unknown] for n in ("label", "code", "system")))
    meant = [vocabulary.drug_meaning(*way) for way in ways]
    which = _lost(meant, written)
    rows = unknown[which]
    yield label_rows(
        "drug",
        table,
        rows,
        label=table["label"][rows],
        code=table["code"][rows],
        system=table["system"][rows],
        reason=[meant[at].reason for at in written[which].tolist()],
        start=table["start"][rows],
        end=frame["until"][rows],
        source_row=frame["source_row"][rows].tolist(),
    )
    needed = frame["drug_code"] >= 0
    needed[rows] = True  # the route of a drug that is not needed is not needed either
    routed = np.flatnonzero(given & needed & (frame["route_code"] == 0) & (table["route"] != ""))
    written, ways = distinct_rows(table["route"][routed])
    known = np.array([bool(vocabulary.route_of(way[0])) for way in ways], np.bool_)
    rows = routed[~known[written]] if len(routed) else routed
    yield label_rows(
        "route",
        table,
        rows,
        label=table["route"][rows],
        reason="no route has this name",
        start=table["start"][rows],
        end=table["end"][rows],
        source_row=frame["source_row"][rows].tolist(),
    )


def _coded(
    kind: str, table: Frame, time: str, meaning_of: Callable[[str, str, str], Meaning]
) -> Frame:
    written, ways = distinct_rows(table["system"], table["code"], table["name"])
    meant = [meaning_of(*way) for way in ways]
    rows = _lost(meant, written)
    ends = {"end": table["end"][rows]} if "end" in table.columns else {}
    return label_rows(
        kind,
        table,
        rows,
        label=table["name"][rows],
        code=table["code"][rows],
        system=table["system"][rows],
        reason=[meant[at].reason for at in written[rows].tolist()],
        start=table[time][rows],
        source_row=keys("conditions" if kind == "diagnosis" else "procedures", table, rows),
        **ends,
    )


def _findings(records: Records, vocabulary: Vocabulary) -> Frame:
    table = records.findings
    asked = {text: vocabulary.finding_is_asked(text) for text in set(table["finding"].tolist())}
    rows = np.array(
        [at for at, text in enumerate(table["finding"].tolist()) if asked[text]], np.intp
    )
    return label_rows(
        "finding",
        table,
        rows,
        label=table["finding"][rows],
        reason="no finding has this name",
        start=table["time"][rows],
        end=table["end"][rows],
        source_row=keys("findings", table, rows),
    )


def _tests(records: Records, vocabulary: Vocabulary) -> Frame:
    """Return measurements of no known variable that no rule sets aside, once for each person and test."""
    lost = {
        kind: ("", "no variable has this name")
        for kind in records.kinds
        if vocabulary.resolve(kind).reason == UNKNOWN_VARIABLE and vocabulary.test_is_asked(kind)
    }
    return measured("test", records, lost, "name", coded=True)


@dataclass
class _Count:
    rows: int = 0
    persons: int = 0
    example: str = ""
    reason: str = ""


@dataclass
class LabelCounts:
    """Labels that are not understood, counted over all batches of patients."""

    counts: dict[tuple[str, str, str, str, str], _Count] = field(default_factory=dict)

    def add(self, found: Frame) -> None:
        """Count the rows and persons of one batch."""
        columns = ("kind", "label", "code", "system", "about")
        written, ways = distinct_rows(*(found[name] for name in columns))
        if not ways:
            return
        rows = np.bincount(written, weights=found["rows"], minlength=len(ways))
        pairs = np.unique(np.column_stack((written, found["person"])), axis=0)
        persons = np.bincount(pairs[:, 0], minlength=len(ways))
        _, first = np.unique(written, return_index=True)
        for at, way in enumerate(ways):
            count = self.counts.setdefault(way, _Count())
            count.rows += int(rows[at])
            count.persons += int(persons[at])
            count.example = count.example or str(found["source_row"][first[at]])
            count.reason = count.reason or str(found["reason"][first[at]])

    def frame(self, vocabulary: Vocabulary) -> Frame:
        """Return the table `not_understood`, the most frequent labels of each kind first."""
        ordered = sorted(self.counts.items(), key=lambda each: (each[0][0], -each[1].rows, each[0]))
        return Frame.of_rows(
            NOT_UNDERSTOOD,
            [
                {
                    "what": kind,
                    "written": label,
                    "code": code,
                    "code_system": system,
                    "about": about,
                    "reason": count.reason,
                    "rows": count.rows,
                    "persons_with": count.persons,
                    "first_row": count.example,
                    "nearest": vocabulary.nearest(kind, label),
                }
                for (kind, label, code, system, about), count in ordered
            ],
        )


def labels_of(found: Frame, n_persons: int) -> list[str]:
    """Return the distinct labels of each person, `drug: dex|diagnosis: XYZ`; '' where all are known.

    They stand by kind, and within one by name: the order of rows says nothing.
    """
    seen: list[set[tuple[int, str]]] = [set() for _ in range(n_persons)]
    columns = ("person", "kind", "about", "label", "code")
    for person, kind, about, label, code in zip(
        *(found[name].tolist() for name in columns), strict=True
    ):
        seen[person].add((KINDS.index(kind), as_listed(kind, about, label or code)))
    return ["|".join(label for _, label in sorted(each)) for each in seen]


def as_listed(kind: str, about: str, label: str) -> str:
    """Return a label as the column `not_understood` of a person has it.

    >>> as_listed("drug", "", "dex"), as_listed("status", "conditions.status", "sure")
    ('drug: dex', 'status of a diagnosis: sure')
    """
    return f"{STATUS_OF_DIAGNOSIS if about == DIAGNOSIS_STATUS else kind}: {shortened(label)}"


def may_exclude(found: Frame) -> Frame:
    """Return the unknown labels that leave an exclusion open.

    They are those of diagnoses, procedures and drugs, and the status of a diagnosis: nobody knows whether it is
    confirmed.
    """
    kinds = np.isin(found["kind"].astype(str), MAY_EXCLUDE)
    return found.take(kinds | (found["about"].astype(str) == DIAGNOSIS_STATUS))


def who_has(found: Frame, n_persons: int) -> Mask:
    """Return who has one of these labels."""
    mask = np.zeros(n_persons, np.bool_)
    mask[found["person"]] = True
    return mask
