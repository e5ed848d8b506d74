"""An attacker of a release: reads the folder as anybody can, and computes what was suppressed.

It shares no code with the release. It knows how a release is made: the threshold and the rounding stand in the
manifest, counts of one variable add up to the cohort, every definition counts the same dead, five of eight items
are what "met" means. All of that becomes linear constraints on whole numbers, and an integer solver (HiGHS) gives the
lowest and the highest value of every count that is not printed.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

HIDDEN: Final = "suppressed"
OTHERS: Final = "all others"
MOST: Final = 10.0**6
PARTIAL: Final = "primary"
"""The table that leaves out who was already on treatment."""
UNKNOWN: Final = {
    ("patients", "sex"): {"sex unknown"},
    ("patients", "storm"): {"undetermined", "not assessed"},
    ("patients", "first"): {"unknown"},
    ("criteria", ""): {"undetermined"},
    ("landmark", ""): {"unknown"},
    ("items", ""): {"not assessed"},
    ("primary", ""): {"no sample, or discharged before"},
    ("safety", ""): {"unknown before or after"},
    ("outcome", ""): {"unknown"},
    ("without_drug", ""): {"no sample, or discharged before"},
}
"""Rows whose persons are no part of the `n` of the other rows."""
WHOLE: Final = {"patients", "outcome"}
"""Tables that count everybody; in the others some of the cohort may be missing."""
OTHER_PERSONS: Final = {"without_drug"}
"""Tables that count persons outside the cohort."""
ITEMS_NEEDED: Final = {"HLH-2004": (5, 8)}
"""Definitions that are met by so many of so many items."""
CUT_OFFS: Final = {"HScore": 169.0}
MANIFEST_KEYS: Final = {
    "becalm", "kind", "illustrative", "source", "protocol", "threshold", "base", "protection", "files",
}  # fmt: skip


@dataclass(frozen=True)
class Recovered:
    """A count that was not printed and that follows, or nearly, from what was."""

    what: str
    lowest: int
    highest: int


@dataclass
class Attack:
    """What an attacker found out of one release."""

    recovered: list[Recovered]
    other: list[str]  # leaks that are no counts
    hidden: int
    printed: int
    rows: int
    rows_printed: int

    @property
    def succeeded(self) -> bool:
        return bool(self.recovered or self.other)


@dataclass
class Model:
    """Whole numbers, their bounds, and linear constraints on them."""

    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    wanted: dict[str, int] = field(default_factory=dict)
    lines: list[tuple[dict[int, float], float, float]] = field(default_factory=list)

    def number(self, name: str, low: float, high: float, *, wanted: bool = False) -> int:
        """Return a number by its name; what is known of it twice is known of it together."""
        at = self.names.get(name)
        if at is None:
            at = self.names[name] = len(self.low)
            self.low.append(low)
            self.high.append(high)
        self.low[at], self.high[at] = max(self.low[at], low), min(self.high[at], high)
        if wanted:
            self.wanted[name] = at
        return at

    def line(self, terms: Mapping[int, float], low: float, high: float) -> None:
        self.lines.append((dict(terms), low, high))

    def total(self, of: int, parts: Iterable[int]) -> None:
        terms: dict[int, float] = {of: 1}
        for part in parts:
            terms[part] = terms.get(part, 0) - 1
        self.line(terms, 0, 0)

    def _solve(self, objective: Any) -> Any:
        rows, columns, values = [], [], []
        for i, (terms, _, _) in enumerate(self.lines):
            rows += [i] * len(terms)
            columns += list(terms)
            values += list(terms.values())
        matrix = coo_array(
            (values, (rows, columns)), shape=(len(self.lines), len(self.low))
        ).tocsr()
        ends = [np.array([line[k] for line in self.lines]) for k in (1, 2)]
        found = milp(
            objective,
            constraints=LinearConstraint(matrix, *ends),
            integrality=np.ones(len(self.low)),
            bounds=Bounds(self.low, self.high),
        )
        if not found.success:
            raise ContradictionError(f"the release contradicts itself: {found.message}")
        return np.round(found.x).astype(int)

    def narrow(self, apart: int) -> list[Recovered]:
        """Return the wanted numbers whose lowest and highest possible values are less than `apart` from each other."""
        everything = np.zeros(len(self.low))
        at = np.array(list(self.wanted.values()), dtype=int)
        rng = np.random.default_rng(20)
        seen = []
        for k in range(6):
            objective = everything.copy()
            objective[at] = (1, -1)[k] if k < 2 else rng.choice([-1.0, 1.0], len(at))
            seen.append(self._solve(objective))
        lowest, highest = np.min(seen, axis=0), np.max(seen, axis=0)
        found = []
        for name, one in self.wanted.items():
            if highest[one] - lowest[one] >= apart:
                continue
            objective = everything.copy()
            objective[one] = 1
            low, high = self._solve(objective)[one], self._solve(-objective)[one]
            if high - low < apart:
                found.append(Recovered(name, int(low), int(high)))
        return found


def attack(folder: Path) -> Attack:
    """Attack one release folder."""
    facts = json.loads((folder / "manifest.json").read_text("utf-8"))
    tables = {
        path.stem: list(csv.reader(path.read_text("utf-8").splitlines()))
        for path in sorted(folder.glob("*.csv"))
    }
    more = _more_than_printed(tables)
    bounds = _bounds(facts["threshold"], facts["base"])
    if tables["attrition"][-1][1] == "0":
        return _found([], facts, folder, tables, more)  # nobody is in the cohort
    try:  # most variables are told of everybody
        model = _model(tables, bounds, everybody=True)
        narrow = model.narrow(facts["protection"])
    except ContradictionError:
        model = _model(tables, bounds, everybody=False)
        narrow = model.narrow(facts["protection"])
    return _found(narrow, facts, folder, tables, more)


def _more_than_printed(tables: dict[str, list[list[str]]]) -> list[str]:
    """Take the results as data from the tables, and return those of them that no other table prints."""
    rows = tables.pop("analysis_results", [])[1:]
    cells = {(name, cell) for name, each in tables.items() for row in each[1:] for cell in row}
    return [
        f"analysis_results: {row}"
        for row in rows
        if (row[0], row[-2]) not in cells or (row[-3] != "" and row[-2] == HIDDEN)
    ]


def _found(
    narrow: list[Recovered],
    facts: Mapping[str, Any],
    folder: Path,
    tables: Mapping[str, list[list[str]]],
    more: Sequence[str],
) -> Attack:
    """Return an attack with how much was printed."""
    counts = [row for name, rows in tables.items() if name != "distributions" for row in rows[1:]]
    cells = [row[2] if len(row) > 2 else row[1] for row in counts]
    return Attack(
        recovered=narrow,
        other=[*more, *_manifest(facts), *_page(folder, tables)],
        hidden=cells.count(HIDDEN),
        printed=len(cells) - cells.count(HIDDEN),
        rows=len(counts),
        rows_printed=sum(HIDDEN not in row for row in counts),
    )


class ContradictionError(ValueError):
    """No whole numbers fit what the attacker takes for granted."""


def _bounds(threshold: int, base: int) -> Callable[[str], tuple[float, float]]:
    """Return what each printed cell says of its count."""

    def bounds(cell: str) -> tuple[float, float]:
        if cell == HIDDEN:
            return 0, MOST
        value = int(cell)
        if value == 0 and base > 1:
            return 0, 0
        return max(threshold, value - base // 2), value + (base - 1) - base // 2

    return bounds


def _model(
    tables: Mapping[str, list[list[str]]],
    bounds: Callable[[str], tuple[float, float]],
    *,
    everybody: bool,
) -> Model:
    model = Model()

    def number(name: str, cell: str) -> int:
        return model.number(name, *bounds(cell), wanted=cell == HIDDEN)

    steps = tables["attrition"][1:]
    persons = [number(f"attrition {i}: {row[0]}", row[1]) for i, row in enumerate(steps)]
    cohort = persons[-1]
    for i, (before, after) in enumerate(pairwise(persons)):
        lost = model.number(f"lost at {i + 1}", 0, MOST, wanted=True)
        model.total(before, [after, lost])
    for sheet, rows in tables.items():
        if sheet in {"attrition", "distributions"}:
            continue
        groups: dict[str, list[list[str]]] = {}
        for row in rows[1:]:
            groups.setdefault(row[0], []).append(row)
        for about, own in groups.items():
            if (sheet, about) == ("patients", "given"):
                for row in own:  # each drug for itself
                    if row[2] != HIDDEN:
                        one = number(f"{sheet} {about} {row[1]}", row[2])
                        model.total(cohort, [one, number(f"not {about} {row[1]}", HIDDEN)])
                continue
            _group(model, number, cohort, sheet, about, own, whole=everybody or sheet in WHOLE)
    if len(steps) and steps[-1][1] != "0":
        _same_dead(model, tables.get("landmark", [])[1:])
        _items(model, tables)
        _medians(model, tables, bounds)
    return model


def _group(  # noqa: PLR0912, PLR0917 - it is told all of one variable
    model: Model,
    number: Any,
    cohort: int,
    sheet: str,
    about: str,
    rows: list[list[str]],
    *,
    whole: bool,
) -> None:
    """Add the counts of one variable: they add up to everybody of whom it could be told."""
    unknown = UNKNOWN.get((sheet, about)) or UNKNOWN.get((sheet, ""), set())
    if sheet == "patients" and about.startswith("first "):
        unknown = UNKNOWN["patients", "first"]
    if rows[-1][1] == OTHERS:
        _open_group(model, number, cohort, f"{sheet} {about}", rows, unknown)
        return
    names = {row[1]: f"{sheet} {about} {row[1]}" for row in rows}
    cells = {row[1]: number(names[row[1]], row[2]) for row in rows}
    shares = [cells[label] for label in cells if label not in unknown]
    total = cohort
    if sheet == "landmark":
        definition, _, status = about.rpartition(": ")
        total = number(f"criteria {definition} {status}", HIDDEN)
    elif sheet in OTHER_PERSONS:
        total = model.number(f"all of {sheet} {about}", 0, MOST)
    elif not whole or sheet == PARTIAL:
        total = model.number(f"all of {sheet} {about}", 0, math.inf)
        rest = model.number(f"rest of {sheet} {about}", 0, math.inf)
        model.total(cohort, [total, rest])
    beside = [cells[label] for label in cells if label in unknown]
    for row in rows:
        told = row[3]
        if row[1] in unknown:
            if sheet in OTHER_PERSONS:
                if told != HIDDEN:
                    model.total(total, [number(f"total of {sheet} {about}", told)])
            elif sheet != "landmark" and told != HIDDEN:
                model.total(cohort, [number("attrition total", told)])
            continue
        known = number(f"{sheet} {about}: known", told)
        if sheet == "landmark" or unknown:
            model.total(known, shares)
    if unknown and shares:
        known = model.number(f"{sheet} {about}: known", 0, math.inf)
        model.total(known, shares)
        model.total(total, [known, *beside])
    elif shares:
        model.total(total, [*shares, *beside])


def _open_group(  # noqa: PLR0917 - it is told all of one variable
    model: Model, number: Any, cohort: int, name: str, rows: list[list[str]], unknown: set[str]
) -> None:
    """Add counts under names that the records brought: the others have no name, and are together in one row."""
    named = {row[1]: number(f"{name} {row[1]}", row[2]) for row in rows if row[1] != OTHERS}
    if not named:
        return  # all of them are the others: that says nothing
    others = number(f"{name} {OTHERS}", HIDDEN)
    model.total(cohort, [*named.values(), others])
    for row in rows:
        if row[1] in named and row[1] not in unknown and row[3] != HIDDEN and unknown:
            known = number(f"{name}: known", row[3])
            beside = [named[label] for label in named if label in unknown]
            not_named = model.number(f"{name}: unknown, not named", 0, MOST)
            model.total(cohort, [known, *beside, not_named])


def _same_dead(model: Model, rows: list[list[str]]) -> None:
    """By every definition the same persons died: those of its statuses add up to one number."""
    by_end: dict[str, dict[str, list[int]]] = {}
    for about, end, *_ in rows:
        definition = about.rpartition(": ")[0]
        at = model.names[f"landmark {about} {end}"]
        by_end.setdefault(end, {}).setdefault(definition, []).append(at)
    for end, definitions in by_end.items():
        everybody = model.number(f"landmark all {end}", 0, math.inf)
        for parts in definitions.values():
            model.total(everybody, parts)


def _items(model: Model, tables: Mapping[str, list[list[str]]]) -> None:
    """A definition that counts items ties its status to theirs."""
    for definition, (needed, of) in ITEMS_NEEDED.items():
        states: dict[str, list[int]] = {}
        for about, state, *_ in tables.get("items", [])[1:]:
            if about.startswith(f"{definition}: "):
                states.setdefault(state, []).append(model.names[f"items {about} {state}"])
        statuses = {
            status: model.names.get(f"criteria {definition} {status}")
            for status in ("met", "not met", "undetermined")
        }
        if not states or None in statuses.values() or len(states.get("met", [])) != of:
            continue
        met, not_met = statuses["met"], statuses["not met"]
        assert met is not None and not_met is not None
        # Each person who meets it has at least `needed` items; each who does not has too few left for it.
        model.line({**dict.fromkeys(states["met"], 1.0), met: -needed}, 0, math.inf)
        least = of - needed + 1
        model.line({**dict.fromkeys(states["not met"], 1.0), not_met: -least}, 0, math.inf)


def _medians(model: Model, tables: Mapping[str, list[list[str]]], bounds: Any) -> None:
    """A median or a quartile on one side of a cut-off says of how many that is true at least."""
    rows = {row[0]: row[1:] for row in tables.get("distributions", [])[1:]}
    for definition, cut in CUT_OFFS.items():
        for end, status in (("lowest", "met"), ("highest", "not met")):
            values = rows.get(f"{definition}, {end} possible")
            at = model.names.get(f"criteria {definition} {status}")
            if values is None or at is None:
                continue
            n = model.number(f"known {definition} {end}", *bounds(values[3]))
            for text, above in zip(values[:3], (0.5, 0.75, 0.25), strict=True):
                if text == HIDDEN:
                    continue
                middle = float(text.replace(",", ""))
                slack = 0.5 * 10 ** (math.floor(math.log10(middle)) - 1) if middle else 0.5
                if status == "met" and middle - slack >= cut:
                    model.line({at: 1.0, n: -above}, -1, math.inf)
                if status == "not met" and middle + slack < cut:
                    model.line({at: 1.0, n: -(1 - above)}, -1, math.inf)


def _manifest(facts: Mapping[str, Any]) -> Iterable[str]:
    """Yield what a manifest says that it should not: counts, names of records, hashes of inputs."""
    for key in sorted(set(facts) - MANIFEST_KEYS):
        yield f"the manifest says {key}"


def _page(folder: Path, tables: Mapping[str, list[list[str]]]) -> Iterable[str]:
    """Yield tables of the page that print another cell than the files do."""
    html = (folder / "release.html").read_text("utf-8")
    cells = re.findall(r"<td>(.*?)</td>", html, re.DOTALL)
    files = [cell for rows in tables.values() for row in rows[1:] for cell in row]
    for suppressed in (cells.count(HIDDEN), files.count(HIDDEN)):
        if suppressed != cells.count(HIDDEN):
            yield f"the page suppresses {cells.count(HIDDEN)} cells, the files {suppressed}"
    if "<svg" in html or "<script" in html or "<button" in html:
        yield "the page has a figure, a script or a drill-down"
