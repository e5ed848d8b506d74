"""Infections proven by culture: who had one, what grew where, and what did not count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from becalm.core.arrays import Mask
from becalm.core.frame import Frame
from becalm.report import labels
from becalm.report.cells import marked
from becalm.report.cohort import Cohort, anchor
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import DeclaredSection, Section, captioned, lists_everybody
from becalm.report.text import UNKNOWN, answer, hours, share, spaced
from becalm.report.theme import Figure
from becalm.vocabulary import organism_kinds
from becalm.vocabulary.organism_kinds import NOT_UNDERSTOOD

BACTERIAL: Final = "bacterial infection"
KINDS: Final = (
    BACTERIAL,
    "fungal infection",
    "pneumocystis infection",
    "mycobacterial infection",
    "viral infection",
    "parasitic infection",
)


@dataclass(frozen=True)
class Infections:
    """The infections of a cohort, counted in persons."""

    cohort: Cohort

    @cached_property
    def table(self) -> Frame:
        """What grew."""
        return self.cohort.keep(self.cohort.result.tables["infections"])

    @cached_property
    def outcome(self) -> Frame:
        """The outcomes."""
        return self.cohort.keep(self.cohort.result.tables["outcome"])

    def persons(self, kind: str, *, new: bool | None = None) -> list[str]:
        """Return who had an infection of a kind: any, a new one, or one that was not new."""
        counted: Mask = self.table["counts_as"] == kind
        if new is not None:
            counted = counted & (self.table["new_onset"] == new)
        return sorted(set(self.table["person_id"][counted].tolist()))

    def known(self, kind: str, *, new: bool) -> list[str]:
        """Return of whom it is known whether they had a new infection of a kind, or one that was not new.

        Who had one; and who had none, if a culture from time zero on has a result, and there is no sample of which nobody
        can tell whether it shows one.
        """
        taken = self.outcome["person_id"][self.outcome["cultures_taken"] > 0]
        doubtful = self._undecided(kind, new=new)
        return sorted({*(set(taken.tolist()) - doubtful), *self.persons(kind, new=new)})

    def _undecided(self, kind: str, *, new: bool) -> set[str]:
        """Return who had a sample that may show such an infection: it may count, or it may be new."""
        told, fresh = self.table["counts"], self.table["new_onset"]
        may_be = self.table["class"] == kind.removesuffix(" infection")
        may_be |= self.table["class"] == NOT_UNDERSTOOD
        open_ = np.array([each is None for each in told.tolist()], np.bool_)
        undated = np.array([each is None for each in fresh.tolist()], np.bool_)
        here: Mask = may_be & (open_ | (told == np.True_)) & ((fresh == new) | undated)
        here &= open_ | undated
        return set(self.table["person_id"][here].tolist())


def counts(cohort: Cohort, drill: Drill) -> PageTable:
    """Return how many patients had an infection of each kind, new ones apart."""
    found = Infections(cohort)
    rows = []
    for kind in KINDS:
        new, old = found.persons(kind, new=True), found.persons(kind, new=False)
        if kind != BACTERIAL and not new and not old:
            continue
        cells: list[Any] = [labels.heading(kind)]
        for people, fresh in ((new, True), (old, False)):
            known = found.known(kind, new=fresh)
            told = share(len(people), len(known), cohort.n - len(known))
            lines = [[who, answer(who in people)] for who in known]
            cells.append(drill.people(told, ["patient", "infection"], lines))
        rows.append(cells)
    after = spaced(cohort.result.protocol.infection.new_after)
    head = ["", f"new, later than {after} after {cohort.zero}", "before, or not new"]
    return PageTable(head, rows)


def organisms(cohort: Cohort, drill: Drill) -> PageTable:
    """Return the organisms and sites of what counted, by patients."""
    table = Infections(cohort).table
    counted = table.take(table["counts_as"] != "")
    people: dict[tuple[str, str, str], set[str]] = {}
    commensals: set[str] = set()
    columns = (
        counted[name].tolist()
        for name in ("counts_as", "organism", "site", "person_id", "commensal")
    )
    for kind, organism, site, who, commensal in zip(*columns, strict=True):
        people.setdefault((kind, organism, site), set()).add(who)
        commensals.update([organism] if commensal else [])
    ordered = sorted(
        people.items(), key=lambda each: (KINDS.index(each[0][0]), -len(each[1]), each[0])
    )
    rows = [
        [marked(labels.heading(kind), verified=_verified(organism in commensals)), organism[:1].upper() + organism[1:], site,
         drill.people(str(len(who)), ["patient"], [[one] for one in sorted(who)])]
        for (kind, organism, site), who in ordered
    ]  # fmt: skip
    return PageTable(["Counts as", "Organism", "Site", "patients"], rows)


def _verified(commensal: bool | None) -> bool:
    """Return whether what makes an organism count was checked: of a commensal, that it is one."""
    return not commensal or organism_kinds.file().commensals_verified


def each(cohort: Cohort, drill: Drill) -> PageTable:
    """Return what grew in each patient, with the reason where it does not count."""
    rows, ids = [], []
    for i, row in enumerate(cohort.rows("infections")):
        person = row["person_id"]
        when = hours(row["hours_from_t0"])
        if row["onset_is"] == "unknown":
            when = UNKNOWN
        elif row["onset_is"] == "date":
            when = f"on the day that begins at {when}"
        no = "no" if row["counts"] is False else "not known"
        counts_as = row["counts_as"] or f"{no}: {row['reason']}"
        proven = f" ({row['proven']})" if row["proven"] else ""
        days = "" if row["antibiotic_days"] < 0 else str(row["antibiotic_days"])
        name = row["organism"][:1].upper() + row["organism"][1:]
        rows.append(
            [person, drill.rows(when, person, row["source_row"]), row["site"],
             drill.rows(name, person, row["source_row"]), drill.rows(str(row["draws"]), person, row["source_row"]),
             marked(drill.rows(counts_as + proven, person, row["source_row"]), verified=_verified(row["commensal"])), answer(row["new_onset"]) if row["counts"] is not False else "",
             drill.rows(days, person, row["source_row"]), answer(row["on_drug"])]
        )  # fmt: skip
        ids.append(anchor("infection", person, str(i)))
    head = ["Patient", f"from {cohort.clock_from('t0')}", "Site", "Organism", "samples", "counts as", "new",
            "days of antibiotic", f"on {labels.drug(cohort.drug) or 'drug'}"]  # fmt: skip
    return PageTable(head, rows, ids=ids)


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    """Return the section; it also says that no culture is in the records."""
    del figures
    found = Infections(cohort)
    if not len(found.table) and not (found.outcome["cultures_taken"] > 0).any():
        return Section(
            "Infections",
            [
                "The records have no culture with a result of these patients from time zero on: whether they had an infection is not known."
            ],
        )
    rule = cohort.result.protocol.infection
    intro = [
        "An organism counts as an infection if it grew once where nothing lives (blood, cerebrospinal fluid, other "
        "fluids, tissue); a common commensal of skin in two samples within 48\u00a0h; urine or airway with at "
        "least 4 days of antibiotic; or if a clinician judged it so. Time is that of the sample, not of its result.",
        f"New means later than {spaced(rule.new_after)} after {cohort.zero}, with an organism that had not grown in the "
        f"{spaced(rule.other_than_in)} before. A patient without any culture with a result from time zero on, or with a sample of which nobody can tell "
        "whether it shows an infection (pending, not understood, or no more known of it), counts as unknown, not as free of infection.",
    ]
    tables = [captioned(counts(cohort, drill), "Patients with an infection")]
    if (found.table["counts_as"] != "").any():
        tables.append(captioned(organisms(cohort, drill), "Organisms and sites of the infections"))
    long = []
    if lists_everybody(cohort) and len(found.table):
        long.append(captioned(each(cohort, drill), "Everything that grew, by patient"))
    few = len(found.table) <= 20
    return Section("Infections", intro, [], [*tables, *(long if few else [])], [] if few else long)


SECTION: Final = DeclaredSection("infections", 70, section)
