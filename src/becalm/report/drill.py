"""Every number opens the rows behind it: a button, and a pop-over that needs no script."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any, TypeVar

from markupsafe import Markup, escape

from becalm.core.clock import UNKNOWN_TIME
from becalm.report.cohort import Cohort, Row
from becalm.report.printed import Statistic, statistics_of
from becalm.report.text import UNKNOWN, bounded, hours, number, signs, unit
from becalm.study.result import PER_PERSON

T = TypeVar("T")

PERSONS = frozenset({"persons", "patients"})
"""What sources call the table of persons."""

STAYS = frozenset({"stays", "admissions", "icustays", "transfers"})
"""What sources call their tables of stays."""

LISTED = 200
"""Persons that a count opens at most; of a cohort that is not listed either, `SOME`."""

SOME = 50

FEW = 30
"""Up to so many patients every pop-over lists up to 60 rows; above that, 12."""


@dataclass(frozen=True)
class Opened:
    """What a number opens: rows of the records (`table:key`), or patients. of : how many lines in all."""

    keys: tuple[str, ...] = ()
    patients: tuple[str, ...] = ()
    of: int = -1


class Lines:
    """The lines that a count opens, made when they are shown: of a large cohort only the first ones are."""

    def __init__(self, rows: Collection[T], line: Callable[[T], Sequence[Any]]) -> None:
        self._rows, self._line = rows, line

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Sequence[Any]]:
        return map(self._line, self._rows)


@dataclass
class Drill:
    """Collects the pop-overs of a page; equal contents are written once.

    opened : what each pop-over holds, by its name. said : the statistics of the buttons, by their number.
    """

    cohort: Cohort
    popovers: dict[Markup, str] = field(default_factory=dict)
    opened: dict[str, Opened] = field(default_factory=dict)
    said: list[tuple[Statistic, ...]] = field(default_factory=list)

    @property
    def most(self) -> int:
        """The number of persons that a count opens at most; the lines of others are not needed."""
        return LISTED if self.cohort.n <= PER_PERSON else SOME

    @cached_property
    def _most(self) -> int:
        return 60 if self.cohort.n <= FEW else 12

    @cached_property
    def _rows(self) -> dict[tuple[str, str], list[Row]]:
        """The rows as written, by person and source row."""
        found: dict[tuple[str, str], list[Row]] = {}
        for row in self.cohort.keep(self.cohort.result.frames["rows"]).light_rows():
            found.setdefault((row["person_id"], row["source_row"]), []).append(row)
        return found

    @cached_property
    def _doses(self) -> dict[tuple[str, str], Row]:
        return {(row["person_id"], row["source_row"]): row for row in self.cohort.rows("doses")}

    @cached_property
    def _about(self) -> dict[str, list[str]]:
        """The rows that describe a person rather than something timed."""
        found: dict[str, list[str]] = {}
        for person, key in self._rows:
            if key.partition(":")[0] in PERSONS:
                found.setdefault(person, []).append(key)
        return found

    @cached_property
    def _stays(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for person, key in self._rows:
            if key.partition(":")[0] in STAYS:
                found.setdefault(person, []).append(key)
        return found

    def rows(self, shown: str, person: str, source: str | Iterable[str]) -> Markup:
        """Return a number that opens its source rows (`table:key`, joined by `|`)."""
        keys = source.split("|") if isinstance(source, str) else list(source)
        keys = list(dict.fromkeys(key for key in keys if key))
        if not keys or shown in {"", UNKNOWN}:
            return escape(shown)
        return self._button(shown, self._opened(person, keys), Opened(tuple(keys), of=1))

    def parts(
        self, shown: str, head: Sequence[str], parts: Sequence[Sequence[str]], person: str, source: str
    ) -> Markup:  # fmt: skip
        """Return a number that opens what it is made of, and below it the source rows of all parts."""
        keys = list(dict.fromkeys(key for key in source.split("|") if key))
        body = _table(head, parts)
        opened = Opened(tuple(keys), of=1)
        return self._button(shown, body + self._opened(person, keys) if keys else body, opened)

    def _opened(self, person: str, keys: Sequence[str]) -> Markup:
        """Return the source rows as a table."""
        body = [line for key in keys[: self._most] for line in self._lines(person, key)]
        head = ("from t0" if self.cohort.drug else f"from {self.cohort.entered_at}", "what", "as written", "unit",
                "available", "read as", "row")  # fmt: skip
        more = len(keys) - self._most
        return _table(head, body, f"and {more:,} more rows" if more > 0 else "")

    def about(self, shown: str, person: str) -> Markup:
        """Return something known of a person, opening the row that says so."""
        return self.rows(shown, person, self._about.get(person, []))

    def stays(self, shown: str, person: str) -> Markup:
        """Return something known from a person's stays, opening them."""
        return self.rows(shown, person, self._stays.get(person, []))

    def definition(self, shown: str, person: str, criterion: str, moment: str) -> Markup:
        """Return something said by a definition at a moment, opening the rows of its items."""
        return self.rows(shown, person, self._items.get((person, criterion, moment), []))

    def outsider(self, shown: str, person: str, criterion: str) -> Markup:
        """Return a peak of somebody outside the cohort, opening its items with their rows' names."""
        lines = [
            [self.cohort.item_label(criterion, row["item"]), row["state"], f"{signs(row['censored']).get('value', '')}{number(row['value'])}",
             unit(row["unit"]), row["source_row"].replace("|", ", ")]
            for row in self._outside.get((person, criterion), [])
        ]  # fmt: skip
        return self.people(shown, ["item", "state", "value", "unit", "rows"], lines)

    @cached_property
    def _items(self) -> dict[tuple[str, str, str], list[str]]:
        found: dict[tuple[str, str, str], list[str]] = {}
        for row in self.cohort.rows("criteria_items"):
            key = (row["person_id"], row["criterion"], row["moment"])
            found.setdefault(key, []).extend(row["source_row"].split("|"))
        return found

    @cached_property
    def _outside(self) -> dict[tuple[str, str], list[Row]]:
        items = self.cohort.result.tables["criteria_items"]
        near = set(self.cohort.result.frames["nearest"]["person_id"].tolist())
        mine = items.coded("person_id").among(near) & items.coded("moment").among(["peak_ever"])
        found: dict[tuple[str, str], list[Row]] = {}
        for row in items.take(mine).light_rows():
            found.setdefault((row["person_id"], row["criterion"]), []).append(row)
        return found

    def people(
        self, shown: str, head: Sequence[str], lines: Iterable[Sequence[Any]], of: int = 0
    ) -> Markup:
        """Return a count that opens whom it counts; `of` more than the lines are named as more."""
        some = lines if isinstance(lines, Sized) else list(lines)
        body = [tuple(line) for line in islice(some, self.most)]
        more = max(len(some), of) - len(body)
        if body and more:
            body = [*body, (f"and {more:,} more", *[""] * (len(head) - 1))]
        if not body:
            return escape(shown)
        named = head[0] == "patient"
        who = dict.fromkeys(_bare(line[0]) for line in body[: self.most]) if named else ()
        of = max(len(some), of)
        return self._button(shown, _table(head, body), Opened(patients=tuple(who), of=of))

    def value(self, person: str, variable: str, value: float, at: float, clock: str = "t0") -> str:
        """Return the source row of a value: the one so large nearest to `at` hours."""
        best, nearest = "", math.inf
        for row in self._series.get((person, variable), []):
            if value in {row["low"], row["high"]} or _near(value, row):
                away = abs(self.cohort.hours(person, row["time"], clock) - at)
                if away < nearest:
                    best, nearest = row["source_row"], away
        return best

    @cached_property
    def _series(self) -> dict[tuple[str, str], list[Row]]:
        found: dict[tuple[str, str], list[Row]] = {}
        for row in self.cohort.series:
            found.setdefault((row["person_id"], row["variable"]), []).append(row)
        return found

    def _lines(self, person: str, key: str) -> list[tuple[str, ...]]:
        rows = self._rows.get((person, key))
        if rows:
            return [
                (
                    self._hours(person, row["time"]), row["label"], row["value"], unit(row["unit"]),
                    self._hours(person, row["available"]), row["canonical"], key,
                )
                for row in rows
            ]  # fmt: skip
        dose = self._doses.get((person, key))
        if dose:
            rate = not math.isnan(dose["rate_canonical_per_h"])
            amount = dose["rate_canonical_per_h"] if rate else dose["amount"]
            told = f"{dose['unit_canonical']}/h" if rate else unit(dose["amount_unit"])
            return [
                (
                    self._hours(person, dose["start"]), f"{dose['label']} {dose['route']}".strip(),
                    number(amount, 4), told, "", dose["notation"], key,
                )
            ]  # fmt: skip
        return [("", "row not kept for this report", "", "", "", "", key)]

    def _hours(self, person: str, time: int) -> str:
        return "" if time == UNKNOWN_TIME else hours(self.cohort.hours(person, time))

    def _button(self, shown: str, body: Markup, opened: Opened) -> Markup:
        name = self.popovers.setdefault(body, f"r{len(self.popovers)}")
        self.opened.setdefault(name, opened)
        said = ""
        if found := statistics_of(shown):
            said = Markup(' data-said="{}"').format(len(self.said))
            self.said.append(found)
        return Markup('<button popovertarget="{}"{}>{}</button>').format(name, said, shown)


def _bare(cell: Any) -> str:
    return str(cell.striptags()) if isinstance(cell, Markup) else str(cell)


def _near(value: float, row: Row) -> bool:
    """A bound of a censored value differs from the printed number by the smallest step."""
    return any(
        math.isfinite(x) and math.isclose(x, value, rel_tol=1e-12)
        for x in (row["low"], row["high"])
    )


def _table(head: Sequence[str], body: Sequence[Sequence[Any]], note: str = "") -> Markup:
    """Return a small table; columns that are empty throughout are left out."""
    kept = [i for i in range(len(head)) if any(str(line[i]) for line in body)]
    top = "".join(f"<th>{escape(head[i])}" for i in kept)
    rows = "".join("<tr>" + "".join(f"<td>{escape(line[i])}" for i in kept) for line in body)
    tail = f"<p>{escape(note)}</p>" if note else ""
    return Markup(f"<table><tr>{top}{rows}</table>{tail}")


def series_value(row: Row) -> str:
    """Return a drawn value as the figure's table writes it."""
    return bounded(row["low"], row["high"])
