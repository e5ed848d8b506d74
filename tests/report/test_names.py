"""Each section of the report has its own id, and each figure its own name."""

from __future__ import annotations

import pytest

from becalm.report import figures, sections
from becalm.report.chart import Chart, DeclaredCharts
from becalm.report.cohort import Cohort
from becalm.report.section import DeclaredSection, Section


def _declared(name: str, position: int) -> DeclaredSection:
    return DeclaredSection(name, position, lambda *_: Section(name.capitalize()))


def test_sections_stand_in_the_order_of_their_positions() -> None:
    declared = [_declared("later", 20), _declared("earlier", 10)]
    assert [each.id for each in sections.in_order(declared)] == ["earlier", "later"]


@pytest.mark.parametrize("name", ["flow", *sections.RESERVED])
def test_two_sections_with_one_id_are_an_error(name: str) -> None:
    declared = [_declared("flow", 0), _declared(name, 10)]
    with pytest.raises(ValueError, match=f"^two sections of the report have the id '{name}'$"):
        sections.in_order(declared)


@pytest.mark.parametrize("name", ["dose", figures.ATTRITION])
def test_two_figures_with_one_name_are_an_error(
    cohort: Cohort, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Also if the study has no data for one of them."""
    again = DeclaredCharts(1000, lambda _: [Chart(name, "Once more", "", None)])
    declared = [*figures.declared(), again]
    monkeypatch.setattr(figures, "declared", lambda: declared)
    with pytest.raises(ValueError, match=f"^two figures of the report have the name '{name}'$"):
        list(figures.specs(cohort))
