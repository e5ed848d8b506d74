"""The labs sheet: all measurements, typed a whole column at a time."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

import numpy as np

from becalm.core.arrays import Array, Floats, Mask
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.records import MEASUREMENTS
from becalm.records.sheets.building import Building
from becalm.records.sheets.check import Checked
from becalm.records.sheets.reading import PLAIN_NUMBER, Wrong
from becalm.vocabulary import MeasurementKind, reports
from becalm.vocabulary.numbers import limit_in, of_undecided, spelling
from becalm.vocabulary.units import normalise

WITHDRAWN: Final = "the report was withdrawn"
_LOINC: Final = re.compile(r"\d{1,7}-\d")
_VOLUMES: Final = frozenset({"ul", "ml", "cl", "dl", "l", "cc"})


Ways: TypeAlias = dict[tuple[str, str, str, str, str, str], int]
"""Each different way to write a measurement, with its position."""


def measurements(
    parts: Sequence[Checked], building: Building
) -> tuple[Frame, tuple[MeasurementKind, ...]]:
    """Return MEASUREMENTS sorted by person, time and row, and the kinds of its codes.

    A row without a name, a time or a value is refused and counted. A text that is not a plain
    number (`>15000`, `haemolysed`) stays a text with an unknown number; a missing unit is
    checked later.
    """
    ways: Ways = {}
    frame = Frame.concat([_measurements(part, building, ways) for part in parts])
    kinds = tuple(
        MeasurementKind(table, system, code or name, name, unit, specimen)
        for table, system, code, name, unit, specimen in ways
    )
    return frame.sort("person", "time", "key"), kinds


def _measurements(checked: Checked, building: Building, ways: Ways) -> Frame:
    checked.ends_after_starts()
    _check_loinc(checked)
    time, date_only = checked.times("time")
    value, text = _with_limits(checked, *_values(_without_flags(checked)))
    keep = _refuse(checked, building, time)
    frame = Frame.of(
        MEASUREMENTS,
        person=building.persons_of(checked),
        time=time,
        start=checked.times("start")[0],
        available=checked.times("available")[0],
        date_only=date_only,
        kind=_kinds(checked, keep, ways),
        value=value,
        text=text,
        ref_low=_limit(checked, building, "ref_low"),
        ref_high=_limit(checked, building, "ref_high"),
        report=_reports(checked),
        key=checked.sheet.keys,
    )
    return frame.take(keep)


def _without_flags(checked: Checked) -> Array:
    """Return the values as numbers with a decimal point, as far as they are numbers.

    An L behind a number is a flag for low, but beside a unit of volume it can be litres: then it stays.
    """
    texts = checked.numeric_texts("value")
    volumes = {unit for unit in set(checked.sheet.texts("unit")) if normalise(unit) in _VOLUMES}
    if volumes:
        written = zip(checked.sheet.texts("value"), checked.sheet.texts("unit"), strict=True)
        for i, (text, unit) in enumerate(written):
            if unit in volumes and (number := spelling(text)) and "L" in number.flag:
                texts[i] = text
    return texts


def _reports(checked: Checked) -> Array:
    """Return what each report says of itself, in its status or else in its comment."""
    status, comment = (
        np.array([reports.said(text) for text in checked.sheet.texts(column)], np.int32)
        for column in ("status", "comment")
    )
    return np.maximum(status, comment)


def _with_limits(checked: Checked, value: Floats, text: Array) -> tuple[Floats, Array]:
    """Return the values; a number whose comment begins with its limit is that limit: 5 and `<5*` is `<5`."""
    for i, comment in enumerate(checked.sheet.texts("comment")):
        if comment and not text[i] and (sign := limit_in(comment, float(value[i]))):
            text[i] = f"{sign}{value[i]:.15g}"
            value[i] = np.nan
    return value, text


def _values(texts: Array) -> tuple[Floats, Array]:
    """Return numbers, NaN for texts that are no plain number, and these texts."""
    read = {text: _plain(text) for text in set(texts.tolist())}
    value = np.array([read[text] for text in texts.tolist()], dtype=np.float64)
    return value, np.where(np.isnan(value), texts, "")


def _plain(text: str) -> float:
    number = float(text) if PLAIN_NUMBER.fullmatch(text) else math.nan
    return number if math.isfinite(number) else math.nan


def _check_loinc(checked: Checked) -> None:
    codes = checked.sheet.texts("loinc")
    wrong = {code for code in set(codes) if code and not _LOINC.fullmatch(code)}
    checked.note(
        (i for i, code in enumerate(codes) if code in wrong),
        "loinc",
        lambda i: Wrong(
            "loinc",
            f"{codes[i]!r} is not a LOINC code such as 2276-4",
            "If a spreadsheet made a date of it, format the column as text and type it again",
        ),
    )


def _labels(checked: Checked) -> list[str]:
    """Return the name of each row, else its code."""
    columns = (checked.sheet.texts(name) for name in ("name", "loinc", "code"))
    return [name or loinc or code for name, loinc, code in zip(*columns, strict=True)]


def _codes(checked: Checked) -> Iterator[tuple[str, str]]:
    """Yield the system and the code of each row; a row without a code has its name alone."""
    columns = (checked.sheet.texts(name) for name in ("loinc", "system", "code"))
    for loinc, system, code in zip(*columns, strict=True):
        if loinc:
            yield "LOINC", loinc
        else:
            yield (system, code) if code else ("name", "")


def _refuse(checked: Checked, building: Building, time: Array) -> Mask:
    """Count the rows that cannot be used; return the rows that can."""
    sheet = checked.sheet
    labels, units, values = _labels(checked), sheet.texts("unit"), sheet.texts("value")
    keep = np.ones(len(sheet), dtype=np.bool_)
    for reason, missing in (
        ("name and loinc missing", [not label for label in labels]),
        ("time missing", time == UNKNOWN_TIME),
        ("value missing", [not value for value in values]),
        (WITHDRAWN, [reports.is_withdrawn(text) for text in sheet.texts("status")]),
    ):
        lacking = np.array(missing, dtype=np.bool_)
        for i in np.flatnonzero(keep & lacking).tolist():
            building.refuse(sheet, i, reason, variable=labels[i], unit=units[i], as_=values[i])
        keep &= ~lacking
    return keep


def _kinds(checked: Checked, keep: Mask, ways: Ways) -> Array:
    """Return each row's kind as a position in the distinct kinds, in order of first use."""
    sheet, table = checked.sheet, checked.sheet.table
    written = zip(
        _codes(checked),
        sheet.texts("name"),
        sheet.texts("unit"),
        sheet.texts("specimen"),
        keep.tolist(),
        strict=True,
    )
    codes = [
        ways.setdefault((table, *code, name, unit, specimen), len(ways)) if used else -1
        for code, name, unit, specimen, used in written
    ]
    return np.array(codes, dtype=np.int32)


def _limit(checked: Checked, building: Building, column: str) -> Floats:
    """Return a reference limit; one that is not a number is unknown, and counted."""
    sheet, labels = checked.sheet, _labels(checked)
    limit, text = _values(checked.numeric_texts(column))
    for i in np.flatnonzero(text != "").tolist():
        doubt = of_undecided(text[i])
        why = f"{column}: {doubt}" if doubt else f"{column} is not a number"
        building.refuse(
            sheet,
            i,
            f"{why}: limit unknown, value used",
            variable=labels[i],
            unit=sheet.texts("unit")[i],
            as_=sheet.texts(column)[i],
        )
    return limit
