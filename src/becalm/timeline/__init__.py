"""Points and step functions of all persons at once; all other packages use them.

A value holds until the next one *or until it expires*; a rate holds until it changes or stops.
`Points` become a `Timeline` by `hold` or `trailing`; timelines become another by `combine`;
a `Timeline` answers `at`, `first` and `where`, and `where` returns `Intervals`. Where a value is
unknown there is no segment; an uncertain value has a lowest and a highest possible value.
"""

from becalm.timeline.axis import Axis, axis
from becalm.timeline.cumulative import Cumulative
from becalm.timeline.intervals import Intervals
from becalm.timeline.joining import combine, either, overlay
from becalm.timeline.points import Points, Take
from becalm.timeline.rounding import difference, ratio, rounded
from becalm.timeline.steps import Predicate, Timeline

__all__ = [
    "Axis",
    "Cumulative",
    "Intervals",
    "Points",
    "Predicate",
    "Take",
    "Timeline",
    "axis",
    "combine",
    "difference",
    "either",
    "nearest",
    "overlay",
    "ratio",
    "rounded",
    "windows",
]
