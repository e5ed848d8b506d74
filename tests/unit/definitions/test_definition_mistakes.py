"""A definition written by a user: it works like a shipped one, and all its mistakes are told at once."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from becalm.cli import main
from becalm.core.clock import HOUR, Length
from becalm.core.errors import DefinitionError
from becalm.definitions import Inputs, Override, evaluate, load, parse, score_of
from becalm.timeline import Points
from tests.records import person, sheets

HEAD = """name = "mine"
title = "Mine"
cite = "10.1000/none"
population = "adults"
cut_off = 1
cut_off_source = "made up"
"""


def item(text: str, variable: str = "ferritin", unit: str = "ng/mL") -> str:
    reading = f'variable = "{variable}"\nunit = "{unit}"\ntake = "max"\nwithin = "72h"'
    return f"[[item]]\n{reading}\n{text}\n"


def mistakes(text: str) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        parse(text, "mine.toml")
    return caught.value.line().splitlines()


def test_every_mistake_is_told_with_its_row_and_the_nearest_word() -> None:
    text = HEAD + (
        item("at_leats = 500")
        + item("at_least = 9", "feritin")
        + item(
            "bands = [{below = 9, points = 0}, {below = 5, points = 1}, {points = 2}]", "ast", "U/L"
        )
        + item("at_least = 3", "sil2r", "pg/mL")
        + item("at_least = 3", "crp", "mmol/L")
        + '[[item]]\nname = "dic"\nscore = "isth_dik"\nat_least = 5\n'
    )
    found = mistakes(text)
    rows = text.splitlines()
    assert [line.split(": ")[0] for line in found] == [
        f"mine.toml, row {rows.index(word) + 1}"
        for word in (
            "at_leats = 500",
            'variable = "feritin"',
            'variable = "ast"',
            'variable = "sil2r"',
            'variable = "crp"',
            'score = "isth_dik"',
        )
    ]
    for line, words in zip(
        found,
        (
            "unknown key 'at_leats'. Did you mean 'at_least'?",
            "no variable is called 'feritin'. Did you mean 'ferritin'?",
            "ast: the bands overlap or are not in order at 5",
            "sil2r is written in pg/mL, but pg/mL becomes U/mL only by the assay's own factor",
            "crp is written in mmol/L, but crp has the unit mg/L. Units that convert: mg/L",
            "no definition is called 'isth_dik'. Did you mean 'isth_dic'?",
        ),
        strict=True,
    ):
        assert words in line


def test_several_mistakes_of_one_table_are_each_told() -> None:
    found = mistakes(
        HEAD.replace("cut_off = 1\n", "").replace("title", "titel")
        + item("at_least = 'many'\nsoruce = 'x'\ntake = 'mean'".replace("take", "clock"))
    )
    told = "\n".join(found)
    for words in (
        "unknown key 'titel'. Did you mean 'title'?",
        "the key 'title' is missing",
        "the key 'cut_off' is missing",
        "needs a number, not a text in quotes",
        "unknown key 'soruce'. Did you mean 'source'?",
        "'mean' cannot stand here",
    ):
        assert words in told
    assert len(found) == 6


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cut_off = 3\n" + item("at_least = 500"), "cut_off 3 lies outside the totals that can be reached, 0 to 1"),
        ("cut_off = 1\n" + item("coefficient = 0"), "a coefficient of 0 changes nothing"),
        ("cut_off = 1\n" + item("bands = [{below = 5, points = 1}, {points = 1}]"), "all have the same points"),
        ("cut_off = 1\n" + item("at_least = 2\nchange = { within = '24h', against = 'then', from_above = 50 }"), "against the lowest"),
        ("cut_off = 1\n" + item("at_least = 2\nover = { variable = 'esr', unit = 'mm/h', at_least = 3 }"), "the divisor must be a variable"),
        ("cut_off = 1\n" + item("at_least = 2\nover = { variable = 'esr', unit = 'g', take = 'last', within = '72h' }"), "esr is written in g"),
        ("cut_off = 1\n" + item("at_least = 2\nchange = { within = 'a day' }"), "'a day' is not a length of time"),
        ("cut_off = 1\n" + item("at_least = 1", "vasopressors", ""), "has its own end time"),
        ("cut_off = 1\n" + item("at_least = 1", "ast_uln", "U/L"), "ast_uln has no unit"),
        ("cut_off = 1\n[rule]\nany = ['ferritin']\nall = ['ferritin']\n" + item("at_least = 5"), "one of all, any, and at_least with of"),
        ("cut_off = 1\n[rule]\nof = ['ferritin']\n" + item("at_least = 5"), "write both at_least and of, or neither"),
        ("cut_off = 1\n[rule]\nall = ['ferritin']\n" + item("coefficient = 5"), "a rule needs items that are met"),
        ("cut_off = 1\n[rule]\nall = ['ferritin']\n[[grade]]\ngrade = 1\nall = ['ferritin']\n" + item("at_least = 5"), "either a rule or grades"),
        ("cut_off = 1\n[[grade]]\ngrade = 0\nall = ['ferritin']\n" + item("at_least = 5"), "different numbers above 0"),
        ("cut_off = 1\n[[variant]]\nname = 'mine'\ntitle = 'x'\ncut_off = 1\ncut_off_source = 'x'\n" + item("at_least = 5"), "two variants are called 'mine'"),
        ("cut_off = 1\n[[variant]]\nname = 'other'\ntitle = 'x'\ncut_off = 4\ncut_off_source = 'x'\n" + item("at_least = 5"), "cut_off 4 of other lies outside"),
        ("cut_off = 1\n" + item("at_least = 5") + "[[example]]\ngiven = { ferritin = 9 }\nexpect = { total = 0.5 }\n", "a total of 0.5, which is not possible"),
        ("cut_off = 1\n" + item("at_least = 5") + "[[example]]\ngiven = { ferritin = 9 }\nexpect = { ferritin = 7 }\n", "expects 7 of ferritin, which never has these points"),
        ("cut_off = 1\n" + item("at_least = 5\nresolved = { low = 0 }"), "unknown key 'resolved'"),
        ("cut_off = 1\n[[item]]\nname = 'both'\nvariable = 'splenomegaly'\nscore = 'hscore'\nat_least = 1\n", "needs either a variable or a count of parts"),
        ("cut_off = 1\n[[item]]\nname = 'far'\nscore = 'hscore'\nat_least = 1\nwithin = '24h'\n", "belong to the definition that is referred to"),
    ],
)  # fmt: skip
def test_what_could_not_mean_what_it_says_is_refused(text: str, words: str) -> None:
    [line] = mistakes(HEAD.replace("cut_off = 1\n", "") + text)
    assert words in line
    assert line.startswith("mine.toml, row ")


@pytest.mark.parametrize(
    ("threshold", "also", "words"),
    [
        (
            "at_least = 3.0",
            '{ unit = "mg/dL", above = 265 }',
            "the threshold in mg/dL needs at_least",
        ),
        ("at_least = 3.0", '{ unit = "mg/dL" }', "the threshold in mg/dL needs at_least"),
        ("at_least = 3.0", '{ unit = "mg/dL", at_least = 265, below = 9 }', "needs at_least"),
        ("at_least = 3.0\npoints = -1", '{ unit = "mg/dL", at_least = 265 }', "has another unit"),
        ("coefficient = 3.0", '{ unit = "mg/dL", at_least = 265 }', "has another unit"),
        ("at_least = 3.0", '{ unit = "mg/week", at_least = 265 }', "is written in mg/week"),
        (
            "at_least = 3.0",
            '{ unit = "mg/dL", at_least = 265, factors = [0, 1, 1] }',
            "unknown key",
        ),
        ("at_least = 3.0", "{ at_least = 265 }", "unit"),
    ],
)
def test_a_threshold_in_another_unit_is_of_the_same_kind(
    threshold: str, also: str, words: str
) -> None:
    lines = mistakes(HEAD + item(f"{threshold}\nalso = [{also}]", "triglycerides", "mmol/L"))
    assert any(words in line for line in lines), lines


def test_definitions_that_refer_to_each_other_are_refused(tmp_path: Path) -> None:
    """A circle is named in full, whichever file of it is asked for."""
    for name, other in (("one", "two"), ("two", "three"), ("three", "one")):
        (tmp_path / f"{name}.toml").write_text(
            HEAD + f'[[item]]\nname = "it"\nscore = "{other}.toml"\nat_least = 1\n'
        )
    with pytest.raises(DefinitionError, match="circle") as caught:
        load(str(tmp_path / "two.toml"))
    assert "two.toml → three.toml → one.toml → two.toml" in caught.value.line()
    (tmp_path / "self.toml").write_text(
        HEAD + '[[item]]\nname = "it"\nscore = "self.toml"\nat_least = 1\n'
    )
    with pytest.raises(DefinitionError, match=re.escape("self.toml → self.toml")):
        load(str(tmp_path / "self.toml"))


def test_a_users_definition_works_like_a_shipped_one(tmp_path: Path) -> None:
    """It may use other units, refer to a shipped definition or to a file beside it, and have variants."""
    (tmp_path / "lipids.toml").write_text(
        HEAD.replace("mine", "lipids")
        + item("at_least = 265\ndecimals = 0", "triglycerides", "mg/dL")
    )
    (tmp_path / "mine.toml").write_text(
        HEAD
        + '[[variant]]\nname = "strict"\ntitle = "Strict"\ncut_off = 2\ncut_off_source = "made up"\n'
        + '[[item]]\nname = "lipids"\nscore = "lipids.toml"\nat_least = 1\n'
        + '[[item]]\nname = "hscore"\nscore = "hscore"\nat_least = 30\n'
    )
    mine = load(str(tmp_path / "mine.toml"))
    assert (mine.name, mine.cut_off, mine.maximum) == ("mine", 1, 2)
    assert load(f"{tmp_path / 'mine.toml'}#strict").cut_off == 2
    with pytest.raises(DefinitionError, match="Did you mean 'strict'"):
        load(f"{tmp_path / 'mine.toml'}#strikt")
    found = score_of(mine, {"triglycerides": 265 / 88.57})
    assert (found["lipids"], found["hscore"], found["total"]) == ((1, 1), (1, 1), (2, 2))
    assert score_of(mine, {"triglycerides": 264 / 88.57})["lipids"] == (0, 0)
    assert "triglycerides" in mine.look_backs()
    longer = mine.with_look_backs({"ferritin": "7d"})
    assert [
        i.referred.look_backs()["ferritin"]
        for i in longer.items
        if i.key == "hscore" and i.referred
    ] == ["7d"]


def test_an_open_end_stays_open_in_another_unit() -> None:
    """More than 265 mg/dL is more than 265 mg/dL, whatever it was kept in."""
    mine = parse(HEAD + item("above = 265", "triglycerides", "mg/dL"), "mine.toml")
    for written, expected in (
        (">265", (1, 1)),
        (">=265", (0, 1)),
        ("<=265", (0, 0)),
        ("265", (0, 0)),
    ):
        assert score_of(mine, {"triglycerides": written})["triglycerides"] == expected
    exact = parse(HEAD + item("up_to = 265", "triglycerides", "mg/dL"), "mine.toml")
    for tenth in range(2600, 2700):
        kept = Points.build([0], [0], [tenth / 10 / 88.57])
        low, high = evaluate(exact, Inputs({"triglycerides": kept}, "drawn", 1)).at([0], [0])
        assert low[0] == high[0] == (tenth <= 2650), tenth


def test_direction_look_back_and_clock_of_an_item_can_be_overridden() -> None:
    """A study may take the last value, look further back, or ask when a value was known, item by item."""
    drawn = Points.build([0, 0], [0, 10 * HOUR], [9000.0, 400.0])
    known = Points.build([0, 0], [5 * HOUR, 30 * HOUR], [9000.0, 400.0], drawn=[0, 10 * HOUR])
    inputs = Inputs({"ferritin": drawn}, "drawn", 1, {"available": {"ferritin": known}})
    mals = load("mals_ferritin")

    def at(hour: float, **override: str) -> tuple[float, float]:
        changed = mals.with_overrides({"ferritin": Override(**override)})  # type: ignore[arg-type]
        low, high = evaluate(changed, inputs).at([0], [round(hour * HOUR)])
        return float(low[0]), float(high[0])

    assert at(20) == (1, 1)
    assert at(20, take="last") == (0, 0)
    assert at(20, take="last", clock="available") == (1, 1)
    assert at(4, clock="available") == (0, 1)
    assert at(80) == (0, 0)
    assert at(80, within=Length("5d")) == (1, 1)
    with pytest.raises(DefinitionError, match="has no look-back for 'crp'"):
        mals.with_overrides({"crp": Override(take="last")})
    alone = evaluate(
        mals.with_overrides({"ferritin": Override(clock="available")}), Inputs({}, "drawn", 1)
    )
    with pytest.raises(DefinitionError, match="asks for the available clock"):
        alone.at([0], [0])


def test_the_command_prints_one_block(tmp_path: Path) -> None:
    """All mistakes follow one another on the error stream, with one exit code and no traceback."""
    (tmp_path / "mine.toml").write_text(
        HEAD + item("at_leats = 5") + item("at_least = 1", "feritin")
    )
    sheets(tmp_path / "records", person())
    done = CliRunner().invoke(
        main,
        [
            "screen",
            str(tmp_path / "records"),
            "--criteria",
            str(tmp_path / "mine.toml"),
            "--out",
            str(tmp_path / "out.csv"),
        ],
    )
    assert done.exit_code == 5
    assert "unknown key 'at_leats'" in done.output
    assert "no variable is called 'feritin'" in done.output
    assert "Traceback" not in done.output


OLD = """
name = "mine"
title = "Mine"
cite = "none"
population = "anybody"
cut_off = 1
cut_off_source = "an example"

[[item]]
name = "ferritin"
variable = "ferritin"
unit = "ng/mL"
take = "max"
within = "72h"
source = "an example"
bands = [
    { upto = 500, points = 0 },
    { points = 1 },
]
"""


def test_yesterdays_keys_are_read_with_a_notice_that_names_todays() -> None:
    """`upto` is `up_to` now, wherever it stands; the definition means the same."""
    old = parse(OLD, "mine.toml")
    new = parse(OLD.replace("upto", "up_to"), "mine.toml")
    assert new.notices == ()
    assert len(old.notices) == 1
    assert old.notices[0].startswith("mine.toml, row 1")
    assert old.notices[0].endswith("'upto' is now called 'up_to'")
    assert old.items == new.items


def test_the_old_key_beside_the_new_one_is_a_mistake() -> None:
    with pytest.raises(DefinitionError, match="'upto' is now called 'up_to', and both are given"):
        parse(OLD.replace("upto = 500", "upto = 500, up_to = 500"), "mine.toml")


def test_nobody_can_write_a_notice() -> None:
    with pytest.raises(DefinitionError, match="unknown key 'notices'"):
        parse("notices = ['all is well']\n" + OLD.replace("upto", "up_to"), "mine.toml")
