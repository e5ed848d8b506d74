"""How long administrations take to become rates, as a multiple of the sorted read of the same rows.

    python benchmarks/doses.py FOLDER [--rows 20_000_000] [--times 3] [--memory 1GiB]

FOLDER is written with so many rows of `inputevents` where it does not exist: ten drugs, ten ways of
writing a rate or a push, persons interleaved, and one laboratory result a person. The sorted read is
the least that a program which needs whole persons can do: DuckDB reads the columns that becalm
reads, already typed, from the same file, sorts them by person and time, and hands them over as Arrow
batches, of which every number is looked at as NumPy. It gets as many threads as there are cores, and
more memory than becalm gives its own readers together. The other side is becalm from the folder to
the rate over time of every drug of everybody.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Final

import numpy as np
from rounds import compare, report

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
    import duckdb

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
        "hosp/labevents": "SELECT p AS labevent_id, 10000000 + p AS subject_id, "
        "20000000 + p AS hadm_id, 50912 AS itemid, TIMESTAMP '2150-01-01' AS charttime, "
        "NULL AS storetime, '1.1' AS value, 1.1 AS valuenum, 'mg/dL' AS valueuom, "
        f"NULL AS ref_range_lower, NULL AS ref_range_upper, NULL AS comments FROM {everyone}",
        "icu/d_items": f"SELECT itemid, label, '' AS unitname FROM (VALUES {drugs}) "
        "AS d(i, itemid, label, a, b, c, e)",
        "icu/inputevents": given,
    }  # fmt: skip
    with duckdb.connect(config={"memory_limit": "1GiB"}) as con:
        for name, sql in tables.items():
            path = folder / f"{name}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            con.execute(f"COPY ({sql}) TO '{path}' (HEADER)")


COLUMNS: Final = {
    "subject_id": "INTEGER",
    "hadm_id": "INTEGER",
    "itemid": "INTEGER",
    "starttime": "TIMESTAMP",
    "endtime": "TIMESTAMP",
    "amount": "DOUBLE",
    "amountuom": "VARCHAR",
    "rate": "DOUBLE",
    "rateuom": "VARCHAR",
    "patientweight": "DOUBLE",
    "ordercategoryname": "VARCHAR",
    "ordercategorydescription": "VARCHAR",
    "statusdescription": "VARCHAR",
}


def sorted_read(folder: Path, memory: str) -> int:
    """Read the rows sorted by person and time, look at every number, and return how many rows."""
    import nanoarrow

    from becalm.core.database import connect

    types = ", ".join(f"'{column}': '{kind}'" for column, kind in COLUMNS.items())
    sql = (
        f"SELECT {', '.join(COLUMNS)} FROM read_csv('{folder}/icu/inputevents.csv', "
        f"types = {{{types}}}) ORDER BY subject_id, starttime"
    )
    widths = {"INTEGER": np.int32, "TIMESTAMP": np.int64, "DOUBLE": np.float64}
    rows = 0
    for batch in nanoarrow.c_array_stream(connect(memory, within=[folder]).sql(sql)):
        view = batch.view()
        for i, kind in enumerate(COLUMNS.values()):
            if kind in widths:
                np.frombuffer(view.child(i).buffer(1), widths[kind])
        rows += batch.length
    return rows


def rates(folder: Path) -> int:
    """Rebuild the rate of every drug from the folder, and return how many rows counted."""
    from becalm.core.prefetch import results_in_order
    from becalm.doses import rebuild
    from becalm.events import harmonise
    from becalm.records import Records
    from becalm.records.mimic4 import open_mimic4
    from becalm.vocabulary import load

    words = load()

    def of(records: Records) -> int:
        found = rebuild(records, harmonise(records, words), words)
        for drug in found.drugs:
            found.rate(drug)
        return int(found.frame["counted"].sum())

    return sum(results_in_order(of, open_mimic4(folder).chunks(), 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=20_000_000, help="of a folder not there yet")
    parser.add_argument("--times", type=int, default=3, help="rounds; the ratio is of the medians")
    parser.add_argument("--memory", default="1GiB", help="of the sorted read")
    parser.add_argument("--only", choices=["sorted read", "rates"], help=argparse.SUPPRESS)
    asked = parser.parse_args()
    began = time.perf_counter()
    if asked.only == "sorted read":
        report(sorted_read(asked.folder, asked.memory), began)
    elif asked.only == "rates":
        report(rates(asked.folder), began)
    else:
        if not asked.folder.exists():
            write(asked.folder, asked.rows)
        folder = str(asked.folder)
        parts = {"sorted read": (folder, "--memory", asked.memory), "rates": (folder,)}
        compare(__file__, asked.times, "sorted read", "rates", parts)


if __name__ == "__main__":
    main()
