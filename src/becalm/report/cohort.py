"""The study as the report looks at it: its cohort, its clocks and its drug of interest."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Final
from urllib.parse import quote

import numpy as np

from becalm import vocabulary
from becalm.core.clock import HOUR, UNKNOWN_TIME
from becalm.core.digits import fixed
from becalm.core.frame import Frame
from becalm.core.remembered import remembered
from becalm.definitions import Item
from becalm.report import labels
from becalm.report.text import spaced
from becalm.study.result import PER_PERSON, StudyResult

Row = Mapping[str, Any]
ROW_EACH: Final = 10
"""Up to so many patients have a row each in table 1; more are summarised."""
CLOCKS: Final = {"t0": "t0", "infusion_start": "start of infusion", "high_rate": "high rate"}


def anchor(*parts: str) -> str:
    """Return the name of a row of the page, whatever characters ids have: `items-hscore-ILL-1`."""
    return "-".join(quote(part, safe="") for part in parts)


def tally(frame: Frame, *columns: str) -> Counter[tuple[str, ...]]:
    """Count the rows with each combination of some texts, in the order of their first rows.

    >>> tally(Frame.of({"a": "text", "b": "text"}, a=["x", "x", "y"], b=["1", "1", "2"]), "a", "b")
    Counter({('x', '1'): 2, ('y', '2'): 1})
    """
    coded = [frame.coded(name) for name in columns]
    number = np.zeros(len(frame), np.int64)
    for each in coded:
        number = number * len(each.texts) + each.code
    _, first, n = np.unique(number, return_index=True, return_counts=True)
    found: Counter[tuple[str, ...]] = Counter()
    for at, count in sorted(zip(first.tolist(), n.tolist(), strict=True)):
        found[tuple(str(each.texts[each.code[at]]) for each in coded)] += count
    return found


@dataclass(frozen=True)
class Cohort:
    """A finished study with its analysed persons, in the order of their ids."""

    result: StudyResult

    @cached_property
    def persons(self) -> list[Row]:
        return sorted(
            self.result.tables["persons"].light_rows(), key=lambda row: str(row["person_id"])
        )

    @property
    def n(self) -> int:
        return len(self.persons)

    @cached_property
    def ids(self) -> list[str]:
        return [row["person_id"] for row in self.persons]

    @cached_property
    def person(self) -> dict[str, Row]:
        return {row["person_id"]: row for row in self.persons}

    def link(self, *parts: str) -> str | None:
        """Return where a figure's mark leads: to its row on the page, where the page has that row."""
        return f"#{anchor(*parts)}" if self.n <= PER_PERSON else None

    @property
    def drug(self) -> str:
        """The drug of interest; '' where the protocol has none."""
        entry = self.result.protocol.entry
        return entry.drug if entry else ""

    @property
    def unit(self) -> str:
        """What the drug of interest is added up in: mg, or units for heparin."""
        return vocabulary.load().drug(self.drug).dose_unit if self.drug else "mg"

    @property
    def claim(self) -> str:
        """`response` where a treatment is studied, else `course`: no drug effect is claimed."""
        return self.result.protocol.response.claim

    @property
    def zero(self) -> str:
        """What time zero is, in words."""
        if self.drug:
            return f"first {labels.drug(self.drug)}"
        return "the landmark" if self.result.protocol.landmark else "the index hour"

    @property
    def entered_at(self) -> str:
        """The moment at which patients enter the study, in words."""
        if self.drug:
            return "entry"
        return "the landmark" if self.result.protocol.landmark else "the index hour"

    @cached_property
    def clocks(self) -> list[str]:
        """The clocks on which anything was compared, the primary one first."""
        used = set(self.table("response", "clock")) | set(
            self.of(self.result.frames["primary"], "clock")
        )
        return [clock for clock in CLOCKS if clock in used]

    def clock_name(self, clock: str) -> str:
        """Say in words what a clock counts from."""
        entry = self.result.protocol.entry
        if clock == "infusion_start":
            return f"start of continuous IV {labels.drug(self.drug)}" if entry else CLOCKS[clock]
        if clock == "high_rate":
            high = entry.least_high_rate(self.unit) if entry else None
            return CLOCKS[clock] if high is None else f"first rate ≥ {fixed(high)} {self.unit}/day"
        return self.zero

    def clock_from(self, clock: str) -> str:
        """Return the same with `t0` beside it where it is time zero, as the tables call that."""
        is_t0 = clock == "t0" and bool(self.drug)
        return f"{self.clock_name(clock)} (t0)" if is_t0 else self.clock_name(clock)

    def clock_label(self, clock: str) -> str:
        """Return the short name of a clock."""
        return CLOCKS[clock]

    def definition_label(self, name: str) -> str:
        """Return the short name of a definition."""
        return self.result.definitions[name].short_title

    def item_label(self, definition: str, item: str) -> str:
        """Return the short name of an item or, for `item.part`, of an item and its part."""
        found = self._item(definition, item)
        names = item.split(".")
        return ": ".join(
            _item_label(each) if each else labels.variable(name)
            for name, each in zip(names, found, strict=True)
        )

    def is_finding(self, definition: str, item: str) -> bool:
        """Whether an item, or the part of an item, reads a finding: present or absent."""
        last = self._item(definition, item)[-1]
        findings = {each.name for each in vocabulary.load().findings}
        return last is not None and last.variable in findings and not last.count

    def _item(self, definition: str, item: str) -> list[Item | None]:
        """Return an item and the part of it that `item.part` names; None for a name that it has not."""
        parts: Sequence[Item] = self.result.definitions[definition].items
        found: list[Item | None] = []
        for name in item.split("."):
            found.append(next((each for each in parts if each.key == name), None))
            parts = found[-1].count if found[-1] else ()
        return found

    def reason(self, text: str) -> str:
        """Return why persons left, with names and lengths of time as the report writes them."""
        protocol = self.result.protocol
        known = {name: labels.condition(name) for name in protocol.exclude.conditions}
        if protocol.entry_test is not None:
            name = protocol.entry_test.variable
            known[name] = labels.variable(name)
        if self.drug:
            known[self.drug] = labels.drug(self.drug)
        for name in sorted(known, key=len, reverse=True):
            written = name.replace("_", " ")
            if re.search(rf"\b{re.escape(written)}\b", text):
                return spaced(re.sub(rf"\b{re.escape(written)}\b", known[name], text))
        return spaced(text)

    def time_zero(self, person_id: str, clock: str = "t0") -> int:
        """Return a clock's instant; the index hour stands in where a study has no t0."""
        row = self.person[person_id]
        if clock == "t0" and row["t0"] == UNKNOWN_TIME:
            return int(row["index_time"])
        return int(row[clock])

    def hours(self, person_id: str, time: int, clock: str = "t0") -> float:
        """Return hours from a clock; NaN where either instant is unknown."""
        if person_id not in self.person:
            return math.nan
        zero = self.time_zero(person_id, clock)
        return math.nan if UNKNOWN_TIME in (time, zero) else (time - zero) / HOUR

    def day_of_death(self, person_id: str) -> float:
        """Return the day of a death, counted from time zero; NaN if it is not known.

        A death known only by its date is placed at the end of follow-up, the last record of that day.
        """
        row = self.outcome.get(person_id)
        if row is None:
            return math.nan
        if row["death_time_is"] == "date":
            return float(row["follow_up_days"])
        return self.hours(person_id, row["death_time"]) / 24

    def keep(self, frame: Frame) -> Frame:
        """Return the rows of a table that belong to the cohort."""
        mask = frame.coded("person_id").among(self.person)
        return frame if mask.all() else frame.take(mask)

    def rows(self, name: str) -> list[Row]:
        """Return a written table's rows of the cohort."""
        return list(self.keep(self.result.tables[name]).light_rows())

    def table(self, name: str, column: str) -> list[Any]:
        return self.of(self.result.tables[name], column)

    def of(self, frame: Frame, column: str) -> list[Any]:
        """Return one column of the cohort's rows."""
        found: list[Any] = self.keep(frame)[column].tolist()
        return found

    @cached_property
    def outcome(self) -> dict[str, Row]:
        return {row["person_id"]: row for row in self.rows("outcome")}

    @cached_property
    def response(self) -> list[Row]:
        return self.rows("response")

    @property
    def of_everybody(self) -> bool:
        """Whether the protocol describes the course of everybody, not of treated patients only."""
        return self.result.protocol.response.of == "everybody"

    @cached_property
    def described(self) -> list[str]:
        """Whose course is shown: of everybody or, where the protocol says so, of treated patients."""
        if self.of_everybody:
            return self.ids
        return sorted({row["person_id"] for row in self.response})

    @cached_property
    def safety(self) -> list[Row]:
        return self.rows("safety")

    @cached_property
    def primary(self) -> list[Row]:
        return list(self.keep(self.result.frames["primary"]).light_rows())

    @property
    def moment(self) -> str:
        """The moment that definitions are shown at: a treated storm at its peak up to entry."""
        return self.result.protocol.moment

    @property
    def moment_text(self) -> str:
        """The same in words."""
        return "at the peak up to the index" if self.moment == "peak_to_index" else "at the index"

    @cached_property
    def criteria(self) -> list[Row]:
        """The definitions at the moment that the protocol shows, in the protocol's order."""
        order = {name: i for i, name in enumerate(self.result.protocol.definitions.report)}
        rows = list(self.shown("criteria").light_rows())
        return sorted(rows, key=lambda r: (order.get(r["criterion"], 99), r["person_id"]))

    @cached_property
    def items(self) -> list[Row]:
        return list(self.shown("criteria_items").light_rows())

    def items_by(self, criterion: str, persons: Collection[str] | None = None) -> Frame:
        """Return the same of one definition, without the parts of items; of everybody or of some."""
        table = self.shown("criteria_items")
        mask = table.coded("criterion").among([criterion])
        mask &= table.coded("item").map(lambda item: "." not in item, np.bool_)
        if persons is not None:
            mask &= table.coded("person_id").among(persons)
        return table.take(mask)

    def shown(self, name: str) -> Frame:
        """Return the cohort's rows of a table at the moment that the protocol shows."""
        table = self.result.tables[name]
        return self.keep(table.take(table.coded("moment").among([self.moment])))

    @cached_property
    def items_of(self) -> dict[tuple[str, str], list[Row]]:
        """The same by person and definition."""
        found: dict[tuple[str, str], list[Row]] = {}
        for row in self.items:
            found.setdefault((row["person_id"], row["criterion"]), []).append(row)
        return found

    @cached_property
    def series(self) -> list[Row]:
        rows = list(self.keep(self.result.frames["series"]).light_rows())
        return sorted(rows, key=lambda r: (r["person_id"], r["variable"], r["time"]))

    @cached_property
    def steps(self) -> list[Row]:
        return list(self.keep(self.result.frames["dose_steps"]).light_rows())

    @cached_property
    def rates(self) -> list[Row]:
        """The drug of interest's rates: bags that run at once added up, equal neighbours as one."""
        by_person: dict[str, list[Row]] = {}
        for step in self.steps:
            if step["drug"] == self.drug and step["rate"] > 0:
                by_person.setdefault(step["person_id"], []).append(step)
        found: list[Row] = []
        for person, own in sorted(by_person.items()):
            waiting = sorted(own, key=lambda s: s["start"], reverse=True)
            running: list[Row] = []
            for start, end in pairwise(
                sorted({edge for s in own for edge in (s["start"], s["end"])})
            ):
                running = [s for s in running if s["end"] > start]
                while waiting and waiting[-1]["start"] <= start:
                    running.append(waiting.pop())
                if not running:
                    continue
                rate = running[0]["rate"] if len(running) == 1 else sum(s["rate"] for s in running)
                assumed = next((s["end_assumed"] for s in running if s["end_assumed"]), "")
                last = found[-1] if found else None
                if (
                    last
                    and (last["person_id"], last["end"], last["end_assumed"])
                    == (person, start, assumed)
                    and math.isclose(last["rate"], rate, rel_tol=1e-9)
                ):
                    found[-1] = {**last, "end": end}
                else:
                    found.append(
                        {
                            **running[0],
                            "start": start,
                            "end": end,
                            "rate": rate,
                            "end_assumed": assumed,
                        }
                    )
        return found

    @cached_property
    def singles(self) -> list[Row]:
        """The drug of interest's single doses: given at once, not at a rate."""
        mine = [s for s in self.steps if s["drug"] == self.drug and not s["rate"] > 0]
        return [s for s in mine if s["end"] <= s["start"]]

    @cached_property
    def unrated(self) -> list[Row]:
        """The drug of interest's infusions at a rate that is not known."""
        mine = [s for s in self.steps if s["drug"] == self.drug and not s["rate"] > 0]
        return [s for s in mine if s["end"] > s["start"] and s["amount"] != 0]

    @cached_property
    def prior(self) -> list[Row]:
        """Previous therapy, in the order in which it began."""
        table = self.keep(self.result.frames["previous_therapy"])
        return list(table.sort("person_id", "first", "drug").light_rows())

    def cutoff(self, criterion: str) -> float:
        """Return the total at which the protocol calls a definition met."""
        for rule in self.result.protocol.storm.definite:
            if rule.criterion == criterion:
                return rule.at_least
        return math.nan

    @cached_property
    def not_analysed(self) -> set[str]:
        """Persons already on treatment when their records begin: described, not analysed."""
        return {row["person_id"] for row in self.persons if row["left_truncated"]}


def _item_label(item: Item) -> str:
    name = item.label or item.title
    return vocabulary.in_sentence(name) if name else labels.variable(item.key)


@remembered
def cohort_of(result: StudyResult) -> Cohort:
    """Return the cohort of a study: one for all that is written of it, so that its rows are sorted once."""
    return Cohort(result)
