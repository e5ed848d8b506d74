"""A chart review as a source of records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from becalm.core import toml
from becalm.core.errors import RecordsError, UnreadableFileError, did_you_mean, place
from becalm.core.files import LARGEST_TOML, exists, read_text
from becalm.records import Absent, CaseStatement, Doubt, InputFile, Records, Refusal, StudyInfo
from becalm.records.files import input_file, stamp, unchanged
from becalm.records.possible import no_date
from becalm.records.sheets import open_elsewhere
from becalm.records.sheets.build import build
from becalm.records.sheets.cells import Sheet, near
from becalm.records.sheets.moments import moment_of
from becalm.records.sheets.read import read_sheet, sheet_files, would_be_a_sheet
from becalm.records.sheets.reading import Wrong, read_time
from becalm.records.sheets.schema import SHEETS
from becalm.records.sheets.workbook import STUDY, read_workbook
from becalm.vocabulary.site_words import SiteWords

_STUDY_FILE: Final = "study.toml"
_CASES: Final = "case_series_"
"""First letters of the keys that state what may be published of single patients."""
_KEYS: Final = (
    *(field.name for field in fields(StudyInfo) if field.name != "cases"),
    *(f"{_CASES}{field.name}" for field in fields(CaseStatement)),
)
_AGES: Final = ("bands", "years")
_DATES: Final = frozenset({"recruitment_start", "recruitment_end"})
_YES_NO: Final = {"true": True, "yes": True, "false": False, "no": False, "": False}


@dataclass
class SheetsSource:
    """A chart review that was read completely: it is one chunk, and every cell was checked.

    `missing` names the sheets that do not exist; `absent` lists those and the empty ones.
    """

    info: StudyInfo
    notices: tuple[str, ...]
    missing: tuple[str, ...]
    _inputs: tuple[InputFile, ...]
    _absent: tuple[Absent, ...]
    _refused: tuple[Refusal, ...]
    _records: Records
    name: str = "sheets"
    licences: tuple[str, ...] = ()
    citations: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    site: SiteWords | None = None

    def inputs(self) -> tuple[InputFile, ...]:
        """Return the files that were read, in the order of their names."""
        return self._inputs

    def absent(self) -> tuple[Absent, ...]:
        """Return the sheets that are missing or have no row, and the consequence."""
        return self._absent

    def refused(self) -> tuple[Refusal, ...]:
        """Return the rows that were not used, and ages that have no date, by reason."""
        return self._refused

    def chunks(self) -> Iterator[Records]:
        """Yield the one chunk."""
        yield self._records


def looks_like(path: Path) -> bool:
    """Return whether a path is a folder with a sheet `persons`, or a workbook."""
    if path.is_dir():
        return any(
            p.stem.casefold() == "persons" and p.suffix.lower() in {".csv", ".parquet"}
            for p in path.iterdir()
        )
    return path.suffix.lower() == ".xlsx"


def would_read(file: Path) -> bool:
    """Return whether a new file would be read, or stop the run, with the sheets or the workbook in its folder."""
    folder = file.parent
    if not folder.is_dir():
        return False
    if file.name.casefold() == _STUDY_FILE:
        return looks_like(folder) or any(folder.glob("*.[xX][lL][sS][xX]"))
    return looks_like(folder) and would_be_a_sheet(file.name)


def open_sheets(path: Path) -> SheetsSource:
    """Read and check a complete folder of sheets or a workbook.

    Raises `UnreadableFileError` for a damaged file and one `RecordsError` for records that cannot be
    understood, with file, row and column of every mistake.
    """
    from becalm.records.review.corrections import corrected, corrections_file

    folder = path if path.is_dir() else path.parent
    sheets: dict[str, Sheet] = {}
    study: dict[str, str] = {}
    of_cells: list[str] = []
    if path.is_dir():
        files, wrong = sheet_files(path)
        read, names = list(files.values()), tuple(files)
        seen = [stamp(file) for file in read]
        for name, file in files.items():
            try:
                sheets[name] = read_sheet(name, file)
            except RecordsError as error:
                wrong.append(error)
    else:
        read, seen = [path], [stamp(path)]
        sheets, study, names, wrong, of_cells = read_workbook(path)
    if "persons" not in names:
        wrong.append(
            RecordsError(
                "the sheet persons is missing",
                where=path.name,
                hint="It needs one row a person, with at least the column person_id",
            )
        )
    beside = folder / _STUDY_FILE
    if exists(beside):
        if study:
            twice = f"both {_STUDY_FILE} and the sheet {STUDY} describe the study"
            wrong.append(RecordsError(twice, where=path.name, hint="Remove one"))
        seen.append(stamp(beside))
        described: tuple[Mapping[str, Any], str] = _toml(beside), _STUDY_FILE
        read.append(beside)
    else:
        described = study, f"{path.name}, sheet {STUDY}"
    info = StudyInfo()
    try:
        info = study_info(*described)
    except RecordsError as error:
        wrong.append(error)
    typed = corrections_file(path)
    before = [stamp(typed)] if typed else []
    chart = corrected(sheets, typed)
    parts = chart.sheets
    built = build(parts, [*wrong, *chart.wrong], info.timezone)
    inputs = tuple(sorted((input_file(f, folder) for f in read), key=lambda f: f.name))
    unchanged(seen, folder)
    if typed:
        name = f"{'../' if path.is_dir() else ''}{typed.parent.name}/{typed.name}"
        inputs = (*inputs, replace(input_file(typed), name=name))
        unchanged(before, typed.parent)
    return SheetsSource(
        info=info,
        notices=(
            *open_elsewhere.notices(read),
            *_doubtful_columns(sheets),
            *of_cells,
            *chart.notices(),
            *built.notices,
        ),
        missing=tuple(name for name in SHEETS if name not in parts),
        _inputs=inputs,
        _absent=tuple(absent({name: sum(map(len, each)) for name, each in parts.items()})),
        _refused=built.refused,
        _records=built.records,
    )


def raw_sheets(path: Path) -> dict[str, Sheet]:
    """Return the sheets of a chart review as text, without the corrections beside them; those with a wrong header are left out."""
    if not path.is_dir():
        return read_workbook(path).sheets
    files, _ = sheet_files(path)
    return {name: read_sheet(name, file) for name, file in files.items()}


def study_texts(path: Path) -> dict[str, str]:
    """Return what a chart review says of its study, as the cells of a sheet `study`."""
    if not path.is_dir() and (study := read_workbook(path).study):
        return {key: text for key, text in study.items() if key.strip().casefold() != "key"}
    file = (path if path.is_dir() else path.parent) / _STUDY_FILE
    entries = _toml(file) if exists(file) else {}
    return {key: _as_text(value) or "" for key, value in entries.items()}


def absent(rows: Mapping[str, int]) -> Iterator[Absent]:
    """Yield the consequences of sheets that are missing or have no row."""
    for name, schema in SHEETS.items():
        if name == "persons":
            continue
        if name not in rows:
            yield Absent(name, schema.consequence)
        elif not rows[name]:
            yield Absent(name, f"the sheet is empty: {schema.consequence}")


def _doubtful_columns(sheets: Mapping[str, Sheet]) -> Iterator[str]:
    """Yield a notice for each unread column whose name is similar to a known column."""
    for sheet in sheets.values():
        for column in sheet.unread:
            meant = near(column, set(SHEETS[sheet.name].columns) - set(sheet.columns))
            if meant:
                yield f"{sheet.file}: column {column!r} is not read. Is {meant!r} meant?"


def _toml(path: Path) -> dict[str, Any]:
    try:
        return toml.parsed(read_text(path, most=LARGEST_TOML, where=path.name))
    except ValueError as error:
        raise UnreadableFileError(
            f"not TOML ({error})", where=path.name, hint='Write one key = "value" a line'
        ) from error


def study_info(entries: Mapping[str, Any], file: str) -> StudyInfo:
    """Return the facts about the study; raises `RecordsError` for a key that is not known."""
    texts: dict[str, Any] = {}
    for key, value in entries.items():
        name = str(key).strip().casefold()
        if name == "key" and str(value).strip().casefold() == "value":
            continue  # the header of a study sheet
        if name not in _KEYS:
            raise RecordsError(f"{key!r} is not known", where=file, hint=did_you_mean(name, _KEYS))
        text = _as_text(value)
        if text is None:
            raise RecordsError(
                "must be one value", where=place(file, None, name), hint=f'Write {name} = "..."'
            )
        texts[name] = text = _as_day(text) if name in _DATES else text
        _require_date(name, text, file)
    _require_zone(texts.get("timezone", ""), file)
    illustrative = texts.pop("illustrative", "").casefold()
    if illustrative not in _YES_NO:
        raise RecordsError(
            f"illustrative must be yes or no, not {illustrative!r}",
            where=file,
            hint="Write yes or no",
        )
    stated = {k.removeprefix(_CASES): texts.pop(k) for k in list(texts) if k.startswith(_CASES)}
    return StudyInfo(**texts, illustrative=_YES_NO[illustrative], cases=_statement(stated, file))


def _statement(stated: dict[str, Any], file: str) -> CaseStatement | None:
    """Return what is stated about publishing single patients; None where nothing is."""
    if not any(stated.values()):
        return None
    words = [word.strip() for word in stated.pop("words", "").split(";")]
    ages = stated.pop("ages", "") or _AGES[0]
    if ages not in _AGES:
        raise RecordsError(
            f"{_CASES}ages must be {' or '.join(_AGES)}, not {ages!r}",
            where=file,
            hint=f"Write {' or '.join(_AGES)}",
        )
    if stated.get("consent") and stated.get("waiver"):
        raise RecordsError(
            f"both {_CASES}consent and {_CASES}waiver are given",
            where=file,
            hint="Keep the one that holds",
        )
    return CaseStatement(**stated, ages=ages, words=tuple(word for word in words if word))


def _as_text(value: object) -> str | None:
    """Return a value as text; None for a list or a table."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return value.isoformat()
    return str(value).strip() if isinstance(value, str | int | float) else None


def _as_day(text: str) -> str:
    """Return the date of a day that a workbook gives as its midnight."""
    moment = moment_of(text)
    return text[: len("2020-01-31")] if moment is not None and moment.midnight else text


def _require_date(name: str, text: str, file: str) -> None:
    if name not in _DATES:
        return
    if why := no_date(text):
        hint = "Correct it, or leave it blank if it is not known"
        raise RecordsError(f"{name}: {text!r} is {why.partition(':')[0]}", where=file, hint=hint)
    read = read_time(text)
    if isinstance(read, Wrong):
        raise RecordsError(f"{name}: {read.what}", where=file, hint=read.hint)


def _require_zone(zone: str, file: str) -> None:
    from zoneinfo import available_timezones

    zones = available_timezones() if zone else set()
    if zones and zone not in zones:
        raise RecordsError(
            f"timezone: {zone!r} is not known", where=file, hint=did_you_mean(zone, zones)
        )
