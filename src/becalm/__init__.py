"""becalm: find, rebuild, measure and report treated cytokine storms from anyone's records.

Research use only: not a medical device.

What a notebook uses is listed in `__all__` and loaded when it is first asked for, so that
`import becalm` and `becalm --help` stay quick. See docs/notebook.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from becalm import kidney
    from becalm.api import open_records, run, score, understand
    from becalm.core.errors import BecalmError

__version__ = "0.1.0"

__all__ = ["BecalmError", "kidney", "open_records", "run", "score", "understand"]

_HOMES: Final = {
    "BecalmError": "becalm.core.errors",
    "open_records": "becalm.api",
    "run": "becalm.api",
    "score": "becalm.api",
    "understand": "becalm.api",
}


def __getattr__(name: str) -> Any:
    if name == "kidney":
        return import_module("becalm.kidney")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'becalm' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
