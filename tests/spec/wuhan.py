"""The Wuhan file as chart-review sheets, its units stated in a mapping: the file gives none.

Units follow the names and ranges of Yan et al. 2020, 10.1038/s42256-020-0180-7. The patient number
stands only on a patient's first row; everybody had COVID-19 by inclusion; PCR cells read -1 and say
nothing. Temperature, organs, marrow and treatment are not in the file.
"""

import csv
import gzip
from pathlib import Path

FOLDER = Path(__file__).parents[2] / ".." / "shared" / "data" / "wuhan-covid"
FILE = FOLDER / "time_series_odd_patients.csv.gz"
UNITS = {
    # column of the file: (name in the sheets, unit)
    "ferritin": ("ferritin", "ug/L"),
    "High sensitivity C-reactive protein": ("crp", "mg/L"),
    "aspartate aminotransferase": ("ast", "U/L"),
    "glutamic-pyruvic transaminase": ("alt", "U/L"),
    "Lactate dehydrogenase": ("ldh", "U/L"),
    "Platelet count": ("platelets", "10^9/L"),
    "White blood cell count": ("wbc", "10^9/L"),
    "neutrophils count": ("neutrophils", "10^9/L"),
    "hemoglobin": ("haemoglobin", "g/L"),
    "fibrinogen": ("fibrinogen", "g/L"),
    "D-D dimer": ("d_dimer", "ug/mL FEU"),
    "albumin": ("albumin", "g/L"),
    "Total bilirubin": ("bilirubin", "umol/L"),
    "creatinine": ("creatinine", "umol/L"),
    "Serum potassium": ("potassium", "mmol/L"),
    "Serum chloride": ("chloride", "mmol/L"),
    "Interleukin 6": ("il6", "pg/mL"),
    "ESR": ("esr", "mm/h"),
}


def write_sheets(out: Path) -> int:
    """Write persons, stays, labs and conditions; return the number of patients."""
    with gzip.open(FILE, "rt", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    persons: dict[str, list[str]] = {}
    stays, labs, conditions = [], [], []
    who = ""
    for row in rows:
        if row["PATIENT_ID"]:
            who = f"W{float(row['PATIENT_ID']):.0f}"
            came, went = row["Admission time"], row["Discharge time"]
            died = row["outcome"] == "1"
            sex = "M" if row["gender"] == "1" else "F"
            persons[who] = [who, sex, row["age"], came, went if died else ""]
            stays.append([who, "1", came, went, "ward", "died" if died else "home"])
            conditions.append([who, came, "COVID-19", "confirmed"])
        if not row["RE_DATE"]:
            continue
        for column, (name, unit) in UNITS.items():
            if row[column] and row[column] != "-1":
                labs.append([who, row["RE_DATE"], name, row[column], unit])
    for name, head, body in (
        ("persons", "person_id,sex,age,age_at,death_time", persons.values()),
        ("stays", "person_id,stay_id,start,end,kind,to", stays),
        ("labs", "person_id,time,name,value,unit", labs),
        ("conditions", "person_id,onset,name,status", conditions),
    ):
        with (out / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(head.split(","))
            writer.writerows(body)
    return len(persons)
