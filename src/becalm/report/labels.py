"""Names as the report writes them: each is the label of its TOML file, by default the title.

A label stands within a sentence (`ferritin`, `AST`); `heading` makes it the first word of one. Labels
of definitions and their items are in `Cohort`: a study can bring definitions of its own.
"""

from __future__ import annotations

from functools import cache

from becalm import vocabulary
from becalm.kidney import kdigo
from becalm.measures import ctcae

KIDNEY_INJURY = "aki"
"""The one safety event that is graded by KDIGO; the others are graded by CTCAE."""


def variable(name: str) -> str:
    """Return the label of a variable, also of one that is computed from several.

    >>> variable("crp"), variable("haemoglobin")
    ('CRP', 'haemoglobin')
    """
    return _label(name, _variables())


@cache
def _variables() -> dict[str, str]:
    words = vocabulary.load()
    return {each.name: each.label for each in (*words.variables, *words.derived)}


def drug(name: str) -> str:
    """Return the label of a drug; a drug that is not in the vocabulary keeps its own name."""
    return _label(name, {each.name: each.label for each in vocabulary.load().drugs})


@cache
def drugs(names: str) -> str:
    """Return the labels of drugs and procedures joined by `|`."""
    words = vocabulary.load()
    known = {each.name: each.label for each in (*words.procedures, *words.drugs)}
    return ", ".join(_label(name, known) for name in names.split("|") if name)


def procedure(name: str) -> str:
    """Return the label of a procedure."""
    return _label(name, {each.name: each.label for each in vocabulary.load().procedures})


def condition(name: str) -> str:
    """Return the label of a diagnosis."""
    return _label(name, {each.name: each.label for each in vocabulary.load().conditions})


def conditions(names: str) -> str:
    """Return the labels of diagnoses joined by `|`."""
    return ", ".join(condition(name) for name in names.split("|") if name)


def measured_or_given(name: str) -> str:
    """Return the label of a variable or a drug; what is neither stays as the records write it."""
    words = vocabulary.load()
    known = {each.name: each.label for each in (*words.drugs, *words.derived, *words.variables)}
    return known.get(name, name)


def event(name: str) -> str:
    """Return the label of a safety event."""
    if name == KIDNEY_INJURY:
        return vocabulary.in_sentence(kdigo.load().kdigo.event)
    return vocabulary.in_sentence(ctcae.named(name).title)


def grade(name: str) -> str:
    """Return what a grade of a safety event is called: `grade` or, by KDIGO, `stage`."""
    return kdigo.load().kdigo.grade if name == KIDNEY_INJURY else ctcae.version_of(name).grade


def scale(name: str) -> str:
    """Return the scale of the grades of a safety event, with what a grade is called."""
    title = kdigo.load().kdigo.title if name == KIDNEY_INJURY else ctcae.version_of(name).title
    return f"{title} {grade(name)}"


def joined(names: str) -> str:
    """Return words joined by `|` as a list."""
    return ", ".join(name for name in names.split("|") if name)


def heading(label: str) -> str:
    """Return a label with a large first letter, unless its letters are mixed.

    >>> heading("ferritin"), heading("sIL-2R"), heading("t0")
    ('Ferritin', 'sIL-2R', 't0')
    """
    first = label.partition(" ")[0]
    return (
        label
        if first[1:] != first[1:].lower() or first[1:2].isdigit()
        else label[:1].upper() + label[1:]
    )


def _label(name: str, known: dict[str, str]) -> str:
    return known.get(name) or name.replace("_", " ")
