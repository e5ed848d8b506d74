"""Doses of the MIMIC-IV demo against plain SQL on its files, and against published formulas."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pytest

from becalm.core.clock import DAY, HOUR, MINUTE, to_us
from becalm.doses import EQUIVALENTS, Doses, daily_dose, equivalent_rate, rebuild, treatments
from becalm.events import harmonise
from becalm.records import Records
from becalm.records.mimic4 import open_mimic4
from becalm.vocabulary import load
from tests.spec.dosing import RULES

DEMO: Final = Path(__file__).parents[4] / "shared" / "data" / "mimic-iv-demo"


@pytest.fixture(scope="module")
def records() -> Records:
    if not DEMO.is_dir():
        pytest.skip("shared/data/mimic-iv-demo is absent")
    (found,) = open_mimic4(DEMO, items=[]).chunks()
    return found


@pytest.fixture(scope="module")
def demo(records: Records) -> Doses:
    return rebuild(records, harmonise(records, load()), load())


@pytest.fixture(scope="module")
def icu(records: Records) -> Doses:
    """Without the bedside record: infusions and pushes of intensive care alone."""
    given = records.administrations
    alone = Records(
        records.persons,
        stays=records.stays,
        administrations=given.take(given["table"] == "inputevents"),
    )
    return rebuild(alone, harmonise(alone, load()), load())


@pytest.fixture(scope="module")
def raw() -> Iterator[duckdb.DuckDBPyConnection]:
    """The raw tables, every cell typed by DuckDB, with a row number where there is no key."""
    if not DEMO.is_dir():
        pytest.skip("shared/data/mimic-iv-demo is absent")
    with duckdb.connect() as con:
        for name, path in (
            ("inputs", "icu/inputevents"),
            ("items", "icu/d_items"),
            ("emar", "hosp/emar"),
            ("detail", "hosp/emar_detail"),
        ):
            con.execute(
                f"CREATE TABLE {name} AS SELECT row_number() OVER () AS key, * "
                f"FROM read_csv('{DEMO / path}.csv.gz', sample_size = -1)"
            )
        yield con


def ask(con: duckdb.DuckDBPyConnection, sql: str, *values: object) -> list[tuple[Any, ...]]:
    return con.execute(sql, list(values)).fetchall()


def position(doses: Doses, subject: object) -> int:
    return int(np.flatnonzero(doses.person_id == str(subject))[0])


def test_every_rated_row_conserves_its_dose(demo: Doses, raw: duckdb.DuckDBPyConnection) -> None:
    """All 11,038 rows with a rate: rate × time is the amount within 5 %, two of them 0 = 0, three implausible."""
    rows = ask(
        raw,
        "SELECT key, subject_id, starttime, amount, amountuom, rate, rateuom, patientweight "
        "FROM inputs",
    )
    place = {text: i for i, text in enumerate(demo.frame["source_row"].tolist())}
    f = {name: demo.frame[name].tolist() for name in demo.frame.columns}
    per_hour = {"hour": 1, "min": 60}
    checked = zeros = implausible = 0
    for key, subject, start, amount, amount_unit, rate, rate_unit, kg in rows:
        at = place[f"inputevents:{key}"]
        assert (f["person_id"][at], f["start"][at]) == (str(subject), to_us(start))
        assert f["amount"][at] == pytest.approx(amount, abs=1e-8)
        if rate is None:
            continue
        unit, *per = rate_unit.split("/")
        expected = rate * per_hour[per[-1]] * (kg if "kg" in per else 1)
        if (unit, amount_unit) == ("mcg", "mg"):
            expected /= 1000
        assert f["rate_per_h"][at] == pytest.approx(expected, rel=0.05)
        assert f["set_per_h"][at] * (1 if unit != "mcg" or amount_unit == "mcg" else 0.001) == (
            pytest.approx(expected, rel=1e-6, abs=1e-8)
        )
        implausible += "implausible rate" in f["flag"][at]
        assert "rate" not in f["flag"][at].replace("implausible rate", "")
        checked += 1
        zeros += rate == 0
    assert (checked, zeros, implausible) == (11_038, 2, 3)


def test_every_unit_of_a_rate_is_one_of_ten(raw: duckdb.DuckDBPyConnection) -> None:
    assert ask(raw, "SELECT count(DISTINCT rateuom), count(rate) FROM inputs") == [(10, 11_038)]


def test_totals_per_drug_and_stay_are_the_recorded_amounts(
    icu: Doses, raw: duckdb.DuckDBPyConnection
) -> None:
    """From rates and single doses between first and last row of a drug in a stay: mg, units or mL."""
    names = {str(key): name for key, name in zip(
        [row.partition(":")[2] for row in icu.frame["source_row"]], icu.frame["drug"], strict=True
    )}  # fmt: skip
    recorded: dict[tuple[str, int, int], list[tuple[float, Any, Any]]] = {}
    for key, subject, stay, start, end, amount, unit in ask(
        raw,
        "SELECT key, subject_id, hadm_id, starttime, endtime, amount, amountuom FROM inputs "
        "WHERE amountuom IN ('mg', 'mcg', 'grams', 'units', 'ml')",
    ):
        drug = names[str(key)]
        own, size = {"mg": ("mg", 1), "mcg": ("mg", 0.001), "grams": ("mg", 1000),
                     "units": ("units", 1), "ml": ("mL", 1)}[unit]  # fmt: skip
        if drug and icu.unit(drug) == own:
            recorded.setdefault((drug, subject, stay), []).append((amount * size, start, end))
    compared = 0
    for (drug, subject, _), rows in recorded.items():
        first = to_us(min(start for _, start, _ in rows))
        last = to_us(max(end for _, _, end in rows))
        found = icu.amounts(drug, ("IV", "", "PO", "SC", "IM", "other")).amount(
            position(icu, subject), first - 1, last
        )
        assert float(found) == pytest.approx(sum(mg for mg, _, _ in rows), rel=0.005), drug
        compared += 1
    assert compared > 300
    assert {icu.unit(drug) for drug, _, _ in recorded} == {"mg", "units", "mL"}


def test_episodes_and_days_hold_what_was_given(icu: Doses) -> None:
    for drug in ("norepinephrine", "propofol"):
        found = treatments(icu, [drug], RULES)
        f = icu.frame
        mine = (f["drug_code"] == icu.drugs.index(drug)) & f["exposed"]
        total = np.nansum(f["amount_mg"][mine])
        assert found.episodes["cumulative_mg"].sum() == pytest.approx(total, rel=0.005)
        day = daily_dose(icu, [drug], inside={drug: found.inside(drug)})
        assert day["mg"].sum() == pytest.approx(total, rel=0.005)
        assert (day["rrt"] == None).all()  # noqa: E711


# ---------------------------------------------------------------- noradrenaline equivalents


VASOPRESSORS: Final = {
    # Item, and what its rate counts for: the published queries read exactly these five items.
    221906: ("norepinephrine", 1.0),
    221289: ("epinephrine", 1.0),
    221749: ("phenylephrine", 1 / 10),
    221662: ("dopamine", 1 / 100),
    222315: ("vasopressin", 2.5 / 60),
}


def published(rows: list[tuple[Any, ...]], moment: int) -> list[float]:
    """The published sum of the set rates at a moment: every combination of one row a drug.

    In the drugs' own units, mcg/kg/min and units/h; the published queries join the rows of each
    drug to every stretch of time, and so give one line for each bag where two of a drug run at once.
    """
    found = [0.0]
    for item, (_, counts_for) in VASOPRESSORS.items():
        running = [rate for i, start, end, rate in rows if i == item and start <= moment < end]
        if running:
            found = [total + rate * counts_for for total in found for rate in running]
    return found


def test_noradrenaline_equivalents_are_the_published_ones_to_the_minute(
    icu: Doses, raw: duckdb.DuckDBPyConnection
) -> None:
    """At every change of any vasopressor, asked at that minute and the one before.

    Where we differ we are right: with two bags of one drug at once the published queries print two
    lines, each with one bag, and the patient gets both; and three items of phenylephrine in other
    strengths, which their query does not read, are phenylephrine (none in the demo). The delivered
    rate (amount over time) stands in for the set one, which it meets within 5 %.
    """
    line = equivalent_rate(icu, "norepinephrine")
    rows: dict[int, list[tuple[Any, ...]]] = {}
    for subject, item, start, end, rate, unit, kg in ask(
        raw,
        "SELECT subject_id, itemid, starttime, endtime, rate, rateuom, patientweight FROM inputs "
        "WHERE itemid IN (221906, 221289, 221749, 221662, 222315) AND rate IS NOT NULL",
    ):
        own = {"mcg/kg/min": 1.0, "units/hour": 1.0, "units/min": 60.0, "mcg/min": 1 / kg}[unit]
        rows.setdefault(subject, []).append((item, to_us(start), to_us(end), rate * own))
    asked = together = 0
    for subject, mine in rows.items():
        who = position(icu, subject)
        changes = sorted({time for _, start, end, _ in mine for time in (start, end)})
        for moment in sorted({at for time in changes for at in (time - MINUTE, time)}):
            options = published(mine, moment)
            ours = float(line.at(who, moment)[0])
            ours = 0.0 if ours == -np.inf else ours
            if len(options) == 1:
                assert ours == pytest.approx(options[0], rel=0.05, abs=1e-6), (subject, moment)
            else:
                both = sum(
                    rate * VASOPRESSORS[item][1]
                    for item, start, end, rate in mine
                    if start <= moment < end
                )
                assert ours == pytest.approx(both, rel=0.05), (subject, moment)
                assert max(options) < both
                together += 1
            asked += 1
        for start, end in pairwise(changes):
            # Between two changes nothing changes.
            assert line.at(who, start)[0] == line.at(who, (start + end) // 2)[0]
    assert asked > 1_500
    assert together > 0


def test_the_formula_says_where_it_is_from() -> None:
    used = EQUIVALENTS["norepinephrine"]
    assert not used.verified
    assert "norepinephrine_equivalent_dose.sql" in used.source


def test_a_vasopressor_of_unknown_rate_leaves_the_sum_unknown(demo: Doses) -> None:
    """The bedside record of 10010471 has noradrenaline without a unit before intensive care."""
    line = equivalent_rate(demo, "norepinephrine")
    who = position(demo, 10010471)
    start = to_us(np.datetime64("2155-12-02T20:00").astype(object))
    assert not line.known_at(who, start)
    assert line.known_at(who, start + HOUR)


# ---------------------------------------------------------------- one patient by hand


PATIENT: Final = 10005817


def spread(amount: float, start: int, end: int, low: int, high: int) -> float:
    """What of an amount falls into [low, high)."""
    if end <= start:
        return amount if low <= start < high else 0.0
    if end <= low or high <= start:
        return 0.0
    return amount * max(0, min(end, high) - max(start, low)) / (end - start)


def by_day(rows: list[tuple[float, int, int]]) -> dict[int, float]:
    """Number and amount of each 24 h from the first dose in which something was given."""
    first = min(start for _, start, _ in rows)
    last = max(max(start + 1, end) for _, start, end in rows)
    found = {}
    for number, low in enumerate(range(first, last, DAY), 1):
        amount = sum(spread(*row, low, low + DAY) for row in rows)
        if any(max(start + 1, end) > low and start < low + DAY for _, start, end in rows):
            found[number] = amount
    return found


def bedside(con: duckdb.DuckDBPyConnection, drug: str) -> list[tuple[float, int, int]]:
    """Doses given at the bedside, children added up."""
    found = ask(
        con,
        "SELECT sum(TRY_CAST(d.dose_given AS DOUBLE)), e.charttime FROM emar e "
        "JOIN detail d USING (emar_id) WHERE e.subject_id = ? AND lower(e.medication) = ? "
        "AND e.event_txt LIKE '%Administered%' AND d.parent_field_ordinal IS NOT NULL "
        "GROUP BY e.emar_id, e.charttime ORDER BY 2",
        PATIENT,
        drug,
    )
    return [(amount, to_us(time), to_us(time)) for amount, time in found]


def charted(con: duckdb.DuckDBPyConnection, label: str) -> list[tuple[float, int, int]]:
    """Rows of intensive care; those within a minute and without a rate are pushes."""
    found = ask(
        con,
        "SELECT i.amount * CASE i.amountuom WHEN 'grams' THEN 1000 ELSE 1 END, i.starttime, "
        "CASE WHEN i.endtime - i.starttime <= INTERVAL 1 MINUTE AND i.rate IS NULL "
        "THEN i.starttime ELSE i.endtime END FROM inputs i JOIN items USING (itemid) WHERE i.subject_id = ? AND label LIKE ? "
        "ORDER BY 2",
        PATIENT,
        label,
    )
    return [(amount, to_us(start), to_us(end)) for amount, start, end in found]


def once(
    first: list[tuple[float, int, int]], other: list[tuple[float, int, int]]
) -> list[tuple[float, int, int]]:
    """Rows of one table, and those of the other that are 2 h and more from all of them."""
    near = 2 * HOUR
    return first + [
        row
        for row in other
        if all(row[2] < start - near or row[1] > end + near for _, start, end in first)
    ]


def listed(doses: Doses, drug: str) -> list[tuple[float, int, int]]:
    """Amount, start and end of what counts for the patient, in the unit of the rows."""
    f = doses.frame
    rows = f["counted"] & (f["person"] == position(doses, PATIENT)) & (f["drug"] == drug)
    return sorted(
        (round(float(amount), 6), int(start), int(end))
        for amount, start, end in zip(
            f["amount"][rows], f["start"][rows], f["end"][rows], strict=True
        )
    )


def rounded(rows: list[tuple[float, int, int]]) -> list[tuple[float, int, int]]:
    return sorted((round(amount, 6), start, end) for amount, start, end in rows)


def test_an_antibiotic_by_hand(demo: Doses, raw: duckdb.DuckDBPyConnection) -> None:
    """Vancomycin: each dose once, in mg as the bedside has it; intensive care says "1 dose".

    A day with a dose that only intensive care has is a day of unknown mg.
    """
    icu, ward = charted(raw, "Vancomycin"), bedside(raw, "vancomycin")
    alone = once(ward, icu)[len(ward) :]
    assert (len(icu), len(ward), len(alone)) == (15, 15, 4)
    assert {amount for amount, _, _ in icu} == {1}
    assert listed(demo, "vancomycin") == rounded([*ward, *alone])
    expected = by_day([*ward, *((np.nan, start, end) for _, start, end in alone)])
    assert patient_days(demo, "vancomycin") == pytest.approx(expected, nan_ok=True)
    assert 0 < sum(map(np.isnan, expected.values())) < len(expected)


def test_insulin_by_hand(demo: Doses, raw: duckdb.DuckDBPyConnection) -> None:
    """In units: listed to the unit, without mg."""
    icu, ward = charted(raw, "Insulin%"), bedside(raw, "insulin")
    rows = once(icu, ward)
    assert (len(icu), len(rows)) == (69, 81)
    assert listed(demo, "insulin") == rounded(rows)
    f = demo.frame
    mine = f["counted"] & (f["person"] == position(demo, PATIENT)) & (f["drug"] == "insulin")
    assert set(f["amount_unit"][mine]) == {"units"}
    assert np.isnan(f["amount_mg"][mine]).all()
    assert all(map(np.isnan, patient_days(demo, "insulin").values()))


def test_noradrenaline_by_hand(demo: Doses, raw: duckdb.DuckDBPyConnection) -> None:
    """Every row, every day, and the rate in the middle of every row."""
    rows = charted(raw, "Norepinephrine")
    assert listed(demo, "norepinephrine") == rounded(rows)
    assert patient_days(demo, "norepinephrine") == pytest.approx(by_day(rows), rel=1e-6)
    line, who = demo.rate("norepinephrine"), position(demo, PATIENT)
    for _, start, end in rows:
        middle = (start + end) // 2
        expected = sum(mg / ((b - a) / HOUR) for mg, a, b in rows if a <= middle < b)
        assert float(line.at(who, middle)[0]) == pytest.approx(expected, rel=1e-6)


def patient_days(doses: Doses, drug: str) -> dict[int, float]:
    table = daily_dose(doses, [drug])
    mine = table["person_id"] == str(PATIENT)
    return dict(zip(table["day"][mine].tolist(), table["mg"][mine].tolist(), strict=True))


def test_rows_of_unknown_drugs_keep_their_label(demo: Doses) -> None:
    f = demo.frame
    unknown = f["drug"] == ""
    assert {"Sodium Chloride 0.9%  Flush", "Metoprolol Tartrate", "NaCl 0.9%"} <= set(
        f["label"][unknown]
    )
    assert (f["label"] != "").all()
    assert unknown.sum() > 20_000
