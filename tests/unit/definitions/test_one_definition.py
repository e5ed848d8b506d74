"""A definition that could not mean what it says is refused, in one line that says where and how."""

import re

import pytest

from becalm.core.citations import bibliography
from becalm.core.clock import HOUR
from becalm.core.errors import DefinitionError, UnreadableFileError
from becalm.definitions import (
    Inputs,
    evaluate,
    failed_examples,
    load,
    lookalikes,
    modifier_intervals,
    parse,
    score_of,
    shipped,
)
from becalm.timeline import Intervals, Points

HEAD = """
name = "mine"
title = "Mine"
cite = "10.1000/none"
population = "adults"
cut_off = 1
cut_off_source = "made up"
"""
FERRITIN = """
[[item]]
variable = "ferritin"
unit = "ng/mL"
take = "max"
within = "72h"
"""


def refusal(text: str) -> str:
    with pytest.raises(DefinitionError) as caught:
        parse(text, "mine.toml")
    assert caught.value.exit_code == 5
    assert "\n" not in caught.value.line()
    return caught.value.line()


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("bands = [{below = 9, points = 0}, {below = 5, points = 1}, {points = 2}]", "not in order at 5"),
        ("bands = [{up_to = 5, points = 0}, {below = 5, points = 1}, {points = 2}]", "overlap"),
        ("bands = [{below = 5, points = 0}, {below = 5, points = 1}, {points = 2}]", "overlap"),
        ("bands = [{below = 5, points = 0}, {up_to = 9, points = 1}]", "all remaining values"),
        ("bands = [{points = 0}, {points = 1}]", "needs either below or up_to"),
        ("bands = [{below = 3, up_to = 4, points = 0}, {points = 1}]", "either below or up_to"),
        ("bands = [{points = 1}]", "has no effect"),
        ("at_least = 500\nbelow = 900", "exactly one of at_least, above, up_to, below"),
        ("points = 3", "either bands or exactly one"),
        ("at_leats = 500", "unknown key 'at_leats'. Did you mean 'at_least'?"),
        ("at_least = 500\nsoruce = 'x'", "unknown key 'soruce'. Did you mean 'source'?"),
        ("at_least = 'many'", "needs a number, not a text in quotes"),
        ("at_least = 500\npoints = 0.5", "cut_off 1 lies outside"),
        ("at_least = 500\ncount = []\nname = 'total'", "may not be called 'total'"),
        ("at_least = 500\nname = 'a.b'", "dot"),
    ],
)  # fmt: skip
def test_a_contradiction_in_an_item_is_refused(item: str, message: str) -> None:
    line = refusal(HEAD + FERRITIN + item)
    assert message in line
    assert line.startswith("mine.toml")


def test_the_row_of_the_file_is_named() -> None:
    line = refusal(HEAD + FERRITIN + "at_leats = 500")
    row = (HEAD + FERRITIN + "at_leats = 500").splitlines().index("at_leats = 500") + 1
    assert f"mine.toml, row {row}: " in line


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"ferritin"', '"feritin"', "no variable is called 'feritin'. Did you mean 'ferritin'?"),
        ('"ng/mL"', '"mmol/L"', "ferritin is written in mmol/L, but ferritin has the unit ng/mL"),
        ('within = "72h"', 'within = "3 days"', "'3 days' is not a length of time"),
        ('within = "72h"', 'within = "0h"', "must be longer than 0"),
        ('within = "72h"', "", "write both take and within, or neither"),
        ('take = "max"', 'take = "mean"', "'mean' cannot stand here"),
        ("cut_off = 1", "", "the key 'cut_off' is missing"),
        ("cut_off = 1", "cut_off = 0", "cut_off 0 lies outside the totals"),
        ('title = "Mine"', "title = Mine", "is not valid TOML"),
    ],
)
def test_a_wrong_word_or_number_is_refused(old: str, new: str, message: str) -> None:
    text = HEAD + FERRITIN + "at_least = 500"
    assert message in refusal(text.replace(old, new))


def test_items_that_share_a_name_are_refused() -> None:
    item = FERRITIN + "at_least = 500"
    assert "two items are called 'ferritin'" in refusal(HEAD + item + item)


def test_parts_of_a_count_have_no_points() -> None:
    count = """
[[item]]
name = "counts"
at_least = 1
count = [{ variable = "platelets", unit = "10*9/L", take = "min", within = "48h", below = 100, points = 2 }]
"""
    assert "met or not met and has no points" in refusal(HEAD + count)
    assert "take, within, unit and decimals belong to the parts" in refusal(
        HEAD + count.replace(", points = 2", "") + 'take = "max"'
    )


def test_a_rule_names_items_that_exist_and_no_more_than_there_are() -> None:
    item = FERRITIN + "at_least = 500"
    assert "the rule names 'ferritine', which is not an item. Did you mean 'ferritin'?" in refusal(
        HEAD + '[rule]\nall = ["ferritine"]' + item
    )
    assert "at least 2 of 1 is not possible" in refusal(
        HEAD + '[rule]\nall = [{ at_least = 2, of = ["ferritin"] }]' + item
    )


def test_an_example_speaks_of_what_the_definition_reads() -> None:
    item = FERRITIN + "at_least = 500\n"
    example = "[[example]]\ngiven = { ferritin = 600 }\nexpect = { ferritin = 1 }"
    assert parse(HEAD + item + example, "mine.toml").examples[0].expect == {"ferritin": 1}
    assert "which mine does not read" in refusal(
        HEAD + item + example.replace("600", "600, ast = 1")
    )
    assert "an example expects 'feritin'" in refusal(
        HEAD + item + example.replace("expect = { ferritin", "expect = { feritin")
    )


def test_a_probability_table_rises() -> None:
    rows = "".join(f'[[probability]]\ntotal = {total}\npercent = "1"\n' for total in (100, 90))
    assert "must rise" in refusal(HEAD + FERRITIN + "at_least = 500\n" + rows)


def test_an_unknown_definition_is_answered_with_the_nearest() -> None:
    with pytest.raises(DefinitionError, match=re.escape("Did you mean 'hscore'?")):
        load("hscor")
    with pytest.raises(UnreadableFileError, match=r"absent\.toml"):
        load("absent.toml")


FILES = (
    "astct_crs", "chis", "cov_hi", "ferritin_esr", "hbd_dic", "ferritin_still", "hlh2004", "hlh2004_icu", "hlh2024", "hscore", "iec_hs",
    "isth_dic", "isth_dic_3_7", "mals", "mals_ferritin", "mas2016", "mh_score", "ms_score", "ohi", "sil2r",
    "sil2r_ferritin", "sle_mas2009", "temple", "ferritin_hlh", "csle_mas2021",
)  # fmt: skip
VARIANTS = (
    "ferritin_aosd",
    "ferritin_csle",
    "ferritin_esr_danish",
    "ferritin_hlh_adult",
    "hlh2004_icu_4",
    "hscore_icu",
    "hscore_icu_143",
    "mas2016_still",
    "ms_score_aosd",
    "ms_score_danish",
    "ms_score_turkish",
    "sil2r_not_ruled_out",
)


def test_the_shipped_definitions_and_variants_are_these() -> None:
    assert shipped() == tuple(sorted((*FILES, *VARIANTS)))


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_definition_says_where_its_numbers_are_from(name: str) -> None:
    definition = load(name)
    assert definition.name == name
    assert definition.cut_off_source and definition.population and definition.examples
    assert [item.key for item in definition.items if not item.source] == []
    assert [grade.grade for grade in definition.grades if not grade.source] == []
    assert definition.cite in {each.doi for each in bibliography().values()}


@pytest.mark.parametrize("name", shipped())
def test_every_worked_case_of_every_definition_holds(name: str) -> None:
    assert failed_examples(load(name)) == []


@pytest.mark.parametrize(
    ("name", "verified"),
    [("hscore", True), ("ms_score", True), ("cov_hi", True), ("chis", False), ("iec_hs", False),
     ("isth_dic", False), ("mals", False), ("hlh2024", False), ("sil2r_ferritin", False)],
)  # fmt: skip
def test_what_was_not_compared_with_its_source_carries_the_mark(name: str, verified: bool) -> None:
    """A mark spreads: MALS counts liver and coagulation by numbers that nobody compared."""
    assert load(name).verified is verified


def test_a_look_back_that_the_definition_does_not_have_is_refused() -> None:
    with pytest.raises(DefinitionError, match="hscore has no look-back for 'crp'"):
        load("hscore").with_look_backs({"crp": "24h"})
    with pytest.raises(DefinitionError, match="look-back of ferritin: 'long'"):
        load("hscore").with_look_backs({"ferritin": "long"})


def test_draws_without_a_look_back_are_refused_not_held_for_ever() -> None:
    inputs = Inputs({"immunosuppression": Points.build([0], [0], [1.0])}, "drawn", 1)
    with pytest.raises(DefinitionError, match="neither take nor within"):
        evaluate(load("hscore"), inputs).at([0], [HOUR])


def test_a_range_that_straddles_bands_takes_the_extremes_between_them() -> None:
    """Points that rise and fall: from band to band the extremes may lie in the middle."""
    bands = "bands = [{below = 2, points = 1}, {below = 4, points = 9}, {points = 0}]"
    definition = parse(HEAD + FERRITIN + bands, "mine.toml")
    assert score_of(definition, {"ferritin": "<3"})["ferritin"] == (1, 9)
    assert score_of(definition, {"ferritin": ">1"})["ferritin"] == (0, 9)
    assert score_of(definition, {"ferritin": ">=2"})["ferritin"] == (0, 9)
    assert score_of(definition, {})["ferritin"] == (0, 9)


def test_every_look_alike_names_what_the_vocabulary_has() -> None:
    labels = [modifier.label for modifier in lookalikes()]
    assert len(set(labels)) == len(labels)
    moved = {variable for modifier in lookalikes() for variable in modifier.variables}
    assert {"triglycerides", "platelets", "fibrinogen", "temperature", "ferritin", "crp"} <= moved


def test_a_modifier_reaches_beyond_its_end_and_joins_drugs_of_a_class() -> None:
    given = {
        "propofol": Intervals.build([0], [0], [HOUR]),
        "cytarabine": Intervals.build([1], [0], [HOUR]),
        "etoposide": Intervals.build([1], [HOUR * 24], [HOUR * 25]),
        "norepinephrine": Intervals.build([0], [0], [HOUR]),
    }
    found = modifier_intervals(given, {"plasma_exchange": Intervals.build([2], [0], [HOUR])})
    [(label, when)] = found["triglycerides"]
    assert (label, when.end.tolist()) == ("propofol", [25 * HOUR])
    [(label, when)] = found["neutrophils"]
    assert (label, when.person.tolist()) == ("chemotherapy", [1])
    assert when.end.tolist() == [(25 + 28 * 24) * HOUR]
    assert [label for label, _ in found["ferritin"]] == ["plasma exchange"]
    assert modifier_intervals({}, {}) == {}
