"""Names in the report are those of the TOML files; nothing is named by hand."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import becalm
from becalm import definitions, vocabulary
from becalm.report import facts, labels
from becalm.report.cohort import Cohort

REPORT: Final = Path(becalm.__file__).parent / "report"
SELECTED: Final = {
    # keys by which a file chooses what it shows; never printed
    "key.py": {"neutropenia", "thrombocytopenia"},
    "labels.py": {"aki"},
    "methods.py": {"creatinine"},
    "sections/treatment.py": {"prednisolone", "ferritin", "ast", "temperature"},
    "sections/patients.py": {"covid19"},
    "sections/prognosis.py": {"ferritin"},
    "sections/kidney.py": {"creatinine"},
    "left_open.py": {"creatinine"},
    "figures/kidney.py": {"creatinine"},
    "figures/exposure.py": {"creatinine", "renal replacement"},
    "sections/exposure.py": {"creatinine"},
    "sections/outcome.py": {"temperature", "ferritin", "platelets"},
}
ENGLISH: Final = {
    "age",
    "fever",
    "height",
    "weight",
    "plasma",
    "infection",
    "transfusion",
    "ventilation",
}
"""Names that are also words of the language: the height of a figure, the weight in force."""


def known_names() -> dict[str, str]:
    """Return every title and label of the vocabulary and the definitions, and whose it is."""
    words = vocabulary.load()
    terms = (*words.variables, *words.derived, *words.drugs, *words.conditions, *words.procedures)
    shipped = [definitions.load(name) for name in definitions.shipped()]
    found = {term.name.replace("_", " "): term.name for term in terms}
    for term in terms:
        found |= dict.fromkeys(
            (term.title, term.label, vocabulary.in_sentence(term.title)), term.name
        )
    for each in shipped:
        found |= dict.fromkeys((each.title, each.short_title), each.name)
        for item in each.items:
            if item.label:
                found[item.label] = f"{each.name}.{item.key}"
    return {name: key for name, key in found.items() if name.lower() not in ENGLISH}


def written_by_hand(text: str, known: dict[str, str]) -> list[str]:
    """Return the known names in a text, as whole words."""
    names = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True))
    return re.findall(rf"(?<![\w-])(?:{names})(?![\w-])", text)


def texts(source: str) -> Iterator[str]:
    """Yield the texts of a Python file that are not documentation."""
    tree = ast.parse(source)
    spoken = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in spoken
        ):
            yield node.value


@pytest.mark.parametrize("file", sorted(str(p.relative_to(REPORT)) for p in REPORT.rglob("*.py")))
def test_no_label_is_written_by_hand(file: str) -> None:
    """A variable, drug, diagnosis or definition is printed by the label of its file."""
    known = known_names()
    source = (REPORT / file).read_text(encoding="utf-8")
    found = {
        name
        for text in texts(source)
        for name in written_by_hand(text, known)
        if not (text == name and name in SELECTED.get(file, ()))
    }
    assert found == set()


@pytest.mark.parametrize("file", sorted(p.name for p in (REPORT / "templates").glob("*.j2")))
def test_no_label_is_written_by_hand_in_a_template(file: str) -> None:
    source = (REPORT / "templates" / file).read_text(encoding="utf-8")
    assert written_by_hand(source, known_names()) == []


@pytest.mark.parametrize(
    "text",
    [
        'head = ["Patient", "ferritin worse"]',
        'title = f"Ferritin of {n} patients"',
        'LOG = "Log scale: CRP"',
        'title = "2016 MAS criteria"',
        'caption = "HLH-2004 at the index"',
        'text = "first anakinra"',
    ],
)
def test_a_label_that_is_written_by_hand_is_found(text: str) -> None:
    (written,) = (found for each in texts(text) if (found := written_by_hand(each, known_names())))
    assert written


def test_every_name_has_the_label_of_its_file(cohort: Cohort) -> None:
    assert labels.variable("crp") == "CRP"
    assert labels.variable("haemoglobin") == "haemoglobin"
    assert labels.variable("sil2r") == "sIL-2R"
    assert labels.drugs("ivig|plasma_exchange") == "IVIG, plasma exchange"
    assert labels.conditions("aosd|sle") == "AOSD, SLE"
    assert labels.event("ast") == "AST"
    assert labels.scale("aki") == "KDIGO stage"
    assert labels.scale("anaemia") == "CTCAE v5 grade"
    assert cohort.definition_label("mas2016") == "MAS 2016"
    assert cohort.item_label("hlh2004", "lipids_or_fibrinogen") == "lipids or fibrinogen"
    assert cohort.item_label("hscore", "cytopenias.wbc") == "cytopenias: white cells"


def test_a_variant_has_its_own_short_name() -> None:
    """Not that of the definition whose items it has."""
    assert definitions.load("sil2r").short_title == "sIL-2R"
    assert definitions.load("sil2r_not_ruled_out").short_title == "sIL-2R, not ruled out"
    assert definitions.load("ms_score_danish").short_title == "MS score, Danish cut-off"


def test_reasons_have_names_and_lengths_of_time_as_a_reader_writes_them(cohort: Cohort) -> None:
    assert cohort.reason("excluded: primary hlh") == "excluded: primary HLH"
    assert cohort.reason("no anakinra for 6h") == "no anakinra for 6\u00a0h"
    assert cohort.reason("excluded: malignancy") == "excluded: malignancy"


def test_the_ratios_behind_a_response_have_labels(five: str) -> None:
    assert facts.ratios("ferritin 0.46, ast 0.47, alt no sample") == (
        "ferritin 0.46, AST 0.47, ALT no sample"
    )
    assert facts.ratios("") == ""
    assert re.search(r"<td>ferritin 0\.\d+, AST 0\.\d+", five)
    assert not re.search(r"<td>ferritin [^<]*\bast\b", five)
