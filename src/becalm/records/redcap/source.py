"""An export of a REDCap project as a source of records, read with a mapping."""

from __future__ import annotations

from pathlib import Path

from becalm.core.errors import DefinitionError, RecordsError, UnreadableFileError, did_you_mean
from becalm.core.files import exists, require_file
from becalm.records.files import input_file, stamp, unchanged
from becalm.records.mapped.filling import fill
from becalm.records.mapped.model import Mapped, RedcapBlock
from becalm.records.mapped.reading import load, stop
from becalm.records.mapped.source import as_source
from becalm.records.redcap.dictionary import read_dictionary
from becalm.records.redcap.export import RedcapExport, read_export
from becalm.records.redcap.fates import CellFates, cell_fates
from becalm.records.redcap.tables import flats, wrong_tables
from becalm.records.sheets.build import build
from becalm.records.sheets.source import SheetsSource


def open_redcap(path: Path, mapping: str) -> SheetsSource:
    """Read and check an export with a mapping that has `[redcap]`, as chart-review sheets.

    path : the folder with the files that the mapping names, or the export itself, with the others beside it.

    Raises `DefinitionError` with all mistakes in the mapping, `UnreadableFileError` for a missing or damaged file,
    and `RecordsError`, with file, row and column, where the dictionary does not fit the export or records cannot
    be understood.
    """
    mapped = load(mapping)
    block = _block(mapped)
    files = files_of(path, block)
    root = path if path.is_dir() else path.parent
    seen = [stamp(file) for file in files.values()]
    export = read_files(files, block)
    stop(wrong_tables(mapped, export), mapped)
    tables = flats(mapped, export)
    sheets = fill(mapped, tables)
    fates = cell_fates(mapped, export, tables)
    built = build(sheets, timezone=mapped.info.timezone)
    built = built._replace(refused=(*built.refused, *fates.refused()))
    inputs = [input_file(file, root) for file in files.values()]
    unchanged(seen, root)
    decided = [flat.notice for flat in tables.values() if flat.notice]
    notices = (fates.sentence(), *dict.fromkeys(decided), *built.notices)
    return as_source(
        mapped, mapping, inputs, notices=notices, built=built, sheets=sheets, name="redcap"
    )


def fates_of(path: Path, mapping: str) -> CellFates:
    """Return what became of every field and every cell of an export; raises as `open_redcap`.

    The sheets are filled, but not checked: a cell that they would refuse is among those that are used.
    """
    mapped = load(mapping)
    block = _block(mapped)
    export = read_files(files_of(path, block), block)
    stop(wrong_tables(mapped, export), mapped)
    return cell_fates(mapped, export, flats(mapped, export))


def _block(mapped: Mapped) -> RedcapBlock:
    if mapped.redcap is None:
        raise DefinitionError(
            "has no table [redcap]",
            where=mapped.file,
            hint="becalm redcap draft writes a mapping for an export",
        )
    return mapped.redcap


def files_of(path: Path, block: RedcapBlock) -> dict[str, Path]:
    """Return the files of an export: data, dictionary and, if the mapping names it, the table of events."""
    folder = path if path.is_dir() else path.parent
    named = {"data": block.data, "dictionary": block.dictionary, "events": block.events}
    files = {what: folder / name for what, name in named.items() if name}
    if not path.is_dir():
        files["data"] = path
    for what, file in files.items():
        if not exists(file):
            there = [each.name for each in folder.iterdir() if each.is_file()]
            raise UnreadableFileError(
                f"the {what} of the export is not there",
                where=file.name,
                hint=did_you_mean(file.name, there) if there else "The folder is empty",
            )
        require_file(file, where=file.name)
    return files


def read_files(files: dict[str, Path], block: RedcapBlock) -> RedcapExport:
    """Read the dictionary and the export that it describes."""
    dictionary = read_dictionary(files["dictionary"])
    if dictionary.record_id.name != block.record_id:
        raise RecordsError(
            f"its first field, the id of the record, is {dictionary.record_id.name!r}, and the mapping "
            f"says {block.record_id!r}",
            where=dictionary.file,
            hint="The dictionary may be of another project; else correct record_id under [redcap]",
        )
    return read_export(files["data"], dictionary, block, files.get("events"))
