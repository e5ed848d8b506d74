"""Two runs beside each other: which results changed, who entered, who left, and what else differs.

`compare` reads two results folders; `render` prints what differs; `write` writes all of it as tables.
"""

from becalm.comparison.comparing import Comparison, compare
from becalm.comparison.rendering import KIND, render, write

__all__ = ["KIND", "Comparison", "compare", "render", "write"]
