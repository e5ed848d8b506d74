"""Files that are none, are far too large, or vanish: one line, the right exit code, and nothing left."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import signal
import socket
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner, Result

from becalm.cli import main
from becalm.core import files
from becalm.records.mimic4.source import Mimic4
from becalm.records.template import copy_template
from tests.records.mimic_files import mimic_folder

PERSONS: Final = "person_id,sex\nP1,F\nP2,M\n"
LABS: Final = "person_id,time,name,value,unit\nP1,2020-03-04T10:00,ferritin,9000,ng/mL\n"
LONGEST_LINE: Final = 1200
SECONDS: Final = 60


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """Fail where a command waits: for a pipe, for example."""

    def late(*_: object) -> None:
        raise AssertionError(f"not done in {SECONDS} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def records(tmp_path: Path) -> Path:
    folder = tmp_path / "records"
    folder.mkdir()
    (folder / "persons.csv").write_text(PERSONS)
    (folder / "labs.csv").write_text(LABS)
    return folder


def run(command: str, records: Path, out: Path, *more: object) -> Result:
    place = out / "peaks.csv" if command == "screen" else out
    words = [command, str(records), "--out", str(place), *map(str, more)]
    if command == "study" and "--protocol" not in words:
        words += ["--protocol", "hyperinflammation"]
    return CliRunner().invoke(main, words)


def spilt() -> set[Path]:
    """What this process has put on disk beside its results; its folder itself goes when it ends."""
    mine = Path(tempfile.gettempdir()).glob(f"becalm-{os.getpid()}-*/*")
    return {each for each in mine if each.name != "lock"}


def fails(code: int, command: str, records: Path, out: Path, *more: object, part: str = "") -> str:
    """Run a command that must fail; return the one line that it says, in which `part` stands."""
    before = spilt()
    done = run(command, records, out, *more)
    assert done.exit_code == code, done.output[:5000]
    lines = [line for line in done.stderr.splitlines() if not STEP.match(line)]
    assert len(lines) == 1, done.output[:5000]
    assert (len(lines[0]) < LONGEST_LINE, part in lines[0]) == (True, True), lines[0][:LONGEST_LINE]
    assert not out.exists() or not list(out.iterdir())
    assert spilt() == before
    return lines[0]


STEP: Final = re.compile(
    r"becalm: (?:reading |harmonis|[\d,]+ |[\w.]+: (?:no |rates )|writing|computing|judging|measuring|finding)"
)


# ------------------------------------------------------------ what is no file


def a_folder(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def a_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the name of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def a_dangling_link(path: Path) -> None:
    path.symlink_to(path.parent / "gone")


def a_circle(path: Path) -> None:
    path.symlink_to(path)


ODD: Final[Mapping[Callable[[Path], None], str]] = {
    a_folder: "is a folder, not a file",
    a_pipe: "is a pipe, not a file",
    a_device: "is a device, not a file",
    a_socket: "is a socket, not a file",
    a_dangling_link: "is a link to a file that does not exist",
    a_circle: "is a link in a circle",
}
KINDS: Final = pytest.mark.parametrize("make", ODD, ids=lambda make: make.__name__)


@KINDS
@pytest.mark.parametrize(
    "name", ["persons.csv", "labs.csv", "doses.parquet", "study.toml"], ids=str
)
def test_in_the_place_of_a_sheet(
    make: Callable[[Path], None], name: str, records: Path, tmp_path: Path
) -> None:
    """A sheet that cannot be read never counts as missing."""
    (records / name).unlink(missing_ok=True)
    make(records / name)
    command = ("study", "screen", "doctor")[len(name) % 3]
    fails(3, command, records, tmp_path / "out", part=f"{name}: {ODD[make]}")


@KINDS
@pytest.mark.parametrize("name", ["RECORDS", "records.xlsx"])
def test_in_the_place_of_the_records(
    make: Callable[[Path], None], name: str, tmp_path: Path
) -> None:
    if make is a_folder:
        return  # a folder may be records
    make(tmp_path / name)
    fails(3, "screen", tmp_path / name, tmp_path / "out", part=f"{name}: {ODD[make]}")
    fails(
        3, "screen", tmp_path / name, tmp_path / "out", "--mapping", "wuhan2020",
        part=f"{name}: {ODD[make]}",
    )  # fmt: skip


@KINDS
@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("study", "--words"), ("doctor", "--words"), ("study", "--mapping"),
        ("study", "--protocol"), ("screen", "--criteria"),
    ],
)  # fmt: skip
def test_in_the_place_of_a_file_that_an_option_names(
    make: Callable[[Path], None], command: str, option: str, records: Path, tmp_path: Path
) -> None:
    odd = tmp_path / "odd.toml"
    make(odd)
    fails(3, command, records, tmp_path / "out", option, odd, part=f"odd.toml: {ODD[make]}")


@KINDS
@pytest.mark.parametrize("name", ["labevents.csv.gz", "patients.csv.gz"])
def test_in_the_place_of_a_large_table(
    make: Callable[[Path], None], name: str, tmp_path: Path
) -> None:
    root = mimic_folder(tmp_path / "records", {})
    (root / "hosp" / name).unlink()
    make(root / "hosp" / name)
    fails(3, "screen", root, tmp_path / "out", part=f"hosp/{name}: {ODD[make]}")


@KINDS
def test_in_the_place_of_a_table_of_a_mapping(
    make: Callable[[Path], None], records: Path, tmp_path: Path
) -> None:
    mapping = tmp_path / "mine.toml"
    mapping.write_text(
        '[tables.all]\nfile = "all.csv"\nperson_id = { column = "id" }\n[persons]\ntable = "all"\n'
    )
    make(records / "all.csv")
    fails(
        3, "screen", records, tmp_path / "out", "--mapping", mapping, part=f"all.csv: {ODD[make]}"
    )


@KINDS
def test_in_the_place_of_a_manifest(make: Callable[[Path], None], tmp_path: Path) -> None:
    if make is not a_folder:  # a folder is looked into
        make(tmp_path / "manifest.json")
        done = CliRunner().invoke(main, ["cite", str(tmp_path / "manifest.json")])
        assert (done.exit_code, ODD[make] in done.stderr) == (3, True), done.output


def test_a_file_that_may_not_be_read(
    records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As whoever is not root sees it; the tests may run as root."""
    opened = os.open

    def refused(path: object, *given: object, **more: object) -> int:
        if str(path).endswith("labs.csv"):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refused)
    fails(
        3, "screen", records, tmp_path / "out", part="labs.csv: cannot be read (permission denied)"
    )


# ------------------------------------------------------------ two files for one table


def test_an_unpacked_table_beside_its_own_gz_is_read_and_said(tmp_path: Path) -> None:
    root = mimic_folder(tmp_path / "records", {})
    packed = root / "hosp" / "labevents.csv.gz"
    (root / "hosp" / "labevents.csv").write_bytes(gzip.decompress(packed.read_bytes()))
    same = "hosp/labevents.csv and hosp/labevents.csv.gz are the same table; the first was read."
    assert same in Mimic4(root, items=None, chunk_rows=1000).notices


@pytest.mark.parametrize("content", [b"", b"labevent_id\n", b"more"], ids=repr)
def test_an_unpacked_table_beside_another_gz_stops(content: bytes, tmp_path: Path) -> None:
    root = mimic_folder(tmp_path / "records", {})
    packed = gzip.decompress((root / "hosp" / "labevents.csv.gz").read_bytes())
    other = packed + b"1,2\n" if content == b"more" else content
    (root / "hosp" / "labevents.csv").write_bytes(other)
    fails(
        4, "screen", root, tmp_path / "out",
        part="hosp/labevents.csv and hosp/labevents.csv.gz are two different tables. Move the one that",
    )  # fmt: skip


@pytest.mark.parametrize("other", ["labs.xlsx", "labs.csv.gz", "LABS.tsv", "labs.parquet"])
def test_a_sheet_beside_another_form_of_it_stops(other: str, records: Path, tmp_path: Path) -> None:
    """Nobody knows which of the two is newer."""
    (records / other).write_bytes(b"anything")
    fails(
        4, "screen", records, tmp_path / "out",
        part=f"records: the sheet labs exists twice: labs.csv and {other}.",
    )  # fmt: skip


# ------------------------------------------------------------ missing and vanishing tables


def test_screen_says_which_tables_are_missing(records: Path, tmp_path: Path) -> None:
    done = run("screen", records, tmp_path / "out")
    assert done.exit_code == 0, done.output
    for name in ("stays", "doses", "findings", "conditions", "cultures", "procedures"):
        assert re.search(rf"^becalm: {name}: no ", done.stderr, re.MULTILINE), name
    assert "becalm: labs: " not in done.stderr


@pytest.mark.parametrize("name", ["persons.csv", "labs.csv"])
def test_a_sheet_that_vanishes_at_the_start(
    name: str, records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from becalm.records.sheets.read import read_sheet

    def vanished(sheet: str, path: Path) -> object:
        (records / name).unlink(missing_ok=True)
        return read_sheet(sheet, path)

    monkeypatch.setattr("becalm.records.sheets.source.read_sheet", vanished)
    line = fails(3, "study", records, tmp_path / "out", part=name)
    assert "does not exist" in line or "changed while it was being read" in line


@pytest.mark.parametrize("name", ["labevents", "patients", "diagnoses_icd"])
@pytest.mark.parametrize("when", ["start", "middle"])
def test_a_large_table_that_vanishes(
    name: str, when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = mimic_folder(tmp_path / "records", {})
    method = "chunks" if when == "start" else "_read_measurements"
    original = getattr(Mimic4, method)

    def vanished(self: Mimic4, *given: object) -> object:
        (root / "hosp" / f"{name}.csv.gz").unlink(missing_ok=True)
        return original(self, *given)

    monkeypatch.setattr(Mimic4, method, vanished)
    fails(3, "screen", root, tmp_path / "out", part=f"{name}.csv.gz")


# ------------------------------------------------------------ long cells


LONG: Final = 10_000_000


@pytest.mark.parametrize(
    ("command", "sheet", "column"),
    [
        ("study", "labs", "name"), ("screen", "labs", "value"), ("doctor", "labs", "unit"),
        ("study", "labs", "time"), ("doctor", "persons", "sex"), ("screen", "persons", "person_id"),
    ],
)  # fmt: skip
def test_a_cell_of_ten_megabytes(
    command: str, sheet: str, column: str, records: Path, tmp_path: Path
) -> None:
    file = records / f"{sheet}.csv"
    header, row, *rest = file.read_text().splitlines()
    cells = dict(zip(header.split(","), row.split(","), strict=True))
    cells[column] = "x" * LONG
    file.write_text("\n".join([header, ",".join(cells.values()), *rest]) + "\n")
    fails(
        4, command, records, tmp_path / "out",
        part=f"{sheet}.csv, row 2, column {column}: the cell has 10,000,000 characters, more than 32,767",
    )  # fmt: skip


def test_a_long_cell_in_a_column_that_is_not_read_changes_nothing(
    records: Path, tmp_path: Path
) -> None:
    (records / "labs.csv").write_text(
        f"{LABS.splitlines()[0]},remarks\n{LABS.splitlines()[1]},{'x' * LONG}\n"
    )
    assert run("screen", records, tmp_path / "out").exit_code == 0


@pytest.mark.parametrize("column", ["name", "value"])
def test_the_longest_cell_is_shortened_wherever_it_is_told(
    column: str, records: Path, tmp_path: Path
) -> None:
    """32,767 characters are read as they are; what is printed and refused of them is short."""
    cells = {"person_id": "P1", "time": "2020-03-04T10:00", "name": "ferritin", "value": "9",
             "unit": "ng/mL", "comment": ""}  # fmt: skip
    cells[column] = ("Käse 7 " * 5000)[: files.LONGEST_CELL]
    (records / "labs.csv").write_text(",".join(cells) + "\n" + ",".join(cells.values()) + "\n")
    for command in ("study", "doctor"):
        out = tmp_path / command
        done = run(command, records, out)
        assert done.exit_code in (0, 4), done.output
        longest = max(map(len, done.output.splitlines()))
        assert longest < LONGEST_LINE, (command, longest)
        for table in out.rglob("rows_refused.csv"):
            assert max(map(len, table.read_text().splitlines())) < LONGEST_LINE, table
        told = (path for path in out.glob("*.csv") if path.name != "not_understood.csv")
        for table in (*told, *out.glob("report.html")):
            assert "Käse 7 " * 100 not in table.read_text(), table


# ------------------------------------------------------------ workbooks


def rewritten(path: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """Write the filled template with other parts."""
    book = copy_template(path.with_name("filled.xlsx"), True, "xlsx")
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return path


def test_a_workbook_that_unpacks_to_hundreds_of_megabytes(tmp_path: Path) -> None:
    """A zip bomb: the list of its parts says how large it is, and nothing is unpacked."""
    book = tmp_path / "bomb.xlsx"
    rewritten(
        book,
        lambda name, part: (
            part + b" " * files.LARGEST_PART if name.endswith("styles.xml") else part
        ),
    )
    assert book.stat().st_size < 2 << 20
    fails(
        3, "screen", book, tmp_path / "out",
        part="bomb.xlsx: the unpacked workbook is larger than 256 MiB, the most that is read",
    )  # fmt: skip


def test_a_workbook_that_says_less_than_it_unpacks_to(tmp_path: Path) -> None:
    """A part is never unpacked beyond the size that the list of parts says."""
    book = rewritten(
        tmp_path / "liar.xlsx",
        lambda name, part: part + b" " * 50_000_000 if name.endswith("styles.xml") else part,
    )
    content = bytearray(book.read_bytes())
    with zipfile.ZipFile(book) as parts:
        told = next(each for each in parts.infolist() if each.filename.endswith("styles.xml"))
    real = told.file_size.to_bytes(4, "little")
    while (at := content.find(real)) >= 0:
        content[at : at + 4] = (1000).to_bytes(4, "little")
    book.write_bytes(content)
    fails(3, "screen", book, tmp_path / "out", part="liar.xlsx: not a whole XLSX workbook")


def test_a_workbook_with_entities_within_entities(tmp_path: Path) -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 9))
    bomb = f'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY l0 "ha">{laughs}]>'.encode()
    book = rewritten(
        tmp_path / "laughs.xlsx",
        lambda name, part: (
            bomb + re.sub(rb"^<\?xml.*?\?>", b"", part).replace(b'name="read me"', b'name="&l8;"')
            if name == "xl/workbook.xml"
            else part
        ),
    )
    fails(3, "screen", book, tmp_path / "out", part="laughs.xlsx: not a whole XLSX workbook")


def test_a_long_cell_of_a_workbook(tmp_path: Path) -> None:
    def change(name: str, part: bytes) -> bytes:
        if name == "xl/sharedStrings.xml":
            return part.replace(b">ferritin<", b">" + b"x" * LONG + b"<", 1)
        if b"<is><t>ferritin</t></is>" in part:
            return part.replace(b"<t>ferritin</t>", b"<t>" + b"x" * LONG + b"</t>", 1)
        return part

    book = rewritten(tmp_path / "long.xlsx", change)
    fails(4, "screen", book, tmp_path / "out", part="the cell has 10,000,000 characters")


# ------------------------------------------------------------ TOML


OPTIONS: Final = pytest.mark.parametrize(
    ("command", "option", "code"),
    [
        ("study", "--words", 5), ("study", "--mapping", 5), ("study", "--protocol", 5),
        ("screen", "--criteria", 5), ("study", "study.toml", 3),
    ],
)  # fmt: skip


def named(option: str, records: Path, tmp_path: Path) -> tuple[Path, list[object]]:
    if option == "study.toml":
        return records / option, []
    return tmp_path / "odd.toml", [option, tmp_path / "odd.toml"]


@OPTIONS
@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 100_000 + "]" * 100_000,
        "a = " + "{b = " * 20_000 + "1" + "}" * 20_000,
        ".".join(["a"] * 20_000) + " = 1",
        "a = " + "[" * 60 + "]" * 60,
        "[" + ".".join(["a"] * 1000) + "]\nb = 1",
    ],
    ids=["lists", "tables", "dots", "sixty", "header"],
)
def test_toml_without_end(  # noqa: PLR0917
    command: str, option: str, code: int, text: str, records: Path, tmp_path: Path
) -> None:
    file, words = named(option, records, tmp_path)
    file.write_text(text)
    fails(code, command, records, tmp_path / "out", *words, part=f"{file.name}: ")


@OPTIONS
def test_toml_of_fifty_megabytes(
    command: str, option: str, code: int, records: Path, tmp_path: Path
) -> None:
    file, words = named(option, records, tmp_path)
    file.write_text("# filling\n" * 5_000_000)
    fails(
        3, command, records, tmp_path / "out", *words,
        part=f"{file.name}: the file is larger than 8 MiB, the most that is read",
    )  # fmt: skip


@OPTIONS
@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("a = 1".encode("utf-16"), "the text is UTF-16, not UTF-8"),
        (b"a = 1\n\0", "row 2: a zero byte"),
        (b"# caf\xe9\n", "row 1: byte 0xe9 is not UTF-8"),
    ],
)
def test_toml_that_is_not_utf_8(  # noqa: PLR0917
    command: str, option: str, code: int, content: bytes, part: str, records: Path, tmp_path: Path
) -> None:
    file, words = named(option, records, tmp_path)
    file.write_bytes(content)
    fails(3, command, records, tmp_path / "out", *words, part=part)


@OPTIONS
def test_a_number_of_ten_thousand_digits(
    command: str, option: str, code: int, records: Path, tmp_path: Path
) -> None:
    file, words = named(option, records, tmp_path)
    file.write_text("title = " + "9" * 10_000)
    fails(code, command, records, tmp_path / "out", *words, part=f"{file.name}")


# ------------------------------------------------------------ what is in the large files


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "hosp/labevents.csv.gz: is empty"),
        (b"\n", "hosp/labevents.csv.gz: is empty"),
        ("subject_id\n1\n".encode("utf-16"), "hosp/labevents.csv.gz: the text is UTF-16"),
        (b"\0" * 100, "hosp/labevents.csv.gz, row 1: a zero byte"),
        (b"x" * 3_000_000, "hosp/labevents.csv.gz, row 1: the line of the column names is larger"),
    ],
)
def test_a_large_table_that_is_none(content: bytes, part: str, tmp_path: Path) -> None:
    root = mimic_folder(tmp_path / "records", {})
    (root / "hosp" / "labevents.csv.gz").write_bytes(gzip.compress(content))
    fails(3, "screen", root, tmp_path / "out", part=part)


@pytest.mark.parametrize("column", ["comments", "itemid"])
def test_a_long_cell_of_a_large_table(column: str, tmp_path: Path) -> None:
    cells = {"labevent_id": "1", "subject_id": "2", "itemid": "50924", "value": "812",
             "charttime": "2150-01-01 10:00:00", "valueuom": "ng/mL"}  # fmt: skip
    root = mimic_folder(tmp_path / "records", {"hosp/labevents": [{**cells, column: "x" * LONG}]})
    fails(
        3, "screen", root, tmp_path / "out",
        part="labevents.csv.gz, row 2: the line is longer than 2,000,000 bytes",
    )  # fmt: skip


def test_nothing_is_left_where_a_folder_is_removed_meanwhile(
    records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from becalm.records.sheets.read import read_sheet

    def vanished(sheet: str, path: Path) -> object:
        shutil.rmtree(records, ignore_errors=True)
        return read_sheet(sheet, path)

    monkeypatch.setattr("becalm.records.sheets.source.read_sheet", vanished)
    fails(3, "study", records, tmp_path / "out")
