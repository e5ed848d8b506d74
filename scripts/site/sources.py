"""The pages that the site is made of, laid out as in the clone, so that their links lead to each other."""

from __future__ import annotations

import html
import importlib
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
BESIDE: Final = ("README.md", "CHANGELOG.md", "LICENSE", "CITATION.cff")
PARTS: Final = {
    "Start": (
        "README", "docs/tutorials/five_patients", "docs/tutorials/mimic_iv",
        "docs/tutorials/a_mapping", "docs/tutorials/your_protocol", "docs/tutorials/judging",
    ),
    "Records": ("docs/sheets", "docs/mapping", "docs/redcap", "docs/words"),
    "Studies": (
        "docs/protocols", "docs/definitions", "docs/doses", "docs/kidney", "docs/organs",
        "docs/infections", "docs/outcomes", "docs/person_time", "docs/without_the_drug",
        "docs/pharmacology", "docs/markers_ahead",
    ),
    "Results": (
        "example", "docs/tables", "docs/results", "docs/paper", "docs/judgements", "docs/page", "docs/two_runs", "docs/notebook", "reference", "docs/security",
    ),
    "Manual": ("docs/manual/index",),
    "Behind it": (
        "docs/measured", "docs/published", "docs/differences", "docs/architecture", "CHANGELOG",
    ),
}  # fmt: skip
"""The pages by part, in their order; a page of docs/ that no part names is an error of the build."""
_HEADING: Final = re.compile(r"<h([23])([^>]*)>(.*?)</h\1>", re.DOTALL)
_ID: Final = re.compile(r'id="([^"]+)"')


def write(folder: Path, demo: Path) -> None:
    """Write all sources of the site into a new folder. demo : what `becalm demo` wrote."""
    docs = folder / "docs"
    shutil.copytree(ROOT / "docs", docs, ignore=shutil.ignore_patterns("manual"))
    for name in BESIDE:
        shutil.copy(ROOT / name, folder / name)
    _manual(docs / "manual")
    shutil.copy(Path(__file__).parent / "reference.md", folder / "reference.md")
    example = folder / "_example"
    example.mkdir()
    shutil.copy(demo / "report.html", example / "report.html")
    (folder / "example.md").write_text(_example(demo / "report.html"), encoding="utf-8")
    for part, names in PARTS.items():
        if len(names) > 1:
            (folder / f"{_stem(part)}.md").write_text(f"# {part}\n{_contents(names)}", "utf-8")
    own = (Path(__file__).parent / "index.md").read_text(encoding="utf-8")
    parts = [
        f"{part} <{names[0] if len(names) == 1 else _stem(part)}>" for part, names in PARTS.items()
    ]
    (folder / "index.md").write_text(own + _contents(parts, hidden=True), encoding="utf-8")


def _manual(folder: Path) -> None:
    """Write the clinical manual, with a list of its pages for the navigation."""
    sys.path.insert(0, str(ROOT / "scripts" / "manual"))
    pages = importlib.import_module("pages").render()
    folder.mkdir()
    for name, text in pages.items():
        more = _contents([Path(each).stem for each in pages if each != name], hidden=True)
        (folder / name).write_text(text + more * (name == "index.md"), encoding="utf-8")


def _stem(part: str) -> str:
    return f"part_{part.lower().replace(' ', '_')}"


def _contents(pages: Iterable[str], *, hidden: bool = False) -> str:
    """Return the list of pages from which the navigation is made; README is called by what it is."""
    listed = "\n".join("Overview <README>" if page == "README" else page for page in pages)
    option = ":hidden:" if hidden else ":maxdepth: 1"
    return f"\n```{{toctree}}\n{option}\n\n{listed}\n```\n"


def _example(report: Path) -> str:
    """Return the page that leads into the report: every heading of it, so that the search finds them."""
    text = report.read_text(encoding="utf-8")
    lines = []
    for level, attributes, inner in _HEADING.findall(text):
        words = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", inner)).split())
        found = _ID.search(attributes)
        link = f"example/report.html#{found[1]}" if found else "example/report.html"
        lines.append(f'{"  " * (int(level) - 2)}- <a href="{link}">{html.escape(words)}</a>')
    return (
        "# The report of the built-in example\n\n"
        "All patients in it are invented. It is what `becalm demo` writes: one file that opens offline.\n\n"
        '<p><a href="example/report.html"><strong>Open the report</strong></a></p>\n\n'
        "## What it has\n\n" + "\n".join(lines) + "\n"
    )
