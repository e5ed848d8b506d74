"""How the rate of an infusion is drawn: filled, or with a dashed edge where its end is assumed."""

from __future__ import annotations

from becalm.report import theme
from becalm.report.vega import Spec, mark


def infused(box: Spec, where: str = "") -> list[Spec]:
    """Return the layers of rates; `assumed` of a row says that its end is assumed.

    where : the beginning of the condition that chooses the rows, up to its `&&`.
    """
    return [
        mark("rect", box, where=f"{where}!datum.assumed", color=theme.BLUE, stroke=theme.BLUE,
             strokeWidth=0.6, opacity=1),
        mark("rect", box, where=f"{where}datum.assumed", fill=theme.WHITE, stroke=theme.BLUE,
             strokeWidth=0.9, strokeDash=[3, 2], opacity=1),
    ]  # fmt: skip
