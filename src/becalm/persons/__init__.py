"""Facts about a person that several packages need: age, weight, body surface, stays, death, diagnoses."""

__all__ = [
    "age",
    "believed",
    "death",
    "diagnoses",
    "lifetime",
    "stays",
    "surface",
    "weighed",
    "weight",
    "whole_stays",
]
