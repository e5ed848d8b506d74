"""At, just below and just above every bound and window of the shipped definitions and the vocabulary.

Made from the files. What is expected is worked out here from the rule in words: `at_least` holds
from its number on, `above` only beyond it, `up_to` still at it, `below` no more at it; a look-back of
`72h` has lost a value at exactly 72 h, one of `<=48h` still has it at 48 h.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest

from becalm import vocabulary
from becalm.core.clock import HOUR
from becalm.definitions import Evaluation, Inputs, evaluate, load, serial_changes
from becalm.definitions.criteria import derived_in
from becalm.definitions.evaluation import status
from becalm.definitions.lookalikes import modifier_intervals
from becalm.definitions.model import Definition, Item
from becalm.definitions.qualifiers import probability_interval
from becalm.definitions.scoring import count_met, scored, totalled
from becalm.timeline import Intervals, Points, Timeline
from tests.records import chunk, finding, lab
from tests.spec.edges import MINUTE, files, hours, inclusive, read, unknown_keys, walk

SHIPPED = files("definitions/shipped")
EDGES = ("at_least", "above", "up_to", "below")
WORDS = "words for the reader"
CHOICE = "a choice, not a number"
WORTH = "what something is worth, compared with nothing"

TESTED = dict.fromkeys(
    [
        *(
            f"{part}{edge}"
            for part in ("item[].", "item[].count[].", "item[].count[].count[].")
            for edge in (*EDGES, "within", "bands[].below", "bands[].up_to", *(f"also[].{each}" for each in EDGES))
        ),
        *(f"{part}over.within" for part in ("item[].", "item[].count[].")),
        *(
            f"{part}change.{key}"
            for part in ("item[].", "item[].count[].")
            for key in ("within", "from_above")
        ),
        "cut_off", "variant[].cut_off", "probability[].total",
        "derivation.min_age", "derivation.below_age", "variant[].derivation.min_age",
        "variant[].derivation.below_age",
        "grade[].grade", "grade[].all", "grade[].any", "rule.all", "rule.any", "rule.all[].any",
        "rule.all[].of", "rule.all[].at_least",
    ],
    "tested here",
)  # fmt: skip
NO_EDGE = {
    **dict.fromkeys(
        ["title", "label", "name", "cite", "population", "notes", "cut_off_source", "variant[].name"], WORDS
    ),
    **dict.fromkeys(["variant[].title", "variant[].label", "variant[].cut_off_source", "variant[].cite"], WORDS),
    **dict.fromkeys(["variant[].population", "derivation.source", "variant[].derivation.source"], WORDS),
    **dict.fromkeys(["grade[].title", "grade[].source", "probability[].percent"], WORDS),
    **dict.fromkeys(["cut_off_verified", "derivation.verified", "item[].verified", "variant[].cut_off_verified"], "a mark"),
    "whole_stay": CHOICE,
    **dict.fromkeys(["derivation.underlying", "variant[].derivation.underlying"], "names of diseases"),
    **{
        f"{part}{key}": reason
        for part in ("item[].", "item[].count[].", "item[].count[].count[].")
        for key, reason in {
            "name": WORDS, "title": WORDS, "label": WORDS, "source": WORDS, "variable": CHOICE, "unit": CHOICE,
            "take": CHOICE, "clock": CHOICE, "score": CHOICE, "points": WORTH,
            "bands[].points": WORTH, "coefficient": "multiplies; nothing begins or ends at it",
            "decimals": "rounds before the comparison; the step of the tests of bounds",
            "also[].unit": CHOICE, "also[].source": WORDS,
            "over.take": CHOICE, "over.unit": CHOICE, "over.variable": CHOICE,
            "change.against": CHOICE,
        }.items()
    },
}  # fmt: skip


@pytest.mark.parametrize("name", SHIPPED)
def test_every_key_of_a_definition_is_tested_or_has_no_edge(name: str) -> None:
    """Worked examples are cases of their own and stand apart."""
    unknown = [
        key for key in unknown_keys(name, TESTED, NO_EDGE) if not key.startswith("example[]")
    ]
    assert not unknown, f"nobody knows how to test the edge of {unknown}"


def points_by_rule(item: dict[str, Any], value: float) -> float:
    """What a value is worth by the words of the file."""
    worth = item.get("points", 1.0)
    for band in item.get("bands", ()):
        if ("below" in band and value < band["below"]) or (
            "up_to" in band and value <= band["up_to"]
        ):
            return float(band["points"])
        if "below" not in band and "up_to" not in band:
            return float(band["points"])
    holds = {
        "at_least": lambda edge: value >= edge,
        "above": lambda edge: value > edge,
        "up_to": lambda edge: value <= edge,
        "below": lambda edge: value < edge,
    }
    [edge] = [key for key in EDGES if key in item]
    return float(worth) if holds[edge](item[edge]) else 0.0


def edges_of(item: dict[str, Any]) -> list[float]:
    """The bounds of an item, of its bands or its threshold."""
    found = [
        band[key] for band in item.get("bands", ()) for key in ("below", "up_to") if key in band
    ]
    return [float(edge) for edge in [*found, *(item[key] for key in EDGES if key in item)]]


def parts(
    raw: list[dict[str, Any]], read_items: tuple[Item, ...]
) -> Iterator[tuple[dict[str, Any], Item]]:
    """Pair each item of a file, and each part of one, with the package's own."""
    for one, item in zip(raw, read_items, strict=True):
        yield one, item
        yield from parts(one.get("count", []), item.count)


def in_own_unit(variable: str, unit: str, value: float) -> float:
    """Convert a value by the vocabulary's table: (value + shift) × times / by."""
    for each in read("vocabulary/variables.toml")["variable"]:
        if each["name"] == variable and unit and unit != each["unit"]:
            how = each["units"][unit]
            return float((value + how.get("shift", 0)) * how.get("times", 1) / how.get("by", 1))
    return value


def step(item: dict[str, Any]) -> float:
    """One unit in the last place that is printed."""
    if "decimals" in item:
        return float(10.0 ** -item["decimals"])
    return 1.0 if "count" in item else 0.001


def leaf_inputs(item: dict[str, Any], value: float) -> Inputs:
    """Draws at hour 0 that make an item's value: a ratio over 2, a multiple of an earlier value."""

    def drawn(part: dict[str, Any], *course: tuple[float, float]) -> Points | Timeline:
        time = [round(hour * HOUR) for hour, _ in course]
        worth = [in_own_unit(part["variable"], part.get("unit", ""), each) for _, each in course]
        if "within" not in part:
            return Timeline.build([0], [time[-1]], [time[-1] + HOUR], [worth[-1]])
        return Points.build([0] * len(time), time, worth)

    if item.get("over"):
        return Inputs(
            {item["variable"]: drawn(item, (0, 2 * value)), item["over"]["variable"]: drawn(item["over"], (0, 2))},
            "drawn", 1,
        )  # fmt: skip
    if "change" in item:
        before = 2 * item["change"].get("from_above", 50)
        back = hours(item["change"]["within"])
        earlier = back if item["change"].get("against") == "then" else back / 2
        return Inputs(
            {item["variable"]: drawn(item, (-earlier, before), (0, value * before))}, "drawn", 1
        )
    return Inputs({item["variable"]: drawn(item, (0, value))}, "drawn", 1)


def every_part() -> list[tuple[str, int]]:
    """Every item and part of every definition, by its file and its place."""
    return [
        (name, at)
        for name in SHIPPED
        for at, _ in enumerate(parts(read(name)["item"], own(name).items))
    ]


def own(name: str) -> Definition:
    return load(read(name)["name"])


def pair_at(name: str, at: int) -> tuple[Definition, dict[str, Any], Item]:
    definition = own(name)
    raw, item = list(parts(read(name)["item"], definition.items))[at]
    return definition, raw, item


PARTS = every_part()


@pytest.mark.parametrize(("name", "at"), [each for each in PARTS if edges_of(pair_at(*each)[1])])
def test_each_bound_of_an_item_belongs_to_its_side(name: str, at: int) -> None:
    """At the bound, one printed step below, one above: the points by the words of the file."""
    definition, raw, item = pair_at(name, at)
    for edge in edges_of(raw):
        for value in (edge - step(raw), edge, edge + step(raw)):
            if "variable" in raw:
                evaluation = evaluate(definition, leaf_inputs(raw, value))
                low, high = evaluation.points(item).at([0], [0])
                assert (low[0], high[0]) == (points_by_rule(raw, value),) * 2, (raw, value)
            elif "count" in raw and 0 <= value <= len(raw["count"]):
                fewest, _ = counted_points(item, int(value))
                assert fewest == points_by_rule(raw, value), (raw, value)
            elif "score" in raw:
                fewest, _ = referred_points(definition, item, value)
                assert fewest == points_by_rule(raw, value), (raw, value)


@pytest.mark.parametrize(("name", "at"), [each for each in PARTS if "also" in pair_at(*each)[1]])
def test_a_threshold_printed_in_two_units_is_met_by_either(name: str, at: int) -> None:
    """In the second unit: at the bound, just below and just above it, the points by the words of the file."""
    definition, raw, item = pair_at(name, at)
    for other in raw["also"]:
        (edge,) = edges_of(other)
        for value in (edge - 1, edge - 0.01, edge, edge + 0.01, edge + 1):
            own = in_own_unit(raw["variable"], other["unit"], value)
            evaluation = evaluate(
                definition, Inputs({raw["variable"]: Points.build([0], [0], [own])}, "drawn", 1)
            )
            low, high = evaluation.points(item).at([0], [0])
            assert (low[0], high[0]) == (
                points_by_rule({**other, "points": raw.get("points", 1.0)}, value),
            ) * 2, value


def counted_points(item: Item, met: int) -> tuple[float, float]:
    """Points of a count of which so many parts are met and the others are not."""
    pairs = [
        (np.array([float(i < met)]), np.array([float(i < met)])) for i in range(len(item.count))
    ]
    low, high = scored(item, *count_met(item, pairs))
    return float(low[0]), float(high[0])


def referred_points(definition: Definition, item: Item, value: float) -> tuple[float, float]:
    """Points of an item that takes the total of another definition."""
    low, high = scored(item, np.array([value]), np.array([value]))
    return float(low[0]), float(high[0])


def looking_back(raw: dict[str, Any]) -> list[tuple[dict[str, Any], Any]]:
    """The draws of an item that have a look-back of their own, each with the other one of a ratio."""
    both = ((raw, raw.get("over")), (raw.get("over", {}), raw))
    return [pair for pair in both if "within" in pair[0] and "change" not in pair[0]]


@pytest.mark.parametrize(
    ("name", "at"), [each for each in PARTS if looking_back(pair_at(*each)[1])]
)
def test_each_look_back_ends_where_it_says(name: str, at: int) -> None:
    """One draw at hour 0 is known until just before the end of the look-back, no longer."""
    definition, raw, item = pair_at(name, at)
    for part, other in looking_back(raw):
        until = hours(part["within"])
        values = dict(leaf_inputs(part | {"over": None}, 50.0).values)
        if other:  # drawn again later, so that only the one look-back ends
            late = round((until - 1) * HOUR)
            values[other["variable"]] = Points.build([0, 0], [0, late], [50.0, 50.0])
        evaluation = evaluate(definition, Inputs(values, "drawn", 1))
        found = known(evaluation, item, (until - MINUTE, until, until + MINUTE))
        assert found == [True, inclusive(part["within"]), False], part


def known(evaluation: Evaluation, leaf: Item, at: tuple[float, ...]) -> list[bool]:
    line = evaluation.inputs.timeline(leaf)
    return [bool(line.known_at([0], [round(hour * HOUR)])[0]) for hour in at]


@pytest.mark.parametrize(
    ("name", "at"), [(name, at) for name, at in PARTS if "change" in pair_at(name, at)[1]]
)
def test_a_change_counts_against_draws_no_older_than_it_says(name: str, at: int) -> None:
    """Doubled against a draw one minute younger, exactly as old, and one minute older."""
    definition, raw, item = pair_at(name, at)
    change, back = raw["change"], hours(raw["change"]["within"])
    base = 2 * change.get("from_above", 50)
    expected = [True, inclusive(change["within"]), False]
    for age, counts in zip((back - MINUTE, back, back + MINUTE), expected, strict=True):
        draws = Points.build([0, 0], [round(-age * HOUR), 0], [base, 10 * base])
        low, _ = (
            evaluate(definition, Inputs({raw["variable"]: draws}, "drawn", 1))
            .points(item)
            .at([0], [0])
        )
        assert (low[0] > 0) == counts, (raw, age)


@pytest.mark.parametrize(
    ("name", "at"),
    [(name, at) for name, at in PARTS if "from_above" in pair_at(name, at)[1].get("change", {})],
)
def test_a_rise_counts_only_from_above_its_gate(name: str, at: int) -> None:
    """From exactly the gate is not from above it; from one step higher it is.

    The later value is so much more than the earlier one that the rise would be enough, and so
    little more than the gate that a rise from the gate is not.
    """
    definition, raw, item = pair_at(name, at)
    gate, enough = raw["change"]["from_above"], max(edges_of(raw))
    for earlier, counts in ((gate - 1, False), (gate, False), (gate + 1, True)):
        draws = Points.build([0, 0], [-HOUR, 0], [earlier, enough * (gate + 1) + 1])
        low, _ = (
            evaluate(definition, Inputs({raw["variable"]: draws}, "drawn", 1))
            .points(item)
            .at([0], [0])
        )
        assert (low[0] > 0) == counts, earlier


@pytest.mark.parametrize("name", SHIPPED)
def test_the_cut_off_itself_is_met(name: str) -> None:
    """A total at the cut-off is met; only below it is it not; a range around it is open."""
    raw = read(name)
    for each in (raw, *raw.get("variant", ())):
        definition, cut = load(each["name"]), float(each["cut_off"])
        less, more = cut - 0.001, cut + 0.001
        low, high = np.array([less, cut, more, less, less]), np.array([less, cut, more, cut, more])
        assert status(definition, low, high) == [
            "not met", "met", "met", "undetermined", "undetermined",
        ]  # fmt: skip


def ages_of(name: str) -> list[tuple[str, dict[str, Any]]]:
    """A definition and its variants whose derivation has a lowest age or an age to stay below."""
    found = [
        (each["name"], each.get("derivation", {}))
        for each in (read(name), *read(name).get("variant", ()))
    ]
    return [pair for pair in found if {"min_age", "below_age"} & pair[1].keys()]


@pytest.mark.parametrize("name", [name for name in SHIPPED if ages_of(name)])
def test_the_ages_of_a_derivation_are_completed_years(name: str) -> None:
    """`min_age` is in, the year before is not; `below_age` is out, the year before is in."""
    for called, says in ages_of(name):
        derivation = load(called).derivation
        disease = says.get("underlying", [""])[0]
        for key, answers in (("min_age", [False, True]), ("below_age", [True, False])):
            if key in says:
                ages = [says[key] - 1, says[key]]
                assert derived_in(derivation, ages, [disease] * 2) == answers, key


@pytest.mark.parametrize("name", [name for name in SHIPPED if "probability" in read(name)])
def test_a_printed_probability_is_that_of_its_total(name: str) -> None:
    """At its total a row's percent alone; between two rows both; beyond the table the last one."""
    rows = read(name)["probability"]
    table = load(read(name)["name"]).probability
    for at, row in enumerate(rows):
        total, percent = row["total"], row["percent"]
        assert probability_interval(total, total, table) == f"{percent} %"
        below = percent if at == 0 else f"{rows[at - 1]['percent']}–{percent}"
        above = percent if at == len(rows) - 1 else f"{percent}–{rows[at + 1]['percent']}"
        assert probability_interval(total - 1, total - 1, table) in (f"{below} %", f"{percent} %")
        assert probability_interval(total + 1, total + 1, table) in (f"{above} %", f"{percent} %")


def holds(group: dict[str, Any] | str, met: dict[str, bool]) -> bool:
    """All, any, or at least so many of the terms of a rule, by its words."""
    if isinstance(group, str):
        return met[group]
    if "all" in group:
        return all(holds(term, met) for term in group["all"])
    if "any" in group:
        return any(holds(term, met) for term in group["any"])
    return bool(sum(holds(term, met) for term in group["of"]) >= group["at_least"])


@pytest.mark.parametrize(
    "name", [name for name in SHIPPED if "rule" in read(name) or "grade" in read(name)]
)
def test_a_rule_holds_with_as_many_terms_as_it_needs(name: str) -> None:
    """Every combination of items that are met or not, against the rule in words."""
    raw, definition = read(name), own(name)
    keys = [item.key for item in definition.items]
    cases = list(product((False, True), repeat=len(keys)))
    columns = np.array(cases, np.float64).T
    low, high = totalled(definition, [(column, column) for column in columns])
    for case, total in zip(cases, low.tolist(), strict=True):
        met = dict(zip(keys, case, strict=True))
        if "rule" in raw:
            expected = float(holds(raw["rule"], met))
        else:
            expected = max([0.0, *(g["grade"] for g in raw["grade"] if holds(g, met))])
        assert total == expected, met
    assert low.tolist() == high.tolist()


VARIABLES = read("vocabulary/variables.toml")["variable"]
VOCABULARY_TESTED = {
    "vocabulary/variables.toml": ["variable[].plausible.low", "variable[].plausible.high", "variable[].valid"],
    "vocabulary/findings.toml": ["finding[].valid"],
}  # fmt: skip
VOCABULARY_NO_EDGE = dict.fromkeys(
    [
        "compound[].names", "compound[].findings", *(
            f"variable[].{key}" for key in (
                "name", "names", "title", "label", "kind", "unit", "unit_optional", "specimen", "loinc", "omop",
                "decimals", "log", "signed", "adds", "unverified", "plausible.source", "plausible.verified", "usual.source",
                "usual.high", "usual.low",
            )
        ), "finding[].name", "finding[].names", "finding[].title", "finding[].*",
    ],
    "names, codes, how to show; the usual limits are tested with the grades that use them",
)  # fmt: skip


@pytest.mark.parametrize("name", sorted(VOCABULARY_TESTED))
def test_every_key_of_the_vocabulary_is_tested_or_has_no_edge(name: str) -> None:
    """Tables of units multiply and have no edges."""
    known = dict.fromkeys(VOCABULARY_TESTED[name], "tested here")
    unknown = [
        key
        for key in unknown_keys(name, known, VOCABULARY_NO_EDGE)
        if not key.startswith(
            ("variable[].units.", "variable[].refused_units.", "variable[].code_says.")
        )
    ]
    assert not unknown, f"nobody knows how to test the edge of {unknown}"


def test_a_value_at_the_end_of_its_plausible_range_counts() -> None:
    """The lowest and the highest plausible value are values; just beyond either is refused."""
    cases, rows = [], []
    for variable in VARIABLES:
        low, high = float(variable["plausible"]["low"]), float(variable["plausible"]["high"])
        for value, counts in (
            (low - 1e-4, False), (low, True), (low + 1e-4, True),
            (high - 1e-4, True), (high, True), (high + 1e-4, False),
        ):  # fmt: skip
            cases.append((variable["name"], value, counts))
            rows.append(lab(variable["name"], value, len(cases)))
    found = chunk(*rows).events.frame["row"].tolist()
    wrong = [case for at, case in enumerate(cases) if (at in found) != case[2]]
    assert not wrong


def test_a_value_stands_for_as_long_as_the_vocabulary_says() -> None:
    """Known until just before the end of its validity, unknown at it; irrigation hides urine, and has tests of its own."""
    variables = [each for each in VARIABLES if each["name"] != "bladder_irrigation"]
    rows = [lab(each["name"], each["plausible"]["high"], 0) for each in variables]
    names = [(each["name"], each["valid"]) for each in variables]
    for each in read("vocabulary/findings.toml")["finding"]:
        rows.append(finding(each["name"], "yes", 0))
        names.append((each["name"], each["valid"]))
    events, words = chunk(*rows).events, vocabulary.load()
    start = int(events.frame["time"][0])
    for name, valid in names:
        held = events.points(name).hold(words.variable(name).valid.us)
        end = start + round(hours(valid) * HOUR)
        at = [end - 60_000_000, end, end + 60_000_000]
        assert held.known_at([0] * 3, at).tolist() == [True, inclusive(valid), False], name


SERIAL = "definitions/serial_changes.toml"
SERIAL_TESTED = dict.fromkeys(
    ["over", "held", "follow[].within", "sign[].within", "sign[].above", "sign[].below", "sign[].at_least",
     "sign[].change.within", "sign[].change.held", "sign[].count[].above", "sign[].count[].below",
     "sign[].count[].within", "sign[].count[].change.within"],
    "tested here",
)  # fmt: skip
SERIAL_NO_EDGE = dict.fromkeys(
    ["name", "title", "cite", "source", "verified", "follow[].variables", "follow[].expected",
     *(f"sign[].{key}" for key in ("name", "title", "source", "verified", "variable", "unit", "take", "change.against")),
     *(f"sign[].count[].{key}" for key in ("name", "variable", "unit", "take", "change.against"))],
    "words and choices",
)  # fmt: skip


def test_every_key_of_the_serial_changes_is_tested_or_has_no_edge() -> None:
    """A new feature is tested at once or named here."""
    assert not unknown_keys(SERIAL, SERIAL_TESTED, SERIAL_NO_EDGE)


@pytest.mark.parametrize(
    ("variable", "over", "expected", "within"),
    [
        (variable, over, follow["expected"], follow["within"])
        for follow in read(SERIAL)["follow"]
        for variable in follow["variables"]
        for over in read(SERIAL)["over"]
    ],
)
def test_a_feature_compares_with_the_value_in_force_so_long_before(
    variable: str, over: str, expected: str, within: str
) -> None:
    """An earlier draw exactly `over` before counts, one minute later it is none; older than `over` and `held` it has expired. An equal value neither rose nor fell."""
    held = hours(read(SERIAL)["held"])
    back = hours(over)
    definition = serial_changes()
    item = next(each for each in definition.items if each.name == f"{variable}_{over}")
    moved = 110.0 if expected == "rises" else 90.0

    def met(age: float, now: float = moved, later: float = 0) -> bool:
        draws = Points.build([0, 0], [round(-age * HOUR), 0], [100.0, now])
        evaluation = evaluate(definition, Inputs({variable: draws}, "drawn", 1))
        low, _ = evaluation.points(item).at([0], [round(later * HOUR)])
        return bool(low[0] > 0)

    assert [met(age) for age in (back - MINUTE, back, back + MINUTE)] == [False, True, True]
    assert [met(back + age) for age in (held - MINUTE, held, held + MINUTE)] == [True, False, False]
    assert [met(back, now) for now in (99.9, 100.0, 100.1)] == (
        [False, False, True] if expected == "rises" else [True, False, False]
    )
    until = hours(within)
    assert [met(back, later=at) for at in (until - MINUTE, until, until + MINUTE)] == [
        True,
        False,
        False,
    ]


SIGNS = [
    (at, part) for at, sign in enumerate(read(SERIAL)["sign"]) for part in range(max(1, len(sign.get("count", []))))
]  # fmt: skip


@pytest.mark.parametrize(("at", "part"), SIGNS)
def test_each_sign_turns_at_its_bounds(at: int, part: int) -> None:
    """The bound, the look-back and the distance to the earlier value of each sign or of its parts."""
    sign, definition = read(SERIAL)["sign"][at], serial_changes()
    item = next(each for each in definition.items if each.name == sign["name"])
    raw, leaf = (sign["count"][part], item.count[part]) if "count" in sign else (sign, item)

    def points(inputs: Inputs, hour: float = 0) -> float:
        low, _ = evaluate(definition, inputs).points(leaf).at([0], [round(hour * HOUR)])
        return float(low[0])

    for edge in edges_of(raw):
        for value in (edge - 0.001, edge, edge + 0.001):
            assert points(leaf_inputs(raw, value)) == points_by_rule(raw, value), (raw, value)
    until, moved = hours(raw["within"]), 3.0 if "above" in raw else 0.1
    if "change" not in raw:
        moved = 1000.0 if "above" in raw else 0.1
        assert [points(leaf_inputs(raw, moved), hour) > 0 for hour in (until - MINUTE, until, until + MINUTE)] == [True, False, False]  # fmt: skip
        return
    change, back = raw["change"], hours(raw["change"]["within"])

    def against(age: float) -> bool:
        draws = Points.build([0, 0], [round(-age * HOUR), 0], [100.0, 100.0 * moved])
        return points(Inputs({raw["variable"]: draws}, "drawn", 1)) > 0

    ages = (back - MINUTE, back, back + MINUTE)
    if change["against"] == "then":
        assert [against(age) for age in ages] == [False, True, True]
        held = hours(change["held"])
        assert [against(back + age) for age in (held - MINUTE, held, held + MINUTE)] == [
            True,
            False,
            False,
        ]
    else:
        assert [against(age) for age in ages] == [True, inclusive(change["within"]), False]


def test_a_sign_of_several_values_needs_as_many_as_it_says() -> None:
    """One fewer than `at_least` is no sign."""
    for sign in (each for each in read(SERIAL)["sign"] if "count" in each):
        item = next(each for each in serial_changes().items if each.name == sign["name"])
        met = [counted_points(item, n)[0] > 0 for n in (sign["at_least"] - 1, sign["at_least"])]
        assert met == [False, True]


LOOKALIKES = "definitions/lookalikes.toml"


def test_every_key_of_the_lookalikes_is_tested_or_has_no_edge() -> None:
    """`after` is the only number."""
    known = dict.fromkeys(
        ["label", "variables", "drugs", "classes", "procedures", "source", "verified"], "words"
    )
    assert not unknown_keys(LOOKALIKES, {f"modifier[].{key}": "" for key in (*known, "after")})


@pytest.mark.parametrize("at", range(len(read(LOOKALIKES)["modifier"])))
def test_a_value_is_marked_until_the_time_after_is_over(at: int) -> None:
    """From the start of what moves it, through its end, until just before `after` has passed."""
    raw = read(LOOKALIKES)["modifier"][at]
    words = vocabulary.load()
    drugs = (*raw.get("drugs", ()), *words.drugs_of_class(*raw.get("classes", ())))
    start, end = 100 * HOUR, 103 * HOUR
    given = Intervals.build([0], [start], [end])
    for name, kind in [
        *((n, "drug") for n in drugs),
        *((n, "procedure") for n in raw.get("procedures", ())),
    ]:
        running = {name: given}
        found = modifier_intervals(
            running if kind == "drug" else {}, running if kind != "drug" else {}
        )
        until = end + round(hours(raw["after"]) * HOUR)
        for variable in raw["variables"]:
            when = next(each for label, each in found[variable] if label == raw["label"])
            asked = [start - 60_000_000, start, end, until - 60_000_000, until, until + 60_000_000]
            assert when.contains([0] * 6, asked).tolist() == [False, True, True, True, False, False]


def test_the_files_hold_as_many_edges_as_were_walked() -> None:
    """Guard of the guard: the walk finds the windows and bounds that a reader sees in HScore."""
    found = dict(walk(read("definitions/shipped/hscore.toml")))
    assert {"item[].within", "item[].bands[].up_to", "item[].count[].up_to", "cut_off"} <= set(
        found
    )
