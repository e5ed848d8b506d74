"""Storms as exports of REDCap projects of several shapes.

The exports are written from REDCap's own rules and know nothing of becalm's reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.sources.redcap_patients import (
    DISEASES,
    LABS,
    SIGNS,
    Patient,
    Row,
    Visit,
    write_csv,
)

HEADINGS: Final = (
    "Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
    "Choices, Calculations, OR Slider Labels", "Field Note", "Text Validation Type OR Show Slider Number",
    "Text Validation Min", "Text Validation Max", "Identifier?",
    "Branching Logic (Show field only if...)", "Required Field?", "Custom Alignment",
    "Question Number (surveys only)", "Matrix Group Name", "Matrix Ranking?", "Field Annotation",
)  # fmt: skip


def enumerate_codes(labels: Iterable[str]) -> list[tuple[str, str]]:
    """Return a code for each different label."""
    return [(str(code), label) for code, label in enumerate(dict.fromkeys(labels), 1)]


@dataclass(frozen=True)
class Question:
    """One field of a project, as its dictionary has it."""

    name: str
    form: str
    kind: str
    label: str
    choices: Mapping[str, str] = field(default_factory=dict)
    validation: str = ""
    annotation: str = ""

    def columns(self) -> list[str]:
        """Return its columns in a raw export."""
        if self.kind == "checkbox":
            return [f"{self.name}___{code.replace('-', '_').lower()}" for code in self.choices]
        return [self.name]

    def titles(self) -> list[str]:
        """Return its columns in a labelled export."""
        if self.kind == "checkbox":
            return [f"{self.label} (choice={label})" for label in self.choices.values()]
        return [self.label]


SEX: Final = {"0": "Female", "1": "Male"}
DEMOGRAPHICS: Final = (
    Question("record_id", "demographics", "text", "Record ID"),
    Question("sex", "demographics", "radio", "Sex", SEX),
    Question("dob", "demographics", "text", "Date of birth", validation="date_ymd"),
    Question("phone", "demographics", "text", "Telephone", validation="phone"),
)
STAY: Final = (
    Question("adm", "hospital_stay", "text", "Date of admission", validation="date_ymd"),
    Question("dis", "hospital_stay", "text", "Date of discharge", validation="date_ymd"),
)
VISIT: Final = (
    Question("visit_date", "visit", "text", "Date of visit", validation="datetime_ymd"),
)
DRAW: Final = (Question("drawn", "bloods", "text", "Sample collected", validation="datetime_ymd"),)
BLOODS: Final = tuple(
    Question(
        f"lab_{name}", "bloods", "text", f"{name.capitalize()} ({unit})",
        validation="" if name == "ferritin" else "number",
    )
    for name, unit in LABS.items()
)  # fmt: skip
SPLEEN: Final = (
    Question("spleen", "bloods", "radio", "Splenomegaly?", {"1": "Yes", "0": "No", "9": "Unknown"}),
)
DOSE: Final = (
    Question("dose_time", "dose", "text", "Time of dose", validation="datetime_ymd"),
    Question("dose_mg", "dose", "text", "Anakinra (mg)", validation="number"),
)
SIGN_BOXES: Final = (Question("signs", "bloods", "checkbox", "Signs", SIGNS),)
HISTORY: Final = (
    Question("history", "demographics", "checkbox", "Known diseases", dict(zip("12", DISEASES.values(), strict=True))),
)  # fmt: skip


def write_dictionary(path: Path, questions: Sequence[Question]) -> None:
    """Write a data dictionary."""
    rows = []
    for one in questions:
        cells = dict.fromkeys(HEADINGS, "")
        shown = " | ".join(f"{code}, {label}" for code, label in one.choices.items())
        values = (one.name, one.form, one.kind, one.label, shown, one.validation, one.annotation)
        keys = (
            HEADINGS[0],
            HEADINGS[1],
            HEADINGS[3],
            HEADINGS[4],
            HEADINGS[5],
            HEADINGS[7],
            HEADINGS[17],
        )
        cells.update(zip(keys, values, strict=True))
        rows.append([cells[heading] for heading in HEADINGS])
    write_csv(path, HEADINGS, rows)


@dataclass
class Project:
    """The rows of a project as they are entered, and how they are exported.

    own : which columns of REDCap's own the export has. labels : an export with labels in header and cells.
    instruments : the labels of instruments in a labelled export.
    """

    questions: Sequence[Question]
    own: Sequence[str] = ()
    labels: bool = False
    instruments: Mapping[str, str] = field(default_factory=dict)
    more_boxes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)

    def forms(self) -> list[str]:
        """Return the forms in their order."""
        return list(dict.fromkeys(one.form for one in self.questions))

    def add(self, record: str, forms: Sequence[str], cells: Row, **own: str) -> None:
        """Add a row with some forms; their boxes that are not ticked are 0, as REDCap writes them."""
        row = {"record_id": record, **own}
        for one in self.questions:
            if one.form in forms and one.kind == "checkbox":
                row |= dict.fromkeys((*one.columns(), *self.more_boxes.get(one.name, ())), "0")
        row |= {f"{form}_complete": "2" for form in forms}
        self.rows.append(row | cells)

    def write(self, folder: Path) -> Path:
        """Write `data.csv` and `dictionary.csv`."""
        folder.mkdir()
        write_dictionary(folder / "dictionary.csv", self.questions)
        names, titles = (
            ["record_id", *self.own],
            ["Record ID", *(_TITLES[name] for name in self.own)],
        )
        means: dict[str, Callable[[str], str]] = {"redcap_repeat_instrument": self._instrument}
        for form in self.forms():
            for one in self.questions:
                if one.form != form or one.name == "record_id":
                    continue
                names += [*one.columns(), *self.more_boxes.get(one.name, ())]
                titles += one.titles()
                for column in one.columns():
                    means[column] = _label_of(one)
            names.append(f"{form}_complete")
            titles.append("Complete?")
            means[f"{form}_complete"] = lambda text: {"2": "Complete", "0": "Incomplete"}.get(
                text, text
            )
        cells = [[row.get(name, "") for name in names] for row in self.rows]
        if self.labels:
            cells = [
                [means.get(name, str)(text) for name, text in zip(names, row, strict=True)]
                for row in cells
            ]
        write_csv(folder / "data.csv", titles if self.labels else names, cells)
        return folder

    def _instrument(self, form: str) -> str:
        return self.instruments.get(form, form)


_TITLES: Final = {
    "redcap_event_name": "Event Name", "redcap_repeat_instrument": "Repeat Instrument",
    "redcap_repeat_instance": "Repeat Instance", "redcap_data_access_group": "Data Access Group",
}  # fmt: skip


def _label_of(one: Question) -> Callable[[str], str]:
    if one.kind == "checkbox":
        return lambda text: {"1": "Checked", "0": "Unchecked"}.get(text, text)
    return lambda text: one.choices.get(text, text)


# ------------------------------------------------------------ the shapes

EVENT, REPEATS = ("redcap_event_name",), ("redcap_repeat_instrument", "redcap_repeat_instance")
GROUP: Final = ("redcap_data_access_group",)


def _who(one: Patient) -> Row:
    code = {"F": "0", "M": "1"}[one.sex]
    return {"sex": code, "dob": one.born, "phone": "(405) 321-1111"}


def _labs(visit: Visit) -> Row:
    return {f"lab_{name}": value for name, value in visit.labs.items()}


def longitudinal(patients: Sequence[Patient]) -> Project:
    """Enrolment, then one event a day; the date of the day is in another instrument than its values."""
    project = Project((*DEMOGRAPHICS, *STAY, *VISIT, *BLOODS), EVENT)
    for one in patients:
        stay = {"adm": one.admitted, "dis": one.left}
        first = "enrolment_arm_1"
        project.add(
            one.name, ("demographics", "hospital_stay"), _who(one) | stay, redcap_event_name=first
        )
        for day, visit in enumerate(one.visits):
            cells = {"visit_date": visit.time, **_labs(visit)}
            event = f"day_{day}_arm_1"
            project.add(one.name, ("visit", "bloods"), cells, redcap_event_name=event)
    return project


def repeating_events(patients: Sequence[Patient]) -> Project:
    """A ward day that repeats as an event, and doses that repeat as an instrument of another event."""
    project = Project((*DEMOGRAPHICS, *VISIT, *BLOODS, *DOSE), (*EVENT, *REPEATS))
    for one in patients:
        project.add(one.name, ("demographics",), _who(one), redcap_event_name="baseline_arm_1")
        for n, (time, mg) in enumerate(one.doses, 1):
            project.add(
                one.name, ("dose",), {"dose_time": time, "dose_mg": mg},
                redcap_event_name="baseline_arm_1", redcap_repeat_instrument="dose", redcap_repeat_instance=str(n),
            )  # fmt: skip
        for n, visit in enumerate(one.visits, 1):
            project.add(
                one.name, ("visit", "bloods"), {"visit_date": visit.time, **_labs(visit)},
                redcap_event_name="ward_day_arm_1", redcap_repeat_instance=str(n),
            )  # fmt: skip
    return project


def checkboxes(patients: Sequence[Patient]) -> Project:
    """Signs and diseases as boxes, one of them with a negative code."""
    project = Project((*DEMOGRAPHICS, *HISTORY, *DRAW, *BLOODS, *SIGN_BOXES), REPEATS)
    for one in patients:
        codes = dict(zip(DISEASES, "12", strict=True))
        ticks = {f"history___{codes[name]}": "1" for name in one.diseases}
        project.add(one.name, ("demographics",), _who(one) | ticks)
        for n, visit in enumerate(one.visits, 1):
            signs = {
                f"signs___{code.replace('-', '_')}": "1"
                for code, sign in SIGNS.items()
                if visit.signs[sign]
            }
            project.add(
                one.name, ("bloods",), {"drawn": visit.time, **_labs(visit), **signs},
                redcap_repeat_instrument="bloods", redcap_repeat_instance=str(n),
            )  # fmt: skip
    return project


def missing_codes(patients: Sequence[Patient]) -> Project:
    """-99 and -98 where a value is missing, in numbers, choices, dates and boxes."""
    boxes = {"signs": ("signs____99",)}
    questions = (*DEMOGRAPHICS, *STAY, *DRAW, *BLOODS, *SPLEEN, *SIGN_BOXES)
    project = Project(questions, REPEATS, more_boxes=boxes)
    for number, one in enumerate(patients):
        stay = {"adm": one.admitted, "dis": one.left}
        person = {**_who(one), "phone": "-99"}
        project.add(one.name, ("demographics", "hospital_stay"), person | stay)
        for n, visit in enumerate(one.visits, 1):
            labs = {
                name: value or ("-99", "-98")[number % 2] for name, value in _labs(visit).items()
            }
            spleen = {"yes": "1", "no": "0"}.get(visit.spleen, "-99")
            signs = {
                f"signs___{code.replace('-', '_')}": "1"
                for code, sign in SIGNS.items()
                if visit.signs[sign]
            } or {"signs____99": "1"}
            project.add(
                one.name, ("bloods",), {"drawn": visit.time, **labs, "spleen": spleen, **signs},
                redcap_repeat_instrument="bloods", redcap_repeat_instance=str(n),
            )  # fmt: skip
    return project


def labelled(patients: Sequence[Patient]) -> Project:
    """Labels for names and codes; the instrument was renamed after it was made."""
    questions = (*DEMOGRAPHICS, *STAY, *DRAW, *BLOODS, *SPLEEN, *DOSE)
    names = {"bloods": "Daily results (v2)", "dose": "Dose"}
    project = Project(questions, REPEATS, labels=True, instruments=names)
    for one in patients:
        stay = {"adm": one.admitted, "dis": one.left}
        project.add(one.name, ("demographics", "hospital_stay"), _who(one) | stay)
        for n, visit in enumerate(one.visits, 1):
            spleen = {"yes": "1", "no": "0"}.get(visit.spleen, "")
            project.add(
                one.name, ("bloods",), {"drawn": visit.time, **_labs(visit), "spleen": spleen},
                redcap_repeat_instrument="bloods", redcap_repeat_instance=str(n),
            )  # fmt: skip
        for n, (time, mg) in enumerate(one.doses, 1):
            project.add(
                one.name, ("dose",), {"dose_time": time, "dose_mg": mg},
                redcap_repeat_instrument="dose", redcap_repeat_instance=str(n),
            )  # fmt: skip
    return project


def groups(patients: Sequence[Patient]) -> Project:
    """Two centres as data access groups, each row with its own."""
    project = Project((*DEMOGRAPHICS, *STAY, *DRAW, *BLOODS), (*REPEATS, *GROUP))
    for one in patients:
        stay = {"adm": one.admitted, "dis": one.left}
        centre = {"redcap_data_access_group": one.centre}
        project.add(one.name, ("demographics", "hospital_stay"), _who(one) | stay, **centre)
        for n, visit in enumerate(one.visits, 1):
            project.add(
                one.name, ("bloods",), {"drawn": visit.time, **_labs(visit)},
                redcap_repeat_instrument="bloods", redcap_repeat_instance=str(n), **centre,
            )  # fmt: skip
    return project


LONG: Final = (
    Question("lr_test", "lab_result", "dropdown", "Test", {
        "1": "Ferritin", "2": "Platelets", "3": "AST", "4": "Fibrinogen", "5": "Triglycerides", "6": "Temperature",
    }),
    Question("lr_value", "lab_result", "text", "Result"),
    Question("lr_unit", "lab_result", "dropdown", "Unit", dict(enumerate_codes(LABS.values()))),
    Question("lr_time", "lab_result", "text", "Date and time", validation="datetime_ymd"),
    Question("med", "medication", "radio", "Medication", {"1": "Kineret (anakinra)", "2": "Prednisone"}),
    Question("med_dose", "medication", "text", "Dose given", validation="number"),
    Question("med_unit", "medication", "radio", "Dose unit", {"1": "mg", "2": "g"}),
    Question("med_start", "medication", "text", "Date and time given", validation="datetime_ymd"),
)  # fmt: skip


def long_forms(patients: Sequence[Patient]) -> Project:
    """One instance a result and one a dose; the row says which test and which drug."""
    project = Project((*DEMOGRAPHICS, *LONG), REPEATS)
    units = {unit: code for code, unit in enumerate_codes(LABS.values())}
    for one in patients:
        project.add(one.name, ("demographics",), _who(one))
        results = [
            {
                "lr_test": str(test),
                "lr_value": value,
                "lr_unit": units[LABS[name]],
                "lr_time": visit.time,
            }
            for visit in one.visits
            for test, (name, value) in enumerate(visit.labs.items(), 1)
            if value
        ]
        doses = [
            {"med": "1", "med_dose": mg, "med_unit": "1", "med_start": time}
            for time, mg in one.doses
        ]
        for form, rows in (("lab_result", results), ("medication", doses)):
            for n, cells in enumerate(rows, 1):
                project.add(
                    one.name,
                    (form,),
                    cells,
                    redcap_repeat_instrument=form,
                    redcap_repeat_instance=str(n),
                )
    return project


SHAPES: Final[Mapping[str, tuple[Callable[[Sequence[Patient]], Project], frozenset[str]]]] = {
    "longitudinal": (longitudinal, frozenset({"stays"})),
    "repeating_events": (repeating_events, frozenset({"doses"})),
    "checkboxes": (checkboxes, frozenset({"signs", "diseases"})),
    "missing_codes": (missing_codes, frozenset({"stays", "spleen", "signs"})),
    "labelled": (labelled, frozenset({"stays", "spleen", "doses"})),
    "long_forms": (long_forms, frozenset({"doses"})),
    "groups": (groups, frozenset({"stays", "groups"})),
}
"""Each shape: the function that writes it, and what of a patient it can hold."""
