"""Short names for the parts of a Vega-Lite chart.

Charts are written as Vega-Lite specifications directly: building the same ones through Altair's
classes costs 0.75 s of import and about 0.6 s a figure, more than drawing them. The tests hold every
specification against Altair's schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Spec = dict[str, Any]


LINK: Spec = {"href": {"field": "link", "type": "nominal"}}
"""The channel that leads a mark to its row on the page; a mark without a link leads nowhere."""


def values(rows: Sequence[Mapping[str, Any]]) -> Spec:
    """Return rows as inline data."""
    return {"values": list(rows)}


def mark(kind: str, encoding: Mapping[str, Any], *, where: str = "", **style: Any) -> Spec:
    """Return one layer: a mark with its style, its encoding, and which rows it draws."""
    spec: Spec = {"mark": {"type": kind, **style}, "encoding": dict(encoding)}
    if where:
        spec["transform"] = [{"filter": where}]
    return spec


def quantity(field: str, **given: Any) -> Spec:
    """Return a channel that holds a number."""
    return {"field": field, "type": "quantitative", **given}


def category(field: str, **given: Any) -> Spec:
    """Return a channel that holds one of some names."""
    return {"field": field, "type": "nominal", **given}


def flat(low: float, high: float, **given: Any) -> Spec:
    """Return a scale with exactly this domain."""
    return {"domain": [low, high], "nice": False, "zero": False, **given}
