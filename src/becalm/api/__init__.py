"""The functions for notebooks and the command line: open, understand, score, run, write.

The objects here use the names of persons, calendar times and lengths of time as text; the Timelines
in them use numbers only.
"""

from becalm.api.ahead import MarkersAhead, markers_ahead
from becalm.api.opening import PatientRecords, open_records
from becalm.api.scoring import Score, score
from becalm.api.studying import Study, run
from becalm.api.table import DataTable
from becalm.api.understanding import OverTime, Understood, VariableValues, understand

__all__ = [
    "DataTable",
    "MarkersAhead",
    "OverTime",
    "PatientRecords",
    "Score",
    "Study",
    "Understood",
    "VariableValues",
    "ahead",
    "levelling",
    "markers_ahead",
    "open_records",
    "releasing",
    "run",
    "score",
    "simulating",
    "turnover",
    "understand",
    "write",
]
