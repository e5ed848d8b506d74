"""What every figure looks like, and how it becomes SVG and PNG.

Colours are those of Okabe and Ito, told apart by colour-blind readers; what matters is also said by
position, shape or a label, so that a grey print loses nothing.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from typing import Final

import vl_convert

from becalm.report.vega import Spec

BLACK: Final = "#1a1a1a"
GREY: Final = "#6b7075"
PALE: Final = "#d9dde1"
BLUE: Final = "#0072b2"
SKY: Final = "#9ccbea"
ORANGE: Final = "#e69f00"
VERMILION: Final = "#d55e00"
GREEN: Final = "#009e73"
WHITE: Final = "#ffffff"
OKABE_ITO: Final = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#1a1a1a", "#8c7a00",
)  # fmt: skip
FONT: Final = "DejaVu Sans, Verdana, Arial, sans-serif"
WIDTH: Final = 1120
"""Pixels a figure may be wide: the page's text block at 1,280 px."""

CONFIG: Final[Spec] = {
    "font": FONT,
    "background": WHITE,
    "padding": 6,
    "view": {"stroke": None},
    "axis": {
        "labelFont": FONT, "titleFont": FONT, "labelFontSize": 10.5, "titleFontSize": 11,
        "titleFontWeight": "normal", "labelColor": BLACK, "titleColor": BLACK,
        "domainColor": GREY, "tickColor": GREY, "tickSize": 4, "gridColor": "#eceef0",
        "labelLimit": 220, "titleLimit": 400,
    },
    "legend": {
        "labelFont": FONT, "titleFont": FONT, "labelFontSize": 10.5, "titleFontSize": 11,
        "titleFontWeight": "normal", "labelLimit": 320, "symbolStrokeWidth": 1.5,
    },
    "title": {
        "font": FONT, "fontSize": 11.5, "fontWeight": 600, "anchor": "start", "color": BLACK,
        "subtitleFont": FONT, "subtitleFontSize": 10.5, "subtitleColor": GREY, "offset": 6,
    },
    "header": {
        "labelFont": FONT, "titleFont": FONT, "labelFontSize": 11.5, "labelFontWeight": 600,
        "labelColor": BLACK, "labelPadding": 4,
    },
    "text": {"font": FONT, "fontSize": 10.5, "color": BLACK},
    "concat": {"spacing": 10},
}  # fmt: skip

_BASE: Final = "https://vega.github.io/vega-datasets/"
# Half of a drawing's bytes: what a reader of the page hears is the figure's title and its table.
_SPOKEN: Final = re.compile(
    r' (?:aria-[a-z]+|role|class|pointer-events|opacity="1"|data-[a-z]+)(?:(?<=")|="[^"]*")'
)
_TAG: Final = re.compile(r"<[^>]*>")
_DIGITS: Final = re.compile(r"-?\d+\.\d{3,}(?:e-\d+)?")


@dataclass(frozen=True)
class Figure:
    """One drawn figure: its file name, what it shows in a sentence, the drawing, and its pixels if it has them."""

    name: str
    title: str
    caption: str
    svg: str
    pixels: bytes = b""

    @property
    def inline(self) -> str:
        """The drawing for the page: ids of its own, no declared namespaces, scales with the page."""
        svg = re.sub(r'(id="|url\(#|href="#)(clip|gradient)', rf"\1{self.name}-\2", self.svg)
        svg = re.sub(r'xmlns(:xlink)?="[^"]*" ?', "", svg).replace("xlink:href=", "href=")
        size = re.match(r'<svg[^>]*?width="([\d.]+)"', svg)
        width = "max-width:{0:.0f}px;--own:{0:.0f}px".format(float(size.group(1))) if size else ""
        described = f'<svg role="img" aria-label="{_attribute(self.title)}" style="{width}" '
        return svg.replace("<svg ", described, 1)

    def png(self) -> bytes:
        """Return the drawing as pixels, at twice its size."""
        return self.pixels or pixels_of(self.svg)


def draw(spec: Spec) -> str:
    """Return a Vega-Lite chart as SVG; nothing is fetched."""
    svg: str = vl_convert.vegalite_to_svg({**spec, "config": CONFIG}, allowed_base_urls=[])
    svg = svg.replace(f'"{_BASE}#', '"#')
    svg = _SPOKEN.sub("", svg).replace(f' font-family="{FONT}"', "")
    svg = _TAG.sub(lambda tag: _DIGITS.sub(_shorter, tag.group()), svg)
    return svg.replace("<svg ", f'<svg font-family="{FONT}" ', 1)


def _shorter(number: re.Match[str]) -> str:
    """Return a coordinate with two decimals. What people read, such as a doi, is no coordinate and stays."""
    return f"{float(number.group()):.2f}".rstrip("0").rstrip(".")


def pixels_of(svg: str) -> bytes:
    """Return a drawing as PNG, at twice its size."""
    return _pack(vl_convert.svg_to_png(svg, scale=2))


def drawn(spec: Spec) -> tuple[str, bytes]:
    """Return a Vega-Lite chart as SVG and as PNG."""
    svg = draw(spec)
    return svg, pixels_of(svg)


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


def _pack(png: bytes) -> bytes:
    """Compress a PNG's pixels properly: the renderer favours speed, at ten times the size."""
    out, at, pixels = [png[:8]], 8, b""
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        if kind == b"IDAT":
            pixels += body
        else:
            if kind == b"IEND":
                out.append(_chunk(b"IDAT", zlib.compress(zlib.decompress(pixels), 3)))
            out.append(_chunk(kind, body))
        at += 12 + length
    return b"".join(out)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
