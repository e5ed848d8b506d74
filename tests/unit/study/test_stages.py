"""The stages of a study: found in their files, in an order that serves each what it needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from becalm import definitions, protocol, tables
from becalm.cohort.selection import candidates, select
from becalm.core.frame import Frame
from becalm.measures.stage import Stage, StageInput
from becalm.records import StudyInfo
from becalm.study.stages import ordered, pooled, stages
from becalm.tables import Table
from becalm.tables.schema import text
from tests.records import chunk, finding, infusion, lab, person, stay

MADE_FROM_COUNTS = {
    "analysis_results",
    "attrition",
    "not_understood",
    "rows_refused",
    "dictionary",
    "exposure_parameters",
    "left",
    "nearest",
    "rows",
}


@pytest.fixture(scope="module")
def given() -> StageInput:
    """What stages are given of one patient on a continuous infusion."""
    rules = protocol.load("anakinra_mas")
    patients = chunk(
        person("case", age=44),
        stay(-240, 480),
        *(lab("ferritin", value, hour) for value, hour in ((9000, -4), (8000, 24), (3000, 48))),
        *(lab("temperature", 39.5, hour) for hour in (-20, -4, 2)),
        lab("creatinine", 1.0, -3),
        finding("splenomegaly", "yes", -5),
        infusion(0, 96),
    )
    found = candidates(patients, rules, StudyInfo())
    inputs = patients.inputs(rules.clock)
    read = {name: definitions.load(name) for name in rules.definitions.report}
    evaluations = {name: definitions.evaluate(each, inputs) for name, each in read.items()}
    cohort = select(patients, found, evaluations, rules).cohort
    assert len(cohort) == 1
    return StageInput(patients, found, cohort, rules, read, inputs, evaluations, (), {})


def stage(name: str, *needs: str) -> Stage:
    table = Table(name, "A table.", "row", {"person_id": text("The person.")})
    return Stage(table, lambda _: table.empty(), needs=needs)


def names(found: tuple[Stage, ...]) -> list[str]:
    return [each.table.name for each in found]


def test_every_table_has_exactly_one_stage_or_is_made_of_all_batches() -> None:
    summed = {each.table.name for each in pooled()}
    of_studies = {name for name, table in tables.TABLES.items() if table.command == "study"}
    assert {*names(stages()), *summed, *MADE_FROM_COUNTS} == of_studies
    assert not summed & {*names(stages()), *MADE_FROM_COUNTS}
    assert not set(names(stages())) & MADE_FROM_COUNTS


def test_a_stage_comes_after_those_that_it_needs_and_otherwise_by_name() -> None:
    declared = [stage("c"), stage("a", "d"), stage("d", "e"), stage("e"), stage("b")]
    assert names(ordered(declared)) == ["b", "c", "e", "d", "a"]
    assert names(ordered(reversed(declared))) == ["b", "c", "e", "d", "a"]


@pytest.mark.parametrize(
    ("declared", "mistake"),
    [
        ([stage("a"), stage("a")], "two stages fill the table 'a'"),
        ([stage("a", "b")], "the stage of 'a' needs 'b': no stage fills it"),
        ([stage("a", "b"), stage("b", "a")], "stages need each other: "),
        ([stage("a", "a")], "stages need each other: "),
    ],
)
def test_what_cannot_be_put_in_order_is_refused(declared: list[Stage], mistake: str) -> None:
    with pytest.raises(ValueError, match=mistake):
        ordered(declared)


def test_rows_are_opened_from_source_row_unless_a_stage_says_otherwise() -> None:
    table = tables.RESPONSE
    plain = Stage(table, lambda _: table.empty())
    assert plain.opened == ("source_row",)
    assert replace(plain, opens=()).opened == ()
    assert Stage(tables.OUTCOME, lambda _: tables.OUTCOME.empty()).opened == ()


class Watched(Mapping[str, Frame]):
    """The tables of earlier stages, which remember what was asked for."""

    def __init__(self, frames: Mapping[str, Frame]) -> None:
        self.frames = frames
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> Frame:
        self.asked.add(name)
        return self.frames[name]

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("a stage names the tables that it needs")

    def __len__(self) -> int:
        return len(self.frames)


def test_a_stage_reads_only_the_tables_that_it_says_it_needs(given: StageInput) -> None:
    made: dict[str, Frame] = {}
    for each in stages():
        watched = Watched(made)
        made[each.table.name] = each.measure(replace(given, tables=watched))
        assert watched.asked == set(each.needs), each.table.name
        assert tuple(made[each.table.name].columns) == tuple(each.table), each.table.name


def test_what_several_stages_need_is_worked_out_once(given: StageInput) -> None:
    assert given.clearance is given.clearance
    assert given.treatments is given.treatments
    assert given.totals_and_items is given.totals_and_items
