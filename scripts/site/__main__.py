"""Build one site of everything that is written about becalm; it opens offline, from the folder itself.

    uv run --all-groups python scripts/site [FOLDER] [--demo FOLDER]

The pages of docs/, README.md and CHANGELOG.md, the clinical manual (scripts/manual), the Python reference (from the
docstrings), the dictionary of tables and the report of the built-in example, in FOLDER (site). `--demo` names a
folder that `becalm demo` has written; without it the example is run. Fails on a warning of the generator, on a link
that leads nowhere, and on anything that would be loaded from the network.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import links
import sources
from sphinx.cmd.build import build_main

OWN = Path(__file__).parent


def main() -> int:
    """Write the site; return 0 if nothing is wrong with it."""
    asked = argparse.ArgumentParser(prog="scripts/site", description=__doc__.splitlines()[0])
    asked.add_argument("folder", nargs="?", type=Path, default=sources.ROOT / "site")
    asked.add_argument("--demo", type=Path, help="a folder that becalm demo has written")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as held:
        work = Path(held)
        demo = given.demo or _run_demo(work / "demo")
        sources.write(work / "pages", demo)
        out = given.folder.resolve()
        _emptied(out)
        failed = build_main(
            ["-q", "-W", "--keep-going", "-c", str(OWN), "-d", str(work / "held"),
             str(work / "pages"), str(out)]
        )  # fmt: skip
    wrong = links.wrong(out)
    for line in wrong:
        print(line, file=sys.stderr)
    if failed or wrong:
        print(f"site: {len(wrong)} wrong links; see the lines above", file=sys.stderr)
        return 1
    pages, size = (
        len(list(out.rglob("*.html"))),
        sum(f.stat().st_size for f in out.rglob("*") if f.is_file()),
    )
    print(f"{out}/index.html: {pages} pages, {size / 1e6:.0f} MB; open it in a browser")
    return 0


def _run_demo(folder: Path) -> Path:
    """Run the built-in example into a new folder."""
    subprocess.run([sys.executable, "-m", "becalm", "demo", "--out", str(folder)], check=True)
    return folder


def _emptied(out: Path) -> None:
    """Take away what an earlier build wrote; another folder is never emptied."""
    import shutil

    if not out.exists() or not any(out.iterdir()):
        return
    if not (out / "searchindex.js").is_file() or not (out / ".buildinfo").is_file():
        sys.exit(f"site: {out} is not a site that this script wrote. Name another folder")
    shutil.rmtree(out)


sys.exit(main())
