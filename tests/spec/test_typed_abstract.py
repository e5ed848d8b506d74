"""A published abstract typed as a new user would: facts with days, words without numbers, doses without amounts."""

from __future__ import annotations

from typing import Final

import pytest

from becalm import protocol
from becalm.records import open_records
from becalm.study.result import StudyResult
from becalm.study.run import run

# Society of Hospital Medicine, "When It's More Than Just Body Aches". Only days are printed: day 1 is 2000-01-01.
SHEETS: Final = {
    "persons": "person_id,sex,age\nSHM,female,24\n",
    "stays": "person_id,start,end,kind,to\nSHM,2000-01-01,2000-01-25,hospital,rehab\n",
    "labs": "person_id,time,name,value,unit\n"
    "SHM,2000-01-01,WBC,22.5,k/uL\nSHM,2000-01-01,ESR,96,mm/h\nSHM,2000-01-01,CRP,24.9,mg/dL\n"
    "SHM,2000-01-03,ferritin,9777,ug/L\nSHM,2000-01-04,ferritin,96964,ug/L\nSHM,2000-01-04,temperature,>38.5,C\n",
    "doses": "person_id,drug,start,end,amount,amount_unit\n"
    "SHM,antibiotics,2000-01-03,,,\nSHM,prednisone,2000-01-13,,,\nSHM,Anakinra,2000-01-13,,,\n"
    "SHM,midodrine,2000-01-10,2000-01-15,,\n",
    "findings": "person_id,time,finding,present\n"
    "SHM,2000-01-09,rash,yes\nSHM,2000-01-12,pancytopenia,yes\nSHM,2000-01-12,hypofibrinogenemia,yes\n"
    "SHM,2000-01-12,elevated CD25,yes\n",
    "conditions": "person_id,onset,name\nSHM,2000-01-09,adult onset Still's disease\nSHM,2000-01-12,MAS\n",
}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    folder = tmp_path_factory.mktemp("abstract")
    for name, text in SHEETS.items():
        (folder / f"{name}.csv").write_text(text)
    return run(open_records(str(folder)), protocol.load("hyperinflammation"), "abstract")


def test_the_abstract_has_the_totals_of_its_numbers(result: StudyResult) -> None:
    """Ferritin 50 and fever 33 are certain; leucocytes of 22.5 leave at most two low lines, so 10 points fewer are open."""
    found = {
        row["criterion"]: (row["low"], row["high"])
        for row in result.frames["criteria"].rows()
        if row["moment"] == "whole_stay"
    }
    assert found == {"hscore": (83, 327), "hlh2004": (2, 8)}


def test_words_without_numbers_are_listed_and_nothing_else_is(result: StudyResult) -> None:
    """Three findings have no number and are named; every drug, stay and diagnosis is understood."""
    unknown = {(row["what"], row["written"]) for row in result.frames["not_understood"].rows()}
    assert unknown == {
        ("finding", "pancytopenia"), ("finding", "hypofibrinogenemia"), ("finding", "elevated CD25"),
    }  # fmt: skip


def test_a_treatment_without_an_amount_is_kept(result: StudyResult) -> None:
    """Prednisone and anakinra of day 13 are rows of the doses, with an unknown amount; the storm is possible, and the clinician's diagnosis stands beside it."""
    doses = {row["drug"]: row["amount"] for row in result.frames["doses"].rows()}
    assert {"prednisone", "anakinra"} <= set(doses)
    assert doses["anakinra"] != doses["anakinra"]  # not a number
    [row] = result.frames["persons"].rows()
    assert (row["storm"], row["clinician"], row["underlying"]) == ("possible", True, "aosd")
