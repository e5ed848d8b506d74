"""The site: every page has its place, a broken link stops the build, and the search works from the folder itself."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
SCRIPT: Final = ROOT / "scripts" / "site"
BROWSERS: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"site_{name}", SCRIPT / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def test_every_page_has_its_place_and_every_place_its_page() -> None:
    named = [name for names in module("sources").PARTS.values() for name in names]
    assert len(named) == len(set(named))
    written = (*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "tutorials").glob("*.md"))
    pages = {page.relative_to(ROOT).with_suffix("").as_posix() for page in written}
    made = {"README", "CHANGELOG", "example", "reference", "docs/manual/index"}
    assert set(named) == pages | made


PAGES: Final = {
    "index.html": '<h1 id="start">x</h1><a href="sub/two.html#here">y</a><a href="https://doi.org/1">z</a>',
    "sub/two.html": '<p id="here"></p><a href="../index.html#start">y</a><img src="data:image/png;base64,AA">',
}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("", []),
        ('<a href="gone.html">x</a>', ["gone.html: is not there"]),
        ('<a href="sub/two.html#where">x</a>', ["the page has no place called where"]),
        ('<a href="#where">x</a>', ["the page has no place called where"]),
        ('<a href="../secret.html">x</a>', ["leads out of the site"]),
        ('<script src="https://cdn.example/x.js"></script>', ["is loaded from the network"]),
        ('<link rel="stylesheet" href="//cdn.example/x.css">', ["is loaded from the network"]),
        ('<img src="pictures/none.png">', ["is not there"]),
    ],
)
def test_a_link_that_leads_nowhere_is_told(more: str, told: list[str], tmp_path: Path) -> None:
    for name, text in PAGES.items():
        (tmp_path / "site" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "site" / name).write_text(text + more * (name == "index.html"))
    (tmp_path / "secret.html").write_text("")
    found = module("links").wrong(tmp_path / "site")
    assert len(found) == len(told)
    assert all(one.endswith(each) for one, each in zip(found, told, strict=True))
    assert all(one.startswith("index.html: ") for one in found)


def built(folder: Path, text: str) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Build a site of two pages with the settings of the real one."""
    pages = folder / "pages"
    (pages / "_example").mkdir(parents=True)
    (pages / "index.md").write_text(f"# First\n\n{text}\n\n```{{toctree}}\nsecond\n```\n")
    (pages / "second.md").write_text("# Second\n\n## Its part\n\nHaemophagocytosis.\n")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-c", str(SCRIPT)]
    done = subprocess.run(
        [*command, str(pages), str(folder / "site")], capture_output=True, text=True, check=False
    )
    return folder / "site", done


@pytest.mark.parametrize("link", ["gone.md", "second.md#no-such-part"])
def test_a_broken_link_of_a_page_stops_the_build(link: str, tmp_path: Path) -> None:
    pytest.importorskip("sphinx")
    pytest.importorskip("pydata_sphinx_theme")
    _, done = built(tmp_path, f"[there]({link})")
    assert done.returncode != 0
    assert "index.md:3" in done.stderr


def test_the_search_works_without_a_server(tmp_path: Path) -> None:
    """Opened as a file, where a page may not read any other file; nothing is asked of the network."""
    pytest.importorskip("sphinx")
    pytest.importorskip("pydata_sphinx_theme")
    site, done = built(tmp_path, "[there](second.md#its-part)")
    assert done.returncode == 0, done.stderr
    assert module("links").wrong(site) == []
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("no Chromium is installed")
    address = f"{(site / 'search.html').as_uri()}?q=haemophagocytosis"
    options = ["--no-sandbox", "--disable-gpu", "--virtual-time-budget=10000", "--dump-dom"]
    shown = subprocess.run(
        [browser, *options, address], capture_output=True, text=True, check=True, timeout=120
    ).stdout
    assert "found one page matching" in shown
    assert 'href="second.html"' in shown.split("Search finished")[1]
