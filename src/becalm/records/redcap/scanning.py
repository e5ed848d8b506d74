"""What a draft finds out from the cells of an export: its missing data codes, and the labels of its instruments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from becalm.records.files import read_text
from becalm.records.mapped.model import RedcapBlock, token
from becalm.records.redcap.dictionary import (
    RedcapDictionary,
    RedcapField,
    box,
    form_of_label,
    plain,
)
from becalm.records.redcap.guesses import draft_words
from becalm.records.redcap.header import ExportColumn, columns_of
from becalm.records.sheets.cells import clean
from becalm.records.sheets.read import csv_rows


def scanned(data: Path, dictionary: RedcapDictionary, block: RedcapBlock) -> RedcapBlock:
    """Return what `[redcap]` must say of an export, with the missing data codes that its cells show."""
    if not read_text(data).strip():
        return block
    header, lines, _ = csv_rows(data)
    of_boxes = tuple(_codes_of_boxes(header, dictionary))
    columns = columns_of(data.name, header, dictionary, dict.fromkeys(of_boxes, ""))
    across: Sequence[Sequence[str]] = list(zip(*lines, strict=True)) or [()] * len(header)
    texts = [[clean(text) for text in cells] for cells in across]
    codes = dict.fromkeys(of_boxes, "")
    codes |= dict.fromkeys(_codes_of_cells(columns, texts), "")
    instruments = _instruments(dictionary, columns, texts)
    return replace(block, missing=codes, instruments=instruments)


def _codes_of_boxes(header: Sequence[str], dictionary: RedcapDictionary) -> Iterator[str]:
    """Yield the missing data codes for which a checkbox field has a box that is none of its choices."""
    words = draft_words().missing
    for code in dict.fromkeys((*map(str, words.numbers), *words.words)):
        for one in dictionary.fields:
            if one.kind == "checkbox" and code not in {choice.code for choice in one.choices}:
                column = box(one.name, code)
                boxes = {box(one.name, choice.code) for choice in one.choices}
                if column in header and column not in boxes:
                    yield code
                    break


def _codes_of_cells(
    columns: Sequence[ExportColumn], texts: Sequence[Sequence[str]]
) -> Iterator[str]:
    """Yield the missing data codes in cells that cannot have them."""
    words = draft_words().missing
    known = [*map(str, words.numbers), *words.words]
    for code in known:
        if any(
            column.role == "value" and column.field and _cannot_be(column.field, code, cells)
            for column, cells in zip(columns, texts, strict=True)
        ):
            yield code


def _cannot_be(one: RedcapField, code: str, cells: Iterable[str]) -> bool:
    """Return whether a field has a code that is none of its answers."""
    written = {text for text in cells if text}
    if code not in written:
        return False
    if one.is_chosen:
        return token(code) not in one.codes and token(code) not in one.labels
    if one.is_time:
        return True
    if not one.is_number:
        return False
    if not code.startswith("-"):
        return True
    usual = set(map(str, draft_words().missing.numbers))
    return all(text in usual for text in written if text.startswith("-"))


def _instruments(
    dictionary: RedcapDictionary,
    columns: Sequence[ExportColumn],
    texts: Sequence[Sequence[str]],
) -> dict[str, str]:
    """Return the forms of labels from which their names do not follow: those whose fields their rows fill."""
    position = next((i for i, c in enumerate(columns) if c.role == "instrument"), None)
    found: dict[str, str] = {}
    if position is None:
        return found
    for label in dict.fromkeys(texts[position]):
        if not label or {label, form_of_label(plain(label))} & set(dictionary.forms):
            continue
        rows = [row for row, text in enumerate(texts[position]) if text == label]
        forms = {
            column.form
            for column, cells in zip(columns, texts, strict=True)
            if column.role == "value" and any(cells[row] for row in rows)
        }
        if len(forms) == 1:
            found[label] = forms.pop()
    return found
