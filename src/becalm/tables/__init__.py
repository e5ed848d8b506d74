"""The tables that a study writes: columns, keys, and what each means.

Unknown is empty; a bound of infinity is empty too (unbounded). Lists are joined by `|`.
"""

from becalm.tables.analysis_results import ANALYSIS_RESULTS
from becalm.tables.background import UNTREATED, WITHOUT_DRUG
from becalm.tables.cell_lines import CELL_LINES
from becalm.tables.cohort import (
    ATTRITION,
    DISPUTED_DEATHS,
    NOT_UNDERSTOOD,
    PERSONS,
    ROWS_REFUSED,
    VALUES,
)
from becalm.tables.composites import COMPOSITE_COUNTS, COMPOSITES
from becalm.tables.criteria import (
    CRITERIA,
    CRITERIA_ITEMS,
    CRITERIA_LOOK_BACKS,
    CRITERIA_OVER_TIME,
    REPLACED_REPORTS,
)
from becalm.tables.dictionary import DICTIONARY, dictionary
from becalm.tables.escalation_response import ESCALATION_RESPONSE
from becalm.tables.exposure import (
    EXPOSURE,
    EXPOSURE_BY_DOSE,
    EXPOSURE_OVER_TIME,
    EXPOSURE_PARAMETERS,
)
from becalm.tables.figures import DOSE_STEPS, LEFT, MISSING, NEAREST, ROWS, SERIES
from becalm.tables.incidence import INCIDENCE
from becalm.tables.infection import INFECTIONS
from becalm.tables.judgements import (
    DEFINITION_ACCURACY,
    JUDGED,
    JUDGEMENT_AGREEMENT,
    JUDGEMENTS,
)
from becalm.tables.kidney import CLEARANCE, KIDNEY, KIDNEY_OVER_TIME, URINE_STAGES
from becalm.tables.levels import (
    LEVEL_CURVES,
    LEVEL_DOSES,
    LEVEL_SCORES,
    LEVEL_UPDATES,
    LEVELS,
)
from becalm.tables.markers import MARKER_CHANGES, MARKER_TESTS, MARKERS_AHEAD
from becalm.tables.next_test import NEXT_TEST
from becalm.tables.organs import SOFA, SUSPECTED_INFECTIONS
from becalm.tables.person_time import EMULATION, EVENT_RATES, PERSON_TIME
from becalm.tables.prognosis_inputs import PROGNOSIS_INPUTS
from becalm.tables.recurrences import RECURRENCES
from becalm.tables.registry import LEVELS_WRITTEN, SIMULATED, TABLES, WRITTEN, empty
from becalm.tables.response import KIDNEY_STAGES, OUTCOME, PRIMARY, RESPONSE, SAFETY
from becalm.tables.schema import Column, Table
from becalm.tables.selection_effect import REPEATED_DRAWS, SELECTION_EFFECT
from becalm.tables.serial import FEVER, PROGNOSIS, SERIAL_CHANGES
from becalm.tables.simulation import (
    MODEL_PARAMETERS,
    OCCUPANCY,
    SIMULATED_ATTAINMENT,
    SIMULATED_CONCENTRATION,
    SIMULATED_DOSES,
    SIMULATED_ENDS,
    SIMULATED_EXPOSURE,
    SIMULATED_GRID,
    SIMULATED_MARKERS,
)
from becalm.tables.slopes import NORMAL_AGAIN, SLOPES
from becalm.tables.therapy import (
    CALENDAR_DOSE,
    COURSES,
    DAILY_DOSE,
    DOSE_REMARKS,
    DOSES,
    EPISODES,
    ESCALATIONS,
    PREVIOUS_THERAPY,
    TIME_AT_DOSE,
)

__all__ = [
    "ANALYSIS_RESULTS",
    "ATTRITION",
    "CALENDAR_DOSE",
    "CELL_LINES",
    "CLEARANCE",
    "COMPOSITES",
    "COMPOSITE_COUNTS",
    "COURSES",
    "CRITERIA",
    "CRITERIA_ITEMS",
    "CRITERIA_LOOK_BACKS",
    "CRITERIA_OVER_TIME",
    "DAILY_DOSE",
    "DEFINITION_ACCURACY",
    "DICTIONARY",
    "DISPUTED_DEATHS",
    "DOSES",
    "DOSE_REMARKS",
    "DOSE_STEPS",
    "EMULATION",
    "EPISODES",
    "ESCALATIONS",
    "ESCALATION_RESPONSE",
    "EVENT_RATES",
    "EXPOSURE",
    "EXPOSURE_BY_DOSE",
    "EXPOSURE_OVER_TIME",
    "EXPOSURE_PARAMETERS",
    "FEVER",
    "INCIDENCE",
    "INFECTIONS",
    "JUDGED",
    "JUDGEMENTS",
    "JUDGEMENT_AGREEMENT",
    "KIDNEY",
    "KIDNEY_OVER_TIME",
    "KIDNEY_STAGES",
    "LEFT",
    "LEVELS",
    "LEVELS_WRITTEN",
    "LEVEL_CURVES",
    "LEVEL_DOSES",
    "LEVEL_SCORES",
    "LEVEL_UPDATES",
    "MARKERS_AHEAD",
    "MARKER_CHANGES",
    "MARKER_TESTS",
    "MISSING",
    "MODEL_PARAMETERS",
    "NEAREST",
    "NEXT_TEST",
    "NORMAL_AGAIN",
    "NOT_UNDERSTOOD",
    "OCCUPANCY",
    "OUTCOME",
    "PERSONS",
    "PERSON_TIME",
    "PREVIOUS_THERAPY",
    "PRIMARY",
    "PROGNOSIS",
    "PROGNOSIS_INPUTS",
    "RECURRENCES",
    "REPEATED_DRAWS",
    "REPLACED_REPORTS",
    "RESPONSE",
    "ROWS",
    "ROWS_REFUSED",
    "SAFETY",
    "SELECTION_EFFECT",
    "SERIAL_CHANGES",
    "SERIES",
    "SIMULATED",
    "SIMULATED_ATTAINMENT",
    "SIMULATED_CONCENTRATION",
    "SIMULATED_DOSES",
    "SIMULATED_ENDS",
    "SIMULATED_EXPOSURE",
    "SIMULATED_GRID",
    "SIMULATED_MARKERS",
    "SLOPES",
    "SOFA",
    "SUSPECTED_INFECTIONS",
    "TABLES",
    "TIME_AT_DOSE",
    "UNTREATED",
    "URINE_STAGES",
    "VALUES",
    "WITHOUT_DRUG",
    "WRITTEN",
    "Column",
    "Table",
    "dictionary",
    "empty",
    "schema",
    "sharing",
    "store",
    "stream",
    "writing",
]
