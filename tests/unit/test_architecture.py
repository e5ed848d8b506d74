"""The shape of the project: imports go one way, starting is quick, numbers carry their source."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[2]
SRC: Final = ROOT / "src" / "becalm"

# From the ground up; a package imports only from packages above its own. A new package is put here
# and into the picture of docs/architecture.md.
LAYERS: Final = (
    "__init__", "core", "timeline", "protocol", "vocabulary", "tables", "records", "events", "persons",
    "doses", "definitions", "patients", "kidney", "pk", "markers", "cohort", "survival", "measures", "study", "doctor",
    "comparison", "report", "api", "web", "demo", "commands", "cli", "__main__",
)  # fmt: skip
LAYER: Final = {name: at for at, name in enumerate(LAYERS)}
LONGEST_FILE: Final = 450
HEAVY: Final = (
    "numpy", "duckdb", "altair", "vl_convert", "nanoarrow", "jinja2", "msgspec", "starlette", "uvicorn",
)  # fmt: skip


def python_files() -> list[Path]:
    return sorted(SRC.rglob("*.py"))


def named(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def part_of(file: Path) -> str:
    """Return the module or package of becalm that a file belongs to."""
    return file.relative_to(SRC).parts[0].removesuffix(".py")


def imported(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the part of becalm of every import in a file, wherever it stands."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{named(file)}:{node.lineno}: a relative import"
            modules = [node.module or ""]
            if node.module == "becalm":
                modules = [f"becalm.{alias.name}" for alias in node.names]
        else:
            continue
        for module in modules:
            top, _, rest = module.partition(".")
            if top == "becalm":
                part = rest.split(".")[0]
                yield node.lineno, "__init__" if part in {"", "__version__"} else part


def test_every_module_has_a_place_in_the_order() -> None:
    assert {part_of(file) for file in python_files()} - set(LAYER) == set()


def test_imports_go_one_way() -> None:
    against = [
        f"{named(file)}:{line} imports {part}"
        for file in python_files()
        for line, part in imported(file)
        if {part, part_of(file)} <= LAYER.keys()
        and part_of(file) != "__init__"  # names what it offers; loads it when asked for
        and part != part_of(file)
        and LAYER[part] >= LAYER[part_of(file)]
    ]
    assert against == []


def door_of(package: str) -> set[str]:
    """Return the names and modules that a package's `__init__` lists for the other packages."""
    for node in ast.parse((SRC / package / "__init__.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def test_a_package_is_entered_by_its_door() -> None:
    """Other packages use what `__all__` lists: a name, or a module whose public names they may import."""
    doors = {path.parent.name: door_of(path.parent.name) for path in SRC.glob("*/__init__.py")}
    around = []
    for file in python_files():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith(
                "becalm."
            ):
                continue
            _, package, *modules = str(node.module).split(".")
            if package not in doors or package == part_of(file):
                continue
            for name in [modules[0]] if modules else [alias.name for alias in node.names]:
                if name not in doors[package]:
                    around.append(f"{named(file)}:{node.lineno} imports {package}.{name}")
            around += [
                f"{named(file)}:{node.lineno} imports {alias.name}, which is private"
                for alias in node.names
                if alias.name.startswith("_")
            ]
    assert around == []


def test_no_two_public_classes_have_one_name() -> None:
    """One word, one thing: whoever searches for a class finds it, and nothing else."""
    places: dict[str, list[str]] = {}
    for file in python_files():
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(named(file))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


def test_types_of_arrays_and_the_far_future_have_one_home() -> None:
    """One set of aliases, one far future: what looks alike is the same."""
    again = re.compile(
        r"^(?:Floats|Times|Texts|Mask|Persons|Index|Codes|Array)\b[^=\n]*= |1 << 6\d|iinfo\(np\.int64\)\.max",
        re.MULTILINE,
    )
    homes = {"core/arrays.py", "records/by_person.py"}
    found = [
        f"{named(file)}: {hit.group()}"
        for file in python_files()
        if file.relative_to(SRC).as_posix() not in homes
        for hit in again.finditer(file.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_the_synthetic_hospital_shares_no_clinical_logic_with_what_it_tests() -> None:
    used = {part for file in (SRC / "demo").rglob("*.py") for _, part in imported(file)}
    assert used <= {"__init__", "demo", "core"}


def calls(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of every function that a file calls: `duckdb.connect`."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


def test_databases_are_opened_in_one_place() -> None:
    """Elsewhere DuckDB would have all the memory, the network, and a temporary folder of its own choice."""
    called = {
        f"{named(file)}: {name}"
        for file in python_files()
        for _, name in calls(file)
        if name.startswith("duckdb.")
    }
    assert called == {"src/becalm/core/database.py: duckdb.connect"}
    brought = [
        named(file)
        for file in python_files()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith(("duckdb", "_duckdb"))
        if {alias.name for alias in node.names} != {"DuckDBPyConnection"}
    ]
    assert brought == []


def test_sources_do_not_interpret() -> None:
    """Sources may ask the vocabulary what to read; what a row means is decided in events."""
    used = {part for file in (SRC / "records").rglob("*.py") for _, part in imported(file)}
    assert used <= {"records", "core", "vocabulary"}


def test_pharmacokinetics_knows_no_records() -> None:
    """It is handed doses, covariates and levels as numbers; whoever has records converts them."""
    used = {part for file in (SRC / "pk").rglob("*.py") for _, part in imported(file)}
    assert used <= {"pk", "core", "timeline", "tables"}


def test_markers_know_no_records() -> None:
    """They are handed draws; whoever has records knows who was treated."""
    used = {part for file in (SRC / "markers").rglob("*.py") for _, part in imported(file)}
    assert used <= {"markers", "core", "timeline"}


SOURCES_OWN_WORDS: Final = re.compile(
    r"\bMIMIC\b|mimic.?(?:4|iv)\b|\b(?:labevents|chartevents|inputevents|outputevents|emar)\b"
    r"|records\.(?:sheets|mimic4|mapped)"
)


def test_nothing_outside_records_knows_the_name_of_a_source() -> None:
    """Citations and the sources of numbers are no knowledge: TOML's comments and `source` keys."""
    hits = []
    for file in sorted(SRC.rglob("*")):
        if file.suffix not in {".py", ".toml"} or part_of(file) == "records":
            continue
        if file.name == "bibliography.toml":
            continue
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            cited = r"source = \".*?\"|#.*" if file.suffix == ".toml" else "$^"
            if SOURCES_OWN_WORDS.search(re.sub(cited, "", line)):
                hits.append(f"{named(file)}:{number}: {line.strip()}")
    assert hits == []


@pytest.mark.parametrize(
    "command",
    [
        "",
        "demo",
        "study",
        "screen",
        "doctor",
        "hospital",
        "template",
        "cite",
        "diff",
        "open",
        "simulate",
        "ahead",
    ],
)
def test_help_imports_nothing_heavy(command: str) -> None:
    """Help answers at once, because everything heavy is imported where it is used."""
    code = f"""
import sys
sys.argv = ["becalm", *{command.split()!r}, "--help"]
from becalm.cli import main
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
print("heavy:", *sorted(set(sys.modules) & set({HEAVY!r})))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].split() == ["heavy:"]


def test_no_file_is_too_long_to_be_read_at_one_sitting() -> None:
    lengths = {named(file): len(file.read_text("utf-8").splitlines()) for file in python_files()}
    assert {name: n for name, n in lengths.items() if n > LONGEST_FILE} == {}


def test_nothing_is_left_to_do_in_what_is_shipped() -> None:
    unfinished = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b|NotImplementedError")
    found = [
        f"{named(file)}:{number}"
        for file in sorted(SRC.rglob("*"))
        if file.suffix in {".py", ".toml", ".html", ".css", ".js"}
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
        if unfinished.search(line)
    ]
    assert found == []


def tables_of(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from tables_of(each)


@pytest.mark.parametrize("file", sorted(SRC.rglob("*.toml")), ids=named)
def test_what_is_called_verified_or_not_names_its_source(file: Path) -> None:
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    bare = [t for t in tables_of(data) if "verified" in t and not (t.get("source") or t.get("doi"))]
    assert bare == []


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a clone: git cannot say which files are tracked")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.split("\0") if (ROOT / name).is_file()]


def test_no_lock_file_and_no_environment_is_tracked(tracked: list[str]) -> None:
    wrong = [n for n in tracked if n == "uv.lock" or n.startswith((".uv/", ".venv/", "demo/"))]
    assert wrong == []


def test_no_tracked_file_names_a_machine_or_a_registry(tracked: list[str]) -> None:
    """A path of somebody's machine, or the host of one package index, works only for them."""
    places = re.compile(
        r"(?<![\w.-])/(?:wor[k]|hom[e]|roo[t]|User[s])/\w|py[p]i\.org|python[h]osted|regis[t]ry\.npm"
    )
    found = []
    for name in tracked:
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a workbook, a picture
        found += [f"{name}: {hit.group()}" for hit in places.finditer(text)]
    assert found == []
