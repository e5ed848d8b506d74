"""Problems of administrations: no end, no amount, an unknown drug."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from becalm.core.arrays import Array
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.errors import shortened
from becalm.core.frame import Frame
from becalm.doctor.model import DOSES, UNKNOWN_DRUGS
from becalm.doses import CONTRADICTS, NOT_CONSERVING, Doses, kind_of
from becalm.records import Records

NO_END = "a rate without an end"
NO_AMOUNT = "neither amount nor rate"
_DRUGS_SHOWN = 6


@dataclass
class _Remark:
    rows: int = 0
    drugs: Counter[str] = field(default_factory=Counter)
    example: str = ""


class Administered:
    """Remarks on rows, by table, and labels without a known drug."""

    def __init__(self) -> None:
        self._remarks: dict[tuple[str, str], _Remark] = {}
        self._unknown: dict[tuple[str, str], _Remark] = {}

    def add(self, records: Records, doses: Doses) -> None:
        administrations, frame = records.administrations, doses.frame
        counts = np.isin(administrations["status"].astype(str), ("", "given"))
        no_end = administrations["end"] == UNKNOWN_TIME
        rated = ~np.isnan(administrations["rate"])
        amount = ~np.isnan(administrations["amount"])
        for table in set(administrations["table"]):
            for remark in (
                NO_END,
                NO_AMOUNT,
                NOT_CONSERVING,
                CONTRADICTS,
            ):  # listed also if there are no such rows
                self._remarks.setdefault((table, remark), _Remark())
        for remark, where in (
            (NO_END, counts & no_end & rated),
            ("one amount without an end: a single dose", counts & no_end & ~rated & amount),
            ("no amount: from the rate alone", counts & ~amount & rated),
            (NO_AMOUNT, counts & ~amount & ~rated),
            ("no start", counts & (administrations["start"] == UNKNOWN_TIME)),
            ("not given", administrations["status"] == "not given"),
            ("ordered only", administrations["status"] == "ordered"),
            ("stopped", administrations["status"] == "stopped"),
        ):
            self._remark(records, frame, remark, np.flatnonzero(where))
        flags = frame["flag"]
        rows_of: dict[str, list[int]] = {}
        for at in np.flatnonzero(flags != "").tolist():
            for flag in flags[at].split("|"):
                rows_of.setdefault(kind_of(flag), []).append(at)
        for remark, rows in rows_of.items():
            self._remark(records, frame, remark, np.array(rows))
        self._labels(records, frame)

    def _remark(self, records: Records, frame: Frame, text: str, rows: Array) -> None:
        administrations = records.administrations
        for table in sorted(set(administrations["table"][rows])):
            of_table = rows[administrations["table"][rows] == table]
            remark = self._remarks.setdefault((table, text), _Remark())
            remark.rows += len(of_table)
            names = np.where(
                frame["drug"][of_table] == "",
                administrations["label"][of_table],
                frame["drug"][of_table],
            )
            remark.drugs.update(names.tolist())
            remark.example = remark.example or frame["source_row"][of_table[0]]

    def _labels(self, records: Records, frame: Frame) -> None:
        administrations = records.administrations
        for at in np.flatnonzero(frame["drug"] == "").tolist():
            key = (administrations["table"][at], administrations["label"][at])
            unknown = self._unknown.setdefault(key, _Remark(example=frame["source_row"][at]))
            unknown.rows += 1

    def frames(self) -> tuple[Frame, Frame]:
        """Return remarks and unknown labels, those with most rows first."""
        remarks = sorted(self._remarks.items(), key=lambda each: (-each[1].rows, each[0]))
        labels = sorted(self._unknown.items(), key=lambda each: (-each[1].rows, each[0]))
        return (
            Frame.of_rows(
                DOSES,
                [
                    {
                        "source_table": table,
                        "remark": text,
                        "rows": remark.rows,
                        "drugs": _most(remark.drugs),
                        "example": remark.example,
                    }
                    for (table, text), remark in remarks
                ],
            ),
            Frame.of_rows(
                UNKNOWN_DRUGS,
                [
                    {
                        "source_table": table,
                        "label": label,
                        "rows": unknown.rows,
                        "example": unknown.example,
                    }
                    for (table, label), unknown in labels
                ],
            ),
        )


def _most(drugs: Counter[str]) -> str:
    shown = [
        f"{shortened(name) or '(no label)'} {n:,}" for name, n in drugs.most_common(_DRUGS_SHOWN)
    ]
    more = len(drugs) - len(shown)
    return "|".join([*shown, f"and {more} more"] if more > 0 else shown)
