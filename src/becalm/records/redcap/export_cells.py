"""The cells of an export: what each says, by the dictionary, and what the dictionary does not explain."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from becalm.core.errors import RecordsError, place
from becalm.records.mapped.model import token
from becalm.records.redcap.dictionary import RedcapField, plain
from becalm.records.redcap.header import ExportColumn
from becalm.records.sheets.blanks import stands_for_blank
from becalm.records.sheets.cells import TypedNumber
from becalm.records.sheets.reading import PLAIN_NUMBER
from becalm.vocabulary.numbers import certain

_STATUS: Final = {"incomplete": "0", "unverified": "1", "complete": "2"}
_TICKED: Final = {"1": True, "checked": True, "0": False, "unchecked": False}
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?)?")
_COMMA: Final = re.compile(r"[+-]?(?:\d+(?:,\d*)?|,\d+)")


@dataclass(frozen=True)
class CellText:
    """What a cell says: the text to read, and why the dictionary does not explain it ('' if it does).

    `is_missing` : a missing data code. `exact` : a number whose decimal mark the dictionary decides.
    """

    text: str
    odd: str = ""
    is_missing: bool = False
    exact: bool = False

    def for_table(self) -> str | TypedNumber:
        """Return the cell in the form in which the reader of flat tables takes it."""
        return TypedNumber(self.text) if self.exact else self.text


def form_of_cell(column: ExportColumn, text: str) -> str:
    """Return whether a cell can only be a code (`raw`), only a label (`labels`), two different choices (`both`).

    '' where it can be either, or neither.
    """
    one, known = column.field, token(text)
    if not text or one is None or not (one.is_chosen or column.role == "box"):
        return ""
    if column.role == "box":
        return "" if known not in _TICKED else "raw" if known in {"0", "1"} else "labels"
    code, labels = one.codes.get(known), one.labels.get(token(plain(text)), ())
    if bool(code) != bool(labels):
        return "raw" if code else "labels"
    return "both" if code and labels != (code,) else ""


@dataclass(frozen=True)
class ExportCells:
    """Reader of the cells of one export: `values` is raw or labels, `missing` are texts for no value."""

    file: str
    values: str
    missing: frozenset[str]
    event_name: Callable[[str], str]

    @classmethod
    def of(
        cls,
        file: str,
        values: str,
        missing: Mapping[str, str],
        event_name: Callable[[str], str] | None,
    ) -> Self:
        """Return the reader for the missing data codes of a project, each with its label or ''."""
        known: Iterable[str] = (*missing, *(plain(label) for label in missing.values() if label))
        return cls(file, values, frozenset(map(token, known)), event_name or str)

    def column(
        self, column: ExportColumn, rows: Sequence[int], texts: Sequence[str]
    ) -> list[CellText]:
        """Return what each cell of a column says; raises `RecordsError` for a row without a record."""
        if column.role == "record" and "" in texts:
            raise RecordsError(
                "the id of the record is blank",
                where=place(self.file, rows[texts.index("")], column.name),
                hint="Every row of an export has it: export it again",
            )
        read = {text: self._cell(column, text) for text in set(texts)}
        return [read[text] for text in texts]

    def _cell(self, column: ExportColumn, text: str) -> CellText:
        if not text:
            return CellText("")
        if column.role == "box":
            return _ticked(column, text)
        if column.role == "value" and column.field is not None:
            return self._value(column.field, text)
        if column.role == "event":
            return CellText(self.event_name(text))
        return CellText(_STATUS.get(text.casefold(), text) if column.role == "status" else text)

    def _value(self, one: RedcapField, text: str) -> CellText:
        """Return what a cell of a field says; its own choices stand above the codes for missing."""
        chosen = self._choice(one, text) if one.is_chosen else None
        if chosen is not None and not chosen.odd:
            return chosen
        if token(plain(text)) in self.missing or _is_blank(one, text):
            return CellText(text, is_missing=True)
        if chosen is not None:
            return chosen
        if one.is_number:
            return _number(one, text)
        if one.is_time and not _DATE.fullmatch(text):
            return CellText(text, "not a date as REDCap exports it (2020-03-04)")
        return CellText(text, exact=one.kind == "calc" and bool(PLAIN_NUMBER.fullmatch(text)))

    def _choice(self, one: RedcapField, text: str) -> CellText:
        if self.values == "raw" and (choice := one.codes.get(token(text))):
            return CellText(choice.code)
        labels = one.labels.get(token(plain(text)), ()) if self.values == "labels" else ()
        if len(labels) == 1:
            return CellText(labels[0].code)
        codes = " and ".join(choice.code for choice in labels)
        odd = f"the label of several choices ({codes})" if labels else ""
        return CellText(text, odd or "not one of the choices of the dictionary")


def _is_blank(one: RedcapField, text: str) -> bool:
    """Return whether a cell stands for a blank; a word in a field of free text may be an answer (Na, none)."""
    typed = one.is_number or one.is_time or one.is_chosen or bool(PLAIN_NUMBER.fullmatch(text))
    return typed and stands_for_blank(text)


def _ticked(column: ExportColumn, text: str) -> CellText:
    ticked = _TICKED.get(text.casefold())
    if ticked is None and column.title.casefold().endswith(f"(choice={plain(text)})".casefold()):
        ticked = True  # an export that writes the label of the choice into the box
    if ticked is None:
        return CellText(text, "neither ticked nor not ticked")
    return CellText("1" if ticked else "0")


def _number(one: RedcapField, text: str) -> CellText:
    """Return a number with a decimal point; the dictionary says which mark its field has."""
    if one.has_decimal_comma and _COMMA.fullmatch(text):
        return CellText(certain(text.replace(",", ".")), exact=True)
    if not one.has_decimal_comma and PLAIN_NUMBER.fullmatch(text):
        return CellText(text, exact=True)
    mark = "comma" if one.has_decimal_comma else "point"
    return CellText(text, f"not a number with a decimal {mark}")
