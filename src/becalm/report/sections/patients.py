"""Table 1: every patient in a row, or all of them in medians and counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from markupsafe import Markup, escape

from becalm.core.clock import UNKNOWN_TIME
from becalm.patients.unrecognised import STATUS_OF_DIAGNOSIS
from becalm.report import facts, labels
from becalm.report.cells import grade, outcome_cells, total
from becalm.report.cohort import ROW_EACH, Cohort, Row
from becalm.report.drill import Drill, Lines
from becalm.report.page_table import PageTable
from becalm.report.printed import counted, joined
from becalm.report.section import DeclaredSection, Section, captioned, lists_everybody
from becalm.report.text import UNKNOWN, age, middle, number, share, signed
from becalm.report.theme import Figure

T = TypeVar("T")


def _by_person(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["person_id"], []).append(row)
    return found


def each_patient(cohort: Cohort, drill: Drill) -> PageTable:
    """Return table 1 with one row a patient."""
    definitions = cohort.result.protocol.definitions.report
    totals = {(row["person_id"], row["criterion"]): row for row in cohort.criteria}
    prior, safety = _by_person(cohort.prior), _by_person(cohort.safety)
    primary = {(row["person_id"], row["clock"]): row for row in cohort.primary}
    clocks = [c for c in cohort.clocks[:2] if any(key[1] == c for key in primary)]
    rows = []
    for row in cohort.persons:
        person = row["person_id"]
        who = Markup('<span class="id">{} {}</span>').format(
            drill.about(row["sex"] or UNKNOWN, person), drill.about(age(row["age"]), person)
        )
        cells: list[Any] = [person, who, _background(drill, row)]
        cells += [total(drill, totals.get((person, name)), items=True) for name in definitions]
        cells.append(_prior(cohort, drill, row, prior.get(person, [])))
        if cohort.drug:
            cells += _exposure(cohort, drill, person, row["first_route"])
        mine = [primary.get((person, clock)) for clock in clocks]
        cells += [_primary(cohort, drill, one) for one in mine]
        cells.append(_confounders(cohort, [one for one in mine if one]))
        cells += _shifts(drill, person, safety.get(person, []))
        end, followed = outcome_cells(cohort, drill, person)
        cells.append(
            escape(end) + Markup('<br><span class="sub">followed {}</span>').format(followed)
        )
        rows.append(cells)
    treated = (
        ["First route", f"Peak {cohort.unit}/h ({cohort.unit}/day)", f"Total {cohort.unit}"]
        if cohort.drug
        else []
    )
    word = "Response at 48 h" if cohort.claim == "response" else "Course at 48 h"
    head = ["Patient", "Sex, age", "Background", *map(cohort.definition_label, definitions),
            f"Before {cohort.clock_label('t0') if cohort.drug else cohort.entered_at}", *treated, *map(cohort.clock_label, clocks),
            "also given", labels.heading(labels.event(labels.KIDNEY_INJURY)), "other events that became worse", "Outcome"]  # fmt: skip
    groups = [("", 3), ("Lowest–highest possible total (items assessed)", len(definitions)),
              ("Treatment", 1 + len(treated)), (word, len(clocks) + 1), ("Grade before → worst after", 2),
              ("", 1)]  # fmt: skip
    return PageTable(
        head, rows, [g for g in groups if g[1]], ids=[f"p-{r[0]}" for r in rows], kind="wide"
    )


_COVID: Final = "covid19"
_SOUGHT: Final = {
    "cancer": "cancer",
    "infection": "infection at entry",
    _COVID: labels.condition(_COVID),
}


_NOT_KNOWN: Final = (UNKNOWN, "unknown", *facts.STORM_NOT_KNOWN, "not looked for", "not tested")
"""What the columns of table 1 say where nobody knows."""


def _background(drill: Drill, row: Row) -> Markup:
    """Return the underlying disease, the class of the storm, and what was looked for."""
    known = [labels.condition(name) for name in row["underlying"].split("|") if name]
    lost = [
        *facts.unknown_labels(row, "diagnosis"),
        *(f"status {word}" for word in facts.unknown_labels(row, STATUS_OF_DIAGNOSIS)),
    ]
    disease = drill.rows(
        ", ".join([*known, *(f"not understood: {name}" for name in lost)]) or "none recorded",
        row["person_id"],
        row["context_rows"],
    )
    sought = "; ".join(
        f"{title}: {row[name] or UNKNOWN}"
        for name, title in _SOUGHT.items()
        if name != _COVID or row[name] not in {"", "not tested"}
    )
    return disease + Markup('<br><span class="sub">{}; {}</span>').format(
        row["class"] or "class unknown", sought
    )


def _confounders(cohort: Cohort, rows: list[Row]) -> Markup:
    """Return what else was given around the clocks, once where it is the same on all."""
    told = list(dict.fromkeys(row["confounded_by"] for row in rows if row["confounded_by"]))
    if len(told) == 1:
        return _lines([escape(labels.drugs(name)) for name in told[0].split("|")])
    return _lines(
        [
            escape(f"{cohort.clock_label(r['clock'])}: {labels.drugs(r['confounded_by'])}")
            for r in rows
            if r["confounded_by"]
        ]
    )


def _lines(parts: Sequence[Markup]) -> Markup:
    return Markup("<br>").join(parts) if parts else Markup(UNKNOWN)


def _prior(cohort: Cohort, drill: Drill, row: Row, rows: list[Row]) -> Markup:
    """Return the immunotherapies before time zero, and the drugs then that nobody knows."""
    person = row["person_id"]
    kept = [row for row in rows if not row["hours_before_t0"] <= 0]
    names: dict[str, list[str]] = {}
    for each in sorted(kept, key=lambda r: (-_known(r["hours_before_t0"]), r["drug"])):
        names.setdefault(each["drug"], []).append(each["source_row"])
    found = [drill.rows(labels.drug(drug), person, "|".join(keys)) for drug, keys in names.items()]
    for name, rows_of in facts.unknown_before(cohort).items():
        if person in rows_of:
            found.append(drill.rows(f"not understood: {name}", person, "|".join(rows_of[person])))
    mine = cohort.person[person]
    if mine["time_unknown"]:
        told = f"{labels.drugs(mine['time_unknown'])}: given, time unknown"
        found.append(drill.rows(told, person, mine["time_unknown_rows"]))
    return _lines(found) if found else Markup("none recorded")


def _known(value: float) -> float:
    return -math.inf if math.isnan(value) else value


def _exposure(cohort: Cohort, drill: Drill, person: str, route: str) -> list[Markup]:
    given = facts.exposure(cohort, person)
    keys = [row["source_row"] for row in facts.doses_within(cohort, person, given.episodes)]
    peak = number(given.peak_per_h)
    if not math.isnan(given.peak_per_day):
        peak = f"{peak} ({number(given.peak_per_day, 5)})"
    top = [
        row["source_row"]
        for row in facts.doses_within(cohort, person, given.episodes)
        if row["rate"] >= given.peak_per_h - 1e-9
    ]
    return [
        drill.rows(route or UNKNOWN, person, keys[:1]),
        drill.rows(peak, person, "|".join(top or keys)),
        drill.rows(number(given.cumulative, 5), person, "|".join(keys)),
    ]


def _primary(cohort: Cohort, drill: Drill, row: Row | None) -> Markup:
    if row is None:
        return Markup(UNKNOWN)
    if row["person_id"] in cohort.not_analysed:
        return Markup("not analysed: treatment began before the records")
    keys = [
        r["source_row"]
        for r in cohort.response
        if r["person_id"] == row["person_id"]
        and r["clock"] == row["clock"]
        and r["variable"] in {*cohort.result.protocol.response.primary,
                              *cohort.result.protocol.response.primary_any}
    ]  # fmt: skip
    return drill.rows(
        facts.primary_answer(cohort, row["response"]), row["person_id"], "|".join(keys)
    )


def _shifts(drill: Drill, person: str, rows: list[Row]) -> list[Markup]:
    kidney, others = [], []
    for row in rows:
        text = f"{grade(row['grade_before'])} → {grade(row['grade_after'])}"
        if row["event"] == labels.KIDNEY_INJURY:
            kidney.append(drill.rows(text, person, row["source_row"]))
        elif row["grade_after"] > max(row["grade_before"], 0):
            others.append(
                escape(f"{labels.event(row['event'])} ")
                + drill.rows(text, person, row["source_row"])
            )
    counts = _lines(others) if others else Markup("none" if rows else UNKNOWN)
    return [Markup(", ").join(kidney) if kidney else Markup(UNKNOWN), counts]


def summary(cohort: Cohort, drill: Drill) -> PageTable:
    """Return table 1 as medians and counts, for cohorts too large for a row each."""
    n, people = cohort.n, cohort.persons
    ages = [float(min(row["age"], 90)) if row["age"] >= 0 else math.nan for row in people]
    middle_age = middle(ages)
    if any(row["age"] > 89 for row in people):
        middle_age = middle_age.replace("90)", "90+)")
    told = {row["person_id"]: row["age"] for row in people}
    rows: list[list[Any]] = [
        ["Patients", _opens(drill, f"{n:,}", dict.fromkeys(cohort.ids, ""))],
        ["Age, years", _opens(drill, middle_age, told, age)],
    ]
    rows += _shares(
        drill, "", {row["person_id"]: [facts.sex(row)] for row in people}, ("sex unknown",)
    )
    rows += _shares(drill, "Background: ", {r["person_id"]: facts.background(r) for r in people})
    for title, name, unknown in (
        *(
            (f"{labels.heading(title)}: ", name, UNKNOWN)
            for name, title in (("class", "class"), *_SOUGHT.items())
        ),
        ("Storm: ", "storm", facts.NOT_ASSESSED),
    ):
        said = {row["person_id"]: [row[name] or unknown] for row in people}
        rows += _shares(drill, title, said, _NOT_KNOWN)
    for name in cohort.result.protocol.definitions.report:
        mine = {r["person_id"]: r for r in cohort.criteria if r["criterion"] == name}
        for which, title in (("low", "lowest"), ("high", "highest")):
            if mine:
                shown = middle(row[which] for row in mine.values())
                each = {who: row[which] for who, row in mine.items()}
                rows.append(
                    [
                        f"{cohort.definition_label(name)}, {title} possible total",
                        _opens(drill, shown, each, number),
                    ]
                )
    for drug, given in facts.given(cohort).items():
        shown = share(len(given), n)
        rows.append([f"Given {labels.drug(drug)}", _opens(drill, shown, dict.fromkeys(given, ""))])
    followed = {who: row["follow_up_days"] for who, row in cohort.outcome.items()}
    rows.append(["Follow-up, days", _opens(drill, middle(followed.values()), followed, number)])
    died, unknown_end = facts.deaths(cohort)
    shown = share(len(died), n - len(unknown_end), len(unknown_end))
    rows.append(["Died", _opens(drill, shown, dict.fromkeys((r["person_id"] for r in died), ""))])
    return PageTable(["", "Median (range), or n/N (%; exact 95 % interval)"], rows)


def _shares(
    drill: Drill, title: str, said: Mapping[str, Sequence[str]], unknown: Sequence[str] = ()
) -> list[list[Any]]:
    """Return one row for each word said of anybody, commonest first; each opens of whom.

    unknown : the words for "not known": a share is of the others, and those are counted beside.
    """
    found: dict[str, list[str]] = {}
    for who, words in said.items():
        for word in words:
            found.setdefault(word, []).append(who)
    known = len(said) - sum(len(found.get(word, ())) for word in unknown)
    return [
        [labels.heading(word) if not title else f"{title}{word}",
         _opens(drill, f"{len(who):,} of {len(said):,}" if word in unknown else share(len(who), known), dict.fromkeys(who, ""))]
        for word, who in sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    ]  # fmt: skip


def _opens(
    drill: Drill, shown: str, each: Mapping[str, T], told: Callable[[T], str] = str
) -> Markup:
    """Return a count or a median that opens whom it is of, and what is said of each."""
    lines = Lines(sorted(each), lambda who: [who, told(each[who])])
    return drill.people(shown, ["patient", "value"], lines)


def persons(cohort: Cohort, drill: Drill) -> PageTable:
    """Return one short line a patient, for cohorts summarised in table 1."""
    totals = {(row["person_id"], row["criterion"]): row for row in cohort.criteria}
    names = cohort.result.protocol.definitions.report
    rows = []
    for row in cohort.persons:
        person = row["person_id"]
        rows.append(
            [person, drill.about(age(row["age"]), person), row["sex"] or UNKNOWN,
             _background(drill, row), row["storm"] or facts.NOT_ASSESSED,
             *[total(drill, totals.get((person, name)), items=True) for name in names],
             *outcome_cells(cohort, drill, person)]
        )  # fmt: skip
    head = [
        "Patient",
        "Age, years",
        "Sex",
        "Background",
        "Storm",
        *map(cohort.definition_label, names),
        "Outcome",
        "Follow-up",
    ]
    return PageTable(head, rows, ids=[f"p-{row[0]}" for row in rows])


def recognised(cohort: Cohort, drill: Drill) -> PageTable:
    """Return how each patient's storm was recognised: by definitions, and by a clinician, each with its day."""
    names = {each.criterion for each in cohort.result.protocol.storm.definite}
    rows = []
    for row in cohort.persons:
        person, onset = row["person_id"], _day(cohort, row, row["storm_onset"])
        keys = [
            key
            for name in sorted(names)
            for item in drill.cohort.items_of.get((person, name), ())
            for key in item["source_row"].split("|")
        ]
        found: dict[str, Any] = dict.fromkeys(("definite", "possible"), "no")
        if row["storm"] in found:
            found[row["storm"]] = drill.rows(f"from {onset}", person, keys)
        elif row["storm"] != "not met":
            found = dict.fromkeys(found, row["storm"] or UNKNOWN)
        if row["storm"] == "definite":
            found["possible"] = "–"
        said: Any = "no"
        if row["clinician"]:
            late = UNKNOWN_TIME not in (row["clinician_time"], row["index_time"]) and (
                row["clinician_time"] > row["index_time"]
            )
            when = f"{_day(cohort, row, row['clinician_time'])}{', after entry' if late else ''}"
            said = drill.rows(when, person, row["clinician_rows"])
        rows.append([person, found["definite"], found["possible"], said])
    return PageTable(["Patient", "definite", "possible", "clinician's diagnosis"], rows)


def undated(cohort: Cohort, drill: Drill) -> PageTable:
    """Return the diagnoses without a date and without a stay, by patient."""
    rows = []
    for row in cohort.persons:
        if row["undated"]:
            names = [_state_and_name(each) for each in row["undated"].split("|")]
            shown = drill.rows(", ".join(names), row["person_id"], row["undated_rows"])
            rows.append([row["person_id"], shown])
    return PageTable(["Patient", "diagnoses without a date"], rows)


def _state_and_name(text: str) -> str:
    """Return `history: lymphoma` with the condition's own label."""
    state, colon, name = text.rpartition(": ")
    return f"{state}{colon}{labels.condition(name)}"


def _without_a_date(cohort: Cohort) -> list[str]:
    """Return the sentence about diagnoses without a date; nothing where every one has a date."""
    n = sum(bool(row["undated"]) for row in cohort.persons)
    if not n:
        return []
    return [
        f"{n:,} of {cohort.n:,} patients have a diagnosis with neither a date nor a stay. It may be of any time: it "
        "counts in the background and in the exclusions, and nobody can say whether it was there before the storm."
    ]


def _day(cohort: Cohort, row: Row, time: int) -> str:
    """Return the day of a moment, counted from time zero."""
    if time == UNKNOWN_TIME:
        return "a day that is not recorded"
    return f"day {signed(cohort.hours(row['person_id'], time) / 24, 1)}"


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section:
    del figures
    if cohort.n <= ROW_EACH:
        first = [captioned(each_patient(cohort, drill), "Table 1. Every patient")]
        return Section("Patients", _without_a_date(cohort), [], first, _details(cohort, drill))
    everybody = joined("Table 1. All ", counted("n", cohort.n, of=cohort.n), " patients")
    first = [captioned(summary(cohort, drill), everybody)]
    listed = []
    if lists_everybody(cohort):
        listed = [
            captioned(persons(cohort, drill), "Every patient"),
            *_details(cohort, drill),
        ]
    return Section("Patients", _without_a_date(cohort), [], first, listed)


def _details(cohort: Cohort, drill: Drill) -> list[PageTable]:
    """Return what is folded below table 1: how the storm was recognised, and what has no date."""
    how = captioned(
        recognised(cohort, drill), "How the storm was recognised, in days from time zero"
    )
    apart = captioned(undated(cohort, drill), "Diagnoses without a date")
    return [how, *([apart] if apart else [])]


SECTION: Final = DeclaredSection("patients", 10, section)
