"""Whether every link of the built site leads somewhere, and nothing is loaded from the network."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

LOADED: Final = frozenset(
    {"script", "img", "source", "iframe", "video", "audio", "embed", "use", "image"}
)
"""Elements whose address is fetched as soon as the page opens; so is that of a `link`."""


class _Page(HTMLParser):
    """The ids of a page, and what it links to or loads."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.ids: set[str] = {"", "top"}
        self.links: list[tuple[str, bool]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note ids, links and what is loaded."""
        given = dict(attrs)
        self.ids |= {value for name in ("id", "name") if (value := given.get(name))}
        for name in ("href", "src", "xlink:href"):
            if (value := given.get(name)) is not None:
                fetched = tag in LOADED or (tag == "link" and given.get("rel") != "canonical")
                self.links.append((value, fetched))


def wrong(site: Path) -> list[str]:
    """Return a line for each link that leads nowhere, and for each thing that the network would have to give."""
    site = site.resolve()
    files = (file for file in sorted(site.rglob("*.html")) if "_static" not in file.parts)
    pages = {file: _Page(file.read_text(encoding="utf-8")) for file in files}
    return [
        f"{file.relative_to(site)}: {link}: {why}"
        for file, page in pages.items()
        for link, fetched in page.links
        for why in _why(site, file, link, fetched, pages)
    ]


def _why(
    site: Path, file: Path, link: str, fetched: bool, pages: dict[Path, _Page]
) -> Iterator[str]:
    try:
        parts = urlsplit(link)
    except ValueError:
        yield "is not an address"
        return
    if parts.scheme or parts.netloc:
        if fetched and parts.scheme != "data":
            yield "is loaded from the network"
        return
    target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
    if not target.is_relative_to(site):
        yield "leads out of the site"
    elif not target.is_file():
        yield "is not there"
    elif target in pages and unquote(parts.fragment) not in pages[target].ids:
        yield f"the page has no place called {parts.fragment}"
