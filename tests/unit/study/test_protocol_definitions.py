"""A protocol names definitions, shipped or a user's own, and may read their items otherwise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from becalm.cli import main
from becalm.core.errors import DefinitionError
from becalm.core.frame import Frame
from becalm.demo import write_hospital
from becalm.records import open_records
from becalm.study import protocol_definitions, protocol_names
from becalm.study.run import run

MAS = Path(protocol_names.__file__).parents[1] / "protocol" / "shipped" / "anakinra_mas.toml"
REPORT = 'report = ["hscore", "hlh2004", "mas2016"]'
MINE = """name = "mine"
title = "My two"
cite = "10.1000/none"
population = "adults"
cut_off = 2
cut_off_source = "made up"
[[item]]
variable = "ferritin"
unit = "ng/mL"
take = "max"
within = "72h"
at_least = 500
[[item]]
variable = "platelets"
unit = "10^9/L"
take = "min"
within = "48h"
below = 100
"""


def protocol_text(report: str, more: str = "") -> str:
    text = MAS.read_text(encoding="utf-8")
    assert REPORT in text
    return text.replace(REPORT, f"report = {report}\n{more}")


def refused(text: str) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        protocol_names.checked(text, "study.toml")
    return caught.value.line().splitlines()


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("records")
    write_hospital(folder, 40, 20)
    return folder


def studied(folder: Path, text: str, records: Path) -> dict[str, Frame]:
    (folder / "study.toml").write_text(text, encoding="utf-8")
    protocol = protocol_names.load(str(folder / "study.toml"))
    return dict(run(open_records(str(records)), protocol, "records").tables)


def test_a_users_file_is_found_beside_the_protocol_and_goes_by_its_name(
    tmp_path: Path, records: Path
) -> None:
    """From any folder; table and manifest call it `mine`, the report by its title, as its file does."""
    (tmp_path / "mine.toml").write_text(MINE)
    (tmp_path / "study.toml").write_text(
        protocol_text('["hscore", "hlh2004", "mas2016", "mine.toml"]')
    )
    out = tmp_path / "out"
    done = CliRunner().invoke(
        main, ["study", str(records), "--protocol", str(tmp_path / "study.toml"), "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    rows = (out / "tables" / "criteria.csv").read_text(encoding="utf-8").splitlines()
    assert sum(",mine," in row for row in rows) == sum(",mas2016," in row for row in rows) > 0
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "mine.toml" not in page
    assert "My two: value of each item" in page
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["protocol"]["definitions"]["report"][-1] == "mine"
    assert manifest["definitions"]["mine"]["look_backs"] == {"ferritin": "72h", "platelets": "48h"}
    assert str(tmp_path) not in json.dumps(manifest)
    cited = CliRunner().invoke(main, ["cite", str(out)])
    assert "doi = {10.1000/none}" in cited.output
    assert "@article{fardet2014" in cited.output


def test_a_storm_may_be_judged_by_a_users_file(tmp_path: Path, records: Path) -> None:
    """Who has platelets below 100 and ferritin from 500 is definite when the file says so."""
    (tmp_path / "mine.toml").write_text(MINE)
    text = protocol_text('["hscore"]').replace(
        'criterion = "hscore"\nat_least = 169 ', 'criterion = "mine.toml"\nat_least = 2 ', 1
    )
    persons = studied(tmp_path, text, records)["persons"]
    assert set(persons["storm"]) == {"definite"}


@pytest.mark.parametrize(
    ("override", "differs"),
    [
        ('ferritin = { within = "1h" }', True),
        ('ferritin = { take = "min" }', True),
        ('ferritin = { clock = "available" }', True),
        ('ferritin = { within = "72h" }', False),
    ],
)
def test_look_back_direction_and_clock_of_an_item_are_overridden_in_the_protocol(
    tmp_path: Path, records: Path, override: str, differs: bool
) -> None:
    """The items of HScore over time are others when ferritin is looked for otherwise; 72 h is the definition's own."""
    (tmp_path / "plain").mkdir()
    plain = studied(tmp_path / "plain", protocol_text('["hscore"]'), records)["criteria"]
    text = protocol_text('["hscore"]', f"[definitions.override.hscore]\n{override}")
    read = studied(tmp_path, text, records)["criteria"]
    columns = ("person_id", "moment", "time", "low", "high", "first_met", "first_possible")
    said = [[[row[name] for name in columns] for row in each.rows()] for each in (plain, read)]
    assert (said[0] != said[1]) == differs


def test_the_report_says_which_items_are_read_otherwise(tmp_path: Path, records: Path) -> None:
    (tmp_path / "study.toml").write_text(
        protocol_text(
            '["hscore"]',
            '[definitions.override.hscore]\nferritin = { within = "48h", take = "last" }',
        )
    )
    out = tmp_path / "out"
    arguments = [
        "study",
        str(records),
        "--protocol",
        str(tmp_path / "study.toml"),
        "--out",
        str(out),
    ]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    page = (out / "report.html").read_text(encoding="utf-8").replace("\u00a0", " ")
    assert "HScore, ferritin: last value of 48 h" in page


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("[definitions.override.hscor]\nferritin = { take = 'last' }", "no definition here is called 'hscor'. Did you mean 'hscore'?"),
        ("[definitions.override.hscore]\nferitin = { take = 'last' }", "hscore has no look-back for 'feritin'. Did you mean 'ferritin'?"),
        ("[definitions.override.hscore]\nferritin = { take = 'mean' }", "definitions.override.hscore.ferritin.take: 'mean' cannot stand here"),
        ("[definitions.override.hscore]\nferritin = { within = '3 days' }", "'3 days' is not a length of time"),
        ("[definitions.override.hscore]\nferritin = { whithin = '3d' }", "unknown key 'whithin'. Did you mean 'within'?"),
        ("[definitions.override.hscore]\nferritin = {}", "changes nothing. Give within, take or clock"),
    ],
)  # fmt: skip
def test_an_override_that_cannot_be_meant_is_refused(more: str, words: str) -> None:
    text = protocol_text('["hscore"]', more)
    [line] = refused(text)
    assert words in line
    row = text.splitlines().index(more.splitlines()[0 if "hscor]" in more else 1]) + 1
    assert line.startswith(f"study.toml, row {row},")


def test_every_mistake_in_a_users_definition_is_told_where_a_study_names_it(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        MINE.replace("ferritin", "feritin").replace("below", "bellow")
    )
    text = protocol_text('["hscore", "mine.toml"]')
    (tmp_path / "study.toml").write_text(text)
    with pytest.raises(DefinitionError) as caught:
        protocol_names.load(str(tmp_path / "study.toml"))
    found = caught.value.line().splitlines()
    row = next(n for n, line in enumerate(text.splitlines(), 1) if line.startswith("report"))
    assert all(
        line.startswith(f"study.toml, row {row}, definitions.report[1]: mine.toml, row ")
        for line in found
    )
    assert any("Did you mean 'ferritin'?" in line for line in found)
    assert any("unknown key 'bellow'. Did you mean 'below'?" in line for line in found)


def test_two_definitions_never_go_by_one_name(tmp_path: Path) -> None:
    """Neither a user's file under the name of one that ships, nor two files under one."""
    (tmp_path / "one.toml").write_text(MINE)
    (tmp_path / "two.toml").write_text(MINE)
    (tmp_path / "study.toml").write_text(protocol_text('["one.toml", "two.toml"]'))
    with pytest.raises(DefinitionError, match="two definitions are called 'mine'"):
        protocol_names.load(str(tmp_path / "study.toml"))
    (tmp_path / "one.toml").write_text(MINE.replace('"mine"', '"hscore"', 1))
    (tmp_path / "study.toml").write_text(protocol_text('["one.toml"]'))
    with pytest.raises(DefinitionError, match="'hscore' belongs to a definition that ships"):
        protocol_names.load(str(tmp_path / "study.toml"))


def test_a_screening_tells_the_mistakes_of_every_file(tmp_path: Path, records: Path) -> None:
    for name, word in (("one", "feritin"), ("two", "feritine")):
        text = MINE.replace('"mine"', f'"{name}"').replace("ferritin", word)
        (tmp_path / f"{name}.toml").write_text(text)
    criteria = f"{tmp_path / 'one.toml'},{tmp_path / 'two.toml'}"
    arguments = ["screen", str(records), "--criteria", criteria, "--out", str(tmp_path / "o.csv")]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 5
    assert "one.toml, row 8: no variable is called 'feritin'" in done.output
    assert "two.toml, row 8: no variable is called 'feritine'" in done.output


def test_the_shipped_protocols_keep_their_names() -> None:
    protocol = protocol_names.load("anakinra_mas")
    renamed, read = protocol_definitions.asked(protocol)
    assert renamed == protocol
    assert set(read) == set(protocol.definitions.report)
