"""What is written about becalm is true of it: links, commands, columns, pins."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final

import click
import msgspec
import pytest

from becalm import __version__, protocol, tables
from becalm.cli import main
from becalm.core.errors import BecalmError
from becalm.records import CaseStatement, StudyInfo
from becalm.records.sheets.schema import SHEETS

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = (
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "tutorials").glob("*.md")),
)
README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
SHEETS_PAGE: Final = (ROOT / "docs" / "sheets.md").read_text(encoding="utf-8")
ARCHITECTURE: Final = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def section(page: str, title: str) -> str:
    return page.split(f"\n## {title}\n")[1].split("\n## ", maxsplit=1)[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    local = [link.partition("#")[0] for link in links if "://" not in link]
    assert [link for link in local if link and not (page.parent / link).exists()] == []


def options_of(command: click.Command) -> set[str]:
    own = {name for each in command.params for name in each.opts}
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return own.union(*(options_of(each) for each in below))


def commands_in(page: Path) -> list[tuple[str, str]]:
    """The commands that a page shows, each with the words behind it."""
    text = page.read_text(encoding="utf-8")
    blocks = "".join(re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    shown = re.findall(r"^(?:.*uv run )?becalm ([a-z]+)([^#\n]*)", blocks, re.MULTILINE)
    shown += re.findall(r"`becalm ([a-z]+)([^`]*)`", text)
    return shown


@pytest.mark.parametrize(
    "page", [page for page in PAGES if commands_in(page)], ids=lambda page: page.name
)
def test_commands_that_are_shown_exist_with_their_options(page: Path) -> None:
    for name, rest in commands_in(page):
        assert name in main.commands, f"{page.name}: becalm {name}"
        assert set(re.findall(r"--[a-z-]+", rest)) <= options_of(main.commands[name]) | {"--help"}


def test_the_readme_names_every_command_table_protocol_and_exit_code() -> None:
    missing = [name for name in main.commands if f"becalm {name}" not in README]
    reported = {
        each for name in protocol.shipped() for each in protocol.load(name).definitions.report
    }
    missing += [name for name in (*tables.WRITTEN, *reported) if f"`{name}`" not in README]
    missing += [name for name in protocol.shipped() if name not in README]
    codes = {str(each.exit_code) for each in BecalmError.__subclasses__()} | {"0", "70", "130"}
    listed = re.findall(r"^\| ([\d, ]+) \|", README, re.MULTILINE)
    missing += sorted(codes - {code for codes in listed for code in codes.split(", ")})
    assert missing == []


def test_the_readme_lists_each_sheet_with_its_required_columns() -> None:
    for name, schema in SHEETS.items():
        row = re.search(rf"^\| `{name}` \|[^|]*\|([^|]*)\|$", README, re.MULTILINE)
        assert row, name
        named = set(re.findall(r"`(\w+)`", row.group(1)))
        wanted = set(schema.required()) | {column for group in schema.either for column in group}
        assert named == wanted, name


@pytest.mark.parametrize("name", SHEETS)
def test_the_page_about_sheets_has_every_column_and_closed_list(name: str) -> None:
    schema = SHEETS[name]
    rows = re.findall(r"^\| (\**)(\w+)\** \| (.*?) \|", section(SHEETS_PAGE, name), re.MULTILINE)
    rows = [row for row in rows if row[1] != "column"]
    assert [column for _, column, _ in rows] == list(schema.columns)
    for bold, title, cells in rows:
        column = schema.columns[title]
        assert bool(bold) == (column.required or any(title in group for group in schema.either))
        if column.among:
            assert tuple(re.findall(r"`([^`]*)`", cells)) == column.among, title
        assert ("must" in cells) == (column.blank == "mistake"), title
        assert ("refused" in cells) == (column.blank == "refused"), title
        assert ("end" in cells.split(", ")) == (column.kind == "end"), title


def test_the_page_about_sheets_has_every_key_of_a_study() -> None:
    keys = re.findall(r"^\| ([a-z_, ]+) \|", section(SHEETS_PAGE, "study"), re.MULTILINE)
    named = {key for row in keys for key in row.split(", ")} - {"key"}
    cases = {f"case_series_{name}" for name in CaseStatement.__dataclass_fields__}
    assert named == set(StudyInfo.__dataclass_fields__) - {"cases"} | cases


def test_the_page_about_protocols_has_every_key() -> None:
    page = (ROOT / "docs" / "protocols.md").read_text(encoding="utf-8")
    parts = [
        each for each in protocol.ProtocolTable.__subclasses__() if each is not protocol.Protocol
    ]
    keys = {field.encode_name for part in parts for field in msgspec.structs.fields(part)}
    keys |= {field.encode_name for field in msgspec.structs.fields(protocol.Protocol)}
    keys.remove("notices")  # what reading remarked, no key
    assert sorted(key for key in keys if not re.search(rf"\b{key}\b", page)) == []


def test_the_picture_of_the_architecture_has_every_module() -> None:
    source = ROOT / "src" / "becalm"
    modules = {path.stem for path in source.glob("*.py")} - {"__init__"}
    modules |= {path.parent.name for path in source.glob("*/__init__.py")}
    assert sorted(m for m in modules if not re.search(rf"\b{m}\b", ARCHITECTURE)) == []


def test_one_version_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text("utf-8"), re.MULTILINE)
    assert cited
    assert cited.group(1) == project["version"] == __version__


def test_every_dependency_is_pinned() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = [*settings["project"]["dependencies"]]
    for group in settings["dependency-groups"].values():
        wanted += group
    for extra in settings["project"].get("optional-dependencies", {}).values():
        wanted += extra
    pins = {pin.partition("==")[0] for pin in settings["tool"]["uv"]["constraint-dependencies"]}
    names = {re.split(r"[\[<>=!~ ;]", each, maxsplit=1)[0].lower() for each in wanted}
    assert sorted(names - pins) == []
