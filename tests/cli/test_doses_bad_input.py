"""Bad doses at the command line: refused with one line, or counted and listed; never dropped."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

from becalm import protocol
from becalm.cli import main
from tests.records import lab, person, sheets, stay
from tests.records.chart_review import table

COLUMNS = (
    "person_id,drug,route,start,end,amount,amount_unit,rate,rate_unit,concentration,"
    "concentration_unit"
)
ROW = {
    "person_id": "A", "drug": "anakinra", "route": "IV", "start": "2020-01-01T10:00",
    "end": "2020-01-01T16:00",
}  # fmt: skip


def study(folder: Path, *rows: dict[str, str]) -> tuple[int, str, Path]:
    records, out = folder / "records", folder / "out"
    sheets(records, person("A"), stay(0, 19 * 24), lab("ferritin", 9000, 8))
    cells = [{**ROW, **row} for row in rows]
    table(records / "doses.csv", COLUMNS, [[c.get(n) for n in COLUMNS.split(",")] for c in cells])
    done = CliRunner().invoke(
        main, ["study", str(records), "--protocol", "anakinra_mas", "--out", str(out)]
    )
    return done.exit_code, done.output, out


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"rate": "25"}, "doses.csv, row 2, column rate_unit: rate without rate_unit"),
        ({"amount": "-100", "amount_unit": "mg"}, "doses.csv, row 2, column amount: -100 must be"),
        (
            {"amount": "100", "amount_unit": "mg", "end": "2020-01-01T09:00"},
            "doses.csv, row 2, column end: end 2020-01-01T09:00 is before start",
        ),
        ({"amount": "1-2", "amount_unit": "mg"}, "doses.csv, row 2, column amount: '1-2' is not"),
    ],
)
def test_a_mistake_in_a_sheet_stops_the_run_with_its_place(
    tmp_path: Path, row: dict[str, str], said: str
) -> None:
    code, output, out = study(tmp_path, row)
    assert code == 4
    assert said in output
    assert not out.exists()


def written(out: Path, name: str) -> list[dict[str, str]]:
    with (out / f"tables/{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


BAG = {"amount": "150", "amount_unit": "mg"}


@pytest.mark.parametrize(
    ("rows", "remark", "counted"),
    [
        ([{"rate": "1", "rate_unit": "mg/kg/h"}], "refused: dosed by weight, and no weight is known", False),
        ([{"rate": "25", "rate_unit": "mg"}], "refused: the unit of a rate needs a time (mg/h)", False),
        ([BAG, {**BAG, "start": "2020-01-01T14:00", "end": "2020-01-01T20:00"}],
         "overlaps another infusion of the drug", True),
        ([{**BAG, "rate": "10", "rate_unit": "mL/h", "concentration": "4", "concentration_unit": "mg/mL"}],
         "concentration contradicts rate and amount", True),
        ([{**BAG, "rate": "50", "rate_unit": "mg/h"}], "rate × time is not the amount", True),
        ([{"rate": "450", "rate_unit": "mg/h"}], "implausible rate", True),
    ],
)  # fmt: skip
def test_an_odd_row_is_listed_and_a_refused_one_also_counted(
    tmp_path: Path, rows: list[dict[str, str]], remark: str, *, counted: bool
) -> None:
    code, output, out = study(tmp_path, *rows)
    assert code == 0, output
    listed = written(out, "dose_remarks")
    [row] = [row for row in listed if row["remark"] == remark]
    assert row["counted"] == str(counted).lower()
    refused = written(out, "rows_refused")
    assert [r["rows"] for r in refused if r["variable"] == "anakinra"] == ([] if counted else ["1"])
    assert len(written(out, "doses")) == len(rows)


def test_a_protocol_that_asks_for_a_drug_nobody_knows_is_refused(tmp_path: Path) -> None:
    shipped = Path(protocol.__file__).parent / "shipped"
    text = (shipped / "anakinra_mas.toml").read_text(encoding="utf-8")
    file = tmp_path / "own.toml"
    file.write_text(text.replace("[doses]\n", '[doses]\nalso = ["heparine"]\n'), encoding="utf-8")
    records = sheets(tmp_path / "records", person("A"))
    done = CliRunner().invoke(
        main, ["study", str(records), "--protocol", str(file), "--out", str(tmp_path / "out")]
    )
    assert done.exit_code == 5
    assert "no drug is called 'heparine'" in done.output
    assert "heparin" in done.output
