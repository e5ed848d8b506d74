"""Records with what people judged beside them: every source, read together with its folder `NAME.becalm`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np

from becalm import vocabulary
from becalm.core.errors import RecordsError, place
from becalm.core.files import exists
from becalm.core.frame import Frame
from becalm.records.files import input_file, stamp, unchanged
from becalm.records.model import Absent, Doubt, InputFile, Records, Refusal, Source, StudyInfo
from becalm.records.review.corrections import FILE as CORRECTIONS
from becalm.records.review.corrections import corrections_file
from becalm.records.review.folder import JUDGED, added_rows, answers_file, review_folder
from becalm.records.review.words import FILE as WORDS
from becalm.records.sheets.blanks import with_blanks
from becalm.records.sheets.building import Building
from becalm.records.sheets.cells import make_sheet
from becalm.records.sheets.check import Checked
from becalm.records.sheets.judgements import judgements
from becalm.records.sheets.standing import given_answers, standing, told
from becalm.vocabulary import site_words
from becalm.vocabulary.site_words import SiteWords

SHEET: Final = "judgements"
_CUT: Final = (
    "the last row was not finished when a program was stopped, and is not read; its answer was never confirmed "
    "to anybody"
)


@dataclass
class AnswersBeside:
    """The answers of the page, read and checked. frame : `person` is not known yet, −1; ids : of their persons."""

    where: str
    checked: Checked
    frame: Frame
    ids: list[str]
    torn: str
    met: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, file: Path) -> AnswersBeside:
        """Read the file; raises `RecordsError` with every mistake in it."""
        where = f"{file.parent.name}/{file.name}"
        header, rows, torn = added_rows(file)
        for number, row in enumerate(rows, start=2):
            if row and len(row) != len(header):
                what = f"{len(row)} cells where the header has {len(header)}"
                raise RecordsError(
                    what, where=place(where, number), hint="Mend the row or remove it"
                )
        sheet = make_sheet(SHEET, where, header, [row or [""] * len(header) for row in rows])
        building = Building()
        checked = Checked(with_blanks(sheet), building.mistakes)
        frame = judgements(checked, building, JUDGED)
        building.mistakes.stop()
        return cls(where, checked, frame, checked.texts("person_id").tolist(), torn)

    def beside(self, records: Records) -> Records:
        """Return a chunk with the answers about its persons, and with the one that holds of each reviewer."""
        ids = records.persons["person_id"].tolist()
        position = {one: i for i, one in enumerate(ids)}
        self.met |= position.keys() & set(self.ids)
        person = np.array([position.get(one, -1) for one in self.ids], np.int32)
        mine = Frame({**self.frame.columns, "person": person}).take(person >= 0)
        both = Frame.concat([records.judgements, mine])
        answers = given_answers(both, [ids[at] for at in both["person"].tolist()], JUDGED)
        holds, against = standing(answers)
        wrong = []
        for row, what, hint in told(against):
            table, key = both["table"][row.at], int(both["key"][row.at])
            where = self.where if table == JUDGED else SHEET
            wrong.append(RecordsError(what, where=place(where, key, "answer"), hint=hint))
        if wrong:
            raise RecordsError.of(wrong)
        held = np.isin(np.arange(len(both)), list(holds))
        frame = Frame({**both.columns, "holds": held}).sort("person", "question", "table", "key")
        return replace(records, judgements=frame)

    def strangers(self) -> None:
        """Raise `RecordsError` for answers about somebody who was in no chunk."""
        people = dict.fromkeys(one for one in self.ids if one not in self.met)
        if people:
            building = Building(mistakes=self.checked.mistakes)
            building.person_at = dict.fromkeys(self.met, 0)
            building.persons_of(self.checked)
            building.mistakes.stop()


@dataclass
class ReviewedSource:
    """A source of any kind, whose records carry the answers of the page."""

    source: Source
    answers: AnswersBeside | None
    file: InputFile
    name: str
    notices: tuple[str, ...]
    licences: tuple[str, ...]
    citations: tuple[str, ...]
    doubts: tuple[Doubt, ...]
    info: StudyInfo
    missing: tuple[str, ...]
    site: SiteWords | None

    def inputs(self) -> tuple[InputFile, ...]:
        """Return the files that were read, that of the answers too."""
        return (*self.source.inputs(), self.file)

    def absent(self) -> tuple[Absent, ...]:
        """Return the tables that the records do not have."""
        kept = self.source.absent()
        return kept if self.answers is None else tuple(e for e in kept if e.table != SHEET)

    def refused(self) -> tuple[Refusal, ...]:
        """Return the rows that were not used."""
        return self.source.refused()

    def chunks(self) -> Iterator[Records]:
        """Yield whole persons; raises `RecordsError` behind the last where an answer is about nobody."""
        if self.answers is None:
            yield from self.source.chunks()
            return
        for chunk in self.source.chunks():
            yield self.answers.beside(chunk)
        self.answers.strangers()


def reviewed(source: Source, records: str | Path) -> Source:
    """Return a source with the answers beside its records, or itself where there are none."""
    if corrections_file(records) and source.name != "sheets":
        raise RecordsError(
            "corrections are read with chart-review sheets and workbooks alone",
            where=f"{review_folder(records)}/{CORRECTIONS}",
            hint="Move the file away, or correct the records themselves",
        )
    source = _with_words(source, records)
    file = answers_file(records)
    if file is None:
        return source
    before = [stamp(file)]
    answers = AnswersBeside.read(file)
    listed = _listed(file, records)
    unchanged(before, file.parent)
    cut = f"{answers.where}: {_CUT}"
    return ReviewedSource(
        source,
        answers,
        listed,
        source.name,
        (*source.notices, cut) if answers.torn else source.notices,
        source.licences,
        source.citations,
        source.doubts,
        source.info,
        tuple(each for each in source.missing if each != SHEET),
        source.site,
    )


def _listed(file: Path, records: str | Path) -> InputFile:
    """Return a file of the folder as an input, named from the folder of the records."""
    above = "../" if Path(records).is_dir() else ""
    return replace(input_file(file), name=f"{above}{file.parent.name}/{file.name}")


def _with_words(source: Source, records: str | Path) -> Source:
    """Return a source with what people said in the page that names mean, above what the source itself says."""
    folder = review_folder(records)
    if folder is None or not exists(folder / WORDS):
        return source
    said = site_words.read(folder / WORDS, vocabulary.load())
    return ReviewedSource(
        source,
        None,
        _listed(folder / WORDS, records),
        source.name,
        source.notices,
        source.licences,
        source.citations,
        source.doubts,
        source.info,
        source.missing,
        site_words.joined(said, source.site),
    )
