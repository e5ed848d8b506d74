"""Chart-review sheets: a folder of CSV or Parquet files, or one XLSX workbook."""

from becalm.records.sheets.source import SheetsSource, looks_like, open_sheets, would_read

__all__ = ["SheetsSource", "looks_like", "open_sheets", "would_read"]
