"""Flat tables of any layout, CSV or Parquet, read through a mapping file that says what they mean."""

from becalm.records.mapped.reading import load, shipped
from becalm.records.mapped.source import open_mapped

__all__ = ["load", "open_mapped", "shipped"]
