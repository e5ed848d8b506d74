"""A check of how well records can be understood, before they are used.

`examine` reads a source once and counts; `render` prints the result for the person who made the
extract; `write` writes the same tables as CSV files.
"""

from becalm.doctor.examining import examine
from becalm.doctor.model import TABLES, Diagnosis
from becalm.doctor.rendering import KIND, render, write

__all__ = ["KIND", "TABLES", "Diagnosis", "examine", "render", "write"]
