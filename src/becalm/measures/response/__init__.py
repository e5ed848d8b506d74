"""Response: values before and after each clock, and the protocol's own response."""

from becalm.measures.response.primary import LEFT_TRUNCATED, primary
from becalm.measures.response.prognosis import prognosis, small_fall
from becalm.measures.response.table import response

__all__ = [
    "LEFT_TRUNCATED",
    "background",
    "primary",
    "prognosis",
    "response",
    "selection_effect",
    "small_fall",
]
