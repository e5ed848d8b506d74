"""A MIMIC-IV folder of a few rows, written by a test: only the columns that are read."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

Row = Mapping[str, object]

COLUMNS: Final = {
    "hosp/patients": "subject_id gender anchor_age anchor_year dod",
    "hosp/admissions": "subject_id hadm_id admittime dischtime deathtime admission_location "
    "discharge_location edregtime edouttime",
    "hosp/transfers": "subject_id hadm_id transfer_id eventtype careunit intime outtime",
    "hosp/labevents": "labevent_id subject_id hadm_id itemid charttime storetime value valuenum "
    "valueuom ref_range_lower ref_range_upper comments",
    "hosp/d_labitems": "itemid label fluid",
    "hosp/diagnoses_icd": "subject_id hadm_id icd_code icd_version",
    "hosp/d_icd_diagnoses": "icd_code icd_version long_title",
    "hosp/procedures_icd": "subject_id chartdate icd_code icd_version",
    "hosp/d_icd_procedures": "icd_code icd_version long_title",
    "hosp/microbiologyevents": "microevent_id subject_id micro_specimen_id chartdate charttime "
    "spec_type_desc storedate storetime test_itemid test_name org_name ab_name comments",
    "hosp/emar": "subject_id hadm_id emar_id emar_seq poe_id pharmacy_id charttime medication "
    "event_txt",
    "hosp/emar_detail": "emar_id parent_field_ordinal administration_type dose_due dose_due_unit "
    "dose_given dose_given_unit product_description infusion_rate infusion_rate_adjustment "
    "infusion_rate_unit route",
    "hosp/prescriptions": "subject_id hadm_id pharmacy_id starttime stoptime drug dose_val_rx "
    "dose_unit_rx route",
    "hosp/pharmacy": "pharmacy_id starttime stoptime route",
    "icu/icustays": "subject_id stay_id intime outtime",
    "icu/chartevents": "subject_id itemid charttime storetime value valuenum valueuom",
    "icu/outputevents": "subject_id itemid charttime storetime value valueuom",
    "icu/inputevents": "subject_id hadm_id itemid starttime endtime amount amountuom rate rateuom "
    "patientweight ordercategoryname ordercategorydescription statusdescription",
    "icu/procedureevents": "subject_id starttime endtime itemid statusdescription",
    "icu/d_items": "itemid label unitname",
}

LABELS: Final[Mapping[str, Sequence[Row]]] = {
    "hosp/d_labitems": [
        {"itemid": 50924, "label": "Ferritin", "fluid": "Blood"},
        {"itemid": 50885, "label": "Bilirubin, Total", "fluid": "Blood"},
        {"itemid": 50915, "label": "D-Dimer", "fluid": "Blood"},
        {"itemid": 51508, "label": "Urine Color", "fluid": "Urine"},
    ],
    "icu/d_items": [
        {"itemid": 223762, "label": "Temperature Celsius", "unitname": "°C"},
        {"itemid": 226531, "label": "Admission Weight (lbs.)", "unitname": "None"},
        {"itemid": 223900, "label": "GCS - Verbal Response", "unitname": "None"},
        {"itemid": 226559, "label": "Foley", "unitname": "mL"},
        {"itemid": 222168, "label": "Propofol", "unitname": "mg"},
        {"itemid": 225802, "label": "Dialysis - CRRT", "unitname": "None"},
    ],
}


def mimic_folder(root: Path, tables: Mapping[str, Sequence[Row]], leave_out: str = "") -> Path:
    """Write every table but those left out; a table without rows has its header only."""
    persons = [
        {"subject_id": 2, "gender": "F", "anchor_age": 40, "anchor_year": 2150},
        {"subject_id": 10, "gender": "M", "anchor_age": 91, "anchor_year": 2160},
    ]
    given = {"hosp/patients": persons, **LABELS, **tables}
    for table, columns in COLUMNS.items():
        if table.split("/")[1] in leave_out.split():
            continue
        path = root / f"{table}.csv.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns.split())
            writer.writeheader()
            writer.writerows(given.get(table, []))
    return root
