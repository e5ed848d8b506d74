"""The bedside record of MIMIC-IV: who got what by emar and emar_detail, and what was only ordered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pytest

from becalm.core.clock import HOUR, UNKNOWN_TIME, parse
from becalm.doses import Doses, rebuild
from becalm.events import harmonise
from becalm.records import Records
from becalm.records.mimic4 import open_mimic4
from becalm.records.mimic4.source import Mimic4
from becalm.vocabulary import load
from tests.records.mimic_files import FileRow, mimic_folder

DEMO: Final = Path(__file__).parents[3] / "shared" / "data" / "mimic-iv-demo"
needs_demo = pytest.mark.skipif(not DEMO.is_dir(), reason="shared/data/mimic-iv-demo is absent")


def at(time: str) -> int:
    """A time of 1 January 2160."""
    return parse(f"2160-01-01 {time}:00")[0]


class Chart:
    """Bedside events of one patient, written row by row into emar and emar_detail."""

    def __init__(self) -> None:
        self.events: list[FileRow] = []
        self.details: list[FileRow] = []
        self._number = count(1)

    def event(
        self,
        time: str,
        word: str,
        *given: str,
        drug: str = "Anakinra",
        kind: str = "Standard Maintenance Medication",
        order: str = "10-1",
        rate: str = "",
        **cells: object,
    ) -> Chart:
        """Add an event; `given` are its children ("100 mg"), `rate` its parent's ("25 mg/hr")."""
        number = next(self._number)
        name = f"10-{number}"
        self.events.append(
            {
                "subject_id": 10, "hadm_id": 100, "emar_id": name, "emar_seq": number,
                "poe_id": order, "charttime": f"2160-01-01 {time}:00", "medication": drug,
                "event_txt": word, "pharmacy_id": cells.pop("pharmacy_id", ""),
            }
        )  # fmt: skip
        number_, _, unit = rate.partition(" ")
        self.details.append(
            {
                "emar_id": name, "administration_type": kind, "infusion_rate": number_,
                "infusion_rate_unit": unit, **cells,
            }
        )  # fmt: skip
        for i, dose in enumerate(given, 1):
            amount, _, unit = dose.partition(" ")
            self.details.append(
                {
                    "emar_id": name, "parent_field_ordinal": f"1.{i}", "dose_given": amount,
                    "dose_given_unit": unit,
                }
            )  # fmt: skip
        return self

    def tables(self, **more: Sequence[FileRow]) -> dict[str, Sequence[FileRow]]:
        return {"hosp/emar": self.events, "hosp/emar_detail": self.details, **more}


def read(folder: Path, tables: Mapping[str, Sequence[FileRow]]) -> tuple[Mimic4, Records]:
    source = open_mimic4(mimic_folder(folder, tables), items=[])
    (records,) = source.chunks()
    return source, records


def rows(folder: Path, chart: Chart) -> list[dict[str, Any]]:
    _, records = read(folder, chart.tables())
    return list(records.administrations.rows())


def doses(records: Records) -> Doses:
    return rebuild(records, harmonise(records, load()), load())


def total(found: Doses, drug: str = "anakinra") -> float:
    everyone = np.arange(len(found.person_id))
    return float(found.amounts(drug).at(everyone, np.full(len(everyone), at("23:59"))).sum())


def test_the_children_are_what_was_given_and_the_parent_is_not_added(tmp_path: Path) -> None:
    chart = Chart().event(
        "10:00", "Administered", "48 mg", "145 mg", dose_due=193, dose_due_unit="mg", route="PO"
    )
    [row] = rows(tmp_path, chart)
    assert (row["amount"], row["amount_unit"], row["status"]) == (193, "mg", "given")
    assert (row["start"], row["end"]) == (at("10:00"), UNKNOWN_TIME)
    assert (row["route"], row["label"], row["stay_id"]) == ("PO", "Anakinra", "100")
    assert (row["table"], row["key"]) == ("emar", 1)


@pytest.mark.parametrize(
    "word",
    [
        "Not Given", "Not Given per Sliding Scale", "Hold Dose", "Not Applied", "Not Flushed",
        "Delayed Not Started", "Delayed ", " in Other Location", "Assessed", "Removed", "Stopped",
        "Not Confirmed",
    ],
)  # fmt: skip
def test_what_was_not_given_is_listed_and_never_counted(tmp_path: Path, word: str) -> None:
    """Even where its children carry the dose that was due."""
    source, records = read(tmp_path, Chart().event("10:00", word, "100 mg").tables())
    assert records.administrations["status"].tolist() == ["not given"]
    assert total(doses(records)) == 0
    assert not doses(records).refused
    assert not source.refused()


@pytest.mark.parametrize(
    "word",
    [
        "Administered", "Delayed Administered", "Administered in Other Location", "Applied",
        "Administered Bolus from IV Drip", "Partial Administered", "",
    ],
)  # fmt: skip
def test_what_was_given_counts(tmp_path: Path, word: str) -> None:
    """An event without a word counts where a dose is stated."""
    _, records = read(tmp_path, Chart().event("10:00", word, "100 mg").tables())
    assert total(doses(records)) == 100


def test_an_event_without_a_word_and_without_a_dose_gave_nothing(tmp_path: Path) -> None:
    assert [row["status"] for row in rows(tmp_path, Chart().event("10:00", ""))] == ["not given"]


def test_a_partial_dose_is_the_part_that_was_given(tmp_path: Path) -> None:
    chart = Chart().event(
        "10:00", "Partial Administered", "50 mg", "50 mg", dose_due=400, dose_due_unit="mg"
    )
    _, records = read(tmp_path, chart.tables())
    assert total(doses(records)) == 100


@pytest.mark.parametrize("dose", ["___ mg", "1-2 mg"])
def test_a_dose_that_is_no_number_was_given_in_an_amount_not_known(
    tmp_path: Path, dose: str
) -> None:
    """With a child that is a number, the sum is not known either."""
    _, records = read(tmp_path, Chart().event("10:00", "Administered", "100 mg", dose).tables())
    found = doses(records)
    assert total(found) == 0
    assert len(found.unknown("anakinra")) == 1
    assert [(r.variable, r.reason, r.rows) for r in found.refused] == [
        ("anakinra", "neither amount nor rate is a number", 1)
    ]


def test_children_in_two_units_have_no_sum(tmp_path: Path) -> None:
    _, records = read(tmp_path, Chart().event("10:00", "Administered", "100 mg", "1 mL").tables())
    assert np.isnan(records.administrations["amount"]).all()


def test_the_events_of_an_infusion_are_its_rates(tmp_path: Path) -> None:
    """Start, confirmation, rate change, pause, restart and stop; what is not confirmed runs on."""
    drip = {"kind": "IV Infusion"}
    chart = (
        Chart()
        .event("10:00", "Started", " mg", rate="25 mg/hr", **drip)
        .event("12:00", "Confirmed", rate="25 mg/hr", **drip)
        .event("13:00", "Not Confirmed", **drip)
        .event("13:00", "Administered", "100 mg", kind="Heparin IV Bolus")
        .event("14:00", "Rate Change", rate="50 mg/hr", **drip)
        .event("15:00", "Stopped As Directed", **drip)
        .event("16:30", "Restarted", rate="100 mg/hr", **drip)
        .event("17:00", "Delayed Confirmed in Other Location", rate="100 mg/hr", **drip)
        .event("18:00", "Stopped - Unscheduled", **drip)
    )
    _, records = read(tmp_path, chart.tables())
    found = doses(records)
    assert not found.refused
    line = found.rate("anakinra")
    hours = [10, 11.9, 12, 13.5, 14, 15, 16, 16.5, 17.9, 18]
    known = [
        float(line.at(0, at("00:00") + int(h * HOUR))[0])
        if line.known_at(0, at("00:00") + int(h * HOUR))
        else None
        for h in hours
    ]
    assert known == [25, 25, 25, 25, 50, None, None, 100, 100, None]
    assert total(found) == 100 + 25 * 4 + 50 + 100 * 1.5


def test_a_bag_between_started_and_stopped_is_one_amount(tmp_path: Path) -> None:
    """Both events carry the bag's dose."""
    chart = (
        Chart()
        .event("10:00", "Started", "100 mg", kind="Medication Infusion")
        .event("12:00", "Stopped", "100 mg", kind="Medication Infusion")
    )
    _, records = read(tmp_path, chart.tables())
    found = doses(records)
    assert total(found) == 100
    assert found.rate("anakinra").at(0, at("11:00"))[0] == 50


def test_two_events_of_one_minute_are_the_later_one(tmp_path: Path) -> None:
    chart = (
        Chart()
        .event("10:00", "Started", kind="IV Infusion", rate="25 mg/hr")
        .event("10:00", "Confirmed", kind="IV Infusion", rate="50 mg/hr")
        .event("11:00", "Stopped", kind="IV Infusion")
    )
    found = rows(tmp_path, chart)
    assert [row["status"] for row in found] == ["not given", "given", "not given"]
    assert (found[1]["rate"], found[1]["end"]) == (50, at("11:00"))


def test_an_infusion_ends_with_its_next_order_or_with_its_own(tmp_path: Path) -> None:
    """And a shift of 12 h after its last event at the latest."""
    chart = (
        Chart()
        .event("10:00", "Started", kind="IV Infusion", rate="25 mg/hr", order="10-1")
        .event("12:00", "Confirmed", kind="IV Infusion", rate="50 mg/hr", order="10-2")
        .event("13:00", "Confirmed", kind="IV Infusion", rate="50 mg/hr", order="10-2", pharmacy_id=7)
        .event("13:30", "Started", kind="IV Infusion", rate="1 mL/hr", drug="Midazolam", order="10-3")
        .event("08:00", "Confirmed", kind="IV Infusion", rate="1 mL/hr", drug="Heparin", order="10-4",
               pharmacy_id=8)
    )  # fmt: skip
    ordered: Sequence[FileRow] = [
        {"pharmacy_id": 7, "stoptime": "2160-01-01 16:00:00", "route": "IV DRIP"},
        {"pharmacy_id": 8, "stoptime": "2160-01-09 16:00:00", "route": "IV DRIP"},
    ]
    _, records = read(tmp_path, chart.tables(**{"hosp/pharmacy": ordered}))
    assert records.administrations["end"].tolist() == [
        at("20:00"), at("12:00"), at("13:00"), at("16:00"), UNKNOWN_TIME,
    ]  # fmt: skip


def test_an_infusion_whose_rate_is_in_the_flowsheet_has_none_here(tmp_path: Path) -> None:
    chart = (
        Chart()
        .event("10:00", "Started", kind="IV Infusion", dose_due=5, dose_due_unit="mg/hr",
               infusion_rate_adjustment="See Flowsheet for Titration")
        .event("12:00", "Stopped", kind="IV Infusion")
    )  # fmt: skip
    _, records = read(tmp_path, chart.tables())
    first = next(records.administrations.rows())
    assert np.isnan(first["rate"])
    assert first["reason_for_change"] == "See Flowsheet for Titration"
    assert len(doses(records).unknown("anakinra")) == 1


def test_a_rate_takes_the_unit_of_the_same_number_in_the_order(tmp_path: Path) -> None:
    chart = Chart().event(
        "10:00", "Started", kind="IV Infusion", rate="25", dose_due=25, dose_due_unit="mg/hr"
    )
    [row] = rows(tmp_path, chart)
    assert (row["rate"], row["rate_unit"]) == (25, "mg/hr")


@pytest.mark.parametrize(
    ("kind", "own", "order", "route"),
    [
        ("Standard Maintenance Medication", "PO", "PO/NG", "PO"),
        ("Standard Maintenance Medication", "", "BOTH EYES", "BOTH EYES"),
        ("Insulin SC Sliding Scale", "", "IV", "SC"),
        ("Heparin IV Bolus", "", "", "IV"),
        ("Standard Maintenance Medication", "", "", ""),
    ],
)
def test_a_route_is_the_events_own_else_what_its_kind_says_else_the_orders(
    tmp_path: Path, kind: str, own: str, order: str, route: str
) -> None:
    chart = Chart().event("10:00", "Administered", "1 mg", kind=kind, route=own, pharmacy_id=7)
    ordered: Sequence[FileRow] = [{"pharmacy_id": 7, "route": order}]
    _, records = read(tmp_path, chart.tables(**{"hosp/pharmacy": ordered}))
    assert records.administrations["route"].tolist() == [route]


def test_rows_that_cannot_be_placed_are_refused(tmp_path: Path) -> None:
    chart = Chart().event("10:00", "Administered", "100 mg").event("11:00", "Administered", "-5 mg")
    events = [*chart.events, {**chart.events[0], "emar_id": "10-9", "charttime": "soon"}]
    events.append({**chart.events[0], "emar_id": "99-1", "subject_id": 99})
    source, records = read(tmp_path, {**chart.tables(), "hosp/emar": events})
    assert len(records.administrations) == 1
    assert [(r.source_table, r.reason, r.rows, r.example) for r in source.refused()] == [
        ("emar", "no readable start", 1, "emar:3"),
        ("emar", "person not in patients", 1, "emar:4"),
        ("emar", "negative amount or rate", 1, "emar:2 -5"),
    ]


def test_an_order_is_never_a_dose(tmp_path: Path) -> None:
    order = {
        "subject_id": 10, "hadm_id": 100, "drug": "Anakinra", "dose_val_rx": "100",
        "dose_unit_rx": "mg", "route": "SC", "starttime": "2160-01-01 10:00:00",
        "stoptime": "2160-01-02 10:00:00",
    }  # fmt: skip
    orders = [
        order,
        {**order, "dose_val_rx": "25,000"},
        {**order, "dose_val_rx": "1-2"},
        {**order, "stoptime": "2160-01-01 09:00:00"},
    ]
    source, records = read(tmp_path, {"hosp/prescriptions": orders})
    given = records.administrations
    assert given["status"].tolist() == ["ordered", "ordered"]
    assert given["amount"].tolist() == [100, 25_000]
    found = doses(records)
    assert total(found) == 0
    assert not len(found.exposure("anakinra"))
    assert [(r.reason, r.rows, r.example) for r in source.refused()] == [
        ("an order that stops before it starts", 1, "prescriptions:4 100"),
        ("an ordered dose that is not a number", 1, "prescriptions:3 1-2"),
    ]


# ---------------------------------------------------------------- one dose in two tables


def infusion(start: str, end: str, mg: float) -> FileRow:
    return {
        "subject_id": 10, "hadm_id": 100, "itemid": 222168, "starttime": f"2160-01-01 {start}:00",
        "endtime": f"2160-01-01 {end}:00", "amount": mg, "amountuom": "mg",
        "ordercategoryname": "01-Drips", "ordercategorydescription": "Continuous Med",
        "statusdescription": "FinishedRunning",
    }  # fmt: skip


def both(folder: Path, chart: Chart, *infusions: FileRow) -> Doses:
    _, records = read(folder, chart.tables(**{"icu/inputevents": infusions}))
    return doses(records)


def remarks(found: Doses) -> list[str]:
    """What is said of the bedside rows."""
    mine = [row.startswith("emar") for row in found.frame["source_row"]]
    return [str(flag) for flag in found.frame["flag"][mine]]


def test_a_dose_in_both_tables_counts_once(tmp_path: Path) -> None:
    """A dose within 2 h of a row of intensive care is that row; a later one is another dose."""
    chart = (
        Chart()
        .event("10:10", "Administered", "100 mg", drug="Propofol")
        .event("13:50", "Administered", "100 mg", drug="Propofol")
        .event("10:10", "Administered", "100 mg", drug="Vancomycin", order="10-2")
    )
    found = both(tmp_path, chart, infusion("10:00", "11:00", 100))
    assert total(found, "propofol") == 200
    assert total(found, "vancomycin") == 100
    assert remarks(found) == ["also in inputevents: not counted", "", ""]


def test_an_amount_at_the_bedside_goes_before_one_dose_in_intensive_care(tmp_path: Path) -> None:
    """Intensive care counts antibiotics as "1 dose"; the bedside record says how much that is."""
    chart = (
        Chart()
        .event("10:10", "Administered", "100 mg", drug="Propofol")
        .event("18:10", "Administered", "___ mg", drug="Propofol")
    )
    rows = [
        {**infusion(start, end, 1), "amountuom": "dose"}
        for start, end in (("10:00", "11:00"), ("14:00", "15:00"), ("18:00", "19:00"))
    ]
    found = both(tmp_path, chart, *rows)
    assert total(found, "propofol") == 100
    assert found.frame["flag"].tolist()[:2] == ["also in emar: not counted", ""]
    assert remarks(found) == ["", "also in inputevents: not counted"]
    assert found.frame["counted"].sum() == 3


def test_a_tablet_is_not_the_infusion_beside_it(tmp_path: Path) -> None:
    chart = Chart().event("10:10", "Administered", "100 mg", drug="Propofol", route="PO")
    assert total(both(tmp_path, chart, infusion("10:00", "11:00", 100)), "propofol") == 200


def test_an_infusion_counts_outside_what_intensive_care_charted(tmp_path: Path) -> None:
    """From the ward into intensive care: the ward's hours, then the rates charted there."""
    chart = (
        Chart()
        .event("06:00", "Started", drug="Propofol", kind="IV Infusion", rate="10 mg/hr")
        .event("12:00", "Confirmed", drug="Propofol", kind="IV Infusion", rate="10 mg/hr")
        .event("14:00", "Stopped", drug="Propofol", kind="IV Infusion")
    )
    found = both(
        tmp_path, chart, infusion("09:00", "11:00", 100), infusion("12:30", "13:50", 100)
    )  # fmt: skip
    assert total(found, "propofol") == 3 * 10 + 200
    assert remarks(found) == [
        "also in inputevents: counted where that is silent",
        "also in inputevents: not counted",
        "",
    ]


def test_an_infusion_begun_elsewhere_under_another_order_counts_once(tmp_path: Path) -> None:
    """Charted on by the emergency department's order and by the ward's: one infusion at one rate."""
    pump: dict[str, Any] = {"drug": "Propofol", "kind": "IV Infusion"}
    chart = (
        Chart()
        .event("06:00", "Started in Other Location", order="10-1", rate="10 mg/hr", **pump)
        .event("09:00", "Started", order="10-2", rate="10 mg/hr", **pump)
        .event("12:00", "Stopped", order="10-2", **pump)
        .event("13:00", "Stopped", order="10-1", **pump)
    )
    found = both(tmp_path, chart)
    assert total(found, "propofol") == 7 * 10
    assert remarks(found)[:2] == ["", "also in another order: not counted"]
    assert found.rate("propofol").high.max() == 10  # never both at once


def test_one_begun_elsewhere_counts_until_the_wards_order_takes_over(tmp_path: Path) -> None:
    pump: dict[str, Any] = {"drug": "Propofol", "kind": "IV Infusion"}
    chart = (
        Chart()
        .event("06:00", "Started in Other Location", order="10-1", rate="10 mg/hr", **pump)
        .event("09:00", "Started", order="10-2", rate="20 mg/hr", **pump)
        .event("12:00", "Stopped", order="10-1", **pump)
        .event("13:00", "Stopped", order="10-2", **pump)
    )
    found = both(tmp_path, chart)
    assert total(found, "propofol") == 3 * 10 + 4 * 20
    assert remarks(found)[:2] == ["also in another order: counted where that is silent", ""]


def test_two_infusions_that_both_began_here_add_up(tmp_path: Path) -> None:
    """Nothing says that they are one: both count, and the second is remarked upon."""
    pump: dict[str, Any] = {"drug": "Propofol", "kind": "IV Infusion", "rate": "10 mg/hr"}
    chart = (
        Chart()
        .event("06:00", "Started", order="10-1", **pump)
        .event("09:00", "Started", order="10-2", **pump)
        .event("12:00", "Stopped", order="10-2", **pump)
        .event("13:00", "Stopped", order="10-1", **pump)
    )
    found = both(tmp_path, chart)
    assert total(found, "propofol") == 7 * 10 + 3 * 10
    assert "overlaps another infusion of the drug" in remarks(found)


def test_a_rate_in_the_flowsheet_is_not_unknown_where_the_flowsheet_has_it(
    tmp_path: Path,
) -> None:
    chart = (
        Chart()
        .event("08:50", "Started", drug="Propofol", kind="IV Infusion")
        .event("12:00", "Stopped", drug="Propofol", kind="IV Infusion")
        .event("18:00", "Restarted", drug="Propofol", kind="IV Infusion")
        .event("19:00", "Stopped", drug="Propofol", kind="IV Infusion")
    )
    found = both(tmp_path, chart, infusion("09:00", "11:00", 100))
    assert not found.refused
    assert not len(found.unknown("propofol"))
    assert total(found, "propofol") == 100


# ---------------------------------------------------------------- the demo


@pytest.fixture(scope="module")
def demo() -> Records:
    if not DEMO.is_dir():
        pytest.skip("shared/data/mimic-iv-demo is absent")
    (records,) = open_mimic4(DEMO, items=[]).chunks()
    return records


def test_every_event_of_the_demo_is_a_row(demo: Records) -> None:
    """35,835 events, the 2,486 "Not Given" among those that gave nothing; no child is a row."""
    given = demo.administrations
    mine = given["table"] == "emar"
    assert mine.sum() == 35_835
    words = Counter(
        (text.rpartition(": ")[2], status)
        for text, status in zip(given["category"][mine], given["status"][mine], strict=True)
    )
    assert words["Not Given", "not given"] == 2_486
    assert words["Administered", "given"] == 23_105
    assert words["Partial Administered", "given"] == 20
    assert {word for word, status in words if status == "given"}.isdisjoint(
        {"Not Given", "Hold Dose", "Stopped", "Assessed", "Removed", "Not Flushed"}
    )


def test_doses_of_the_demo_are_the_sum_of_their_children(demo: Records) -> None:
    """By drug as written and unit; an infusion's children carry no dose."""
    with duckdb.connect() as con:
        expected = con.execute(
            """SELECT medication, dose_given_unit, sum(TRY_CAST(dose_given AS DOUBLE))
               FROM read_csv(?, all_varchar = true) AS e
               JOIN read_csv(?, all_varchar = true) AS d USING (emar_id)
               WHERE event_txt LIKE '%Administered%' AND parent_field_ordinal IS NOT NULL
                 AND medication IN ('Vancomycin', 'Furosemide', 'Potassium Chloride', 'Heparin')
                 AND emar_id NOT IN (SELECT emar_id FROM read_csv(?, all_varchar = true)
                                     WHERE dose_given = '___')
               GROUP BY 1, 2 HAVING count(dose_given) > 20 ORDER BY 1, 2""",
            [
                str(DEMO / "hosp" / f"{name}.csv.gz")
                for name in ("emar", "emar_detail", "emar_detail")
            ],
        ).fetchall()
    given = demo.administrations
    mine = (given["table"] == "emar") & ~np.isnan(given["amount"])
    mine &= np.array(["Administered" in text for text in given["category"]])
    for label, unit, amount in expected:
        rows = mine & (given["label"] == label) & (given["amount_unit"] == (unit or ""))
        assert given["amount"][rows].sum() == pytest.approx(amount), (label, unit)
    assert len(expected) == 4


def test_named_cases_of_the_demo(demo: Records) -> None:
    """A partial dose, one written as four tablets, one not given with its dose filled in."""
    place = {str(name): i for i, name in enumerate(demo.persons["person_id"])}
    given = demo.administrations

    def case(person: str, time: str, label: str) -> tuple[float, str, str]:
        rows = (given["person"] == place[person]) & (given["start"] == parse(time)[0])
        [i] = np.flatnonzero(rows & (given["label"] == label) & (given["table"] == "emar"))
        return float(given["amount"][i]), str(given["amount_unit"][i]), str(given["status"][i])

    assert case("10000032", "2180-06-27 17:55:00", "Albumin 25% (12.5g / 50mL)") == (
        12.5, "g", "given",
    )  # fmt: skip
    assert case("10003400", "2136-11-05 12:21:00", "Potassium Chloride") == (40, "mEq", "given")
    assert case("10000032", "2180-06-27 08:44:00", "Heparin") == (5000, "UNIT", "not given")
    assert case("10005866", "2149-02-11 10:11:00", "Sodium Chloride 0.9% - Floor Stock  Bag") == (
        1000, "mL", "given",
    )  # fmt: skip


def test_no_dose_of_the_demo_counts_in_both_tables(demo: Records) -> None:
    """Bedside doses and infusions never overlap a row of intensive care of the same drug."""
    found = doses(demo)
    f = found.frame
    table = np.array([row.split(":")[0] for row in f["source_row"]])
    for drug in ("norepinephrine", "vancomycin", "heparin", "propofol", "cefepime"):
        mine = (f["drug"] == drug) & f["counted"] & np.isin(f["route"], ("IV", ""))
        for i in np.flatnonzero(mine & (table == "emar")).tolist():
            beside = mine & (table == "inputevents") & (f["person"] == f["person"][i])
            beside &= (f["start"] < f["until"][i]) & (f["until"] > f["start"][i])
            assert not beside.any(), (drug, f["source_row"][i])
