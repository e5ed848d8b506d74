"""Rows of the records whose label nobody knows, as one kind of table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from becalm.core.arrays import Array
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.frame import Frame, Kind
from becalm.records import Records
from becalm.vocabulary import MeasurementKind

UNRECOGNISED: Final[Mapping[str, Kind]] = {
    "person": "code",
    "kind": "text",
    "label": "text",
    "code": "text",
    "system": "text",
    "about": "text",  # what a unit, a specimen or a status belongs to: a variable, a drug, a column
    "reason": "text",
    "start": "time",
    "end": "time",
    "source_row": "text",
    "rows": "count",  # rows of the records: 1, but of a test all of the person's
}


def label_rows(
    kind: str, table: Frame, at: Array, *, source_row: Iterable[str], **columns: Any
) -> Frame:
    """Return some rows of a raw table as unknown labels; a column that is not given is blank, or one row.

    at : positions in the table. columns : arrays, or one text for all rows.
    """
    count = len(at)
    blank: dict[str, Any] = {
        "person": table["person"][at] if "person" in table.columns else at,
        "code": np.full(count, "", object),
        "system": np.full(count, "", object),
        "about": np.full(count, "", object),
        "end": np.full(count, UNKNOWN_TIME),
        "rows": np.ones(count, np.int64),
    }
    given = {
        name: np.full(count, value, object) if isinstance(value, str) else value
        for name, value in columns.items()
    }
    return Frame.of(
        UNRECOGNISED,
        kind=np.full(count, kind, object),
        source_row=list(source_row),
        **{**blank, **given},
    )


def keys(name: str, table: Frame, rows: Array) -> list[str]:
    """Return the rows of a table as `name:key`."""
    return [f"{name}:{key}" for key in table["key"][rows].tolist()]


def measured(
    kind: str,
    records: Records,
    lost: Mapping[MeasurementKind, tuple[str, str]],
    label: str,
    *,
    coded: bool = False,
) -> Frame:
    """Return measurements of some kinds as unknown labels, once for each person and kind.

    lost : for each kind that is meant, what the label belongs to and why it is unknown. label : the field
    of the kind that is unknown: name, unit or specimen. coded : whether the kind's code belongs to it.
    """
    table = records.measurements
    meant = np.array([each in lost for each in records.kinds], np.bool_)
    rows = np.flatnonzero(meant[table["kind"]]) if meant.any() else np.empty(0, np.intp)
    pairs = table["person"][rows].astype(np.int64) * max(len(meant), 1) + table["kind"][rows]
    _, first, count = np.unique(pairs, return_index=True, return_counts=True)
    rows = rows[first]
    kinds = [records.kinds[at] for at in table["kind"][rows].tolist()]
    codes = {name: [getattr(each, name) for each in kinds] for name in ("code", "system") if coded}
    of_kind = zip(kinds, table["key"][rows].tolist(), strict=True)
    return label_rows(
        kind,
        table,
        rows,
        label=[getattr(each, label) for each in kinds],
        about=[lost[each][0] for each in kinds],
        reason=[lost[each][1] for each in kinds],
        start=table["time"][rows],
        source_row=[f"{each.table}:{key}" for each, key in of_kind],
        rows=count,
        **codes,
    )
