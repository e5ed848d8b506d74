"""becalm: find cytokine storms in hospital records, rebuild their treatment, report the response.

Research use only: not a medical device.

The public names are in `__all__` and are imported at first use, so that `import becalm` and
`becalm --help` are fast. See docs/notebook.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from becalm import kidney, pk
    from becalm.api import markers_ahead, open_records, run, score, understand
    from becalm.core.errors import BecalmError

__version__ = "0.1.0"

__all__ = [
    "BecalmError",
    "kidney",
    "markers_ahead",
    "open_records",
    "pk",
    "run",
    "score",
    "understand",
]

_HOMES: Final = {
    "BecalmError": "becalm.core.errors",
    "markers_ahead": "becalm.api",
    "open_records": "becalm.api",
    "run": "becalm.api",
    "score": "becalm.api",
    "understand": "becalm.api",
}


def __getattr__(name: str) -> Any:
    if name in {"kidney", "pk"}:
        return import_module(f"becalm.{name}")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'becalm' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
