"""A mapping that looks up a table with only some of the rows, and says which version a code is of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from becalm import vocabulary
from becalm.core.errors import BecalmError
from becalm.records import Records, open_records
from becalm.vocabulary import icd, labels
from tests.records.chart_review import read_sheets, write

V = vocabulary.load()
TABLES = {
    "person": "person_id,sex\n1,F\n2,M\n",
    "death": "person_id,when\n2,2020-03-09T10:00\n",
    "condition": "person_id,code,concept\n1,V08,10\n1,V08,20\n2,V08,30\n2,7140,10\n2,M069,20\n",
    "concept": "concept_id,vocabulary_id\n10,ICD9CM\n20,ICD10CM\n",
    "drug": "person_id,start,source,concept\n1,2020-03-04T10:00,Kineret,5\n2,2020-03-04T10:00,DEX,6\n",
    "name": "concept,said\n6,dexamethasone\n",
}
HEAD = "".join(
    f'[tables.{name}]\nfile = "{name}.csv"\nperson_id = "person_id"\n' for name in TABLES
)
PERSONS = '[persons]\ntable = "person"\nsex = "sex"\n'
DIED = 'death_time = { table = "death", column = "when", key = "person_id", otherwise = "" }\n'
CONDITIONS = """[[conditions]]
table = "condition"
code = "code"
system = { table = "concept", column = "vocabulary_id", key = "concept_id", by = "concept", otherwise = "" }
"""
DOSES = """[[doses]]
table = "drug"
start = "start"
drug = { table = "name", column = "said", key = "concept", otherwise = "source" }
amount = { always = "1" }
amount_unit = { always = "mg" }
"""


def opened(folder: Path, mapping: str) -> Records:
    for name, text in TABLES.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    (folder / "m.toml").write_text(HEAD + mapping, encoding="utf-8")
    (chunk,) = open_records(str(folder), mapping=str(folder / "m.toml")).chunks()
    return chunk


def test_a_table_with_some_rows_is_looked_up(tmp_path: Path) -> None:
    """Only who died has a row of the deaths; without `otherwise` the others are a mistake."""
    persons = opened(tmp_path, PERSONS + DIED).persons
    assert (persons["death_time"] > 0).tolist() == [False, True]
    with pytest.raises(BecalmError, match="has no row with person_id '1'"):
        opened(tmp_path, PERSONS + DIED.replace(', otherwise = ""', ""))


def test_another_column_stands_in_for_a_key_without_a_row(tmp_path: Path) -> None:
    """The name of the concept where there is one, else what the hospital wrote; or a constant."""
    assert sorted(opened(tmp_path, PERSONS + DOSES).administrations["label"].tolist()) == [
        "Kineret", "dexamethasone",
    ]  # fmt: skip
    always = DOSES.replace('otherwise = "source"', 'otherwise = { always = "study drug" }')
    assert sorted(opened(tmp_path, PERSONS + always).administrations["label"].tolist()) == [
        "dexamethasone", "study drug",
    ]  # fmt: skip
    words = DOSES.replace('"source"', '{ column = "source", words = { Kineret = "anakinra" } }')
    assert "anakinra" in opened(tmp_path, PERSONS + words).administrations["label"].tolist()


def test_otherwise_needs_a_table(tmp_path: Path) -> None:
    """A column that the tables do not have, and a cell that is not looked up, are mistakes of the mapping."""
    with pytest.raises(BecalmError, match="has no column 'sourc'"):
        opened(tmp_path, PERSONS + DOSES.replace('"source"', '"sourc"'))
    with pytest.raises(BecalmError, match="'table' is missing"):
        opened(tmp_path, PERSONS.replace('"sex"', '{ column = "sex", otherwise = "" }'))


def test_the_version_of_a_code_is_that_of_its_concept(tmp_path: Path) -> None:
    """V08 is HIV by a concept of ICD-9-CM, an accident by one of ICD-10-CM, and undecided without either."""
    chunk = opened(tmp_path, PERSONS + CONDITIONS)
    table = chunk.conditions
    said = [
        V.diagnosis(*row)
        for row in zip(*(table[name].tolist() for name in ("system", "code", "name")), strict=True)
    ]
    codes = zip(table["code"].tolist(), table["system"].tolist(), strict=True)
    fates = {key: each.fate for key, each in zip(codes, said, strict=True)}
    assert fates == {
        ("V08", "ICD9CM"): "understood", ("V08", "ICD10CM"): "not needed", ("V08", ""): "not understood",
        ("7140", "ICD9CM"): "understood", ("M069", "ICD10CM"): "understood",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("code", "fate", "reason"),
    [
        (
            "V58.61",
            "not needed",
            "",
        ),  # anticoagulants, or an occupant of a car: neither is asked for
        ("V5861", "not needed", ""),
        ("E849.7", "not needed", ""),
        ("E8497", "not needed", ""),
        ("E030", "not needed", ""),
        ("V08", "not understood", labels.WHICH_VERSION),
        ("V42.0", "not understood", labels.WHICH_VERSION),  # a kidney transplant, or a bus
        ("V420", "not understood", labels.WHICH_VERSION),
        ("E88.3", "understood", ""),  # the dot stands where ICD-10 has it
        ("E883", "not understood", labels.WHICH_VERSION),  # the same, or a fall into a hole
        ("D76.1", "understood", ""),
        ("714.0", "understood", ""),
        ("7140", "understood", ""),
        ("E11.9", "not needed", ""),
    ],
)
def test_a_code_without_a_system_is_read_in_each_version_that_has_it(
    tmp_path: Path, code: str, fate: str, reason: str
) -> None:
    """Where both versions mean the same, or nothing that is asked for, the version does not matter."""
    table = read_sheets(write(tmp_path, conditions=f"person_id,code\nP1,{code}\n")).conditions
    said = V.diagnosis(*(str(table[name][0]) for name in ("system", "code", "name")))
    assert (said.fate, said.reason) == (fate, reason)


@given(st.from_regex(r"[VE]\d{2,4}", fullmatch=True), st.booleans())
def test_a_version_that_is_stated_always_decides(code: str, dotted: bool) -> None:
    """Without a system a code is understood only as both versions say it."""
    old, new, none = (V.diagnosis(system, code, "") for system in ("ICD9CM", "ICD10", ""))
    if icd.in_both_versions(code):
        assert none == old if old == new else none.fate == "not understood"
    assert {old.reason, new.reason} <= {"", labels.NO_SUCH_CODE}


@pytest.mark.parametrize(
    ("written", "system"),
    [("ICD-10-GM", "ICD10GM"), ("ICD10", "ICD10"), ("icd-9", "ICD9CM"), ("ICD 10 CM", "ICD10CM"), ("SNOMED CT", "SNOMED"), ("", "ICD10CM")],
)  # fmt: skip
def test_the_usual_names_of_a_system_are_read(tmp_path: Path, written: str, system: Any) -> None:
    text = f"person_id,system,code\nP1,{written},D76.1\n"
    assert read_sheets(write(tmp_path, conditions=text)).conditions["system"].tolist() == [system]
