"""Studies of three drugs on the MIMIC-IV demo: entry, courses, steps and figures in their own units."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec
import numpy as np
import pytest

from becalm import protocol as protocols
from becalm.core.clock import DAY, HOUR, to_us
from becalm.protocol import Dosing, Entry, Exclude, Protocol
from becalm.records.mimic4 import open_mimic4
from becalm.report.cohort import Cohort
from becalm.report.figures import dose, swimmer
from becalm.study.result import StudyResult
from becalm.study.run import run

DEMO: Final = Path(__file__).parents[4] / "shared" / "data" / "mimic-iv-demo"
PATIENT: Final = "10005817"


def protocol_for(drug: str, *, also: tuple[str, ...] = (), **entry: Any) -> Protocol:
    """The main protocol for another drug, whether there was a storm or not."""
    study = protocols.load("anakinra_mas")
    return msgspec.structs.replace(
        study,
        entry=msgspec.convert({"drug": drug, **entry}, Entry),
        storm=msgspec.structs.replace(study.storm, required=False),
        exclude=Exclude(),
        doses=Dosing(also=also),
    )


def study_of(study: Protocol) -> StudyResult:
    if not DEMO.is_dir():
        pytest.skip("shared/data/mimic-iv-demo is absent")
    return run(open_mimic4(DEMO), study, "mimic-iv-demo")


@pytest.fixture(scope="module")
def pressor() -> StudyResult:
    return study_of(protocol_for("norepinephrine", also=("vancomycin", "insulin", "heparin")))


@pytest.fixture(scope="module")
def anticoagulant() -> StudyResult:
    return study_of(protocol_for("heparin", high_rate_per_day=24_000.0))


@pytest.fixture(scope="module")
def raw() -> duckdb.DuckDBPyConnection:
    if not DEMO.is_dir():
        pytest.skip("shared/data/mimic-iv-demo is absent")
    con = duckdb.connect()
    con.execute(
        f"CREATE TABLE inputs AS SELECT row_number() OVER () AS key, * FROM read_csv('{DEMO}/icu/inputevents.csv.gz', sample_size = -1)"
    )
    return con


def given(
    con: duckdb.DuckDBPyConnection, item: int, subject: str
) -> list[tuple[float, int, int, float | None]]:
    """Amount, start, end and rate of an item's rows, in mg or in units."""
    return [
        (amount * {"mg": 1, "mcg": 0.001, "units": 1}[unit], to_us(start), to_us(end), rate)
        for amount, unit, start, end, rate in con.execute(
            "SELECT amount, amountuom, starttime, endtime, rate FROM inputs "
            "WHERE itemid = ? AND subject_id = ? ORDER BY starttime",
            [item, int(subject)],
        ).fetchall()
    ]


def test_noradrenaline_reads_the_same_in_table_day_and_figure(
    pressor: StudyResult, raw: duckdb.DuckDBPyConnection
) -> None:
    """Of one patient, by hand from the raw rows: every rate of the figure, every bar and every day."""
    cohort = Cohort(pressor)
    rows = given(raw, 221906, PATIENT)
    zero = cohort.time_zero(PATIENT)
    assert zero == rows[0][1]
    table = [r for r in cohort.rows("doses") if (r["person_id"], r["drug"], r["status"]) == (PATIENT, "norepinephrine", "given")
        and "not counted" not in r["flag"]
    ]  # fmt: skip
    assert sorted((r["start"], r["end"]) for r in table) == [(s, e) for _, s, e, _ in rows]
    assert sum(r["amount_canonical"] for r in table) == pytest.approx(sum(a for a, *_ in rows))

    def until(moment: int) -> float:
        return sum(a * min(max(moment - s, 0), e - s) / (e - s) for a, s, e, _ in rows)

    days = {r["day"]: r for r in cohort.rows("daily_dose")
            if (r["person_id"], r["drug"]) == (PATIENT, "norepinephrine")}  # fmt: skip
    for day, row in days.items():
        by_hand = until(zero + day * DAY) - until(zero + (day - 1) * DAY)
        assert row["mg"] == pytest.approx(by_hand, rel=1e-6, abs=1e-6)
        assert row["cumulative_canonical"] == pytest.approx(until(zero + day * DAY), rel=1e-6)
    bars = [r for r in dose.daily(cohort) if r["person"] == PATIENT]
    assert [bar["top"] for bar in bars] == pytest.approx([days[day]["mg"] for day in sorted(days)])
    drawn = [r for r in dose.rates(cohort) if (r["person"], r["kind"]) == (PATIENT, "rate")]
    for amount, start, end, _ in rows:
        middle = ((start + end) / 2 - zero) / DAY
        (box,) = [b for b in drawn if b["start"] <= middle < b["end"]]
        assert box["top"] == pytest.approx(amount / ((end - start) / HOUR), rel=1e-6)
    steps = [r for r in dose.sums(cohort) if r["person"] == PATIENT]
    assert steps[-1]["top"] == pytest.approx(until(1 << 60), rel=1e-6)


def inside(row: Mapping[str, Any], date: int) -> float:
    """What of a row falls on a date."""
    start, end, amount = row["start"], row["end"], float(row["amount_canonical"])
    if end <= start:
        return amount if date <= start < date + DAY else 0.0
    return float(amount * max(0, min(end, date + DAY) - max(start, date)) / (end - start))


def test_insulin_and_an_antibiotic_stand_beside_it_in_their_own_units(
    pressor: StudyResult, raw: duckdb.DuckDBPyConnection
) -> None:
    """Insulin in units on each date; vancomycin unknown on a day with a dose that has no mg; a tick for every dose."""
    cohort = Cohort(pressor)
    mine = [r for r in pressor.tables["daily_dose"].rows() if r["person_id"] == PATIENT]
    insulin = [r for r in mine if r["drug"] == "insulin"]
    assert {r["unit_canonical"] for r in insulin} == {"units"}
    counted = [r for r in cohort.rows("doses")
               if (r["person_id"], r["drug"]) == (PATIENT, "insulin") and r["amount_canonical"] >= 0
               and "not counted" not in r["flag"]]  # fmt: skip
    total = sum(r["amount_canonical"] for r in counted)
    assert sum(r["amount_canonical"] for r in insulin) == pytest.approx(total)
    dates = [r for r in pressor.tables["calendar_dose"].rows()
             if (r["person_id"], r["drug"]) == (PATIENT, "insulin")]  # fmt: skip
    assert sum(r["amount_canonical"] for r in dates) == pytest.approx(total)
    for row in dates:
        by_hand = sum(inside(r, row["date"]) for r in counted)
        assert row["amount_canonical"] == pytest.approx(by_hand)
    vancomycin = [r for r in mine if r["drug"] == "vancomycin"]
    assert {r["unit_canonical"] for r in vancomycin} == {"mg"}
    assert 0 < sum(math.isnan(r["mg"]) for r in vancomycin) < len(vancomycin)
    ticks, _ = swimmer.lanes(cohort, PATIENT, (-1000, 1000))
    assert sum(t["lane"] == "insulin" for t in ticks) == len(counted)


def _running(rows: Iterable[Mapping[str, Any]], at: int) -> float:
    """All bags that run at an instant: two of one drug add up, and are remarked upon."""
    return float(sum(r["rate_canonical_per_h"] for r in rows if r["start"] <= at < r["end"]))


def test_heparin_is_a_study_in_units(anticoagulant: StudyResult) -> None:
    """Entry, courses, steps, the third clock and the figures' axes; nothing is in mg."""
    cohort = Cohort(anticoagulant)
    assert cohort.n >= 2
    assert (cohort.unit, cohort.clock_name("high_rate")) == (
        "units",
        "first rate ≥ 24,000 units/day",
    )
    courses = [r for r in cohort.rows("episodes") if r["drug"] == "heparin"]
    assert all(math.isnan(r["cumulative_mg"]) for r in courses)
    assert {r["unit_canonical"] for r in courses} == {"units"}
    for person in cohort.ids:
        rows = [
            r
            for r in cohort.rows("doses")
            if (r["person_id"], r["drug"]) == (person, "heparin") and r["rate_canonical_per_h"] > 0
        ]
        assert cohort.person[person]["infusion_start"] in {r["start"] for r in rows}
        t0, reached = (cohort.person[person][name] for name in ("t0", "high_rate"))

        starts = [r["start"] for r in rows if r["start"] >= t0]
        fast = [at for at in starts if _running(rows, at) * 24 >= 24_000 - 1e-6]
        # Eight minutes at 1,050 units/h between two pauses are no continuous infusion.
        long = [at for at in fast if _running(rows, at + 3 * HOUR) * 24 >= 24_000 - 1e-6]
        assert (reached > 0) or not long
        assert not long or (reached in fast and reached <= min(long))


def test_methylprednisolone_is_a_study_that_begins_with_any_dose() -> None:
    """Pulses are no infusion: a protocol that enters by any mode has a cohort, another has nobody."""
    found = Cohort(study_of(protocol_for("methylprednisolone", mode="any")))
    assert found.n >= 1
    assert all(found.person[p]["index_time"] == found.person[p]["t0"] for p in found.ids)
    none = Cohort(study_of(protocol_for("methylprednisolone")))
    assert none.n < found.n


def test_the_rate_that_was_entered_stands_beside_the_one_that_was_charted(
    pressor: StudyResult, raw: duckdb.DuckDBPyConnection
) -> None:
    """Intensive care keeps both: set is what was entered, delivered is amount over time; 5 % apart is listed."""
    table = pressor.tables["doses"]
    place = {key: i for i, key in enumerate(table["source_row"].tolist())}
    apart = 0
    rows = raw.execute("SELECT key, rate, originalrate FROM inputs WHERE rate > 0").fetchall()
    for key, rate, entered in rows:
        at = place.get(f"inputevents:{key}")
        if at is None or np.isnan(table["set_canonical_per_h"][at]):
            continue
        shown = table["set_canonical_per_h"][at] / table["rate_canonical_per_h"][at]
        assert shown == pytest.approx(entered / rate, rel=0.06)
        listed = "entered as" in table["flag"][at]
        assert listed == (abs(entered - rate) > 0.05 * rate)
        apart += listed
    assert apart > 5
