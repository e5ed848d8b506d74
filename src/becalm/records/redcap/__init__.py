"""Exports of REDCap projects, read with a mapping; a draft of the mapping; the template as a dictionary."""

from becalm.records.redcap.drafting import draft
from becalm.records.redcap.fates import CellFates
from becalm.records.redcap.source import fates_of, open_redcap
from becalm.records.redcap.template import write_project

__all__ = ["CellFates", "draft", "fates_of", "open_redcap", "write_project"]
