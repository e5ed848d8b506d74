"""Flat tables of any layout, CSV or Parquet, read with a mapping file that gives their meaning."""

from becalm.records.mapped.reading import load, shipped
from becalm.records.mapped.source import open_mapped

__all__ = ["load", "open_mapped", "shipped"]
