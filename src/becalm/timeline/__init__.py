"""Points and step functions over all persons at once: the one idea that everything else uses.

A value holds until the next one *or until it expires*; a rate holds until it changes or stops.
`Points` become a `Timeline` by `hold` or `trailing`; timelines become another by `combine`;
a `Timeline` answers `at`, `first` and `where`, and the latter gives `Intervals`. Unknown is the
absence of a segment, and an uncertain value has a lowest and a highest.
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
    "overlay",
    "ratio",
    "rounded",
]
