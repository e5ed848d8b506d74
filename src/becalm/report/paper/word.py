"""Word documents whose numbers are fields, bound to the results that the document holds.

Each number is a content control, and its text comes from a part of XML within the document (`customXml`): Word and
LibreOffice read it from there whenever they open the document. So one changed value changes every place that prints it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from becalm.core.errors import MissingExtraError
from becalm.report.paper.fields import Number, Text

AUTHORS: Final = "[Authors: "
SMALL: Final = "Table Text"
BANNER: Final = "Banner"
TEXT_CM: Final = 18
"""Width of the text on a page."""
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
RESULTS: Final = "urn:becalm:results"
"""The name space of the part that holds the numbers."""
_STORE: Final = "{0B7C1D52-5A0B-4E0E-9B52-6D1F8C3A7E21}"
"""The id by which the fields find that part."""
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006"
_PROPERTIES_TYPE: Final = "application/vnd.openxmlformats-officedocument.customXmlProperties+xml"


def require_word() -> None:
    """Raise `MissingExtraError` where the library that writes Word documents is not installed."""
    try:
        import docx  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "a paper needs python-docx, which is not installed",
            hint="Install it: pip install 'becalm[paper]'",
        ) from error


class WordDocument:
    """A document that is written part after part."""

    def __init__(self, title: str, banner: str) -> None:
        import docx
        from docx.enum.style import WD_STYLE_TYPE
        from docx.shared import Cm, Pt

        self._docx = docx.Document()
        self._used: dict[str, str] = {}
        about = self._docx.core_properties
        about.title, about.author, about.comments = title, "", banner
        about.created = about.modified = _EPOCH
        section = self._docx.sections[0]
        section.page_width, section.page_height = Cm(21), Cm(29.7)
        section.left_margin = section.right_margin = Cm(1.5)
        section.top_margin, section.bottom_margin = Cm(2.8), Cm(2)
        section.header.paragraphs[0].text = banner
        normal = self._docx.styles["Normal"]
        normal.font.name, normal.font.size = "Arial", Pt(10)
        for level, size in ((0, 18), (1, 14), (2, 11)):
            style = self._docx.styles["Title" if level == 0 else f"Heading {level}"]
            style.font.name, style.font.size = "Arial", Pt(size)
            _plain_font(style)
        for name in (SMALL, BANNER):
            small = self._docx.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
            small.base_style, small.font.size = normal, Pt(8)
            small.paragraph_format.space_after = Pt(1)
        section.header.paragraphs[0].style = BANNER

    def heading(self, text: str, level: int = 1) -> None:
        """Add a heading; level 0 is the title."""
        self._docx.add_heading(text, level)

    def paragraph(self, text: Text | str, style: str | None = None, *, leads: bool = False) -> None:
        """Add a paragraph; what the authors must add stands out. leads : it stands on the page of what follows."""
        added = self._docx.add_paragraph(style=style)
        added.paragraph_format.keep_with_next = leads or None
        self._fill(added, text)

    def table(
        self,
        title: str,
        head: Sequence[str],
        rows: Iterable[Sequence[Text]],
        shares: Sequence[int],
    ) -> None:
        """Add a table with its title above; the head is repeated on each page.

        shares : how wide the columns are, as parts of the whole.
        """
        from docx.oxml import OxmlElement
        from docx.shared import Cm

        widths = [Cm(TEXT_CM * share / sum(shares)) for share in shares]
        caption = self._docx.add_paragraph()
        caption.paragraph_format.keep_with_next = True
        caption.add_run(title).bold = True
        table = self._docx.add_table(rows=1, cols=len(head), style="Table Grid")
        table.autofit = False
        for column, width in zip(table.columns, widths, strict=True):
            column.width = width
        for cell, name, width in zip(table.rows[0].cells, head, widths, strict=True):
            cell.paragraphs[0].add_run(name).bold = True
            cell.paragraphs[0].style, cell.width = SMALL, width
        table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
        for row in rows:
            line = table.add_row()
            line._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
            for cell, text, width in zip(line.cells, row, widths, strict=True):
                cell.paragraphs[0].style, cell.width = SMALL, width
                self._fill(cell.paragraphs[0], text)
        self._docx.add_paragraph()

    def picture(self, png: Path, width_mm: float, caption: str) -> None:
        """Add a picture with its caption below."""
        from docx.shared import Mm

        self._docx.add_picture(str(png), width=Mm(width_mm))
        self._docx.paragraphs[-1].paragraph_format.keep_with_next = True
        self.paragraph(caption)

    def save(self, path: Path) -> None:
        """Write the document with the numbers to which its fields are bound."""
        from docx.opc.packuri import PackURI
        from docx.opc.part import Part

        part = self._docx.part
        held = Part(
            PackURI("/customXml/item2.xml"), "application/xml", _held(self._used), part.package
        )
        about = Part(
            PackURI("/customXml/itemProps2.xml"), _PROPERTIES_TYPE, _about_held(), part.package
        )
        part.relate_to(held, f"{_OFFICE}/relationships/customXml")
        held.relate_to(about, f"{_OFFICE}/relationships/customXmlProps")
        self._docx.save(str(path))

    def _fill(self, paragraph: Any, text: Text | str) -> None:
        for each in [text] if isinstance(text, str) else text:
            if isinstance(each, Number):
                self._used[each.field] = each.text
                paragraph._p.append(_field(each))
            else:
                run = paragraph.add_run(each)
                if each.startswith(AUTHORS):
                    run.font.highlight_color = 7  # yellow


def _plain_font(style: Any) -> None:
    """Let a heading have the font of the text, in black: a theme's font would win otherwise."""
    from docx.oxml.ns import qn
    from docx.shared import RGBColor

    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for name in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{name}"), None)
    style.font.color.rgb = RGBColor(0, 0, 0)


def _field(number: Number) -> Any:
    """Return a number as a content control that is bound to the results in the document."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    made, about = OxmlElement("w:sdt"), OxmlElement("w:sdtPr")
    for name in ("w:alias", "w:tag"):
        named = OxmlElement(name)
        named.set(qn("w:val"), number.field[:64])
        about.append(named)
    bound = OxmlElement("w:dataBinding")
    bound.set(qn("w:prefixMappings"), f"xmlns:r='{RESULTS}'")
    bound.set(qn("w:xpath"), f"/r:results[1]/r:number[@field='{number.field}'][1]")
    bound.set(qn("w:storeItemID"), _STORE)
    about.append(bound)
    about.append(OxmlElement("w:text"))
    content, run, text = (OxmlElement(f"w:{name}") for name in ("sdtContent", "r", "t"))
    text.text = number.text
    run.append(text)
    content.append(run)
    made.append(about)
    made.append(content)
    return made


def _held(values: Mapping[str, str]) -> bytes:
    """Return the part of a document that holds its numbers."""
    from lxml import etree

    root = etree.Element(f"{{{RESULTS}}}results", nsmap={None: RESULTS})
    for name, text in values.items():
        one = etree.SubElement(root, f"{{{RESULTS}}}number")
        one.set("field", name)
        one.text = text
    data: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    return data


def _about_held() -> bytes:
    """Return what names that part, so that the fields find it."""
    from lxml import etree

    space = f"{_OFFICE}/customXml"
    root = etree.Element(f"{{{space}}}datastoreItem", nsmap={"ds": space})
    root.set(f"{{{space}}}itemID", _STORE)
    schemas = etree.SubElement(root, f"{{{space}}}schemaRefs")
    etree.SubElement(schemas, f"{{{space}}}schemaRef").set(f"{{{space}}}uri", RESULTS)
    data: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    return data
