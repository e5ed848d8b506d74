"""A protocol that cannot mean what it says is refused in one line: file, row, key, and how to mend it."""

import subprocess
import sys
from pathlib import Path

import pytest

from becalm.core.errors import BecalmError, DefinitionError, UnreadableFileError
from becalm.core.toml_position import TomlPositions
from becalm.protocol import load, shipped
from becalm.study import protocol_names

MAS = Path(protocol_names.__file__).parents[1] / "protocol" / "shipped" / "anakinra_mas.toml"
HI = MAS.with_name("hyperinflammation.toml")
COVID = MAS.with_name("covid_hyperinflammation.toml")


def changed(old: str, new: str, file: Path = MAS) -> str:
    text = file.read_text(encoding="utf-8")
    assert old in text, f"the protocol no longer says {old!r}"
    return text.replace(old, new, 1)


def refusals(text: str) -> list[str]:
    """The lines that a protocol is refused with, one a mistake, its names looked at as well."""
    with pytest.raises(DefinitionError) as refused:
        protocol_names.checked(text, "mine.toml")
    assert refused.value.exit_code == 5
    return refused.value.line().splitlines()


def refusal(text: str) -> str:
    """The line that a protocol with one mistake is refused with."""
    [line] = refusals(text)
    return line


def row_of(text: str, words: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if words in line)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        # keys
        ("min_age = 18", "min_agge = 18", "unknown key 'min_agge'. Did you mean 'min_age'?"),
        ("[baseline]", "[baselin]", "unknown key 'baselin'. Did you mean 'baseline'?"),
        ("at = 48 }", "att = 48 }", "horizons.h48.att: unknown key 'att'. Did you mean 'at'?"),
        ("h48 = {", "h49 = {", "horizons.h49: 'h49' cannot stand here"),
        ('"SC" = "36h"', '"SCC" = "36h"', "unknown mode 'SCC'. Did you mean 'SC'?"),
        # types
        ("min_age = 18", 'min_age = "18"', "population.min_age: needs a whole number, not a text"),
        ("min_age = 18", "min_age = 17.5", "needs a whole number, not a decimal number"),
        ('bridge = "2h"', "bridge = 2", "entry.bridge: needs a text in quotes, not a whole number"),
        ("to = 54", 'to = "54"', "horizons.h48.to: needs a number, not a text in quotes"),
        ("at_least = 5 ", "at_least = true ", "storm.definite[1].at_least: needs a number"),
        ('clock = "drawn"', 'clock = "draw"', "'draw' cannot stand here. Did you mean 'drawn'?"),
        ('"back_calculated"]', '"back_calculate"]', "kidney.baseline[2]: 'back_calculate' cannot stand here. Did you mean 'back_calculated'?"),
        ('"back_calculated"]', '"outpatient_median"]', "kidney.baseline[2]: 'outpatient_median' stands here twice. Remove it"),
        ('["outpatient_median", "minimum_before_onset", "back_calculated"]', "[]", "kidney.baseline: names no way to find a baseline"),
        ('["outpatient_median", ', '["rolling_minimum", ', "kidney.baseline: 'rolling_minimum' always applies, so what stands after it"),
        # lengths of time
        ('bridge = "2h"', 'bridge = "2 hours"', "'2 hours' is not a length of time such as"),
        ('bridge = "2h"', 'bridge = "-2h"', "'-2h' is not a length of time"),
        ('from = "-72h"', 'from = "72"', "confounder[0].from: '72' is not a length of time"),
        ('"SC" = "36h"', '"SC" = "36"', "treatment_episode.SC: '36' is not a length of time"),
        # numbers
        ("min_age = 18", "min_age = -1", "population.min_age: -1 is negative"),
        ("ferritin_at_least = 684", "ferritin_at_least = nan", "nan is not a number to compare"),
        ("0.25, 0.50]", "25, 0.50]", "response.graded_falls[1]: 25 is not a fraction"),
        ("from = 12, to = 30", "from = 31, to = 30", "horizons.h24: needs from < to"),
        ("to = 54, open = true, at = 48", "to = 54, open = true, at = 20", "needs from < to, and at"),
        ("from = 30, to = 54", "from = 29, to = 54", "horizons.h48: overlaps h24"),
        # names
        ('drug = "anakinra"', 'drug = "anakira"', "no drug is called 'anakira'. Did you mean 'anakinra'"),
        ('drug = "anakinra"', 'drug = "Kineret"', "no drug is called 'Kineret'. Did you mean 'anakinra'"),
        ('"ivig", "ciclo', '"ivig", "cyclo', "'cyclosporin'. Did you mean 'ciclosporin'?"),
        ('"plasma_exchange"', '"plasmapheresis"', "procedure is called 'plasmapheresis'. Did you mean 'plasma"),
        ('["malignancy"', '["malignacy"', "exclude.conditions[0]: no condition is called 'malignacy'"),
        ('["malignancy"', '["cancer"', "no condition is called 'cancer'. Did you mean 'malignancy'?"),
        ('["sjia"', '["lymphoma"', "no underlying disease is called 'lymphoma'. Known: aosd,"),
        ('criterion = "hscore"', 'criterion = "hscor"', "no definition is called 'hscor'. Did you mean 'hscore'"),
        ('report = ["hscore"', 'report = ["mine.toml"', "definitions.report[0]: mine.toml: does not exist"),
        ('["ferritin", "ast"', '["ferritine", "ast"', "no variable is called 'ferritine'. Did you mean 'ferritin'"),
        ('events = ["aki"', 'events = ["kidney"', "no safety event is called 'kidney'. Known: aki,"),
        ('["monteagudo2020"]', '["monteagudo"]', "no reference is called 'monteagudo'. Did you mean 'monteagudo2020'"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_row(old: str, new: str, message: str) -> None:
    text = changed(old, new)
    line = refusal(text)
    assert message in line
    assert line.startswith(f"mine.toml, row {row_of(text, new.splitlines()[0])}, ")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "anakinra_mas"\n', "", "mine.toml: 'name' is missing"),
        ('drug = "anakinra"\n', "", "entry: 'drug' is missing"),
        ('"SC" = "36h"\n', "", "treatment_episode: 'SC' is missing"),
        ("d7 = {", "# d7 = {", "horizons: 'd7' is missing"),
        ("[entry]", "[[entry]]", "entry: needs a table, not a list in [ ]"),
        ('from = "-72h"', 'from = "49h"', "confounder[0].to: ends before it begins"),
        ('["ferritin", "ast"', '["ferritin"', "no variable of response.variables is called 'ast'"),
        ("min_age = 18", "min_age = ", "is not valid TOML"),
        ('bridge = "2h"', 'bridge = "2h"\nbridge = "3h"', "is not valid TOML"),
    ],
)
def test_what_is_missing_broken_or_does_not_agree(old: str, new: str, message: str) -> None:
    assert message in refusal(changed(old, new))


def test_every_mistake_is_said_at_once_in_the_order_of_the_file() -> None:
    """Keys, types, words, lengths, numbers, names and what does not agree, one line each."""
    text = MAS.read_text(encoding="utf-8")
    for old, new in (
        ("min_age = 18", "min_agge = 18"),
        ('drug = "anakinra"', 'drug = "anakira"'),
        ('bridge = "2h"', "bridge = 2"),
        ('t0_within = "7d"', 't0_within = "a week"'),
        ('"SC" = "36h"', '"SCC" = "36h"'),
        ("h48 = {", "h49 = {"),
        ("from = 12, to = 30", "from = 31, to = 30"),
        ('claim = "response"', 'claim = "cure"'),
        ("0.25, 0.50]", "25, 0.50]"),
        ('["malignancy"', '["malignacy"'),
        ('events = ["aki"', 'events = ["kidney"'),
        ("min_rise = 0.10", "min_rise = -0.10"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    lines = refusals(text)
    rows = [int(line.split("row ")[1].split(",")[0]) for line in lines]
    assert rows == sorted(rows)
    assert [line.split(", ", 2)[2].split(": ")[0] for line in lines] == [
        "population.min_agge",
        "entry.drug",
        "entry.bridge",
        "entry.t0_within",
        "treatment_episode.SCC",
        "exclude.conditions[0]",
        "horizons.h24",
        "horizons.h49",
        "response.claim",
        "response.graded_falls[1]",
        "escalation.min_rise",
        "safety.events[0]",
    ]


def test_two_mistakes_about_the_design() -> None:
    assert refusals(changed('"treatment"', '"index"')) == [
        "mine.toml, row 6, design: design 'index' needs a table [index]",
        "mine.toml, row 14, entry: design 'index' has no table [entry]. Remove it",
    ]


def test_an_empty_file_lacks_every_table() -> None:
    lines = refusals("")
    assert "mine.toml: 'name' is missing" in lines
    assert all(line.endswith("is missing") for line in lines)


@pytest.mark.parametrize(
    ("old", "new", "notice"),
    [
        ('claim = "response"', 'claim = "course"', "response.claim: 'course' is now written 'change'"),
        ("[outcome]", '[outcome]\nepisode_break = "6h"', "outcome.episode_break: nothing reads 'episode_break' any more. Remove it"),
    ],
)  # fmt: skip
def test_yesterdays_words_are_read_with_a_notice(old: str, new: str, notice: str) -> None:
    """A file that was written for an earlier version goes on working, and says what to change."""
    text = changed(old, new)
    protocol = protocol_names.checked(text, "mine.toml")
    row = row_of(text, new.splitlines()[-1])
    assert protocol.notices == (f"mine.toml, row {row}, {notice}",)
    assert protocol.response.claim in {"response", "change"}


def test_what_ships_needs_no_notice_and_nobody_can_write_one() -> None:
    assert all(load(name).notices == () for name in shipped())
    assert "unknown key 'notices'" in refusal(
        "notices = ['all is well']\n" + MAS.read_text("utf-8")
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[index] ", "[entry]\ndrug = 'anakinra'\n[index] ", "design 'index' has no table [entry]"),
        ("below = 9.0", "", "index.qualifying[1]: needs either at_least or below"),
        ("below = 9.0", "below = 9.0\nat_least = 5", "index.qualifying[1]: needs either"),
        ('variable = "platelets"', 'variable = "thrombocytes"', "Did you mean 'platelets'?"),
        ('variable = "ferritin"', 'variable = "feritin"', "entry_test.variable: no variable is called"),
    ],
)  # fmt: skip
def test_a_protocol_by_index_hour(old: str, new: str, message: str) -> None:
    assert message in refusal(changed(old, new, HI))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('design = "landmark"', 'design = "index"', "design 'index' needs a table [index]"),
        ('after = "24h"', 'after = "a day"', "landmark.after"),
        ('condition = "covid19"', 'condition = "covid20"', "landmark.condition: no condition is called"),
    ],
)  # fmt: skip
def test_a_protocol_with_a_landmark(old: str, new: str, message: str) -> None:
    assert message in "\n".join(refusals(changed(old, new, COVID)))


def test_what_ships_is_right() -> None:
    assert shipped()
    for name in shipped():
        assert protocol_names.load(name) == load(name)
        assert load(name).name == name


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    """By its path, with the byte-order mark and line ends that another system may write."""
    own = tmp_path / "mine.toml"
    text = changed('name = "anakinra_mas"', 'name = "mine"').replace("\n", "\r\n")
    own.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert protocol_names.load(str(own)).name == "mine"


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("anakinra", DefinitionError, "no protocol is called 'anakinra'. A file of your own ends in .toml. Did"),
        ("{}/none.toml", UnreadableFileError, "none.toml: is not there. Protocols that come with becalm"),
        ("{}/folder.toml", UnreadableFileError, "folder.toml: is a folder, not a file"),
        ("{}/latin.toml", UnreadableFileError, "latin.toml, row 1: byte 0xe9 is not UTF-8. Save it as UTF-8"),
    ],
)  # fmt: skip
def test_a_protocol_that_cannot_be_read(
    tmp_path: Path, name: str, error: type[BecalmError], message: str
) -> None:
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "latin.toml").write_bytes(b"# \xe9\n")
    with pytest.raises(error) as refused:
        load(name.format(tmp_path))
    assert message in refused.value.line()


def test_where_a_key_stands() -> None:
    places = TomlPositions.of(
        'a = 1\n[b."c d"]\nx = {y = 1, z = {w = 2}}\n[[e]]\nx = 1\n[[e]]\nx = 2\n'
    )
    rows = {path: places.row(path) for path in ("a", "b.c d.x", "b.c d.x.y", "e[1].x", "e[0].none")}
    assert rows == {"a": 1, "b.c d.x": 3, "b.c d.x.y": 3, "e[1].x": 7, "e[0].none": 4}
    assert places.row("e") == 4
    assert places.row("nowhere") is None


def test_reading_a_protocol_needs_no_vocabulary() -> None:
    """Imports go one way: names are checked by those who know them."""
    code = "import sys, becalm.protocol; print([m for m in sys.modules if 'vocabulary' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("review", "message"),
    [
        ('questions = ["storm"]', "review.questions[0]: no question is called 'storm'"),
        ('blind = { relapsed = ["computed"] }', "no question is called 'relapsed'. Did you mean 'relapse'"),
        ('blind = { relapse = ["doses"] }', "'doses'"),
        ('shown_after = "3"', "'3' is not a length of time"),
        ("blinded = 1", "unknown key 'blinded'"),
    ],
)  # fmt: skip
def test_what_reviewers_are_asked_is_checked(review: str, message: str) -> None:
    assert message in refusal(MAS.read_text(encoding="utf-8") + f"\n[review]\n{review}\n")
