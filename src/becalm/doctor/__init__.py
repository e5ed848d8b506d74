"""How well records can be understood, before anything is concluded from them.

`examine` reads a source once and counts; `render` prints what it found for the person who wrote
the extract; `write` leaves the same tables as CSV files.
"""

from becalm.doctor.examining import examine
from becalm.doctor.model import TABLES, Diagnosis
from becalm.doctor.rendering import render, write

__all__ = ["TABLES", "Diagnosis", "examine", "render", "write"]
