"""Responses of several parts, as others defined them, and what leaving out a part changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from becalm.core.frame import Frame
from becalm.measures.response.composites import Composite, counted, shipped
from becalm.measures.response.primary import LEFT_TRUNCATED
from becalm.report import labels
from becalm.report.cells import marked
from becalm.report.cohort import Cohort, Row, anchor
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import DeclaredSection, Section, captioned, lists_everybody
from becalm.report.text import days, share, spaced
from becalm.report.theme import Figure

HEAD: Final = ("patient", "result", "parts met", "parts not met", "not known")


def _when(cohort: Cohort, composite: Composite) -> str:
    at = composite.when(cohort.result.protocol).at
    text = days(f"{at / 24:g}d") if at > 96 else spaced(f"{at:g}h")
    return text.replace(" ", "\u00a0")


def _about(drill: Drill, shown: Any, composite: Composite) -> Any:
    """Return a cell that opens what the response is and where it comes from."""
    parts = ", ".join(part.name for part in composite.parts)
    line = [composite.title, parts, composite.source, "yes" if composite.verified else "no"]
    return drill.people(shown, ["response", "parts", "source", "checked"], [line])


def _name(drill: Drill, composite: Composite) -> Any:
    return _about(drill, marked(composite.title, verified=composite.verified), composite)


def _rows(cohort: Cohort, clock: str) -> dict[str, Frame]:
    """Return the rows of each response on a clock, without who is not analysed."""
    table = cohort.keep(cohort.result.tables["composites"])
    table = table.take((table["clock"] == clock) & (table["status"] != LEFT_TRUNCATED))
    return {name: table.take(table["composite"] == name) for name in shipped()}


def counts(cohort: Cohort, drill: Drill, clock: str) -> PageTable:
    """Return how many reached each response, with what is missing as failure and as success."""
    rows = []
    for name, mine in _rows(cohort, clock).items():
        if not len(mine):
            continue
        composite, people = shipped()[name], _people(cohort, mine)
        found = counted(mine, composite, "")
        n, met, unknown = found["analysed"], found["met"], found["unknown"]
        parts = ", ".join(part.name for part in composite.parts)
        if composite.needs is not None:
            parts = f"at least {composite.needs} of: {parts}"
        told = [str(met), str(found["not_met"]), str(found["died_first"]), str(unknown)]
        told += [share(met, n), share(met + unknown, n)]
        rows.append(
            [_name(drill, composite), _about(drill, _when(cohort, composite), composite), _about(drill, parts, composite),
             *(drill.people(each, HEAD, people, len(mine)) for each in told)]
        )  # fmt: skip
    head = ["Response", "at", "parts", "reached", "not reached", "of these died before", "not known",
            "unknown as not reached", "unknown as reached"]  # fmt: skip
    return PageTable(head, rows, kind="wide long")


def _people(cohort: Cohort, mine: Frame) -> list[list[Any]]:
    if not lists_everybody(cohort):
        return []
    return [_line(row) for row in mine.light_rows()]


def _line(row: Row) -> list[Any]:
    named = ("met_parts", "failed_parts", "missing_parts")
    return [row["person_id"], row["status"], *(labels.joined(row[name]) for name in named)]


def _opened(drill: Drill, shown: str, row: Row) -> Any:
    """Return a number that opens the rows of its values; without any value, the parts."""
    if row["source_row"]:
        return drill.rows(shown, row["person_id"], row["source_row"])
    return drill.people(shown, HEAD, [_line(row)])


def without_each(cohort: Cohort, drill: Drill, clock: str) -> PageTable:
    """Return the counts of each response without each of its parts."""
    rows = []
    for name, mine in _rows(cohort, clock).items():
        composite = shipped()[name]
        if not len(mine) or len(composite.parts) < 2:
            continue
        people = _people(cohort, mine)
        for part in ("", *(each.name for each in composite.parts)):
            found = counted(mine, composite, part)
            n, met, unknown = found["analysed"], found["met"], found["unknown"]
            told = [str(met), str(found["not_met"]), str(unknown), share(met, n),
                    share(met + unknown, n)]  # fmt: skip
            rows.append(
                [_name(drill, composite), part or "nothing",
                 *(drill.people(each, HEAD, people, len(mine)) for each in told)]
            )  # fmt: skip
    head = ["Response", "left out", "reached", "not reached", "not known", "unknown as not reached",
            "unknown as reached"]  # fmt: skip
    return PageTable(head, rows)


def each(cohort: Cohort, drill: Drill, clock: str) -> PageTable:
    """Return each patient's result with the parts that gave it."""
    rows, ids = [], []
    for name, mine in _rows(cohort, clock).items():
        for row in mine.light_rows():
            person, source = row["person_id"], row["source_row"]
            _, *told = _line(row)
            parts = f"{row['parts_low']} to {row['parts_high']} of {row['parts_needed']}"
            if row["parts_low"] == row["parts_high"]:
                parts = f"{row['parts_low']} of {row['parts_needed']}"
            rows.append([person, _name(drill, shipped()[name]), drill.rows(told[0], person, source),
                         _opened(drill, parts, row), *told[1:]])  # fmt: skip
            ids.append(anchor("composite", clock, person, name))
    return PageTable(
        ["Patient", "Response", "result", "parts met, of those needed", "met", "not met", "not known"],
        rows, ids=ids,
    )  # fmt: skip


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    del figures
    if not len(cohort.result.tables["composites"]) or not cohort.described:
        return None
    clock = cohort.clocks[0]
    intro = [
        "These are responses as others defined them, counted in these patients. Who died before the moment did not reach "
        "it. Where a value is missing, nobody knows: the last two columns count all such patients as not "
        "reached, and then as reached. The truth lies between.",
        "What only a clinician can judge is in no record, so it is never known; the table without each part shows the "
        "counts without it. Changes are against the baseline; limits are those printed with the value, else the customary ones.",
    ]
    main = [
        captioned(counts(cohort, drill, clock), f"Responses of several parts, from {cohort.clock_from(clock)}")
    ]  # fmt: skip
    folded = [
        captioned(without_each(cohort, drill, one), f"The same without each part, from {cohort.clock_from(one)}")
        for one in cohort.clocks[:1]
    ]  # fmt: skip
    folded += [
        captioned(counts(cohort, drill, one), f"Responses of several parts, from {cohort.clock_from(one)}")
        for one in cohort.clocks[1:]
    ]  # fmt: skip
    sources = [
        [one.title, one.source, "yes" if one.verified else "no"] for one in shipped().values()
    ]
    folded.append(
        captioned(
            PageTable(["Response", "source, and what becalm chose", "checked"], sources),
            "Where these responses come from",
        )
    )
    if lists_everybody(cohort):
        folded.append(
            captioned(each(cohort, drill, clock), "Responses of several parts, by patient")
        )
    return Section(
        "Responses as others defined them", intro, [], main, [one for one in folded if one]
    )


SECTION: Final = DeclaredSection("composites", 53, section)
