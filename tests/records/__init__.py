"""One builder of records for all tests: patients in words, as records in memory or as files.

>>> someone = [person(age=30), lab("ferritin", 9000, 5), dose("anakinra", 6, amount="100 mg")]
>>> len(records(*someone).measurements)
1

The same rows are `records` or `chunk` in memory, `sheets` or a `workbook` on disk (`tests.records.chart_review`) or
MIMIC-IV's files (`mimic4`). Many values of one variable are read more easily as a table (`tests.records.pictures`).
"""

from tests.records.chart_review import sheets, workbook
from tests.records.cohorts import entered, left, measured, study
from tests.records.memory import SCHEMAS, chunk, records
from tests.records.mimic_files import mimic4
from tests.records.rows import (
    ORIGIN,
    Moment,
    Row,
    V,
    at,
    condition,
    culture,
    dose,
    finding,
    hours,
    infusion,
    lab,
    patient,
    person,
    procedure,
    stay,
)

__all__ = [
    "ORIGIN",
    "SCHEMAS",
    "Moment",
    "Row",
    "V",
    "at",
    "chunk",
    "condition",
    "culture",
    "dose",
    "entered",
    "finding",
    "hours",
    "infusion",
    "lab",
    "left",
    "measured",
    "mimic4",
    "patient",
    "person",
    "procedure",
    "records",
    "sheets",
    "stay",
    "study",
    "workbook",
]
