"""Exports of REDCap projects: the same records as sheets, and a fate for every field and cell."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from becalm.records import Records, open_records, redcap
from tests.records import SCHEMAS
from tests.sources.redcap_patients import storms, write_sheets
from tests.sources.redcap_storms import SHAPES

EXPORTS = Path(__file__).parents[3] / "shared" / "data" / "redcap"
REAL = (
    "blank-for-gray-status", "checkboxes-1", "dag", "decimal-comma", "empty-rows", "longitudinal",
    "multilevel-model-1", "repeating-instruments", "repeating-instruments-sparse", "validation-types-1",
)  # fmt: skip
TRACES = {"key", "table", "kind"}
needs_exports = pytest.mark.skipif(not EXPORTS.exists(), reason="shared/data/redcap is not here")


def drafted(folder: Path, to: Path) -> Path:
    """Write a draft of the mapping of an export."""
    events = folder / "event.csv"
    text = redcap.draft(
        folder / "data.csv", folder / "dictionary.csv", events if events.exists() else None
    )
    to.write_text(text, encoding="utf-8")
    return to


def told(chunk: Records) -> dict[str, list[tuple[str, ...]]]:
    """Everything that records say, without where it is written, in an order of its own."""
    found = {}
    for name in SCHEMAS:
        frame = getattr(chunk, name)
        rows = [
            tuple(f"{column}={row[column]}" for column in frame.columns if column not in TRACES)
            for row in frame.rows()
        ]
        if name == "measurements":
            kinds = [replace(chunk.kinds[i], table="") for i in frame["kind"]]
            rows = [(*row, repr(kind)) for row, kind in zip(rows, kinds, strict=True)]
        found[name] = sorted(rows)
    return found


def records_of(folder: Path, mapping: Path | None = None) -> Records:
    (chunk,) = open_records(str(folder), mapping=None if mapping is None else str(mapping)).chunks()
    return chunk


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_storm_reads_back_as_from_sheets(shape: str, seed: int, tmp_path: Path) -> None:
    """A project of each shape, with the mapping as drafted, says what the same patients say as sheets."""
    write, says = SHAPES[shape]
    patients = storms(seed)
    export = write(patients).write(tmp_path / "export")
    mapping = drafted(export, tmp_path / "mapping.toml")
    sheets = write_sheets(tmp_path / "sheets", patients, says)
    assert told(records_of(export, mapping)) == told(records_of(sheets))


@pytest.mark.parametrize("shape", SHAPES)
def test_no_cell_of_a_storm_is_without_a_fate(shape: str, tmp_path: Path) -> None:
    """The fates add up to rows × columns, and the dictionary explains every cell."""
    export = SHAPES[shape][0](storms(4)).write(tmp_path / "export")
    found = redcap.fates_of(export, str(drafted(export, tmp_path / "mapping.toml")))
    assert sum(found.counts().values()) == found.rows * found.columns > 0
    assert found.counts()["not understood"] == 0
    assert found.unexplained == ()


@needs_exports
@pytest.mark.parametrize("name", REAL)
def test_no_cell_of_a_real_export_is_without_a_fate(name: str, tmp_path: Path) -> None:
    """Each cell is counted once, by its column; each field of the dictionary has a fate; the draft can be read."""
    folder = EXPORTS / name
    mapping = drafted(folder, tmp_path / "mapping.toml")
    found = redcap.fates_of(folder, str(mapping))
    with (folder / "data.csv").open(encoding="utf-8-sig", newline="") as file:
        header, *rows = [line for line in csv.reader(file) if any(line)] or [[]]
    if header:
        assert {
            one.column: sum(one.cells.values()) for one in found.fields if one.column in header
        } == (dict.fromkeys(header, len(rows)))
        filled = sum(any(cell) for line in rows for cell in line)
        assert filled > 0
    assert sum(found.counts().values()) == len(header) * len(rows)
    with (folder / "dictionary.csv").open(encoding="utf-8-sig", newline="") as file:
        names = [row["Variable / Field Name"] for row in csv.DictReader(file)]
    fates = {one.field: one.fate for one in found.fields if one.field}
    assert set(fates) == set(names)
    assert all(fates.values())
    text = mapping.read_text(encoding="utf-8")
    assert [field for field in names if field not in text] == []
    (chunk,) = open_records(str(folder), mapping=str(mapping)).chunks()
    assert len(chunk.persons) == len({line[0] for line in rows})


@needs_exports
def test_real_cells_have_the_fate_that_one_sees(tmp_path: Path) -> None:
    """Cells that were counted by hand in the real exports."""

    def fates(name: str) -> Mapping[str, Mapping[str, int]]:
        mapping = drafted(EXPORTS / name, tmp_path / f"{name}.toml")
        found = redcap.fates_of(EXPORTS / name, str(mapping))
        return {one.column: one.cells for one in found.fields}

    assert fates("repeating-instruments-sparse")["dob"] == {
        "used": 2,
        "blank": 3,
        "not of this row": 4,
    }
    grey = fates("blank-for-gray-status")
    assert grey["race___5"] == {"not used by the mapping": 4, "not ticked": 1, "not of this row": 1}
    assert grey["redcap_data_access_group"] == {"REDCap's own": 6}
    assert fates("multilevel-model-1")["gender_id"] == {
        "used": 19, "no meaning in the mapping": 1, "not of this row": 200,
    }  # fmt: skip


@needs_exports
def test_numbers_of_a_real_export_have_the_mark_of_their_fields(tmp_path: Path) -> None:
    """1,54 in a field validated with a decimal comma is 1.54, also where nothing else in the file decides it."""
    folder = EXPORTS / "decimal-comma"
    mapping = drafted(folder, tmp_path / "mapping.toml")
    more = '\nheight_cm = { table = "demographics", column = "weight", key = "record_id", otherwise = "" }'
    text = mapping.read_text(encoding="utf-8")
    mapping.write_text(
        text.replace('table = "redcap_records"', f'table = "redcap_records"{more}'),
        encoding="utf-8",
    )
    assert records_of(folder, mapping).persons["height_cm"].tolist() == [52.3, 92.3, 123.4, 45.9]
