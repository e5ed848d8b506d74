"""Kidney injury: prevalent, worsened or new, the arm that decided, and whether the kidney recovered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from becalm.kidney.baseline import NOT_KNOWN
from becalm.report import labels
from becalm.report.cells import grade
from becalm.report.cohort import Cohort, anchor
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import (
    DeclaredSection,
    Section,
    captioned,
    figures_named,
    lists_everybody,
)
from becalm.report.sections.cell_lines import told
from becalm.report.text import UNKNOWN, answer, number, share, spaced
from becalm.report.theme import Figure
from becalm.tables import KIDNEY

STATUSES: Final = ("prevalent", "worsened", "new", "none", "not known", "no stage")
"""In the order of the table; worsened is prevalent too."""
SHOWN: Final = {
    "prevalent": "at {zero}, not worse after it",
    "worsened": "at {zero}, worse after it",
    "new": "new after {zero}",
    "none": "none",
    "not known": "not measured on both sides of {zero}",
    "no stage": "no stage, for a kidney that had failed before",
}
ASKED: Final = {
    "recovered_at_discharge": "recovered at discharge",
    "recovered_at_end": "recovered at the end of the records",
    "persistent": "persistent",
    "kidney_disease": "acute kidney disease",
}
WAYS: Final = {
    "outpatient_median": "Median of outpatient values",
    "minimum_before_onset": "Lowest value in the days before onset",
    "back_calculated": "Calculated back from an assumed eGFR",
    "rolling_minimum": "None stated: the lowest value in the days before each sample",
    NOT_KNOWN: "Not known: no way gave one",
}
ARMS: Final = tuple(
    name.removesuffix("_before")
    for name in KIDNEY
    if name.endswith("_before") and name != "stage_before"
)
"""Creatinine, urine and replacement, as the table names them."""


def _columns(cohort: Cohort, *names: str) -> list[tuple[Any, ...]]:
    table = cohort.keep(cohort.result.tables["kidney"])
    return list(zip(*(table[name].tolist() for name in names), strict=True))


def statuses(cohort: Cohort, drill: Drill) -> PageTable:
    """Return how many patients have each status."""
    found = _columns(cohort, "person_id", "status")
    rows = []
    for status in STATUSES:
        mine = [[who] for who, said in found if said == status]
        if mine:
            title = SHOWN[status].format(zero=cohort.zero)
            rows.append(
                [title[:1].upper() + title[1:],
                 drill.people(share(len(mine), len(found)), ["patient"], mine)]
            )  # fmt: skip
    return PageTable(["Kidney injury", "patients"], rows)


def arms(cohort: Cohort, drill: Drill) -> PageTable:
    """Return how many injuries each arm decided: one that all arms reach is counted in each."""
    found = [(who, said.split("|")) for who, said in _columns(cohort, "person_id", "deciding_arms") if said]  # fmt: skip
    rows = []
    for arm in ARMS:
        mine = [[who] for who, said in found if arm in said]
        only = [[who] for who, said in found if said == [arm]]
        if not mine:
            continue
        rows.append(
            [arm[:1].upper() + arm[1:], drill.people(share(len(mine), len(found)), ["patient"], mine),
             drill.people(str(len(only)), ["patient"], only) if only else ""]
        )  # fmt: skip
    return PageTable(["Arm", "reaches the worst stage", "alone"], rows)


def baselines(cohort: Cohort, drill: Drill) -> PageTable:
    """Return how many patients have their baseline by each way of the protocol, and how many have none."""
    found = _columns(cohort, "person_id", "baseline_way")
    rows = []
    for way in (*cohort.result.protocol.kidney.baseline, NOT_KNOWN):
        mine = [[who] for who, said in found if said == way]
        if mine:
            counted = drill.people(f"{len(mine)} of {len(found)}", ["patient"], mine)
            rows.append([WAYS[way], counted])
        elif way == NOT_KNOWN:
            rows.append([WAYS[way], "nobody"])
    return PageTable(["Baseline", "patients"], rows)


def course(cohort: Cohort, drill: Drill) -> PageTable:
    """Return whether the injuries were over, lasted, or became a disease."""
    injured = {who for who, said in _columns(cohort, "person_id", "deciding_arms") if said}
    if not injured:
        return PageTable(["Of those with an injury", "patients"], [])
    rows = [
        [title[:1].upper() + title[1:],
         told(drill, {who: said for who, said in _columns(cohort, "person_id", name) if who in injured})]
        for name, title in ASKED.items()
    ]  # fmt: skip
    return PageTable(["Of those with an injury", "patients"], rows)


def each(cohort: Cohort, drill: Drill) -> PageTable:
    """Return the kidney of each patient."""
    rows, ids = [], []
    for row in sorted(cohort.rows("kidney"), key=lambda r: r["person_id"]):
        person, source = row["person_id"], row["source_row"]

        def moved(name: str, row: Mapping[str, Any] = row) -> str:
            return f"{grade(row[f'{name}_before'])} → {grade(row[f'{name}_after'])}"

        replaced = {
            (False, False): "no", (True, False): "before", (False, True): "after",
            (True, True): "before and after",
        }[bool(row["replacement_before"]), bool(row["replacement_after"])]  # fmt: skip
        doubts = [
            f"{row[name]} {words}"
            for name, words in (
                ("urine_without_weight", "volumes without a weight"),
                ("urine_unsure", "windows with a range"),
            )
            if row[name]
        ]
        rows.append(
            [person, row["status"], drill.rows(moved("stage"), person, source),
             drill.rows(moved(ARMS[0]), person, source), drill.rows(moved("urine"), person, source),
             replaced, row["deciding_arms"].replace("|", ", ") or UNKNOWN,
             drill.rows(number(row["baseline_mg_dl"]), person, source),
             drill.rows(spaced(row["baseline_from"]), person, source),
             "; ".join(doubts)]
        )  # fmt: skip
        ids.append(anchor("kidney", person))
    head = ["Patient", "injury", "worst stage before → after", f"by {labels.variable('creatinine')}", "by urine", "replacement", "decided by",
            "baseline, mg/dL", "its source", "urine that is not certain"]  # fmt: skip
    return PageTable(head, rows, ids=ids)


def recoveries(cohort: Cohort, drill: Drill) -> PageTable:
    """Return how the injury of each patient went on."""
    del drill
    rows = [
        [row["person_id"], *(answer(row[name]) for name in ASKED)]
        for row in sorted(cohort.rows("kidney"), key=lambda r: r["person_id"])
    ]
    return PageTable(["Patient", *ASKED.values()], rows)


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    if not len(cohort.keep(cohort.result.tables["kidney"])):
        return None
    intro = [
        f"The stage of KDIGO by three arms: {labels.variable('creatinine')}, urine, and replacement of the kidney of any kind. "
        "The worst arm counts. "
        "Urine that was not charted, or that has no weight beside it, is unknown and not normal. An injury is over when nothing "
        "shows it for 48\u00a0h, without replacement; without a baseline nobody can say so. Persistent: longer than 48\u00a0h; acute kidney "
        "disease: still there after 7\u00a0d."
    ]
    long = (
        [
            captioned(each(cohort, drill), "The kidney of every patient"),
            captioned(recoveries(cohort, drill), "How the injury of every patient went on"),
        ]
        if lists_everybody(cohort)
        else []
    )
    few = cohort.n <= 10
    main = [
        captioned(statuses(cohort, drill), f"Kidney injury before and after {cohort.zero}"),
        captioned(arms(cohort, drill), "What decided the worst stage"),
        captioned(course(cohort, drill), "How the injuries ended"),
        captioned(
            baselines(cohort, drill),
            f"Where the baseline of {labels.variable('creatinine')} comes from",
        ),
    ]
    return Section(
        "Kidney",
        intro,
        figures_named(figures, "kidney"),
        [table for table in (*main, *(long if few else [])) if table.rows],
        [] if few else long,
    )


SECTION: Final = DeclaredSection("kidney", 64, section)
