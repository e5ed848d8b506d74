"""The pages of the manual: which there are, and the one that lists them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import chapters
import definitions

from becalm.definitions import shipped

ROOT: Final = Path(__file__).parents[2]


def render() -> dict[str, str]:
    """Return every page of the manual by its file name."""
    written = {path.stem.removeprefix("test_"): path for path in chapters.files(ROOT)}
    pages: dict[str, str] = {}
    scores, rules = [], []
    for name in shipped():
        page = definitions.page(name)
        title, population = definitions.heading(name)
        if name in written:
            page += "\n## Rules, each one a test\n\n" + chapters.rules(written.pop(name))
        pages[f"{name}.md"] = page
        scores.append(f"- [{title}]({name}.md): {population}")
    for name, path in written.items():
        pages[f"{name}.md"] = chapters.page(path)
        rules.append(f"- [{chapters.title(path)}]({name}.md)")
    pages["index.md"] = (
        "# The clinical manual of becalm\n\n"
        "Written by `scripts/manual` from the files that becalm reads and the tests that it passes;"
        " nothing here was typed a second time. Research use only.\n\n"
        "Three words come back everywhere. **Met**: whatever is missing, the definition holds."
        " **Not met**: whatever is missing, it does not. **Undetermined**: it depends on what"
        " nobody measured.\n\n## Definitions\n\n" + "\n".join(scores) + "\n\n## Rules\n\n"
        "Every paragraph is a rule that a test of the same name holds becalm to.\n\n"
        + "\n".join(rules)
        + "\n"
    )
    return pages


def main(folder: Path) -> None:
    """Write the pages; those of chapters that no longer exist are removed."""
    pages = render()
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.md"):
        if old.name not in pages:
            old.unlink()
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
    print(f"{len(pages)} pages in {folder}")
