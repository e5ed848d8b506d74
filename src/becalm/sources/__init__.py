"""Sources read and type records; they do not interpret them."""

from becalm.sources.recognise import KINDS, open_records

__all__ = ["KINDS", "open_records"]
