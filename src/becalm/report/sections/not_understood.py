"""Names and codes of the records that nobody here knows, and the patients who have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from becalm.core.errors import shortened
from becalm.patients.unrecognised import as_listed
from becalm.report import labels
from becalm.report.cohort import Cohort, Row
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import DeclaredSection, Section, captioned
from becalm.report.theme import Figure

_LISTED: Final = 200


def names(cohort: Cohort, drill: Drill) -> PageTable:
    """Return each name of a patient in the study that is not understood, with the patients."""
    who: dict[str, list[str]] = {}
    for row in cohort.persons:
        for label in filter(None, row["not_understood"].split("|")):
            who.setdefault(label, []).append(row["person_id"])
    about = {
        as_listed(row["what"], row["about"], row["written"] or row["code"]): row
        for row in cohort.result.frames["not_understood"].light_rows()
    }
    rows = []
    for label, people in sorted(
        who.items(), key=lambda each: (each[0].partition(": ")[0], -len(each[1]), each[0])
    )[:_LISTED]:
        kind, _, name = label.partition(": ")
        known: Row = about.get(label, {})
        patients = drill.people(
            f"{len(people):,}", ["patient"], [[one] for one in people], len(people)
        )
        rows.append(
            [
                kind,
                name,
                shortened(known.get("code", "") or known.get("about", "")),
                known.get("reason", ""),
                patients,
                known.get("nearest", ""),
            ]
        )
    return PageTable(
        [
            "What",
            "as written",
            "code, or what it belongs to",
            "why",
            "patients",
            "most similar known name",
        ],
        rows,
    )


def site_words(cohort: Cohort) -> PageTable:
    """Return what the site says that its own names mean."""
    site = cohort.result.site
    rows = [[each.kind, each.label, each.means] for each in (site.words if site else ())]
    return PageTable(["What", "as written", "means"], rows)


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    """Return the names that are not understood, and those that the site explained; None without either."""
    affected = [row for row in cohort.persons if row["not_understood"]]
    open_ = [row for row in cohort.persons if row["exclusion_open"]]
    site = cohort.result.site
    if not affected and not open_ and site is None:
        return None
    intro, tables, folded = [], [], []
    if affected:
        intro.append(
            f"{len(affected):,} of {cohort.n:,} patients have a name or a code in their records that becalm does not "
            "know. Nothing that depends on it is said to be absent: an unknown drug may explain a response, and an "
            "unknown diagnosis may be a reason for exclusion. Write what the names mean into a file of words "
            "(becalm doctor RECORDS --words FILE), and run the study again with it."
        )
        tables.append(captioned(names(cohort, drill), "Names and codes that are not understood"))
    if open_:
        intro.append(
            f"In {len(open_):,} of {cohort.n:,} patients the exclusions of the protocol are undetermined. These patients "
            "stay in the study."
        )
        tables.append(captioned(_open(cohort, drill), "What leaves the exclusions undetermined"))
    if site is not None:
        intro.append(
            f"The file {site.name} of the site says what {len(site.words):,} names mean; it stands above the vocabulary."
        )
        folded.append(captioned(site_words(cohort), "What the site says that its names mean"))
    return Section("Not understood" if affected or open_ else "Names", intro, [], tables, folded)


def _open(cohort: Cohort, drill: Drill) -> PageTable:
    who: dict[str, list[str]] = {}
    for row in cohort.persons:
        for label in filter(None, row["exclusion_open"].split("|")):
            who.setdefault(label, []).append(row["person_id"])
    rows = []
    for label, people in sorted(who.items())[:_LISTED]:
        kind, _, name = label.partition(": ")
        listed = drill.people(
            f"{len(people):,}", ["patient"], [[one] for one in people], len(people)
        )
        shown = labels.variable(name) if kind == "finding" else name
        rows.append([kind, shown, listed])
    return PageTable(["What", "name", "patients"], rows)


SECTION: Final = DeclaredSection("not_understood", 130, section)
