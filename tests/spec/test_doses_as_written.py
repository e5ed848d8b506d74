"""Doses in the words of a ward: per dose, divided, daily, times three, over two days."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import becalm
from becalm.doses import rebuild, written_out
from becalm.events import harmonise
from becalm.records.sheets import open_sheets
from becalm.records.sheets.blanks import unknown_words
from tests.records import V, hours
from tests.records.chart_review import write
from tests.spec.dosing import column, doses_of, mg
from tests.spec.test_not_understood import CASES

DOSES = [
    # amount and unit, start and end in hours: mg of each dose, hours of the doses (70 kg)
    ("2 mg/kg/dose", None, 140, [0]),
    ("2 mg/kg per dose", None, 140, [0]),
    ("100 mg/dose", None, 100, [0]),
    ("2 mg/kg/dose q6h", 24, 140, [0, 6, 12, 18]),
    ("8 mg/kg/day divided q6h", 24, 140, [0, 6, 12, 18]),
    ("8 mg/kg/day divided in 2 doses", 24, 280, [0, 12]),
    ("8 mg/kg/day in 2 divided doses", 24, 280, [0, 12]),
    ("100 mg daily", 72, 100, [0, 24, 48]),
    ("100 mg once daily", 72, 100, [0, 24, 48]),
    ("100 mg OD", 72, 100, [0, 24, 48]),
    ("100 mg BID", 24, 100, [0, 12]),
    ("100 mg b.i.d.", 24, 100, [0, 12]),
    ("100 mg twice daily", 24, 100, [0, 12]),
    ("100 mg TID", 24, 100, [0, 8, 16]),
    ("100 mg QID", 24, 100, [0, 6, 12, 18]),
    ("100 mg q6h", 24, 100, [0, 6, 12, 18]),
    ("100 mg q8h", 24, 100, [0, 8, 16]),
    ("100 mg every 8 hours", 24, 100, [0, 8, 16]),
    ("100 mg 8-hourly", 24, 100, [0, 8, 16]),
    ("100 mg every other day", 96, 100, [0, 48]),
    ("100 mg weekly", 336, 100, [0, 168]),
    ("1 g x3", None, 1000, [0, 24, 48]),
    ("1 g × 3", None, 1000, [0, 24, 48]),
    ("1 g x 3 doses", None, 1000, [0, 24, 48]),
    ("1 g x 3 days", None, None, [0]),
    ("1 g daily x 3 days", None, 1000, [0, 24, 48]),
    ("1 g/day for 3 days", None, 1000, [0, 24, 48]),
    ("1 g x3", 24, 1000, [0]),
    ("100 mg q12h x 4", None, 100, [0, 12, 24, 36]),
    ("100 mg bid for 2 days", None, 100, [0, 12, 24, 36]),
    ("2 g/kg over 2 days", None, 70000, [0, 24]),
    ("2 g/kg over 5 days", None, 28000, [0, 24, 48, 72, 96]),
]


@pytest.mark.parametrize(("written", "end", "each", "due"), DOSES)
def test_doses_are_read_as_a_ward_writes_them(
    written: str, end: float | None, each: float | None, due: list[float]
) -> None:
    """Each notation is the doses that it means, each with the remark that it is one of a schedule; "x3" is three days in a row, "over 2 days" half on each, and what is not clear has no amount."""
    row: dict[str, object] = {"route": "SC", "start": 0, "amount": written, "weight": 70}
    doses = doses_of([{**row, **({"end": end} if end else {})}])
    assert [hours(start) for start in column(doses, "start")] == due
    assert column(doses, "amount_mg") == [each] * len(due)
    if len(due) > 1:
        assert all("one dose of a schedule" in flag for flag in column(doses, "flag"))


def test_an_amount_over_some_hours_ends_after_them() -> None:
    """1000 mg over 4 h are 250 mg/h for four hours, and over 2 h once a day on three days three such infusions."""
    doses = doses_of([{"start": 0, "amount": "1000 mg over 4 h"}])
    assert (column(doses, "end"), column(doses, "rate_mg_h")) == (
        [column(doses, "start")[0] + 4 * 3600 * 10**6],
        [250],
    )
    doses = doses_of([{"start": 0, "amount": "100 mg daily over 2 h x3"}])
    assert [hours(end) for end in column(doses, "end")] == [2, 26, 50]
    doses = doses_of([{"start": 0, "end": 8, "amount": "1000 mg over 4 h"}])
    assert [hours(end) for end in column(doses, "end")] == [8]


@pytest.mark.parametrize(
    "written",
    [
        "60 mg daily",
        "60 mg od",
        "100 mg q6h",
        "100 mg BID",
        "2 g/kg for 2 days",
        "10 mg/kg divided",
        "1e6 cells x10^6",
    ],
)
def test_how_often_without_until_when_is_an_unknown_amount(written: str) -> None:
    """A dose per interval that nobody ended was given from its start on, in an amount that is not known; it is refused with the reason, and no total is made up."""
    number, _, unit = written.partition(" ")
    doses = doses_of(
        [
            {
                "drug": "prednisone",
                "route": "oral",
                "start": 0,
                "amount": f"{float(number)} {unit}",
                "weight": 70,
            }
        ]
    )
    assert column(doses, "amount_mg") == [None]
    assert len(doses.refused) == 1
    assert doses.exposure("prednisone").person.tolist() == [0]


@pytest.mark.parametrize(
    ("label", "amount", "times"),
    [
        ("methylpred 1 g x3", "1 g", 3),
        ("Methylprednisolone 1g x 3", "1 g", 3),
        ("methylpred 1 g x3", "500 mg", 1),
        ("methylpred 500 mg x5", "500 mg", 5),
        ("methylpred 1 g", "1 g", 1),
        ("methylpred x3", "1 g", 1),
    ],
)
def test_a_name_may_say_how_many_doses(label: str, amount: str, times: int) -> None:
    """A count behind the drug's name, as in "1 g x3", counts the doses if the amount is the one of the row."""
    doses = doses_of([{"drug": label, "start": 0, "amount": amount}])
    assert [hours(start) for start in column(doses, "start")] == [24 * n for n in range(times)]


@pytest.mark.parametrize("container", ["vial", "vials", "ampoule", "bag", "bottle"])
def test_a_container_whose_content_nobody_wrote_is_remarked(container: str) -> None:
    """Two vials of tocilizumab are a dose of an unknown amount, and the row says why; with the content in the unit they are milligrams."""
    doses = doses_of([{"drug": "tocilizumab", "start": 0, "amount": f"2 {container}"}])
    assert column(doses, "amount_mg") == [None]
    assert column(doses, "flag") == [
        f"amount in {container.removesuffix('s')}: its content is not written"
    ]
    doses = doses_of([{"drug": "tocilizumab", "start": 0, "amount": f"2 {container} (400 mg)"}])
    assert (column(doses, "amount_mg"), column(doses, "flag")) == ([800], [""])


def test_a_dose_at_an_unknown_time_enters_no_clock_and_is_never_silent(tmp_path: Path) -> None:
    """A chart that says only that tocilizumab was given has no time: it moves no clock and no total, is counted and listed, may confound every response, and the patient is never said to have had none."""
    for status in ("given", "", "yes"):
        sheets = {
            "persons": "person_id,sex,age\nP1,F,44\n",
            "stays": "person_id,start,end\nP1,2019-12-30,2020-01-20\n",
            "conditions": "person_id,onset,name\nP1,2019-12-31,MAS\n",
            "labs": "person_id,time,name,value,unit\nP1,2019-12-31T20:00,ferritin,20000,ng/mL\n",
            "doses": "person_id,drug,route,start,end,amount,amount_unit,rate,rate_unit,status\n"
            "P1,anakinra,IV,2020-01-01T00:00,2020-01-01T20:00,,,100,mg/h,\n"
            f"P1,tocilizumab,IV,,,,,,,{status}\nP1,emapalumab,IV,,,,,,,no\n",
        }
        result = becalm.run(
            becalm.open_records(str(write(tmp_path, **sheets))), "anakinra_mas"
        ).result
        [mine] = result.frames["persons"].rows()
        assert (mine["time_unknown"], mine["time_unknown_rows"]) == ("tocilizumab", "doses:3")
        assert hours(mine["t0"]) == 0
        for row in result.frames["response"].rows():
            assert row["confounded_by"] == "given, time unknown: tocilizumab"
        refused = result.frames["rows_refused"].rows()
        assert [row["reason"] for row in refused if row["variable"] == "tocilizumab"] == [
            "no start: it was given, nobody knows when: give a start"
        ]
        assert "tocilizumab" not in set(result.frames["daily_dose"]["drug"])


@pytest.mark.parametrize(
    "word", [word for each in unknown_words() for word in (*each.words, each.words[0].upper())]
)
def test_a_dose_whose_amount_is_said_to_be_unknown_was_given(word: str, tmp_path: Path) -> None:
    """The word stops no run, in the column of the amount or of the rate: the drug was given, in an amount that nobody knows."""
    for cells in (f"{word},,,", f"{word},mg,,", f",,{word},mg/h"):
        doses = (
            "person_id,drug,route,start,amount,amount_unit,rate,rate_unit\n"
            f"P1,tocilizumab,IV,2020-01-01T08:00,{cells}\n"
        )
        [rows] = open_sheets(write(tmp_path, persons="person_id\nP1\n", doses=doses)).chunks()
        found = rebuild(rows, harmonise(rows, V), V)
        assert found.exposure("tocilizumab").person.tolist() == [0], cells
        assert np.isnan(found.frame["amount_mg"]).all()
        assert [refusal.rows for refusal in found.refused] == [1]


@pytest.mark.skipif(not CASES.exists(), reason="shared/cases is not here")
def test_the_drugs_of_the_case_are_read_as_they_were_written() -> None:
    """Of the doses of the case that a hurried person typed, those that say enough have their milligrams, and the others an unknown amount."""
    [rows] = open_sheets(CASES / "words-drugs").chunks()
    rows = written_out(rows)
    doses = rebuild(rows, harmonise(rows, V), V).frame
    found: dict[str, list[float | None]] = {}
    for row in doses.rows():
        if row["drug"] != "anakinra" or row["rate_mg_h"] != 100:
            found.setdefault(row["person_id"], []).append(
                None if math.isnan(row["amount_mg"]) else row["amount_mg"]
            )
    assert {name: found[name] for name in EXPECTED} == EXPECTED


EXPECTED = {
    "dex": [20], "methylpred": [1000], "MP_pulse_text": [1000, 1000, 1000], "dexa_m2": [None],
    "toci_kg_noweight": [None], "toci_blank": [None], "VP16_m2": [None], "ivig_gkg2d": [None, None],
    "pred_dailytext": [None], "CsA_blank": [None], "ana_blank_IV": [None], "ana_badunit_q6h": [150] * 16,
    "ana_dose_kg_q6h": [120] * 16,
}  # fmt: skip


NOTATIONS = [
    ("{each} mg q24h", 1.0), ("{each} mg daily", 1.0), ("{each} mg/dose daily", 1.0), ("{each} mg od", 1.0),
    ("{kg} mg/kg daily", 1.0), ("{kg} mg/kg/dose q24h", 1.0), ("{each} mg daily x {days}", 1.0),
    ("{each} mg/day for {days} days", 1.0), ("{each} mg x{days}", 1.0), ("{total} mg over {days} days", 1.0),
]  # fmt: skip


@given(st.sampled_from(NOTATIONS), st.integers(2, 12), st.sampled_from([20.0, 60.0, 100.0, 140.0]))
def test_one_treatment_is_one_in_every_notation(
    notation: tuple[str, float], days: int, each: float
) -> None:
    """One dose a day for some days is the same doses, however it is written."""
    written = notation[0].format(each=each, kg=each / 70, days=days, total=each * days)
    ends = {} if "{days}" in notation[0] else {"end": 24 * days}
    doses = doses_of([{"route": "SC", "start": 0, "amount": written, "weight": 70, **ends}])
    assert [hours(start) for start in column(doses, "start")] == [24 * n for n in range(days)]
    assert mg(doses) == pytest.approx(each * days)
    assert np.allclose(doses.frame["amount_mg"], each)
