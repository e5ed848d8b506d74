"""The release of aggregates as one page. No rows, no persons, no dates, no examples, no drill-down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from becalm.report import page
from becalm.report.page_table import PageTable
from becalm.report.release.aggregates import Aggregates
from becalm.report.release.rules import DisclosureRules, numbers
from becalm.report.release.sheets import HIDDEN, ReleaseSheet, suppressed_share

PRINTED: Final = {
    "low95": "95 % interval, lower limit", "high95": "95 % interval, upper limit",
    "quartile1": "first quartile", "quartile3": "third quartile",
}  # fmt: skip
"""Heads of columns on the page, if they are not those of the CSV files."""


def render(found: Aggregates, given: Sequence[ReleaseSheet], rules: DisclosureRules) -> str:
    """Return the release as one page."""
    hidden, cells = suppressed_share(given)
    [size] = [sheet.rows[-1][1] for sheet in given if sheet.name == "attrition"]
    context: dict[str, Any] = {
        "style": page.style(),
        "found": found,
        "banners": [page.ILLUSTRATIVE] if found.illustrative else [],
        "rules": rules,
        "numbers": numbers(),
        "default": DisclosureRules.default(),
        "hidden": hidden,
        "cells": cells,
        "few": size == HIDDEN or int(size) < numbers().quartiles_from * rules.threshold,
        "size": "" if size == HIDDEN else size,
        "tables": [
            PageTable(
                [PRINTED.get(name, name) for name in sheet.head], sheet.rows, caption=sheet.title
            )
            for sheet in given
            if sheet.rows
        ],
    }
    return page.environment().get_template("release.html.j2").render(context)
