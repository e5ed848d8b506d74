"""Reading a model's file: one that ships with becalm, or a user's own of the same form.

Every entry is read by itself, so that all mistakes of a file are told at once, each with its row and key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

import msgspec

from becalm.core import toml
from becalm.core.errors import DefinitionError, UsageError, did_you_mean
from becalm.core.files import LARGEST_TOML, read_text
from becalm.core.toml_position import TomlMistake
from becalm.pk import units
from becalm.pk.model import (
    PARTS,
    SATURABLE,
    PkAssumption,
    PkCovariate,
    PkGroup,
    PkModel,
    PkParameter,
    PkRoute,
    PkSpread,
    PkWalk,
    ResidualError,
    Status,
)

MODELS: Final = Path(__file__).parent / "models"
_ENTRIES: Final[Mapping[str, tuple[str, type[Any]]]] = {
    "parameter": ("parameters", PkParameter),
    "covariate": ("covariates", PkCovariate),
    "group": ("groups", PkGroup),
    "spread": ("spreads", PkSpread),
    "residual": ("residual", ResidualError),
    "walk": ("walks", PkWalk),
    "assumption": ("assumptions", PkAssumption),
}
_TEXTS: Final = ("name", "title", "drug")
_OTHER_KEYS: Final = (*_TEXTS, "routes", "apparent", "not_absorbed", "notes", "level")
_NOT_ABSORBED: Final = ("PO", "IM", "SC")
_RESIDUAL_UNITS: Final = {"proportional": "1", "additive": "mg/L"}
_ASSUMPTION_UNITS: Final = {"infusion_rate": "mg/h"}
Report = Callable[[str, str, str], None]
T = TypeVar("T", bound=toml.TomlTable)


@cache
def shipped() -> tuple[str, ...]:
    """Return the names of the models that come with becalm.

    >>> "anakinra" in shipped()
    True
    """
    return tuple(sorted(path.stem for path in MODELS.glob("*.toml")))


def load(name_or_path: str) -> PkModel:
    """Read a model that ships with becalm by its name, or a file of your own (`my_drug.toml`).

    Raises
    ------
    DefinitionError
        For a name that is not known, and for a file with mistakes: one line for each, with row and key.
    UnreadableFileError
        For a file that cannot be read.

    >>> load("canakinumab").routes
    ('iv', 'sc')
    """
    if name_or_path.endswith(".toml"):
        path = Path(name_or_path)
        return parse(read_text(path, most=LARGEST_TOML), path.name)
    if name_or_path not in shipped():
        hint = f"{did_you_mean(name_or_path, shipped())} A file of your own ends in .toml"
        raise DefinitionError(f"no model is called {name_or_path!r}", hint=hint)
    return _shipped(name_or_path)


@cache
def _shipped(name: str) -> PkModel:
    path = MODELS / f"{name}.toml"
    return parse(path.read_text(encoding="utf-8"), path.name)


def parse(text: str, file: str) -> PkModel:
    """Read a model from TOML text; `file` is only for messages. Raises `DefinitionError` as `load`."""
    document = toml.document(text, file)
    mistakes: list[TomlMistake] = []

    def report(at: str, what: str, hint: str = "") -> None:
        mistakes.append(TomlMistake(at, what, hint))

    entries: dict[str, Any] = {
        field: _entries(document, key, kind, report) for key, (field, kind) in _ENTRIES.items()
    }
    for key in document:
        if key not in _ENTRIES and key not in _OTHER_KEYS:
            report(key, f"unknown key {key!r}", did_you_mean(key, (*_ENTRIES, *_OTHER_KEYS)))
    for key in _TEXTS:
        if not isinstance(document.get(key), str) or not document[key].strip():
            report(key, f"the key {key!r} needs a text in quotes", "")
    routes = _routes(document, report)
    apparent, notes = document.get("apparent", ""), document.get("notes", [])
    for key in ("apparent", "level"):
        if not isinstance(document.get(key, ""), str):
            report(key, f"the key {key!r} needs a text in quotes", "")
    if not isinstance(notes, list) or not all(isinstance(each, str) for each in notes):
        report("notes", "the key 'notes' needs a list of texts", "")
    not_absorbed = document.get("not_absorbed", [])
    if not isinstance(not_absorbed, list) or not all(
        each in _NOT_ABSORBED for each in not_absorbed
    ):
        report("not_absorbed", "the key 'not_absorbed' needs a list of routes", f"Known: {', '.join(_NOT_ABSORBED)}")  # fmt: skip
        not_absorbed = []
    _check(entries, routes, bool(apparent), report)
    if mistakes:
        ordered = sorted(mistakes, key=lambda each: each.row(text))
        raise DefinitionError.of([each.error(text, file) for each in ordered])
    return PkModel(
        **{key: document[key].strip() for key in _TEXTS},
        routes=routes,
        apparent=apparent,
        not_absorbed=tuple(not_absorbed),
        notes=tuple(notes),
        level=document.get("level", "").strip(),
        **entries,
    )


def _routes(document: Mapping[str, Any], report: Report) -> tuple[PkRoute, ...]:
    given = document.get("routes")
    known = get_args(PkRoute)
    if not isinstance(given, list) or not given:
        report("routes", "the key 'routes' needs a list of routes", "Known: iv, sc")
        return ()
    for each in given:
        if each not in known:
            report("routes", f"the route {each!r} is not known", did_you_mean(str(each), known))
    return tuple(each for each in known if each in given)


def _entries(document: Mapping[str, Any], key: str, kind: type[T], report: Report) -> dict[str, T]:
    """Return the readable entries of one kind; the others are reported."""
    given = document.get(key, {})
    if not isinstance(given, dict):
        report(key, f"{key!r} is a table for each {key}: [{key}.NAME]", "")
        return {}
    found = {}
    for name, entry in given.items():
        at = f"{key}.{name}"
        try:
            found[name] = toml.typed(entry, kind)
        except msgspec.ValidationError as error:
            _explain(error, at, kind, report)
            continue
        for field in msgspec.structs.fields(kind):
            value = getattr(found[name], field.name)
            if isinstance(value, float) and not isfinite(value):
                report(f"{at}.{field.name}", "is no number", "")
            if field.name in {"source", "title", "unit"} and not value.strip():
                report(f"{at}.{field.name}", "is empty", "Say where the number comes from")
    return found


def _explain(error: msgspec.ValidationError, at: str, kind: type[Any], report: Report) -> None:
    """Report what the decoder refuses, at its key."""
    message, _, path = str(error).partition(" - at `")
    inside = path.removesuffix("`").removeprefix("key in ").removeprefix("$").removeprefix(".")
    place = f"{at}.{inside}" if inside else at
    wrong = re.search(r"(unknown|missing required) field `([^`]+)`", message)
    known = [field.encode_name for field in msgspec.structs.fields(kind)]
    choice = re.fullmatch(r"Invalid enum value '(.*)'", message)
    if wrong and wrong[1] == "unknown":
        known = known if not inside else ["at", "exponent"]
        report(f"{place}.{wrong[2]}", f"unknown key {wrong[2]!r}", did_you_mean(wrong[2], known))
    elif wrong:
        report(place, f"the key {wrong[2]!r} is missing", "")
    elif choice:
        choices = get_args(Status) if inside == "status" else ("patients", "occasions")
        report(place, f"{choice[1]!r} cannot stand here", did_you_mean(choice[1], choices))
    else:
        report(place, toml.in_words(message), "")


# ------------------------------------------------------------ what entries mean together


def _check(
    entries: Mapping[str, dict[str, Any]],
    routes: tuple[PkRoute, ...],
    apparent: bool,
    report: Report,
) -> None:
    for name, covariate in entries["covariates"].items():
        _check_covariate(f"covariate.{name}", covariate, report)
    for name, parameter in entries["parameters"].items():
        _check_parameter(f"parameter.{name}", parameter, entries["covariates"], report)
    parts = {each.part_of for each in entries["parameters"].values()}
    for name, spread in entries["spreads"].items():
        if name not in parts:
            report(f"spread.{name}", f"no parameter is part of {name!r}", did_you_mean(name, parts))
        if not 0 <= spread.value <= 3:
            report(f"spread.{name}.value", "a spread of logarithms lies between 0 and 3", "")
    for name, error in entries["residual"].items():
        unit = _RESIDUAL_UNITS.get(name)
        if unit is None:
            hint = did_you_mean(name, _RESIDUAL_UNITS)
            report(f"residual.{name}", f"no error is called {name!r}", hint)
        else:
            _check_unit(f"residual.{name}.unit", error.unit, unit, report)
            if error.value < 0:
                report(f"residual.{name}.value", "is below 0", "")
    _check_walks(entries, report)
    _check_parts(parts, routes, apparent, report)


def _check_walks(entries: Mapping[str, dict[str, Any]], report: Report) -> None:
    for name, walk in entries["walks"].items():
        if name != "clearance":
            report(f"walk.{name}", f"{name!r} cannot move", "Only [walk.clearance] can")
        elif name not in entries["spreads"]:
            report(
                f"walk.{name}", "a walk needs a spread that it begins with", f"Add [spread.{name}]"
            )
        if not 0 < walk.value <= 1:
            report(f"walk.{name}.value", "lies above 0 and up to 1, for the root of a day", "")
    for name, assumption in entries["assumptions"].items():
        unit = _ASSUMPTION_UNITS.get(name)
        if unit is None:
            hint = did_you_mean(name, _ASSUMPTION_UNITS)
            report(f"assumption.{name}", f"no assumption is called {name!r}", hint)
            continue
        _check_unit(f"assumption.{name}.unit", assumption.unit, unit, report)
        if not assumption.value > 0:
            report(f"assumption.{name}.value", "is not above 0", "")


def _check_parts(
    parts: set[str], routes: tuple[PkRoute, ...], apparent: bool, report: Report
) -> None:
    needed = {"clearance", "central_volume"}
    if "sc" in routes:
        needed |= {"absorption"}
        if not apparent:
            needed |= {"bioavailability"}
    if {"exchange", "peripheral_volume"} & parts:
        needed |= {"exchange", "peripheral_volume"}
    if SATURABLE.keys() & parts:
        needed |= SATURABLE.keys()
    for part in sorted(needed - parts):
        report("parameter", f"no parameter is part of {part!r}", f"Add one with part_of = {part!r}")
    if apparent and "iv" in routes:
        what = (
            "parameters divided by an unknown bioavailability cannot be used for doses into a vein"
        )
        report("routes", what, "Leave out 'iv' or the key 'apparent'")
    if apparent and "bioavailability" in parts:
        report("apparent", "a bioavailability is given as well", "Leave out one of them")


def _check_covariate(at: str, covariate: PkCovariate, report: Report) -> None:
    if units.kind_of(covariate.unit) is None:
        known = [unit for kind in units.by_kind().values() for unit in kind]
        report(
            f"{at}.unit",
            f"the unit {covariate.unit!r} is not known",
            did_you_mean(covariate.unit, known),
        )
    low, high = covariate.studied
    if not 0 <= low <= high or not isfinite(high):
        report(f"{at}.studied", "needs the lowest and the highest value studied, in this order", "")
    if covariate.otherwise is not None and covariate.otherwise < 0:
        report(f"{at}.otherwise", "is below 0", "")


def _check_parameter(
    at: str, parameter: PkParameter, covariates: Mapping[str, PkCovariate], report: Report
) -> None:
    known = {**PARTS, **SATURABLE}
    if parameter.part_of not in known:
        hint = did_you_mean(parameter.part_of, known)
        report(f"{at}.part_of", f"there is no part {parameter.part_of!r}", hint)
        return
    _check_unit(f"{at}.unit", parameter.unit, known[parameter.part_of], report)
    if parameter.value < 0 or (parameter.value == 0 and parameter.part_of != "clearance"):
        report(f"{at}.value", f"a {parameter.part_of} cannot be {parameter.value:g}", "")
    share = units.by_kind()["fraction"].get(parameter.unit, 0.0) * parameter.value
    if parameter.part_of == "bioavailability" and share > 1:
        report(f"{at}.value", "a bioavailability is at most 100 %", "")
    low, high = parameter.low, parameter.high
    if (low is not None and low > parameter.value) or (high is not None and high < parameter.value):
        report(f"{at}.low", "the value does not lie between low and high", "")
    for name, scaling in parameter.scaled_by.items():
        if name not in covariates:
            hint = did_you_mean(name, covariates) if covariates else f"Add [covariate.{name}]"
            report(f"{at}.scaled_by.{name}", f"no covariate is called {name!r}", hint)
        if not scaling.at > 0 or not isfinite(scaling.at) or not isfinite(scaling.exponent):
            report(f"{at}.scaled_by.{name}", "'at' is above 0 and 'exponent' is a number", "")


def _check_unit(at: str, unit: str, to: str, report: Report) -> None:
    try:
        units.factor(unit, to)
    except UsageError as error:
        report(at, error.what, error.hint or "")
