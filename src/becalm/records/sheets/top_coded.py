"""Whole numbers of which only a lower limit is known: an age of `>89`, as data sets without names write it."""

from __future__ import annotations

import math

from becalm.vocabulary.numbers import spelling


def least_of(text: str) -> str:
    """Return the least whole number that a lower limit allows, '' for any other text.

    >>> least_of(">89"), least_of("≥ 90"), least_of("90+"), least_of("over 89"), least_of("89")
    ('90', '90', '90', '90', '')
    """
    number = spelling(f">={text[:-1]}" if text.endswith("+") else text)
    if number is None or number.otherwise or number.sign not in {">", ">="}:
        return ""
    limit = float(number.digits)
    return str(math.floor(limit) + 1 if number.sign == ">" else math.ceil(limit))
