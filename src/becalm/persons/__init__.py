"""Facts about a person that several packages need: age, weight, stays, death, diagnoses."""

__all__ = [
    "age",
    "death",
    "diagnoses",
    "lifetime",
    "stays",
    "weighed",
    "weight",
    "whole_stays",
]
