"""Labels of the records that nobody knows: rows that are not understood, and the persons who have them.

They are listed and never dropped: a drug nobody knows may explain a response, a diagnosis nobody knows
may be a reason for exclusion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from becalm.core.arrays import Array, Mask
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.frame import Frame, Kind, distinct_rows
from becalm.doses import Doses
from becalm.records import Records
from becalm.tables import NOT_UNDERSTOOD
from becalm.vocabulary import UNKNOWN_VARIABLE, Meaning, Vocabulary

UNRECOGNISED: Final[Mapping[str, Kind]] = {
    "person": "code",
    "kind": "text",
    "label": "text",
    "code": "text",
    "system": "text",
    "reason": "text",
    "start": "time",
    "end": "time",
    "source_row": "text",
    "rows": "count",  # rows of the records: 1, but of a test all of the person's
}
MAY_EXCLUDE: Final = ("diagnosis", "procedure", "drug")
"""Kinds whose unknown labels leave an exclusion open."""


def unrecognised(records: Records, doses: Doses, vocabulary: Vocabulary) -> Frame:
    """Return one row for each row of the records whose label is not understood.

    kind : drug, route, diagnosis, procedure, finding or test. code and system : as written. Rows of
    administrations that were not given are left out.
    """
    parts = [
        *_drugs(records, doses, vocabulary),
        _coded("diagnosis", records.conditions, "onset", vocabulary.diagnosis),
        _coded("procedure", records.procedures, "start", vocabulary.procedure_meaning),
        _findings(records, vocabulary),
        _tests(records, vocabulary),
    ]
    return Frame.concat(parts)


def _drugs(records: Records, doses: Doses, vocabulary: Vocabulary) -> Iterator[Frame]:
    table, frame = records.administrations, doses.frame
    given = np.isin(table["status"].astype(str), ("", "given"))
    unknown = np.flatnonzero(given & (frame["drug_code"] < 0))
    written, ways = distinct_rows(*(table[n][unknown] for n in ("label", "code", "system")))
    meant = [vocabulary.drug_meaning(*way) for way in ways]
    yield _listed(unknown, written, meant, table, doses)
    routed = np.flatnonzero(given & (frame["route_code"] == 0) & (table["route"] != ""))
    written, ways = distinct_rows(table["route"][routed])
    known = [bool(vocabulary.route_of(way[0])) for way in ways]
    lost = routed[~np.array(known, np.bool_)[written]] if len(routed) else routed
    yield Frame.of(
        UNRECOGNISED,
        rows=np.ones(len(lost), np.int64),
        person=table["person"][lost],
        kind=np.full(len(lost), "route", object),
        label=table["route"][lost],
        code=np.full(len(lost), "", object),
        system=np.full(len(lost), "", object),
        reason=np.full(len(lost), "no route has this name", object),
        start=table["start"][lost],
        end=table["end"][lost],
        source_row=frame["source_row"][lost],
    )


def _listed(rows: Array, written: Array, meant: list[Meaning], table: Frame, doses: Doses) -> Frame:
    lost = np.array([each.fate == "not understood" for each in meant], np.bool_)
    reasons = np.array([each.reason for each in meant], object)
    which = np.flatnonzero(lost[written]) if len(rows) else np.empty(0, np.intp)
    kept = rows[which]
    return Frame.of(
        UNRECOGNISED,
        rows=np.ones(len(kept), np.int64),
        person=table["person"][kept],
        kind=np.full(len(kept), "drug", object),
        label=table["label"][kept],
        code=table["code"][kept],
        system=table["system"][kept],
        reason=reasons[written[which]] if len(which) else [],
        start=table["start"][kept],
        end=doses.frame["until"][kept],
        source_row=doses.frame["source_row"][kept],
    )


def _coded(
    kind: str, table: Frame, time: str, meaning_of: Callable[[str, str, str], Meaning]
) -> Frame:
    written, ways = distinct_rows(table["system"], table["code"], table["name"])
    meant = [meaning_of(*way) for way in ways]
    lost = np.array([each.fate == "not understood" for each in meant], np.bool_)
    rows = np.flatnonzero(lost[written]) if len(table) else np.empty(0, np.intp)
    name = "conditions" if kind == "diagnosis" else "procedures"
    end = table["end"][rows] if "end" in table.columns else np.full(len(rows), UNKNOWN_TIME)
    return Frame.of(
        UNRECOGNISED,
        rows=np.ones(len(rows), np.int64),
        person=table["person"][rows],
        kind=np.full(len(rows), kind, object),
        label=table["name"][rows],
        code=table["code"][rows],
        system=table["system"][rows],
        reason=[meant[at].reason for at in written[rows].tolist()],
        start=table[time][rows],
        end=end,
        source_row=[f"{name}:{key}" for key in table["key"][rows].tolist()],
    )


def _findings(records: Records, vocabulary: Vocabulary) -> Frame:
    table = records.findings
    asked = {text: vocabulary.finding_is_asked(text) for text in set(table["finding"].tolist())}
    rows = np.array(
        [at for at, text in enumerate(table["finding"].tolist()) if asked[text]], np.intp
    )
    blank = np.full(len(rows), "", object)
    return Frame.of(
        UNRECOGNISED,
        rows=np.ones(len(rows), np.int64),
        person=table["person"][rows],
        kind=np.full(len(rows), "finding", object),
        label=table["finding"][rows],
        code=blank,
        system=blank,
        reason=np.full(len(rows), "no finding has this name", object),
        start=table["time"][rows],
        end=table["end"][rows],
        source_row=[f"findings:{key}" for key in table["key"][rows].tolist()],
    )


def _tests(records: Records, vocabulary: Vocabulary) -> Frame:
    """Return measurements of no known variable that no rule sets aside, once for each person and test."""
    table = records.measurements
    lost = [
        vocabulary.resolve(kind).reason == UNKNOWN_VARIABLE and vocabulary.test_is_asked(kind)
        for kind in records.kinds
    ]
    rows = (
        np.flatnonzero(np.array(lost, np.bool_)[table["kind"]])
        if any(lost)
        else np.empty(0, np.intp)
    )
    pairs = table["person"][rows].astype(np.int64) * max(len(lost), 1) + table["kind"][rows]
    _, first, count = np.unique(pairs, return_index=True, return_counts=True)
    rows = rows[first]
    kinds = [records.kinds[at] for at in table["kind"][rows].tolist()]
    return Frame.of(
        UNRECOGNISED,
        rows=count,
        person=table["person"][rows],
        kind=np.full(len(rows), "test", object),
        label=[kind.name for kind in kinds],
        code=[kind.code for kind in kinds],
        system=[kind.system for kind in kinds],
        reason=np.full(len(rows), "no variable has this name", object),
        start=table["time"][rows],
        end=np.full(len(rows), UNKNOWN_TIME),
        source_row=[
            f"{kind.table}:{key}"
            for kind, key in zip(kinds, table["key"][rows].tolist(), strict=True)
        ],
    )


@dataclass
class _Count:
    rows: int = 0
    persons: int = 0
    example: str = ""
    reason: str = ""


@dataclass
class LabelCounts:
    """Labels that are not understood, counted over all batches of patients."""

    counts: dict[tuple[str, str, str, str], _Count] = field(default_factory=dict)

    def add(self, found: Frame) -> None:
        """Count the rows and persons of one batch."""
        keys = ("kind", "label", "code", "system")
        written, ways = distinct_rows(*(found[name] for name in keys))
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
                    "reason": count.reason,
                    "rows": count.rows,
                    "persons_with": count.persons,
                    "first_row": count.example,
                    "nearest": vocabulary.nearest(kind, label),
                }
                for (kind, label, code, system), count in ordered
            ],
        )


def labels_of(found: Frame, n_persons: int, kinds: Iterable[str] = ()) -> list[str]:
    """Return the distinct labels of each person, `drug: dex|diagnosis: XYZ`; '' where all are known."""
    asked = set(kinds)
    seen: list[dict[str, None]] = [{} for _ in range(n_persons)]
    for person, kind, label, code in zip(
        *(found[name].tolist() for name in ("person", "kind", "label", "code")), strict=True
    ):
        if not asked or kind in asked:
            seen[person][f"{kind}: {label or code}"] = None
    return ["|".join(each) for each in seen]


def who_has(found: Frame, n_persons: int, kinds: Iterable[str]) -> Mask:
    """Return who has a label of these kinds that is not understood."""
    mask = np.zeros(n_persons, np.bool_)
    mask[found["person"][np.isin(found["kind"].astype(str), list(kinds))]] = True
    return mask
