"""A chart of the report, and how a file declares its charts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from becalm.report.cohort import Cohort
from becalm.report.vega import Spec


class Chart(NamedTuple):
    """A chart: its name (of its file as well), title, caption and specification.

    spec : None where the study has nothing to show in it.
    """

    name: str
    title: str
    caption: str
    spec: Spec | None


@dataclass(frozen=True)
class DeclaredCharts:
    """How a file of `report/figures` declares its charts, in the constant `CHARTS`.

    position : charts are drawn in the order of their positions. make : yields the charts of a cohort.
    """

    position: int
    make: Callable[[Cohort], Iterable[Chart]]
