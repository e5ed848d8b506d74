"""The data dictionary of a REDCap project: its fields, their types and their choices."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import unescape
from pathlib import Path
from typing import Final, NamedTuple

from becalm.core.errors import RecordsError, did_you_mean, place
from becalm.records.mapped.model import token
from becalm.records.sheets.cells import clean
from becalm.records.sheets.read import csv_rows

HEADINGS: Final[Mapping[str, tuple[str, str]]] = {
    # what it is: its heading in a downloaded dictionary, and in one of the API
    "name": ("Variable / Field Name", "field_name"),
    "form": ("Form Name", "form_name"),
    "section": ("Section Header", "section_header"),
    "kind": ("Field Type", "field_type"),
    "label": ("Field Label", "field_label"),
    "choices": ("Choices, Calculations, OR Slider Labels", "select_choices_or_calculations"),
    "note": ("Field Note", "field_note"),
    "validation": (
        "Text Validation Type OR Show Slider Number",
        "text_validation_type_or_show_slider_number",
    ),
    "low": ("Text Validation Min", "text_validation_min"),
    "high": ("Text Validation Max", "text_validation_max"),
    "identifier": ("Identifier?", "identifier"),
    "branching": ("Branching Logic (Show field only if...)", "branching_logic"),
    "required": ("Required Field?", "required_field"),
    "alignment": ("Custom Alignment", "custom_alignment"),
    "question": ("Question Number (surveys only)", "question_number"),
    "matrix": ("Matrix Group Name", "matrix_group_name"),
    "ranking": ("Matrix Ranking?", "matrix_ranking"),
    "annotation": ("Field Annotation", "field_annotation"),
}
_NEEDED: Final = ("name", "form", "kind", "label")
CHOSEN: Final = frozenset({"radio", "dropdown", "select", "yesno", "truefalse"})
"""Types of fields of which one choice is taken."""
KINDS: Final = frozenset(
    {*CHOSEN, "text", "notes", "checkbox", "slider", "calc", "file", "descriptive", "sql"}
)
_YES_NO: Final = {"yesno": ("Yes", "No"), "truefalse": ("True", "False")}
_TAG: Final = re.compile(r"</?[A-Za-z][^<>]*>")
_NOT_IN_A_NAME: Final = re.compile(r"[^0-9a-z_]")
_NOT_IN_A_FORM: Final = re.compile(r"[^0-9a-z]+")


class RedcapChoice(NamedTuple):
    """One choice of a field: the code that a raw export has, and the label of a labelled one."""

    code: str
    label: str


def plain(text: str) -> str:
    """Return a label as an export writes it: without HTML, and with single spaces.

    >>> plain("<b>Ferritin</b>&nbsp;(ng/mL)")
    'Ferritin (ng/mL)'
    """
    return " ".join(clean(unescape(_TAG.sub(" ", text))).split())


def box(name: str, code: str) -> str:
    """Return the column of one box of a checkbox field.

    >>> box("race", "1"), box("race", "-99"), box("signs", "HSM")
    ('race___1', 'race____99', 'signs___hsm')
    """
    return f"{name}___{_NOT_IN_A_NAME.sub('', code.lower().replace('-', '_'))}"


def form_of_label(label: str) -> str:
    """Return the name that REDCap gives to a form when it is made with this label.

    >>> form_of_label("Blood Pressure")
    'blood_pressure'
    """
    return _NOT_IN_A_FORM.sub("_", label.lower()).strip("_")


@dataclass(frozen=True)
class RedcapField:
    """One field of the dictionary; `row` is its row there."""

    name: str
    form: str
    kind: str
    label: str
    row: int
    choices: tuple[RedcapChoice, ...] = ()
    note: str = ""
    validation: str = ""
    annotation: str = ""
    section: str = ""
    identifier: bool = False

    @property
    def is_chosen(self) -> bool:
        """Whether one choice of a list is taken."""
        return self.kind in CHOSEN

    @property
    def has_decimal_comma(self) -> bool:
        """Whether its numbers are written with a comma."""
        return self.validation.endswith("comma_decimal")

    @property
    def is_number(self) -> bool:
        """Whether its cells are numbers."""
        return self.kind == "slider" or self.validation.startswith(("number", "integer"))

    @property
    def is_time(self) -> bool:
        """Whether its cells are dates, or dates with a time of day."""
        return self.validation.startswith("date")

    @property
    def is_exported(self) -> bool:
        """Whether an export has a column of it."""
        return self.kind != "descriptive"

    @cached_property
    def codes(self) -> Mapping[str, RedcapChoice]:
        """The choices by their code, in the form for comparison."""
        return {token(choice.code): choice for choice in self.choices}

    @cached_property
    def labels(self) -> Mapping[str, tuple[RedcapChoice, ...]]:
        """The choices by their label, in the form for comparison."""
        found: dict[str, tuple[RedcapChoice, ...]] = {}
        for choice in self.choices:
            key = token(plain(choice.label))
            found[key] = (*found.get(key, ()), choice)
        return found


@dataclass(frozen=True)
class RedcapDictionary:
    """All fields, in their order; the first one is the id of the record."""

    file: str
    fields: tuple[RedcapField, ...]
    by_name: Mapping[str, RedcapField] = field(default_factory=dict)

    @property
    def record_id(self) -> RedcapField:
        """The field with the id of the record."""
        return self.fields[0]

    @cached_property
    def forms(self) -> tuple[str, ...]:
        """The forms (instruments), in the order of their first fields."""
        return tuple(dict.fromkeys(each.form for each in self.fields))

    def of_form(self, form: str) -> tuple[RedcapField, ...]:
        """Return the fields of a form that an export has, without the id of the record."""
        return tuple(each for each in self.fields[1:] if each.form == form and each.is_exported)


def read_dictionary(path: Path) -> RedcapDictionary:
    """Read a data dictionary as REDCap writes it, downloaded or from its API.

    Raises `RecordsError`, with file, row and column of every mistake, for a file that is none, and
    `UnreadableFileError` for one that cannot be read.
    """
    file = path.name
    header, rows, _ = csv_rows(path)
    at = _columns(file, [clean(title) for title in header])
    fields: list[RedcapField] = []
    wrong: list[RecordsError] = []
    names: dict[str, int] = {}
    for number, row in enumerate(rows, start=2):
        if not any(row):
            continue
        cells = {what: clean(row[position]) for what, position in at.items()}
        one = _field(cells, number)
        fields.append(one)
        wrong += _wrong(file, one)
        if one.name in names:
            what = f"the field {one.name!r} is already in row {names[one.name]}"
            wrong.append(_mistake(file, number, "name", what, "Keep one of them"))
        names.setdefault(one.name, number)
    if not fields:
        hint = "Download it again: Project Setup, Data Dictionary"
        wrong.append(RecordsError("the data dictionary has no field", where=file, hint=hint))
    wrong += _same_columns(file, fields)
    if wrong:
        raise RecordsError.of(wrong)
    return RedcapDictionary(file, tuple(fields), {each.name: each for each in fields})


def _columns(file: str, header: list[str]) -> dict[str, int]:
    """Return the position of each column of the dictionary that is there."""
    folded = [title.casefold() for title in header]
    at: dict[str, int] = {}
    for what, headings in HEADINGS.items():
        for heading in headings:
            if heading.casefold() in folded:
                at.setdefault(what, folded.index(heading.casefold()))
    if missing := [HEADINGS[what][0] for what in _NEEDED if what not in at]:
        raise RecordsError(
            f"is not a data dictionary of REDCap: it has no column {missing[0]!r}",
            where=place(file, 1),
            hint="Download it in REDCap under Project Setup, Data Dictionary",
        )
    return at


def _field(cells: Mapping[str, str], row: int) -> RedcapField:
    kind = cells["kind"].lower()
    written = cells.get("choices", "")
    return RedcapField(
        name=cells["name"],
        form=cells["form"],
        kind=kind,
        label=plain(cells["label"]),
        row=row,
        choices=tuple(_choices(kind, written)),
        note=plain(cells.get("note", "")),
        validation=cells.get("validation", "").lower() if kind == "text" else "",
        annotation=cells.get("annotation", ""),
        section=plain(cells.get("section", "")),
        identifier=cells.get("identifier", "").lower() == "y",
    )


def _choices(kind: str, written: str) -> Iterator[RedcapChoice]:
    """Yield the choices of a field; `1, Yes | 0, No` has two."""
    if kind in _YES_NO:
        yes, no = _YES_NO[kind]
        yield RedcapChoice("1", yes)
        yield RedcapChoice("0", no)
    elif kind in CHOSEN or kind == "checkbox":
        for one in re.split(r"[|\n]", written):
            code, _, label = one.partition(",")
            if one.strip():
                yield RedcapChoice(code.strip(), plain(label) or code.strip())


def _wrong(file: str, one: RedcapField) -> Iterator[RecordsError]:
    """Yield what is wrong with a field by itself."""
    if not one.name:
        yield _mistake(file, one.row, "name", "the name of the field is blank", "Write it")
    if not one.form:
        yield _mistake(file, one.row, "form", "the form of the field is blank", "Write it")
    if one.kind not in KINDS:
        what = f"{one.kind!r} is not a type of a field"
        yield _mistake(file, one.row, "kind", what, did_you_mean(one.kind, KINDS))
    if (one.kind in CHOSEN or one.kind == "checkbox") and not one.choices:
        what = f"the field {one.name!r} has no choices"
        yield _mistake(file, one.row, "choices", what, "Write them as 1, Yes | 0, No")
    codes = [token(choice.code) for choice in one.choices]
    if twice := [choice.code for choice in one.choices if codes.count(token(choice.code)) > 1]:
        what = (
            f"the field {one.name!r} has the code {twice[0]!r} twice, as {' and '.join(twice[:2])}"
        )
        hint = "Keep one of them; codes are compared without case, numbers by value"
        yield _mistake(file, one.row, "choices", what, hint)


def _same_columns(file: str, fields: list[RedcapField]) -> Iterator[RecordsError]:
    """Yield boxes whose column is also that of another box or field."""
    owner: dict[str, RedcapField] = {}
    for one in fields:
        names = (
            [box(one.name, choice.code) for choice in one.choices]
            if one.kind == "checkbox"
            else [one.name]
        )
        for name in names:
            if name in owner and (one.kind == "checkbox" or owner[name].kind == "checkbox"):
                what = f"two choices or fields have the one column {name!r} in an export"
                yield _mistake(file, one.row, "choices", what, "Give one of them another code")
            owner.setdefault(name, one)


def _mistake(file: str, row: int, column: str, what: str, hint: str) -> RecordsError:
    return RecordsError(what, where=place(file, row, HEADINGS[column][0]), hint=hint)
