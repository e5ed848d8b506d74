"""How long administrations take to become rates, as a multiple of one read and sort of the same rows.

Run by hand: `python benchmarks/doses.py [ROWS]`. Writes an invented `inputevents` of so many rows
(ten drugs, ten units of rate, pushes, persons interleaved) with a few laboratory results beside
it, and reads it twice: once as a plain sorted read, once through source, `rebuild` and the rate of
every drug. Memory is the highest of the process.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import duckdb
import numpy as np

from becalm.doses import rebuild
from becalm.events import harmonise
from becalm.sources import duck
from becalm.sources.mimic4 import open_mimic4
from becalm.vocabulary import load

PER_PERSON: Final = 200
DRUGS: Final = (
    # item, label, unit of the amount, unit of the rate, its hours and kilograms, size
    (221906, "Norepinephrine", "mg", "mcg/kg/min", "80 * 60 / 1000", 0.1),
    (222168, "Propofol", "mg", "mcg/kg/min", "80 * 60 / 1000", 30),
    (221744, "Fentanyl", "mg", "mcg/hour", "1 / 1000", 50),
    (221668, "Midazolam (Versed)", "mg", "mg/hour", "1", 2),
    (225158, "NaCl 0.9%", "ml", "mL/hour", "1", 75),
    (222315, "Vasopressin", "units", "units/hour", "1", 2.4),
    (225152, "Heparin Sodium", "units", "units/hour", "1", 1100),
    (221347, "Amiodarone 600/500", "mg", "mg/min", "60", 0.5),
    (221749, "Phenylephrine", "mg", "mcg/kg/min", "80 * 60 / 1000", 1),
    (225798, "Vancomycin", "dose", "", "0", 1),
)


def write(folder: Path, rows: int) -> None:
    persons = max(1, rows // PER_PERSON)
    drugs = ", ".join(
        f"({i}, {item}, '{label}', '{amount}', '{rate}', {factor}, {size})"
        for i, (item, label, amount, rate, factor, size) in enumerate(DRUGS)
    )
    given = f"""
        SELECT 10000000 + p AS subject_id, 20000000 + p AS hadm_id, itemid,
               (TIMESTAMP '2150-01-01' + to_minutes(p % 5000 + n * 50)) AS starttime,
               starttime + to_minutes(CASE WHEN unit = '' THEN 1 ELSE 45 END) AS endtime,
               CASE WHEN unit = '' THEN 1 ELSE rate * factor * 0.75 END AS amount, amountuom,
               CASE WHEN unit <> '' THEN rate END AS rate, nullif(unit, '') AS rateuom,
               80 AS patientweight, '01-Drips' AS ordercategoryname,
               CASE WHEN unit = '' THEN 'Drug Push' ELSE 'Continuous Med' END
               AS ordercategorydescription, 'FinishedRunning' AS statusdescription
        FROM (SELECT range % {persons} AS p, range // {persons} AS n, itemid, amountuom, unit,
                     factor, round(size * (1 + hash(range) % 100 / 100.0), 3) AS rate
              FROM range({rows}) JOIN (VALUES {drugs}) AS d(i, itemid, label, amountuom, unit, factor, size)
                   ON i = range // {persons} % {len(DRUGS)})"""
    everyone = f"(SELECT range AS p FROM range({persons}))"
    tables = {
        "hosp/patients": "SELECT 10000000 + p AS subject_id, 'F' AS gender, 50 AS anchor_age, "
        f"2150 AS anchor_year, NULL AS dod FROM {everyone}",
        "hosp/admissions": "SELECT 10000000 + p AS subject_id, 20000000 + p AS hadm_id, "
        "TIMESTAMP '2150-01-01' AS admittime, TIMESTAMP '2150-03-01' AS dischtime, NULL AS deathtime, "
        "'' AS admission_location, '' AS discharge_location, NULL AS edregtime, NULL AS edouttime "
        f"FROM {everyone}",
        "hosp/labevents": "SELECT p * 20 + n AS labevent_id, 10000000 + p AS subject_id, "
        "20000000 + p AS hadm_id, 50912 AS itemid, TIMESTAMP '2150-01-01' + to_hours(n) AS charttime, "
        "NULL AS storetime, '1.1' AS value, 1.1 AS valuenum, 'mg/dL' AS valueuom, "
        f"NULL AS ref_range_lower, NULL AS ref_range_upper, NULL AS comments FROM {everyone}, "
        "(SELECT range AS n FROM range(20))",
        "icu/d_items": f"SELECT itemid, label, '' AS unitname FROM (VALUES {drugs}) "
        "AS d(i, itemid, label, a, b, c, e)",
        "icu/inputevents": given,
    }  # fmt: skip
    with duckdb.connect() as con:
        for name, sql in tables.items():
            path = folder / f"{name}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            con.execute(f"COPY ({sql}) TO '{path}' (HEADER)")


def floor(folder: Path) -> float:
    """Seconds to read the rows, sort them by person and time, and hold each column once."""
    began = time.perf_counter()
    con = duck.connect()
    sql = (
        "SELECT subject_id, itemid, starttime, endtime, amount, amountuom, rate, rateuom, "
        f"patientweight, ordercategorydescription FROM read_csv('{folder}/icu/inputevents.csv') "
        "ORDER BY subject_id, starttime"
    )
    rows = sum(len(batch["subject_id"]) for batch in duck.stream(con, sql))
    assert rows
    return time.perf_counter() - began


def whole(folder: Path, chunk_rows: int) -> tuple[float, float, int]:
    """Seconds from files to the rate of every drug, those in `doses` alone, and rows."""
    began = time.perf_counter()
    words, inside, rows = load(), 0.0, 0
    for records in open_mimic4(folder, chunk_rows=chunk_rows).chunks():
        events = harmonise(records, words)
        at = time.perf_counter()
        found = rebuild(records, events, words)
        for drug in found.drugs:
            found.rate(drug)
        inside += time.perf_counter() - at
        rows += int(np.sum(found.frame["counted"]))
    return time.perf_counter() - began, inside, rows


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write(folder, rows)
        plain = min(floor(folder) for _ in range(2))
        took, inside, counted = whole(folder, max(1, rows // 80))
        print(f"{rows:,} rows, {counted:,} counted; read and sorted in {plain:.2f} s")
        print(f"  to rates       {took:6.2f} s   {took / plain:5.2f} × the floor")
        print(f"  of it in doses {inside:6.2f} s   {inside / plain:5.2f} × the floor")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"  memory at most {peak:6.0f} MiB")


if __name__ == "__main__":
    main()
