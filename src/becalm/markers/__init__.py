"""The next value of a marker as a distribution: the last value with the measured spread of changes, on open records.

Research use only. It knows draws alone (`timeline.Points`); whoever has records knows who was treated.
"""

from becalm.markers.changes import DIRECTIONS, MarkerChanges, changes, last_values
from becalm.markers.distribution import crps, quantiles, shares, weighted
from becalm.markers.forecast import MarkerInUse, MeasuredSpread, how_usual, in_use, next_values
from becalm.markers.learning import MarkerToLearn, fit, judged_on, learn, scores
from becalm.markers.model import FEWEST, LEVELS, MarkerModel, MarkerTest, Measured, measured

__all__ = [
    "DIRECTIONS",
    "FEWEST",
    "LEVELS",
    "MarkerChanges",
    "MarkerInUse",
    "MarkerModel",
    "MarkerTest",
    "MarkerToLearn",
    "Measured",
    "MeasuredSpread",
    "changes",
    "crps",
    "fit",
    "how_usual",
    "in_use",
    "judged_on",
    "last_values",
    "learn",
    "measured",
    "next_values",
    "quantiles",
    "scores",
    "shares",
    "weighted",
]
