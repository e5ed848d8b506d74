"""Labels of the records that nobody knows: rows that are not understood, and the persons who have them.

They are listed and never dropped: a drug nobody knows may explain a response, a diagnosis nobody knows
may be a reason for exclusion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

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


def _frame(
    kind: str, table: Frame, at: Array, *, source_row: Iterable[str], **columns: Any
) -> Frame:
    """Return some rows of a raw table as unknown labels; a column that is not given is blank, or one row."""
    count = len(at)
    blank: dict[str, Any] = {
        "code": np.full(count, "", object),
        "system": np.full(count, "", object),
        "end": np.full(count, UNKNOWN_TIME),
        "rows": np.ones(count, np.int64),
    }
    given = {
        name: np.full(count, value, object) if isinstance(value, str) else value
        for name, value in columns.items()
    }
    return Frame.of(
        UNRECOGNISED,
        person=table["person"][at],
        kind=np.full(count, kind, object),
        source_row=list(source_row),
        **{**blank, **given},
    )


def _lost(meant: list[Meaning], written: Array) -> Array:
    """Return the positions of the rows whose way of writing is not understood."""
    if not len(written):
        return np.empty(0, np.intp)
    lost = np.array([each.fate == "not understood" for each in meant], np.bool_)
    return np.flatnonzero(lost[written])


def _keys(name: str, table: Frame, rows: Array) -> list[str]:
    return [f"{name}:{key}" for key in table["key"][rows].tolist()]


def _drugs(records: Records, doses: Doses, vocabulary: Vocabulary) -> Iterator[Frame]:
    table, frame = records.administrations, doses.frame
    given = np.isin(table["status"].astype(str), ("", "given"))
    unknown = np.flatnonzero(given & (frame["drug_code"] < 0))
    written, ways = distinct_rows(*(table[n][unknown] for n in ("label", "code", "system")))
    meant = [vocabulary.drug_meaning(*way) for way in ways]
    which = _lost(meant, written)
    rows = unknown[which]
    yield _frame(
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
    routed = np.flatnonzero(given & (frame["route_code"] == 0) & (table["route"] != ""))
    written, ways = distinct_rows(table["route"][routed])
    known = np.array([bool(vocabulary.route_of(way[0])) for way in ways], np.bool_)
    rows = routed[~known[written]] if len(routed) else routed
    yield _frame(
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
    return _frame(
        kind,
        table,
        rows,
        label=table["name"][rows],
        code=table["code"][rows],
        system=table["system"][rows],
        reason=[meant[at].reason for at in written[rows].tolist()],
        start=table[time][rows],
        source_row=_keys("conditions" if kind == "diagnosis" else "procedures", table, rows),
        **ends,
    )


def _findings(records: Records, vocabulary: Vocabulary) -> Frame:
    table = records.findings
    asked = {text: vocabulary.finding_is_asked(text) for text in set(table["finding"].tolist())}
    rows = np.array(
        [at for at, text in enumerate(table["finding"].tolist()) if asked[text]], np.intp
    )
    return _frame(
        "finding",
        table,
        rows,
        label=table["finding"][rows],
        reason="no finding has this name",
        start=table["time"][rows],
        end=table["end"][rows],
        source_row=_keys("findings", table, rows),
    )


def _tests(records: Records, vocabulary: Vocabulary) -> Frame:
    """Return measurements of no known variable that no rule sets aside, once for each person and test."""
    table = records.measurements
    lost = np.array(
        [
            vocabulary.resolve(kind).reason == UNKNOWN_VARIABLE and vocabulary.test_is_asked(kind)
            for kind in records.kinds
        ],
        np.bool_,
    )
    rows = np.flatnonzero(lost[table["kind"]]) if lost.any() else np.empty(0, np.intp)
    pairs = table["person"][rows].astype(np.int64) * max(len(lost), 1) + table["kind"][rows]
    _, first, count = np.unique(pairs, return_index=True, return_counts=True)
    rows = rows[first]
    kinds = [records.kinds[at] for at in table["kind"][rows].tolist()]
    keys = zip(kinds, table["key"][rows].tolist(), strict=True)
    return _frame(
        "test",
        table,
        rows,
        label=[kind.name for kind in kinds],
        code=[kind.code for kind in kinds],
        system=[kind.system for kind in kinds],
        reason="no variable has this name",
        start=table["time"][rows],
        source_row=[f"{kind.table}:{key}" for kind, key in keys],
        rows=count,
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
