"""Names and codes of the records that nobody here knows, and the patients who have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from becalm.report.cohort import Cohort
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
        f"{row['what']}: {row['written'] or row['code']}": row
        for row in cohort.result.frames["not_understood"].rows()
    }
    rows = []
    for label, people in sorted(
        who.items(), key=lambda each: (each[0].partition(": ")[0], -len(each[1]), each[0])
    )[:_LISTED]:
        kind, _, name = label.partition(": ")
        known = about.get(label, {})
        patients = drill.people(
            f"{len(people):,}", ["patient"], [[one] for one in people], len(people)
        )
        rows.append(
            [
                kind,
                name,
                known.get("code", ""),
                known.get("reason", ""),
                patients,
                known.get("nearest", ""),
            ]
        )
    return PageTable(
        ["What", "as written", "code", "why", "patients", "most similar known name"], rows
    )


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    """Return the names that are not understood; None if every name of every patient is."""
    affected = [row for row in cohort.persons if row["not_understood"]]
    if not affected:
        return None
    open_ = [row for row in cohort.persons if row["exclusion_open"]]
    intro = [
        f"{len(affected):,} of {cohort.n:,} patients have a name or a code in their records that becalm does not know. "
        "Nothing that depends on it is said to be absent: an unknown drug may explain a response, an unknown diagnosis "
        "may be a reason for exclusion. Write what they mean into a file of words (becalm doctor --words) and run the study again."
    ]
    if open_:
        intro.append(
            f"For {len(open_):,} of them the exclusions of the protocol are undetermined. They stay in the study."
        )
    return Section(
        "Not understood",
        intro,
        [],
        [captioned(names(cohort, drill), "Names and codes that are not understood")],
    )


SECTION: Final = DeclaredSection("not_understood", 130, section)
