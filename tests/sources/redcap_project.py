"""A small project of REDCap, its draft, and what is read of it: for tests of single rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from becalm.core.errors import BecalmError
from becalm.records import Records, open_records, redcap
from tests.sources.redcap_storms import Question, write_dictionary

QUESTIONS = (
    Question("record_id", "persons", "text", "Record ID"),
    Question("sex", "persons", "radio", "Sex", {"0": "Female", "1": "Male"}),
    Question("drawn", "bloods", "text", "Sample collected", validation="date_ymd"),
    Question("fer", "bloods", "text", "Ferritin (ng/mL)", validation="number"),
    Question("shift", "bloods", "radio", "Shift", {"1": "AM", "2": "PM"}),
    Question("signs", "exam", "checkbox", "Signs", {"1": "splenomegaly", "-1": "hepatomegaly"}),
    Question("seen", "exam", "text", "Date of visit", validation="date_ymd"),
)
HEADER = (
    "record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,sex,persons_complete,"
    "drawn,fer,shift,bloods_complete,signs___1,signs____1,seen,exam_complete"
)


def project(folder: Path, *rows: str, header: str = HEADER) -> Path:
    """Write an export of rows, and its dictionary."""
    write_dictionary(folder / "dictionary.csv", QUESTIONS)
    (folder / "data.csv").write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return folder


def mapping(folder: Path) -> str:
    """Write the draft of a mapping and return its path."""
    text = redcap.draft(folder / "data.csv", folder / "dictionary.csv")
    (folder / "mapping.toml").write_text(text, encoding="utf-8")
    return str(folder / "mapping.toml")


def changed(folder: Path, old: str, new: str) -> str:
    """Return the draft of a mapping with one text of it changed."""
    path = Path(mapping(folder))
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return str(path)


def records(folder: Path, how: str | None = None) -> Records:
    """Return the records of an export."""
    (chunk,) = open_records(str(folder), mapping=how or mapping(folder)).chunks()
    return chunk


def ferritin(chunk: Records) -> list[tuple[str, str, float]]:
    """Person, date and value of every measurement."""
    frame = chunk.measurements
    names = chunk.persons["person_id"][frame["person"]]
    days = frame["time"].astype("datetime64[us]").astype("datetime64[D]").astype(str)
    return list(zip(names.tolist(), days.tolist(), frame["value"].tolist(), strict=True))


def fates(folder: Path, how: str | None = None) -> dict[str, dict[str, int]]:
    """Return the number of cells by column and fate."""
    found = redcap.fates_of(folder, how or mapping(folder))
    assert sum(found.counts().values()) == found.rows * found.columns
    return {one.column: dict(one.cells) for one in found.fields}


def refused(folder: Path, how: str | None = None) -> str:
    """Return the message for an export that is refused: one line."""
    with pytest.raises(BecalmError) as error:
        records(folder, how)
    return error.value.line()
