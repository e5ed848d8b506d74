"""Write the chart-review template, and the workbook of its filled example.

    .venv/bin/python scripts/make_template.py [FOLDER]

The columns and drop-downs come from becalm's own schema. The filled example is kept as CSV in
`becalm-example/`, five invented persons; its workbook is made from those files.
"""

from __future__ import annotations

import csv
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from openpyxl import Workbook
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from becalm.records.sheets.reading import PLAIN_NUMBER
from becalm.records.sheets.schema import SHEETS, SheetColumn

FOLDER: Final = Path(__file__).parents[1] / "src/becalm/records/sheets/template"
STUDY_KEYS: Final = (
    "title",
    "setting",
    "centre",
    "country",
    "timezone",
    "recruitment_start",
    "recruitment_end",
    "consecutive",
    "ethics_ref",
    "consent_basis",
    "registration",
)
# Suggestions only: any other wording may be typed.
SUGGESTED: Final[Mapping[tuple[str, str], Sequence[str]]] = {
    ("doses", "route"): ("IV", "SC", "oral", "IM"),
    ("findings", "finding"): (
        "splenomegaly",
        "hepatomegaly",
        "lymphadenopathy",
        "haemophagocytosis",
        "immunosuppressed",
    ),
    ("procedures", "name"): (
        "HD",
        "CRRT",
        "plasma exchange",
        "ventilation",
        "ECMO",
        "red cell transfusion",
        "platelet transfusion",
        "plasma transfusion",
    ),
}
CODES: Final = frozenset({"person_id", "stay_id", "loinc", "code"})
READ_ME: Final = (
    "becalm: chart-review sheets",
    "Fill persons, and the sheets that your study needs. Yellow columns must be there.",
    "A blank cell means unknown. It never means no: write no where you looked and it was not so.",
    "Write a time as 2020-03-04 10:00, or 2020-03-04 where the hour is not known. Columns of times "
    "are text, so that 2020-03-04 00:00 stays midnight and 2020-03-04 a date.",
    "labs: the value as reported, such as 1250, >15000 or <0.2, and its unit. Temperature, "
    "weight, blood pressure and urine go here too.",
    "doses: one row for each single dose (amount) or each rate. When a rate changes, end its row "
    "and start the next. Tablets over weeks are a rate too: 15 mg/day from start to end.",
    "person_id: your study numbers, no names. Columns of your own are welcome and are not read.",
    "",
    "Sheets and the columns they must have:",
)

Rows = Sequence[Sequence[str]]


def required(name: str) -> str:
    """Return the required columns of a sheet in words."""
    schema = SHEETS[name]
    either = " or ".join(" with ".join(group) for group in schema.either)
    return "; ".join(part for part in (", ".join(schema.required()), either) if part)


def example_sheet(name: str) -> tuple[list[str], Rows]:
    """Return the header and rows of a sheet of the filled example."""
    with (FOLDER / "becalm-example" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream)
    return header, rows


def write_folder(folder: Path) -> None:
    """Write the empty template as CSV files that hold only their header."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in SHEETS.items():
        (folder / f"{name}.csv").write_text(",".join(schema.columns) + "\n", encoding="utf-8")
    study = "".join(f'{key} = ""\n' for key in STUDY_KEYS)
    (folder / "study.toml").write_text(study, encoding="utf-8")


def write_workbook(
    path: Path, study: Mapping[str, str], sheets: Mapping[str, tuple[Sequence[str], Rows]]
) -> None:
    """Write a workbook: a page to read, the study, and each sheet with its drop-downs."""
    book = Workbook()
    book.properties.creator = "becalm"
    first = book.worksheets[0]
    first.title = "read me"
    for line in (*READ_ME, *(f"{name}: {required(name)}" for name in SHEETS)):
        first.append((line,))
    first["A1"].font = Font(bold=True, size=14)
    first.column_dimensions["A"].width = 110
    about = book.create_sheet("study")
    for item in (("key", "value"), *study.items()):
        about.append(item)
    about.column_dimensions["A"].width, about.column_dimensions["B"].width = 24, 50
    for name, (header, rows) in sheets.items():
        write_tab(book.create_sheet(name), name, header, rows)
    book.save(path)


def write_tab(tab: Worksheet, name: str, header: Sequence[str], rows: Rows) -> None:
    """Write one sheet; numbers become cells that a spreadsheet knows as such."""
    tab.freeze_panes = "B2"
    for position, title in enumerate(header, start=1):
        column = SHEETS[name].columns.get(title, SheetColumn())
        letter, style = get_column_letter(position), number_format(title, column)
        head = tab.cell(1, position, title)
        head.font = Font(bold=True)
        if column.required:
            head.fill = PatternFill("solid", fgColor="FFE699")
        tab.column_dimensions[letter].width = 18
        tab.column_dimensions[letter].number_format = style
        for number, row in enumerate(rows, start=2):
            cell = tab.cell(number, position, typed(row[position - 1], title, column))
            cell.number_format = style
        add_drop_down(tab, letter, column, SUGGESTED.get((name, title), ()))


def typed(text: str, title: str, column: SheetColumn) -> str | float | None:
    """Return a cell's content as somebody typing into a spreadsheet would leave it."""
    if not text:
        return None
    if column.kind in {"time", "end"}:
        return text
    if title not in CODES and PLAIN_NUMBER.fullmatch(text):
        return float(text)
    return text


def number_format(title: str, column: SheetColumn) -> str:
    """Return the format of a column.

    Codes stay text, or a LOINC 2276-4 becomes April 2276. Times stay text, or a date and its midnight
    become one number.
    """
    return "@" if title in CODES or column.kind in {"time", "end"} else "General"


def add_drop_down(tab: Worksheet, letter: str, column: SheetColumn, words: Sequence[str]) -> None:
    """Offer a closed list, which refuses other words, or suggestions, which do not."""
    closed = column.kind == "choice"
    words = column.among if closed else words
    if not words:
        return
    offered = DataValidation(
        type="list", formula1=f'"{",".join(words)}"', allow_blank=True, showErrorMessage=closed
    )
    offered.errorTitle, offered.error = "Not in the list", "Leave blank what is unknown."
    tab.add_data_validation(offered)
    offered.add(f"{letter}2:{letter}5000")


def main(folder: Path) -> None:
    """Write everything that is made into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    write_folder(folder / "becalm-template")
    write_workbook(
        folder / "becalm-template.xlsx",
        dict.fromkeys(STUDY_KEYS, ""),
        {name: (list(schema.columns), ()) for name, schema in SHEETS.items()},
    )
    study = (FOLDER / "becalm-example" / "study.toml").read_text(encoding="utf-8")
    write_workbook(
        folder / "becalm-example.xlsx",
        tomllib.loads(study),
        {name: example_sheet(name) for name in SHEETS},
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
