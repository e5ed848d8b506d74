"""Every tutorial does what it says: its files are written, its commands run, and what it shows is what comes out.

A block of a page with a file's name is that file. A block of `sh` is run line by line, a block of `python` as a
whole; the block of `text` after it holds lines of what was printed. A block of `text` with a file's name holds the
beginnings of lines of that file.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from becalm.cli import main

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
BLOCK: Final = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINKED: Final = {"mimic_iv": ("mimic", ROOT.parent / "shared" / "data" / "mimic-iv-demo")}
"""What a tutorial needs from elsewhere: the name that the page gives it, and where it lies."""


def flat(text: str) -> str:
    """Return a text with every run of blanks and line breaks as one blank: printed text is wrapped."""
    return " ".join(text.split())


def becalm(line: str) -> str:
    """Run one line of a page; its comment may say that it stops, and with which exit code."""
    command, _, remark = line.partition("#")
    code = re.search(r"exit code (\d+)", remark)
    name, *words = shlex.split(command)
    assert name == "becalm", line
    done = CliRunner().invoke(main, words)
    assert done.exit_code == (int(code[1]) if code else 0), f"{line}\n{done.output}"
    return done.output


def python(text: str) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(text, "tutorial", "exec"), {"__name__": "tutorial"})
    return printed.getvalue()


def follow(text: str) -> Iterator[str]:
    """Do what a page says; yield each thing that it shows and that does not come out."""
    printed = ""
    for kind, name, block in BLOCK.findall(text):
        if kind == "text":
            lines = Path(name).read_text(encoding="utf-8").splitlines() if name else [flat(printed)]
            for line in filter(None, map(flat, block.splitlines())):
                if not any(each.startswith(line) if name else line in each for each in lines):
                    yield line
        elif name:
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text(block, encoding="utf-8")
        elif kind == "sh":
            printed = "".join(becalm(line) for line in block.splitlines() if line)
        else:
            assert kind == "python", f"a block of {kind} is neither run nor a file"
            printed = python(block)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_tutorial_does_what_it_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if page.stem in LINKED:
        name, folder = LINKED[page.stem]
        if not folder.is_dir():
            pytest.skip(f"{folder.parent.name}/{folder.name} is not here")
        (tmp_path / name).symlink_to(folder)
    assert list(follow(page.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_name_of_each_file_stands_before_it(page: Path) -> None:
    """Readers do not see the first line of a block."""
    text = page.read_text(encoding="utf-8")
    for block in BLOCK.finditer(text):
        before = text[: block.start()].rstrip().rsplit("\n\n", 1)[-1]
        assert not block[2] or f"`{block[2]}`" in before, block[2]


def test_there_are_tutorials() -> None:
    assert {"five_patients", "mimic_iv", "a_mapping", "your_protocol", "judging"} <= {
        p.stem for p in PAGES
    }
