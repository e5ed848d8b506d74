"""Flat tables of any layout, read through a mapping, say what the same patients say as sheets."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm import vocabulary
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.errors import RecordsError
from becalm.events import harmonise
from becalm.records import Records, open_records
from becalm.records.mapped import load, shipped
from tests.records import SCHEMAS
from tests.records.chart_review import write

CASES = Path(__file__).parents[3] / "shared" / "cases"
needs_cases = pytest.mark.skipif(not CASES.exists(), reason="shared/cases is not here")
TRACES = {"key", "table", "kind"}
"""Columns that lead back to a row, and so differ between two layouts."""


def records(folder: Path, mapping: str = "") -> Records:
    if mapping:
        (folder / "mapping.toml").write_text(mapping, encoding="utf-8")
    found = open_records(str(folder), mapping=str(folder / "mapping.toml") if mapping else None)
    (chunk,) = found.chunks()
    return chunk


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


def understood(chunk: Records) -> list[tuple[object, ...]]:
    """The events that records give, in an order of their own."""
    frame = harmonise(chunk, vocabulary.load()).frame
    columns = ("person", "variable", "time", "available", "low", "high")
    return sorted(zip(*(frame[name].tolist() for name in columns), strict=True))


def write_table(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(
        gzip.compress(out.getvalue().encode()) if path.suffix == ".gz" else out.getvalue().encode()
    )


WIDE = """
[tables.all]
file = "all.csv.gz"
nothing = [-1]
person_id = { column = "who", carry_down = true, whole = true }

[persons]
sex = { column = "sex", words = { "1" = "M", "2" = "F" } }
age = "age"
age_at = "came"
death_time = { column = "went", where = { died = 1 } }

[[stays]]
start = "came"
end = "went"
to = { column = "died", words = { "1" = "died", "0" = "home" } }

[[conditions]]
onset = "came"
name = { always = "COVID-19" }
status = { always = "confirmed" }

[[labs]]
time = "when"
[labs.columns]
"Ferritin (S)" = { name = "ferritin", unit = "ug/L" }
CRP = { name = "crp", unit = "mg/L", floor = 5, ceiling = 300 }
Plt = { loinc = "777-3", unit = "10^9/L" }
"""

LONG = """
[tables.patients]
file = "patients.csv"
[tables.rows]
file = "rows.parquet"

[persons]
table = "patients"
person_id = "who"
sex = { column = "sex", words = { "1" = "M", "2" = "F" } }
age = "age"
age_at = "came"
death_time = { column = "went", where = { died = "1" } }

[[stays]]
table = "patients"
person_id = "who"
start = "came"
end = "went"
to = { column = "died", words = { "1" = "died", "0" = "home" } }

[[conditions]]
table = "patients"
person_id = "who"
onset = "came"
name = { always = "COVID-19" }
status = { always = "confirmed" }

[[labs]]
table = "rows"
person_id = "patient"
time = "when"
name = { column = "test", words = { FER = "ferritin", CRP = "crp" }, where = { test = ["FER", "CRP"] } }
loinc = { column = "test", words = { PLT = "777-3" }, where = { test = "PLT" } }
value = "result"
unit = { column = "test", words = { FER = "ug/L", CRP = "mg/L", PLT = "10^9/L" } }
"""

hours = st.integers(0, 200)
lab = st.tuples(
    hours, st.integers(1, 900), st.integers(6, 299), st.integers(1, 500), st.integers(0, 7)
)
patient = st.tuples(
    st.sampled_from("12"), st.integers(18, 99), st.booleans(), st.lists(lab, max_size=5)
)


def clock(hour: int) -> str:
    return f"2020-02-{1 + hour // 24:02d} {hour % 24:02d}:30:00"


@settings(max_examples=40, derandomize=True, deadline=None)
@given(st.lists(patient, min_size=1, max_size=4))
def test_the_same_patients_wide_long_and_as_sheets_are_the_same_records(
    patients: list[tuple[str, int, bool, list[tuple[int, int, int, int, int]]]],
) -> None:
    """Whichever layout, typed and understood they are equal: persons, stays, diagnoses, results."""
    wide, long, flat = [], [], []
    sheets: dict[str, list[str]] = {
        "persons": ["person_id,sex,age,age_at,death_time"],
        "stays": ["person_id,start,end,to"],
        "conditions": ["person_id,onset,name,status"],
        "labs": ["person_id,time,name,loinc,value,unit"],
    }
    for i, (sex, age, died, draws) in enumerate(patients, 1):
        came, went = clock(0), clock(300)
        base = {"sex": sex, "age": str(age), "came": came, "went": went, "died": f"{died:d}"}
        long.append({"who": str(i), **base})
        sheets["persons"].append(
            f"{i},{'M' if sex == '1' else 'F'},{age},{came},{went if died else ''}"
        )
        sheets["stays"].append(f"{i},{came},{went},{'died' if died else 'home'}")
        sheets["conditions"].append(f"{i},{came},COVID-19,confirmed")
        for n, (hour, ferritin, crp, platelets, which) in enumerate(draws or [(0, 1, 1, 1, 0)]):
            given_: dict[str, str] = {}
            for bit, (name, column, value) in enumerate(
                (("FER", "Ferritin (S)", ferritin), ("CRP", "CRP", crp), ("PLT", "Plt", platelets))
            ):
                given_[column] = str(value) if which >> bit & 1 else ("" if hour % 2 else "-1")
                if which >> bit & 1:
                    flat.append(
                        {"patient": str(i), "when": clock(hour), "test": name, "result": str(value)}
                    )
                    said = {
                        "FER": "ferritin,,{},ug/L",
                        "CRP": "crp,,{},mg/L",
                        "PLT": ",777-3,{},10^9/L",
                    }
                    sheets["labs"].append(f"{i},{clock(hour)},{said[name].format(value)}")
            wide.append({"who": "" if n else f"{i}.0", **base, "when": clock(hour), **given_})
    with TemporaryDirectory() as folder:
        root = Path(folder)
        plain = write(root / "sheets", **{k: "\n".join(v) + "\n" for k, v in sheets.items()})
        (root / "wide").mkdir()
        (root / "long").mkdir()
        write_table(root / "wide" / "all.csv.gz", wide)
        write_table(root / "long" / "patients.csv", long)
        _parquet(root / "long" / "rows.parquet", flat)
        expected = records(plain)
        for layout, mapping in (("wide", WIDE), ("long", LONG)):
            found = records(root / layout, mapping)
            assert told(found) == told(expected), layout
            assert understood(found) == understood(expected), layout


def _parquet(path: Path, rows: list[dict[str, str]]) -> None:
    import duckdb

    with duckdb.connect() as con:
        con.execute('CREATE TABLE t (patient INT, "when" TIMESTAMP, test VARCHAR, result DOUBLE)')
        for row in rows:
            con.execute("INSERT INTO t VALUES (?, ?, ?, ?)", list(row.values()))
        con.execute(f"COPY t TO '{path}' (FORMAT parquet)")


EVERYTHING = """
[tables.mar]
file = "mar.tsv"
[tables.notes]
file = "notes.csv"
nothing = ["NA", "."]

[persons]
table = "notes"
person_id = "mrn"

[[stays]]
table = "notes"
person_id = "mrn"
start = "admitted"

[[doses]]
table = "mar"
person_id = "mrn"
where = { kind = "infusion" }
drug = "medication"
route = { always = "IV" }
start = "from"
end = "until"
rate = "dose"
rate_unit = "unit"

[[doses]]
table = "mar"
person_id = "mrn"
where = { kind = ["push", "tablet"] }
drug = "medication"
start = "from"
amount = "dose"
amount_unit = "unit"
status = { column = "state", words = { done = "given", missed = "not given" } }

[[findings]]
table = "notes"
person_id = "mrn"
time = "admitted"
[findings.columns]
spleen = { finding = "splenomegaly", method = "US", words = { Y = "yes", N = "no" } }
liver = { finding = "hepatomegaly", method = "exam", words = { Y = "yes", N = "no" } }

[[cultures]]
table = "notes"
person_id = "mrn"
collected = "admitted"
test = { always = "blood culture" }
result = { column = "bc", words = { pos = "growth", neg = "no growth" } }

[[procedures]]
table = "notes"
person_id = "mrn"
where = { dialysis = "Y" }
name = { always = "CRRT" }
start = "admitted"
"""


@pytest.fixture
def everything(tmp_path: Path) -> Records:
    (tmp_path / "mar.tsv").write_text(
        "mrn\tkind\tmedication\tfrom\tuntil\tdose\tunit\tstate\n"
        "A\tinfusion\tAnakinra\t2020-01-01T10:00\t2020-01-01T16:00\t80\tmg/h\t\n"
        "A\tpush\tmethylprednisolone\t2020-01-01T12:00\t\t500\tmg\tdone\n"
        "B\ttablet\tprednisone\t2020-01-02\t\t40\tmg\tmissed\n",
        encoding="utf-8",
    )
    (tmp_path / "notes.csv").write_text(
        "mrn,admitted,spleen,liver,bc,dialysis\n"
        "A,2020-01-01T08:00,Y,.,pos,Y\n"
        "B,2020-01-02T08:00,N,N,NA,N\n",
        encoding="utf-8",
    )
    return records(tmp_path, EVERYTHING)


def test_doses_findings_cultures_and_procedures_come_through_too(everything: Records) -> None:
    """An infusion keeps its rate, a missed tablet is not given, a blank examination is no row."""
    given_ = everything.administrations
    assert list(
        zip(given_["label"], given_["rate"], given_["amount"], given_["status"], strict=True)
    )[:2] == [
        ("Anakinra", 80.0, pytest.approx(np.nan, nan_ok=True), ""),
        ("methylprednisolone", pytest.approx(np.nan, nan_ok=True), 500.0, "given"),
    ]
    assert given_["status"].tolist() == ["", "given", "not given"]
    assert given_["route"].tolist() == ["IV", "", ""]
    found = everything.findings
    assert list(zip(found["person"], found["finding"], found["present"], strict=True)) == [
        (0, "splenomegaly", "yes"),
        (1, "splenomegaly", "no"),
        (1, "hepatomegaly", "no"),
    ]
    assert everything.cultures["result"].tolist() == ["growth", ""]
    assert everything.procedures["name"].tolist() == ["CRRT"]


def test_no_two_rows_are_traced_back_by_one_name(everything: Records) -> None:
    """Two columns of one row of the file are two findings, and each can be opened by itself."""
    assert len(set(everything.findings["key"].tolist())) == 3
    given_ = everything.administrations
    assert len(set(zip(given_["table"], given_["key"], strict=True))) == 3


def test_a_result_leads_back_to_file_column_and_row(tmp_path: Path) -> None:
    write_table(tmp_path / "all.csv.gz", [
        {"who": "1", "sex": "1", "age": "50", "came": clock(0), "went": clock(9), "died": "0",
         "when": clock(1), "Ferritin (S)": "900", "CRP": "300", "Plt": ""},
    ])  # fmt: skip
    chunk = records(tmp_path, WIDE)
    names = {
        f"{chunk.kinds[kind].table}:{key}"
        for kind, key in zip(chunk.measurements["kind"], chunk.measurements["key"], strict=True)
    }
    assert names == {"all[Ferritin (S)]:2", "all[CRP]:2"}


def test_a_number_at_the_end_of_an_assay_is_a_bound(tmp_path: Path) -> None:
    """A CRP of 300 where the assay stops is at least 300; one of 5 where it begins at most 5."""
    base = {"sex": "1", "age": "50", "came": clock(0), "went": clock(9), "died": "0"}
    write_table(tmp_path / "all.csv.gz", [
        {"who": "1" if not i else "", **base, "when": clock(i), "Ferritin (S)": "300", "CRP": crp, "Plt": "-1"}
        for i, crp in enumerate(("300", "5", "299", "301"))
    ])  # fmt: skip
    chunk = records(tmp_path, WIDE)
    frame = harmonise(chunk, vocabulary.load()).frame
    crp = frame["variable"] == vocabulary.load().code("crp")
    assert list(zip(frame["low"][crp], frame["high"][crp], strict=True)) == [
        (300, np.inf), (0, 5), (299, 299), (301, 301),
    ]  # fmt: skip
    assert not np.isinf(frame["high"][~crp]).any()
    assert len(frame) == 8


def test_what_is_stated_of_everybody_holds_of_who_has_no_date(tmp_path: Path) -> None:
    """Everybody had COVID-19, also somebody whose admission nobody wrote down: the onset is unknown, the diagnosis is not."""
    (tmp_path / "p.csv").write_text("who,came\nA,2020-02-01\nB,\n", encoding="utf-8")
    chunk = records(
        tmp_path,
        '[tables.p]\nfile = "p.csv"\nperson_id = "who"\n[persons]\n'
        '[[conditions]]\nonset = "came"\nname = { always = "COVID-19" }\n',
    )
    assert chunk.conditions["person"].tolist() == [0, 1]
    assert (chunk.conditions["onset"] == UNKNOWN_TIME).tolist() == [False, True]


def test_a_decimal_comma_is_a_point_before_anything_is_compared(tmp_path: Path) -> None:
    """In a table separated by semicolons -1,0 is nothing, 0,22 the floor, and 3,5 three and a half."""
    (tmp_path / "p.csv").write_text(
        "who;when;dd\nA;2020-02-01 08:00;-1,0\nA;2020-02-01 09:00;0,22\nA;2020-02-01 10:00;3,5\n",
        encoding="utf-8",
    )
    chunk = records(
        tmp_path,
        '[tables.p]\nfile = "p.csv"\nperson_id = "who"\nnothing = [-1]\n[persons]\n'
        '[[labs]]\ntime = "when"\n[labs.columns]\n'
        'dd = { name = "d_dimer", unit = "ug/mL FEU", floor = 0.22 }\n',
    )
    frame = harmonise(chunk, vocabulary.load()).frame
    assert list(zip(frame["low"], frame["high"], strict=True)) == [(0, 0.22), (3.5, 3.5)]


def cultures(folder: Path, result: str, *, block: str = "") -> list[str]:
    """Return the results of five cultures: two empty cells, two that are `nothing`, one with a text."""
    (folder / "c.csv").write_text(
        "who,day,organism\nA,2020-02-01,\nA,2020-02-02, \nA,2020-02-03,NA\n"
        "A,2020-02-04,.\nA,2020-02-05,E. coli\n",
        encoding="utf-8",
    )
    chunk = records(
        folder,
        '[tables.c]\nfile = "c.csv"\nperson_id = "who"\nnothing = ["."]\n[persons]\n'
        f'[[cultures]]\ncollected = "day"\nresult = {result}\n{block}',
    )
    return chunk.cultures["result"].tolist()  # type: ignore[no-any-return]


def test_the_word_for_an_empty_cell_is_applied(tmp_path: Path) -> None:
    """An empty cell becomes its word; a text that means nothing stays blank, if it has no word of its own."""
    word = '{ column = "organism", words = { "" = "no growth", "E. coli" = "growth" } }'
    assert cultures(tmp_path, word) == ["no growth", "no growth", "", "", "growth"]
    word = word.replace('"" =', '"NA" = "cancelled", "" =')
    assert cultures(tmp_path, word) == ["no growth", "no growth", "cancelled", "", "growth"]
    word = '{ column = "organism", words = { "E. coli" = "growth" } }'
    assert cultures(tmp_path, word) == ["", "", "", "", "growth"]
    limited = '{ column = "organism", words = { "" = "no growth", "E. coli" = "growth" }, where = { day = "2020-02-02" } }'
    assert cultures(tmp_path, limited) == ["", "no growth", "", "", ""]
    always = '{ always = "no growth" }'
    assert cultures(tmp_path, always, block='where = { organism = "" }') == ["no growth"] * 2
    assert cultures(tmp_path, '{ always = "growth", only_with = "organism" }') == [
        "", "", "growth", "", "growth",
    ]  # fmt: skip


def test_a_column_of_its_own_has_a_word_for_an_empty_cell_too(tmp_path: Path) -> None:
    (tmp_path / "n.csv").write_text(
        "who,day,spleen\nA,2020-02-01,\nB,2020-02-01,Y\n", encoding="utf-8"
    )
    chunk = records(
        tmp_path,
        '[tables.n]\nfile = "n.csv"\nperson_id = "who"\n[persons]\n[[findings]]\ntime = "day"\n'
        '[findings.columns]\nspleen = { finding = "splenomegaly", words = { "" = "no", Y = "yes" } }\n',
    )
    assert chunk.findings["present"].tolist() == ["no", "yes"]


@needs_cases
@pytest.mark.parametrize(
    ("mapping", "results", "statuses"),
    [
        ("m", ["no growth", "growth", "no growth"], []),
        ("m2", ["no growth", "no growth"], []),
        ("m3", ["", "growth", ""], []),
        ("c", [], ["excluded", "excluded"]),
    ],
)
def test_the_cases_of_empty_cells(mapping: str, results: list[str], statuses: list[str]) -> None:
    folder = CASES / "mapping-blank"
    (chunk,) = open_records(str(folder), mapping=str(folder / f"{mapping}.toml")).chunks()
    assert chunk.cultures["result"].tolist() == results
    assert chunk.conditions["status"].tolist() == statuses


def test_rows_that_say_two_things_of_one_person_are_refused(tmp_path: Path) -> None:
    base = {"sex": "1", "came": clock(0), "went": clock(9), "died": "0", "when": clock(1),
            "Ferritin (S)": "", "CRP": "", "Plt": ""}  # fmt: skip
    write_table(tmp_path / "all.csv.gz", [
        {"who": "1", "age": "50", **base}, {"who": "", "age": "51", **base},
    ])  # fmt: skip
    with pytest.raises(RecordsError) as caught:
        records(tmp_path, WIDE)
    assert caught.value.line().startswith(
        "all.csv.gz, row 3, column age: person '1' has age '51' here and '50' in row 2"
    )


@pytest.mark.parametrize("name", shipped())
def test_every_statement_of_a_shipped_mapping_that_is_inferred_says_from_what(name: str) -> None:
    """Whatever is not verified names its source; a unit that nobody stated is never verified."""
    cells = [cell for part in load(name).parts for cell in part.cells.values()]
    assert [cell.at for cell in cells if not cell.verified and not cell.source] == []
    measured = [part.cells["value"] for part in load(name).parts if part.sheet == "labs"]
    assert measured
    assert [cell.at for cell in measured if cell.verified and not cell.source] == []
