"""The background of a storm: primary, MAS, secondary, or not known, with the rows that show it.

A missing entry never decides the class. *Primary*: the molecular diagnosis or a diagnosis of primary HLH.
*MAS*: an autoimmune disease below it. *Secondary*: cancer, infection or immune-effector therapy.
*Secondary, no trigger found*: cancer and infection were both looked for and not found. Otherwise
*unknown*. The class says of which kind a storm is; the definitions say whether there is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np

from becalm.core import toml
from becalm.core.arrays import FAR_FUTURE, FAR_PAST, Mask, Persons, Times
from becalm.core.clock import UNKNOWN_TIME, Length
from becalm.core.frame import Frame, Kind
from becalm.patients.understood import Patients
from becalm.records import Records
from becalm.vocabulary import Vocabulary, organism_kinds, words
from becalm.vocabulary.organism_kinds import NOT_UNDERSTOOD

CONTEXT: Final[Mapping[str, Kind]] = {
    "class": "text",  # primary, MAS, secondary, secondary (no trigger found), unknown
    "associated": "text",  # conditions found, narrowest names, joined by |
    "cancer": "text",  # found, negative, doubtful, not looked for
    "infection": "text",
    "covid19": "text",  # positive, negative, not tested
    "context_rows": "text",  # the rows of the records that show them
}
NO_TRIGGER: Final = "secondary, no trigger found"
GROWN: Final = frozenset({"growth", "detected"})
FREE: Final = frozenset({"no growth", "not detected"})
HARMLESS: Final = frozenset({"contaminant", "colonisation"})


FILE: Final = Path(__file__).with_suffix(".toml")


class ContextRules(toml.TomlTable, frozen=True):
    """The lists and lengths of `context.toml`."""

    primary: tuple[str, ...]
    autoimmune: tuple[str, ...]
    malignancy: tuple[str, ...]
    infection: tuple[str, ...]
    immune_effector: tuple[str, ...]
    look_alike: tuple[str, ...]
    chronic: tuple[str, ...]
    gene: str
    infection_before: Length
    infection_after: Length
    looked_before: Length
    looked_after: Length
    inhabited: tuple[str, ...]
    commensal_within: Length
    antibodies: tuple[str, ...]
    covid_tests: tuple[str, ...]


def rules() -> ContextRules:
    """Return the shipped rules."""
    return toml.load(FILE, ContextRules)


@dataclass
class Search:
    """The results of one person's tests for cancer, for infection or for COVID-19."""

    found: list[str] = field(default_factory=list)  # rows
    negative: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)

    @property
    def rows(self) -> list[str]:
        return self.found or [*self.doubtful, *self.negative]

    def words(self, yes: str = "found", never: str = "not looked for") -> str:
        """Return found, doubtful, negative or not looked for; an earlier word overrides a later one."""
        if self.found:
            return yes
        if self.doubtful:
            return "doubtful"
        return "negative" if self.negative else never


@dataclass
class Person:
    """The facts about one person that decide the class."""

    names: dict[str, set[str]] = field(default_factory=dict)  # family -> narrowest conditions
    rows: list[str] = field(default_factory=list)
    cancer: Search = field(default_factory=Search)
    infection: Search = field(default_factory=Search)
    covid: Search = field(default_factory=Search)

    def put(self, family: str, name: str, row: str) -> None:
        """Note that a person has a condition of a family."""
        self.names.setdefault(family, set()).add(name)
        self.rows.append(row)

    def kind(self) -> str:
        """Return the class, by the rule in the docstring of this module."""
        if "primary" in self.names:
            return "primary"
        if "autoimmune" in self.names:
            return "MAS"
        if self.cancer.found or self.infection.found or "immune_effector" in self.names:
            return "secondary"
        if self.cancer.words() == self.infection.words() == "negative":
            return NO_TRIGGER
        return "unknown"

    def cells(self) -> dict[str, str]:
        """Return the person's row of CONTEXT."""
        rows = [*self.rows, *self.cancer.rows, *self.infection.rows, *self.covid.rows]
        return {
            "class": self.kind(),
            "associated": "|".join(sorted(set().union(*self.names.values()))),
            "cancer": self.cancer.words(),
            "infection": self.infection.words(),
            "covid19": self.covid.words("positive", "not tested"),
            "context_rows": "|".join(dict.fromkeys(rows)),
        }


def context(chunk: Patients, person: Persons, index: Times) -> Frame:
    """Return the class of each person's background, and the results of cancer, infection and virus tests.

    person : int32, the persons. index : int64 for each of them, µs, the moment of the class; for a
    person without an index the whole record counts. One row for each person, in their order.
    """
    records, vocabulary = chunk.records, chunk.vocabulary
    asked = np.zeros(len(chunk), np.bool_)
    asked[person] = True
    at = np.full(len(asked), UNKNOWN_TIME)
    at[person] = index
    people = [Person() for _ in range(len(asked))]
    rows_of_persons = replace(
        records,
        findings=_of(records.findings, asked),
        procedures=_of(records.procedures, asked),
        cultures=_of(records.cultures, asked),
    )
    _conditions(people, records, _of(chunk.diagnosed, asked), at)
    _excluded(people, records, vocabulary, at)
    _findings(people, rows_of_persons, vocabulary, at)
    _cultures(people, rows_of_persons, vocabulary, at)
    _cells(people, chunk, at)
    return Frame.of_rows(CONTEXT, [people[who].cells() for who in person.tolist()])


def _of(frame: Frame, asked: Mask) -> Frame:
    return frame.take(asked[frame["person"]])


def _window(index: int, before: Length, after: Length) -> tuple[int, int]:
    """Return the window in which a result counts; without an index it is unlimited."""
    if index == UNKNOWN_TIME:
        return FAR_PAST, FAR_FUTURE
    return index - before.us, index + after.us


def _conditions(people: list[Person], records: Records, diagnosed: Frame, index: Times) -> None:
    """Sort the diagnoses of each person into families."""
    rule = rules()
    families = {
        "primary": rule.primary,
        "autoimmune": rule.autoimmune,
        "malignancy": rule.malignancy,
        "infection": rule.infection,
        "immune_effector": rule.immune_effector,
        "look_alike": rule.look_alike,
    }
    members = {family: frozenset(wide) for family, wide in families.items()}
    names, status = diagnosed["condition"].tolist(), diagnosed["status"].tolist()
    by_row: dict[tuple[int, str], list[int]] = {}
    for at, row in enumerate(diagnosed["row"].tolist()):
        by_row.setdefault((row, status[at]), []).append(at)
    keys = records.conditions["key"].tolist()
    for (row, _), places in by_row.items():
        at, known = places[0], {names[place] for place in places}
        who, first, last = (int(diagnosed[column][at]) for column in ("person", "first", "last"))
        narrowest, source = names[at], f"conditions:{keys[row]}"
        start, end = _window(int(index[who]), rule.looked_before, rule.looked_after)
        for family, wide in members.items():
            if not known & wide or status[at] != "confirmed" or first > end:
                continue
            if family == "infection":
                since, until = _window(int(index[who]), rule.infection_before, rule.infection_after)
                if first > until or (last < since and not known & set(rule.chronic)):
                    continue
                people[who].infection.found.append(source)
            if family == "malignancy":
                people[who].cancer.found.append(source)
            people[who].put(family, narrowest, source)
        if "covid19" in known and status[at] == "confirmed" and last >= start and first <= end:
            people[who].covid.found.append(source)


def _excluded(people: list[Person], records: Records, vocabulary: Vocabulary, index: Times) -> None:
    """Note that cancer or infection as a whole was excluded; excluding lymphoma alone does not count."""
    table = records.conditions
    for at in np.flatnonzero(table["status"].astype(str) == "excluded").tolist():
        who, time = int(table["person"][at]), int(table["onset"][at])
        start, end = _window(int(index[who]), rules().looked_before, rules().looked_after)
        if time != UNKNOWN_TIME and not start <= time <= end:
            continue
        looked = vocabulary.finding_of(str(table["name"][at]))
        if looked == "malignancy":
            people[who].cancer.negative.append(f"conditions:{table['key'][at]}")
        elif looked == "infection":
            people[who].infection.negative.append(f"conditions:{table['key'][at]}")


def _findings(people: list[Person], records: Records, vocabulary: Vocabulary, index: Times) -> None:
    """Read the findings about cancer, infection and genes."""
    rule, table = rules(), records.findings
    for at in range(len(table)):
        name = vocabulary.finding_of(str(table["finding"][at]))
        answer = str(table["present"][at]).strip().casefold()
        if name not in {"malignancy", "infection", rule.gene} or answer not in {"yes", "no"}:
            continue
        who, time = int(table["person"][at]), int(table["time"][at])
        source = f"findings:{table['key'][at]}"
        if name == rule.gene:
            if answer == "yes":
                people[who].put("primary", rule.gene, source)
            continue
        back = rule.looked_before if name == "malignancy" else rule.infection_before
        ahead = rule.looked_after if name == "malignancy" else rule.infection_after
        start, end = _window(int(index[who]), back, ahead)
        if time != UNKNOWN_TIME and not start <= time <= end:
            continue
        search = people[who].cancer if name == "malignancy" else people[who].infection
        (search.found if answer == "yes" else search.negative).append(source)
        if answer == "yes":
            people[who].put(name, name, source)


def _cultures(people: list[Person], records: Records, vocabulary: Vocabulary, index: Times) -> None:
    """Read cultures and virus tests; a commensal counts if it grew twice or was judged an infection.

    Growth in a specimen that nobody knows is doubtful: the organism may live there anyway. So is growth of an organism
    that nobody knows, and an antibody, which stays after an infection and after a vaccination.
    """
    rule, table = rules(), records.cultures
    commensal: dict[int, list[tuple[int, str]]] = {}
    for at in range(len(table)):
        who, time = int(table["person"][at]), int(table["collected"][at])
        result, source = str(table["result"][at]), f"cultures:{table['key'][at]}"
        start, end = _window(int(index[who]), rule.infection_before, rule.infection_after)
        if result not in GROWN | FREE or (time != UNKNOWN_TIME and not start <= time <= end):
            continue
        person, judged = people[who], str(table["judged"][at])
        if result == "detected" and is_antibody(str(table["specimen"][at]), str(table["test"][at])):
            person.infection.doubtful.append(source)
            continue
        tested = f"{table['test'][at]} {table['organism'][at]}".casefold()
        if any(word in tested for word in rule.covid_tests):
            (person.covid.found if result in GROWN else person.covid.negative).append(source)
        if result in FREE:
            person.infection.negative.append(source)
        elif judged in HARMLESS:
            continue
        elif judged == "infection":
            _infected(person, source)
        elif _only_commensals(str(table["organism"][at])):
            commensal.setdefault(who, []).append((time, source))
        elif result == "growth" and (
            _may_be_inhabited(str(table["specimen"][at]), vocabulary)
            or _nobody_knows(str(table["organism"][at]))
        ):
            person.infection.doubtful.append(source)
        else:
            _infected(person, source)
    for who, draws in commensal.items():
        for source in _doubtful(people[who], sorted(draws)):
            people[who].infection.doubtful.append(source)


def is_antibody(specimen: str, test: str) -> bool:
    """Return whether a test looks for an answer of the body, and not for the germ."""
    plain = f" {words(specimen)} {words(test)} "
    return any(f" {words(word)} " in plain for word in rules().antibodies)


def _only_commensals(organism: str) -> bool:
    return all(each.commensal for each in organism_kinds.all_of(organism))


def _nobody_knows(organism: str) -> bool:
    return bool(organism.strip()) and all(
        each.kind == NOT_UNDERSTOOD for each in organism_kinds.all_of(organism)
    )


def _may_be_inhabited(specimen: str, vocabulary: Vocabulary) -> bool:
    """Return whether organisms live where a sample came from, or nobody knows where that was."""
    inhabited = any(word in specimen.casefold() for word in rules().inhabited)
    return inhabited or vocabulary.row_words.specimen(specimen).fate == "not understood"


def _infected(person: Person, source: str) -> None:
    person.infection.found.append(source)
    person.put("infection", "infection", source)


def _doubtful(person: Person, draws: list[tuple[int, str]]) -> Iterator[str]:
    """Yield the draws of a commensal without a second draw near them; two near draws are an infection."""
    within = rules().commensal_within.us
    for place, (time, source) in enumerate(draws):
        others = draws[:place] + draws[place + 1 :]
        if any(0 < abs(time - other) <= within for other, _ in others):
            _infected(person, source)
        else:
            yield source


def _cells(people: list[Person], chunk: Patients, index: Times) -> None:
    """Read immune-effector therapy, a drug or a procedure, before the index."""
    for who, time, source in zip(*(each.tolist() for each in chunk.cell_therapies), strict=True):
        if UNKNOWN_TIME in (time, index[who]) or time <= index[who]:
            people[who].put("immune_effector", rules().immune_effector[0], source)
