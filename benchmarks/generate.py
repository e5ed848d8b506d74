"""Write an invented hospital in the shape of MIMIC-IV, with as many measurements as asked for.

    python benchmarks/generate.py FOLDER --measurements 20_000_000 [--gzip]

Every measurement is one that becalm's vocabulary knows, so all of them are read, sorted and
understood: in MIMIC-IV itself about one row in three is. Half of the laboratory rows, and one in
ten of the charted ones, are read by HScore, HLH-2004 or 2016 MAS: about three times MIMIC-IV's
share. Rows come as a hospital's tables grow, with the persons interleaved, so sorting has work
to do. Everybody has one stay: laboratory draws of eight results every six hours, and, of one
person in four, intensive care with eight charted values an hour. The same arguments give the same
rows.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PER_PERSON: Final = 200
"""Measurements: three in four from the laboratory, the rest charted, in one person in four."""

IN_INTENSIVE_CARE: Final = 4
DIAGNOSES: Final = 8

LABS: Final = {
    # item: label, unit, middle, spread (of the logarithm), decimals, reference limits
    50971: ("Potassium", "mEq/L", 4.2, 0.12, 1, "3.3", "5.1"),
    50983: ("Sodium", "mEq/L", 138, 0.03, 0, "133", "145"),
    50912: ("Creatinine", "mg/dL", 1.1, 0.6, 1, "0.4", "1.1"),
    51006: ("Urea Nitrogen", "mg/dL", 22, 0.6, 0, "6", "20"),
    51265: ("Platelet Count", "K/uL", 190, 0.6, 0, "150", "440"),
    51222: ("Hemoglobin", "g/dL", 10.2, 0.2, 1, "12.0", "16.0"),
    51301: ("White Blood Cells", "K/uL", 9, 0.6, 1, "4.0", "11.0"),
    51275: ("PTT", "sec", 38, 0.4, 1, "25.0", "36.5"),
    51237: ("INR(PT)", "", 1.4, 0.3, 1, "0.9", "1.1"),
    51274: ("PT", "sec", 15, 0.3, 1, "9.4", "12.5"),
    50878: ("Asparate Aminotransferase (AST)", "IU/L", 45, 1.0, 0, "0", "40"),
    50885: ("Bilirubin, Total", "mg/dL", 0.8, 0.8, 1, "0", "1.5"),
    50861: ("Alanine Aminotransferase (ALT)", "IU/L", 40, 1.0, 0, "0", "40"),
    51244: ("Lymphocytes", "%", 18, 0.6, 1, "18", "42"),
    51256: ("Neutrophils", "%", 65, 0.2, 1, "50", "70"),
    50813: ("Lactate", "mmol/L", 1.8, 0.5, 1, "0.5", "2.0"),
    50954: ("Lactate Dehydrogenase (LD)", "IU/L", 320, 0.6, 0, "94", "250"),
    50862: ("Albumin", "g/dL", 3.3, 0.2, 1, "3.5", "5.2"),
    51133: ("Absolute Lymphocyte Count", "K/uL", 1.5, 0.6, 2, "1.2", "3.7"),
    52075: ("Absolute Neutrophil Count", "K/uL", 6, 0.7, 2, "1.6", "6.1"),
    51214: ("Fibrinogen, Functional", "mg/dL", 330, 0.4, 0, "150", "400"),
    51000: ("Triglycerides", "mg/dL", 140, 0.6, 0, "0", "149"),
    50924: ("Ferritin", "ng/mL", 450, 1.3, 0, "13", "400"),
    50889: ("C-Reactive Protein", "mg/L", 40, 1.0, 1, "0", "5"),
}
CHARTED: Final = {
    # item: label, unit, middle, spread, decimals
    220045: ("Heart Rate", "bpm", 88, 0.2, 0),
    220210: ("Respiratory Rate", "insp/min", 19, 0.25, 0),
    220277: ("O2 saturation pulseoxymetry", "%", 96, 0.01, 0),
    220179: ("Non Invasive Blood Pressure systolic", "mmHg", 115, 0.18, 0),
    220181: ("Non Invasive Blood Pressure mean", "mmHg", 75, 0.18, 0),
    223761: ("Temperature Fahrenheit", "°F", 99, 0.012, 1),
    223762: ("Temperature Celsius", "°C", 37.2, 0.015, 1),
    220739: ("GCS - Eye Opening", "", 4, 0, 0),
    223900: ("GCS - Verbal Response", "", 5, 0, 0),
    223901: ("GCS - Motor Response", "", 6, 0, 0),
    223835: ("Inspired O2 Fraction", "", 45, 0.2, 0),
    220224: ("Arterial O2 pressure", "mmHg", 110, 0.4, 0),
    224639: ("Daily Weight", "kg", 80, 0.2, 1),
}
BLOOD_COUNT: Final = (51222, 51265, 51301, 50912)
DRAWS: Final = (
    (*BLOOD_COUNT, 50878, 50861, 50885, 50954),
    (*BLOOD_COUNT, 50971, 50983, 51006, 52075),
    (*BLOOD_COUNT, 51275, 51237, 51274, 51214),
    (*BLOOD_COUNT, 50971, 50983, 51006, 50813),
    (*BLOOD_COUNT, 50878, 50861, 50885, 50862),
    (*BLOOD_COUNT, 51256, 51244, 52075, 51133),
    (*BLOOD_COUNT, 50924, 51000, 50889, 50954),
    (*BLOOD_COUNT, 50971, 50983, 51006, 50813),
    (*BLOOD_COUNT, 50878, 50861, 50885, 51214),
    (*BLOOD_COUNT, 50971, 50983, 51006, 52075),
)
HOURLY: Final = (220045, 220210, 220277, 220179, 220181)
ROUNDS: Final = (
    (*HOURLY, 223761, 220739, 223900),
    (*HOURLY, 223901, 223835, 224639),
    (*HOURLY, 223761, 220739, 223900),
    (*HOURLY, 223901, 220224, 223762),
)
DRUGS: Final = {
    222168: ("Propofol", "mg", "mcg/kg/min", 30),
    221906: ("Norepinephrine", "mg", "mcg/kg/min", 0.1),
    225158: ("NaCl 0.9%", "ml", "mL/hour", 75),
}
PROCEDURES: Final = {225792: "Invasive Ventilation", 225802: "Dialysis - CRRT"}
ICD: Final = ("I10", "E785", "N179", "J9601", "A419", "M329", "C9100", "D696")


def generate(folder: Path, measurements: int, *, gzipped: bool = False) -> Mapping[str, int]:
    """Write the folder's tables and return how many rows the measurements' two have."""
    import duckdb

    (folder / "hosp").mkdir(parents=True, exist_ok=True)
    (folder / "icu").mkdir(exist_ok=True)
    persons = max(IN_INTENSIVE_CARE, measurements // PER_PERSON)
    charted = measurements // 4
    rows = {"labevents": measurements - charted, "chartevents": charted}
    with duckdb.connect(config={"memory_limit": "1GiB"}) as con:
        con.execute("SET TimeZone = 'UTC'")
        for sql in _MACROS:
            con.execute(sql)
        for table, query in _tables(rows, persons).items():
            suffix = ".csv.gz" if gzipped else ".csv"
            _copy(con, query, folder / f"{table}{suffix}", gzipped)
    return rows


def _copy(con: DuckDBPyConnection, query: str, path: Path, gzipped: bool) -> None:
    packed = ", COMPRESSION gzip" if gzipped else ""
    name = str(path).replace("'", "''")
    con.execute(f"COPY ({query}) TO '{name}' (FORMAT csv, HEADER true{packed})")


_MACROS: Final = (
    # A number from 0 to 65535, as good as random: the nth of four that a key gives.
    "CREATE MACRO part(key, n) AS ((key >> (16 * n)) & 65535)::INTEGER",
    # Four of them added up are nearly normal, with standard deviation 1.
    """CREATE MACRO normal(key) AS
       ((part(key, 0) + part(key, 1) + part(key, 2) + part(key, 3)) / 65535.0 - 2) * 1.7320508""",
    "CREATE MACRO lot(key, n) AS (key % n)::BIGINT",
    "CREATE MACRO subject(p) AS (10000000 + p)::INTEGER",
    "CREATE MACRO begun(p) AS TIMESTAMP '2110-01-01' + to_minutes(lot(hash(p), 47000000))",
    "CREATE MACRO left_at(p) AS begun(p) + to_hours(120 + lot(hash(p), 480))",
    "CREATE MACRO died(p) AS hash(p, 'died') % 20 = 0",
)


def _tables(rows: Mapping[str, int], persons: int) -> dict[str, str]:
    cared_for = persons // IN_INTENSIVE_CARE
    everyone = f"(SELECT range AS p FROM range({persons}))"
    in_care = f"(SELECT range * {IN_INTENSIVE_CARE} AS p FROM range({cared_for}))"
    return {
        "hosp/patients": f"""
            SELECT subject(p) AS subject_id, ['F', 'M'][1 + p % 2] AS gender,
                   18 + hash(p, 'age') % 72 AS anchor_age, year(begun(p)) AS anchor_year,
                   '2014 - 2016' AS anchor_year_group,
                   CASE WHEN died(p) THEN left_at(p)::DATE END AS dod FROM {everyone}""",
        "hosp/admissions": f"""
            SELECT subject(p) AS subject_id, 20000000 + p AS hadm_id, begun(p) AS admittime,
                   left_at(p) AS dischtime, CASE WHEN died(p) THEN left_at(p) END AS deathtime,
                   'EW EMER.' AS admission_type, 'EMERGENCY ROOM' AS admission_location,
                   CASE WHEN died(p) THEN 'DIED' ELSE 'HOME' END AS discharge_location,
                   begun(p) - INTERVAL 5 HOUR AS edregtime, begun(p) AS edouttime,
                   died(p)::INTEGER AS hospital_expire_flag FROM {everyone}""",
        "hosp/d_labitems": _items(LABS, "'Blood' AS fluid, 'Chemistry' AS category"),
        "icu/d_items": _items(
            {**CHARTED, **DRUGS, **{item: (label, "") for item, label in PROCEDURES.items()}},
            "nullif(unit, '') AS unitname, NULL AS category",
        ),
        "hosp/labevents": _labevents(rows["labevents"], persons),
        "icu/chartevents": _chartevents(rows["chartevents"], cared_for),
        "icu/icustays": f"""
            SELECT subject(p) AS subject_id, 20000000 + p AS hadm_id, 30000000 + p AS stay_id,
                   begun(p) AS intime, begun(p) + INTERVAL 4 DAY AS outtime FROM {in_care}""",
        "icu/inputevents": _inputevents(in_care),
        "icu/procedureevents": f"""
            SELECT subject(p) AS subject_id, begun(p) + INTERVAL 4 HOUR AS starttime,
                   begun(p) + INTERVAL 50 HOUR AS endtime,
                   {list(PROCEDURES)}[1 + p // {IN_INTENSIVE_CARE} % {len(PROCEDURES)}] AS itemid,
                   'FinishedRunning' AS statusdescription FROM {in_care}""",
        "hosp/diagnoses_icd": f"""
            SELECT subject(p) AS subject_id, 20000000 + p AS hadm_id, n + 1 AS seq_num,
                   {list(ICD)}[1 + (hash(p, n) % {len(ICD)})::INTEGER] AS icd_code,
                   10 AS icd_version
            FROM {everyone}, (SELECT range AS n FROM range({DIAGNOSES}))""",
    }


def _items(items: Mapping[int, tuple[object, ...]], more: str) -> str:
    return (
        f"SELECT itemid, label, {more} FROM (VALUES "
        + ", ".join(f"({item}, {_text(what[0])}, {_text(what[1])})" for item, what in items.items())
        + ") AS given(itemid, label, unit) ORDER BY itemid"
    )


def _slots(
    rounds: tuple[tuple[int, ...], ...], items: Mapping[int, tuple[object, ...]], columns: str
) -> str:
    """Return what stands in each place of a cycle of draws, as an SQL table."""
    places = [item for each in rounds for item in each]
    values = (
        f"({slot}, {item}, {', '.join(map(_text, items[item][1:]))})"
        for slot, item in enumerate(places)
    )
    return f"(VALUES {', '.join(values)}) AS slots(slot, itemid, {columns})"


def _text(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)


def _labevents(rows: int, persons: int) -> str:
    """Return results in the order of draws over the whole hospital.

    One in 500 is masked in `value` and one in 1,000 above the assay's range, as in MIMIC-IV.
    """
    length = len(DRAWS) * len(DRAWS[0])
    slots = _slots(DRAWS, LABS, "unit, middle, spread, decimals, low, high")
    return f"""
        SELECT r + 1 AS labevent_id, subject(p) AS subject_id, 20000000 + p AS hadm_id,
               r // 8 AS specimen_id, itemid, NULL AS order_provider_id, drawn AS charttime,
               drawn + to_minutes(30 + part(key, 1) % 90) AS storetime,
               CASE WHEN part(key, 2) < 131 THEN '___'
                    WHEN part(key, 2) < 197 THEN '>' || number ELSE number END AS value,
               CASE WHEN part(key, 2) < 131 OR part(key, 2) >= 197 THEN number END AS valuenum,
               nullif(unit, '') AS valueuom, low AS ref_range_lower, high AS ref_range_upper,
               NULL AS flag, 'ROUTINE' AS priority, NULL AS comments
        FROM (
            SELECT *, hash(r) AS key, begun(p) + to_hours(6 * (nth // 8))
                      + to_minutes(lot(hash(p, nth // 8), 50)) AS drawn,
                   printf('%.' || decimals || 'f', middle * exp(spread * normal(hash(r)))) AS number
            FROM (SELECT range AS r, range % {persons} AS p, range // {persons} AS nth
                  FROM range({rows}))
            JOIN {slots} ON slot = nth % {length}
        )"""


def _chartevents(rows: int, persons: int) -> str:
    """Return charted values, hour by hour over the whole intensive care."""
    length = len(ROUNDS) * len(ROUNDS[0])
    slots = _slots(ROUNDS, CHARTED, "unit, middle, spread, decimals")
    return f"""
        SELECT subject(p) AS subject_id, 20000000 + p AS hadm_id, 30000000 + p AS stay_id,
               NULL AS caregiver_id, charted AS charttime,
               charted + to_minutes(part(hash(r), 1) % 60) AS storetime, itemid, number AS value,
               number AS valuenum, nullif(unit, '') AS valueuom, 0 AS warning
        FROM (
            SELECT *, begun(p) + to_hours(nth // 8) AS charted,
                   printf('%.' || decimals || 'f', middle * exp(spread * normal(hash(r)))) AS number
            FROM (SELECT range AS r, range % {persons} * {IN_INTENSIVE_CARE} AS p,
                         range // {persons} AS nth FROM range({rows}))
            JOIN {slots} ON slot = nth % {length}
        )"""


def _inputevents(persons: str) -> str:
    drugs = ", ".join(
        f"({item}, '{amount}', '{rate}', {size})" for item, (_, amount, rate, size) in DRUGS.items()
    )
    hours = "(SELECT range AS n FROM range(3))"
    return f"""
        SELECT subject(p) AS subject_id, 20000000 + p AS hadm_id, 30000000 + p AS stay_id,
               started AS starttime, started + INTERVAL 4 HOUR AS endtime, itemid,
               CASE WHEN rateuom = 'mL/hour' THEN rate * 4 ELSE rate * 80 * 240 / 1000 END AS amount,
               amountuom, rate, rateuom, '01-Drips' AS ordercategoryname,
               'Continuous Med' AS ordercategorydescription, 80 AS patientweight,
               'FinishedRunning' AS statusdescription
        FROM (SELECT p, n, begun(p) + to_hours(6 + n * 4) AS started, itemid, amountuom, rateuom,
                     round(size * (1 + hash(p, n) % 100 / 100.0), 3) AS rate
              FROM {persons}, {hours},
                   (VALUES {drugs}) AS drugs(itemid, amountuom, rateuom, size))"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--measurements", type=int, default=20_000_000)
    parser.add_argument("--gzip", action="store_true", help="write .csv.gz")
    asked = parser.parse_args()
    for table, rows in generate(asked.folder, asked.measurements, gzipped=asked.gzip).items():
        print(f"{table}: {rows:,} rows")


if __name__ == "__main__":
    main()
