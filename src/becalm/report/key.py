"""The key results at the beginning of the report: counts with exact intervals."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from becalm.core import stats
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.digits import fixed
from becalm.measures import ctcae
from becalm.report import facts, labels, without_drug
from becalm.report.cells import marked
from becalm.report.cohort import Cohort, Row
from becalm.report.drill import Drill, Lines
from becalm.report.labels import KIDNEY_INJURY
from becalm.report.printed import counted, joined, named, separated, statistic
from becalm.report.sections import cell_lines, landmark, outcome
from becalm.report.sections.infections import BACTERIAL, Infections
from becalm.report.sections.next_test import NextTests
from becalm.report.text import (
    UNKNOWN,
    age,
    by_then,
    each_counted,
    hours,
    middle,
    number,
    share,
    tally,
)
from becalm.study.result import PER_PERSON

BLOOD_COUNTS: Final = ("neutropenia", "thrombocytopenia", "anaemia")
"""The safety events of the three cell lines."""


@dataclass(frozen=True)
class Fact:
    """One key result: what, how much, and what to know about it."""

    name: str
    value: Any
    note: Any = ""


def key_facts(cohort: Cohort, drill: Drill) -> list[Fact]:
    """Return the key results; an empty cohort has one, that nobody entered."""
    if not cohort.n:
        return [
            Fact(
                "Patients",
                "0",
                "No patient entered the study. The figure below shows at which step patients left.",
            )
        ]
    primary = [_primary(cohort, drill, clock) for clock in cohort.clocks[:2]]
    return [
        *_who(cohort, drill),
        *_landmark(cohort, drill),
        *_given(cohort, drill),
        *[fact for fact in primary if fact],
        *_kidney(cohort, drill),
        *_counts(cohort, drill),
        *_lines(cohort, drill),
        *_infections(cohort, drill),
        *_relapses(cohort, drill),
        *_end(cohort, drill),
        *_next_tests(cohort, drill),
    ]


def _link(person: str) -> Markup:
    return Markup('<a href="#p-{}">{}</a>').format(person, person)


def _who(cohort: Cohort, drill: Drill) -> list[Fact]:
    persons, n = cohort.persons, cohort.n
    women = [row for row in persons if row["sex"] == "F"]
    sexed = [row for row in persons if row["sex"] in {"F", "M"}]
    some = persons[: drill.most]
    people = [[_link(row["person_id"]), row["sex"], age(row["age"])] for row in some]
    ages = stats.summary([float(min(r["age"], 90)) if r["age"] >= 0 else math.nan for r in persons])
    note: str = ""
    if ages:
        top = age(int(max(row["age"] for row in persons)))
        mean = statistic("mean", ages.mean, fixed(ages.mean, 1), n=ages.n)
        low = statistic("min", ages.minimum, fixed(ages.minimum), n=ages.n)
        high = statistic("max", ages.maximum, top, n=ages.n)
        middle_age = named(number(ages.median), "median", n=ages.n)
        note = joined("age: mean ", mean, ", median ", middle_age, " (", low, "–", high, ") years")
    sure = facts.storms(cohort)
    storm = [[_link(row["person_id"]), row["storm"]] for row in some]
    open_ = sum(sure[word] for word in facts.STORM_NOT_KNOWN)
    apart = {"definite", facts.NOT_ASSESSED}
    seen = each_counted(((word, k) for word, k in sure.most_common() if word not in apart), n)
    kinds = each_counted(facts.classes(cohort).most_common(), n)
    backgrounds = each_counted(facts.backgrounds(cohort).most_common(), n)
    known = [[_link(row["person_id"]), ", ".join(facts.background(row)), row["class"]]
             for row in some]  # fmt: skip
    return [
        Fact("Patients", drill.people(counted("n", n, of=n), ["patient", "sex", "age"], people, n), note),
        Fact("Women", drill.people(share(len(women), len(sexed), n - len(sexed)), ["patient", "age"],
                                   [[_link(r["person_id"]), age(r["age"])] for r in women[: drill.most]], len(women))),
        Fact("Definite storm", drill.people(share(sure["definite"], n - open_, open_), ["patient", "storm"], storm, n), seen),
        Fact("Background", drill.people(backgrounds, ["patient", "background", "class"], known, n), kinds),
    ]  # fmt: skip


def _landmark(cohort: Cohort, drill: Drill) -> list[Fact]:
    """Return, of each definition, the deaths in hospital among those who met it, others beneath."""
    rule = cohort.result.protocol.landmark
    if rule is None:
        return []
    found: dict[str, list[tuple[str, Any]]] = {}
    checked = landmark.verified_definitions(cohort)
    for cell, people in landmark.known_ends(cohort):
        shown = drill.people(
            share(cell.died, cell.n - cell.unknown, cell.unknown), landmark.HEAD, people
        )
        if cell.n > cell.unknown:
            found.setdefault(cell.criterion, []).append((cell.status, shown))
    facts_ = []
    for name, (first, *others) in found.items():
        note = Markup("; ").join(Markup("{} {}").format(*each) for each in others)
        title = marked(cohort.definition_label(name), verified=checked.get(name, True))
        facts_.append(
            Fact(
                Markup("Died in hospital, {} {}").format(title, first[0]),
                first[1],
                note or f"all patients: {first[0]}",
            )
        )
    return facts_


def _given(cohort: Cohort, drill: Drill) -> list[Fact]:
    before = facts.before(cohort)
    counts = [
        *((labels.drug(drug), {row["person_id"] for row in rows}) for drug, rows in before.items()),
        *(
            (f"not understood: {name}", {*rows})
            for name, rows in facts.unknown_before(cohort).items()
        ),
        *(
            (f"{labels.drug(drug)}, time unknown", people)
            for drug, people in facts.given_sometime(cohort).items()
        ),
    ]
    text = each_counted(((drug, len(people)) for drug, people in counts), cohort.n)
    who = [[drug, ", ".join(sorted(people))] for drug, people in counts]
    when = "Given before t0" if cohort.drug else f"Immunotherapy before {cohort.entered_at}"
    found = [
        Fact(
            when,
            drill.people(text or "none recorded", ["drug", "patients"], who),
            "patients with at least one dose",
        )
    ]
    if not cohort.drug:
        return found
    people = Lines(cohort.persons, lambda row: [_link(row["person_id"]), row["first_route"]])
    routes = tally(row["first_route"] or "unknown" for row in cohort.persons)
    found.append(
        Fact(
            f"First {labels.drug(cohort.drug)}", drill.people(routes, ["patient", "route"], people)
        )
    )
    found += _delay(cohort, drill)
    peaks = {p: facts.exposure(cohort, p) for p in cohort.ids}
    known = [e.peak_per_day for e in peaks.values() if not math.isnan(e.peak_per_day)]
    if known:
        u, top = cohort.unit, max(known)
        reached = sum(math.isclose(peak, top, rel_tol=1e-6) for peak in known)
        each = [[_link(p), number(e.peak_per_h), number(e.peak_per_day)] for p, e in peaks.items()]
        found.append(
            Fact("Highest rate", drill.people(named(number(top, 5), "max", n=len(known)) + f" {u}/day", ["patient", f"{u}/h", f"{u}/day"], each),
                 joined(named(number(top / 24), "max", n=len(known)), f" {u}/h, reached in ", counted("n", reached, of=cohort.n),
                        " of ", counted("N", cohort.n, of=cohort.n), " patients"))
        )  # fmt: skip
    return found


def _delay(cohort: Cohort, drill: Drill) -> list[Fact]:
    """Return how long the storm had been there before the drug; without an onset before it nobody knows."""
    days = {
        row["person_id"]: -cohort.hours(row["person_id"], row["storm_onset"]) / 24
        for row in cohort.persons
        if row["storm_onset"] != UNKNOWN_TIME and row["storm"] in {"definite", "possible"}
    }
    if not days:
        return []
    lines = Lines(days.items(), lambda each: [_link(each[0]), fixed(each[1], 1)])
    value = drill.people(middle(days.values()), ["patient", "days"], lines)
    note = "median (range), from the first moment at which the storm was definite or possible by the draws"
    return [Fact(f"Days from onset to {cohort.zero}", value, note)]


def _primary(cohort: Cohort, drill: Drill, clock: str) -> Fact | None:
    found = facts.primary(cohort, clock)
    rows = [*found.yes, *found.no, *found.unknown]
    if not rows:
        return None
    told = Lines(
        sorted(rows, key=lambda row: str(row["person_id"])),
        lambda row: [
            _link(row["person_id"]),
            facts.primary_answer(cohort, row["response"]),
            facts.ratios(row["reason"]),
            labels.drugs(row["confounded_by"]),
        ],
    )
    confounded = sum(bool(row["confounded_by"]) for row in found.yes)
    notes: list[Any] = [facts.primary_words(cohort)]
    if found.unknown:
        n, yes, missing = len(rows), len(found.yes), len(found.unknown)
        least, most = (
            joined(counted("n", k, level=level, of=n), "/", counted("N", n, level=level, of=n))
            for k, level in ((yes, "at least"), (yes + missing, "at most"))
        )
        gone = counted("N_miss", missing, of=n)
        notes.append(
            joined("no sample, or discharged before, in ", gone, ": between ", least, " and ", most)
        )
    if confounded:
        of = len(found.yes)
        other = counted("n", confounded, level="confounded", of=of)
        these = counted("N", of, level="confounded", of=of)
        notes.append(joined("another treatment could explain it in ", other, " of these ", these))
    if cohort.not_analysed:
        notes.append(f"{len(cohort.not_analysed)} not analysed: treatment began before the records")
    whose = "" if cohort.result.protocol.response.of == "everybody" else " in treated patients"
    word = "Response at 48 h" if cohort.claim == "response" else f"Fall at 48 h{whose}"
    start = f" from {cohort.clock_from(clock)}"
    head = ["patient", "result", "value at 48\u00a0h ÷ baseline", "also given"]
    value = drill.people(share(len(found.yes), found.known), head, told)
    if beside := without_drug.note(cohort, drill):
        notes.append(beside)
    if any(isinstance(each, Markup) for each in notes):
        return Fact(word + start, value, Markup("; ").join(notes))
    return Fact(word + start, value, separated("; ", notes))


def _kidney(cohort: Cohort, drill: Drill) -> list[Fact]:
    for shift in facts.shifts(cohort):
        if shift.event == KIDNEY_INJURY:
            moved = {"new": shift.new, "worse": shift.worse, "present before and not worse": shift.prevalent}  # fmt: skip
            note = each_counted(((word, len(rows)) for word, rows in moved.items()), shift.graded)
            people = Lines(
                shift.any,
                lambda r: [
                    _link(r["person_id"]),
                    f"{r['grade_before']} → {r['grade_after']}".replace("-1", "?"),
                ],
            )
            value = drill.people(
                share(len(shift.any), shift.graded, shift.unknown), ["patient", "stage"], people
            )
            return [
                Fact(
                    f"{labels.heading(labels.event(KIDNEY_INJURY))} ({labels.scale(KIDNEY_INJURY)} ≥ 1)",
                    value,
                    note,
                )
            ]
    return []


def _counts(cohort: Cohort, drill: Drill) -> list[Fact]:
    worse: dict[str, list[str]] = {}
    graded, seen = set(), set()
    for shift in facts.shifts(cohort):
        if shift.event in BLOOD_COUNTS:
            graded |= {r["person_id"] for r in cohort.safety
                       if r["event"] == shift.event and min(r["grade_before"], r["grade_after"]) >= 0}  # fmt: skip
            seen |= {r["person_id"] for r in cohort.safety if r["event"] == shift.event}
            for row in [*shift.new, *shift.worse]:
                worse.setdefault(row["person_id"], []).append(labels.event(row["event"]))
    if not graded:
        return []
    names = [labels.event(event) for event in BLOOD_COUNTS]
    people = Lines(sorted(worse.items()), lambda each: [_link(each[0]), ", ".join(each[1])])
    value = drill.people(
        share(len(worse), len(graded), len(seen - graded)), ["patient", "worse"], people
    )
    return [
        Fact(
            "Blood count worse by a grade or more",
            value,
            f"{', '.join(names[:-1])} or {names[-1]}, {ctcae.version_of(BLOOD_COUNTS[0]).title}",
        )
    ]


def _lines(cohort: Cohort, drill: Drill) -> list[Fact]:
    """Return in how many more than one cell line was low at a time."""
    found = cell_lines.ever(cohort, "several_low")
    if all(said is None for said in found.values()):
        return []
    after = sum(
        said is True for said in cell_lines.answers(cohort, "several_low", "after").values()
    )
    note = f"low within one 24\u00a0h, before or after {cohort.zero}; after it in " + counted(
        "n", after, level="after"
    )
    return [Fact("More than one cell line low", cell_lines.told(drill, found), note)]


def _relapses(cohort: Cohort, drill: Drill) -> list[Fact]:
    """Return who was maintained without a relapse, and who had one."""
    if cohort.result.protocol.relapse is None:
        return []
    found = [row for row in cohort.outcome.values() if row["resolution_time"] != UNKNOWN_TIME]
    back = sum(row["relapse"] == "relapse" for row in found)
    unsure = sum(row["relapse"] in {"uncertain", "unknown"} for row in found)
    ended = len(found)
    note = joined(
        "relapses: ", counted("n", back, level="relapse", of=ended),
        " of the ", counted("N", ended, level="relapse", of=ended), " whose storm was over",
        *((", not known in ", counted("N_miss", unsure, level="relapse", of=ended)) if unsure else ()),
    )  # fmt: skip
    value = cell_lines.told(drill, outcome.maintained(cohort))
    return [Fact("Maintained without a relapse", value, note)]


def _next_tests(cohort: Cohort, drill: Drill) -> list[Fact]:
    """Return in how many of those undetermined by each definition one missing test would have settled it."""
    found = NextTests(cohort)
    told, lines = [], []
    often: Counter[str] = Counter()
    for name in cohort.result.protocol.definitions.report:
        if not (open_ := found.undetermined(name)):
            continue
        label = cohort.definition_label(name)
        people = found.persons(name)
        settled, undetermined = (
            counted("n", len(people), level=label, of=open_),
            counted("N", open_, level=label, of=open_),
        )
        told.append(joined(f"{label} ", settled, " of ", undetermined))
        lines += [(person, label) for person in people]
        often.update({test: len(found.persons(name, test)) for test in found.tests(name)})
    if not told:
        return []
    most = [labels.variable(test) for test, _ in often.most_common(2)]
    note = "of the patients in whom the definition is undetermined"
    if most:
        note += f"; most often {' or '.join(most)}"
    value = drill.people(separated("; ", told), ["patient", "definition"], lines)
    return [Fact("One missing test could have settled", value, note)]


def _infections(cohort: Cohort, drill: Drill) -> list[Fact]:
    """Return who had a new bacterial infection, among those of whom a sample was taken."""
    found = Infections(cohort)
    people = found.persons(BACTERIAL, new=True)
    known = len(found.known(BACTERIAL, new=True))
    if not known:
        return []
    named = found.table.take(found.table["counts_as"] == BACTERIAL)
    lines = (
        [
            [_link(row["person_id"]), hours(row["hours_from_t0"]), row["organism"], row["site"]]
            for row in named.light_rows()
            if row["new_onset"] is True
        ]
        if cohort.n <= PER_PERSON
        else [[who] for who in people]
    )
    head = ["patient", "onset", "organism", "site"] if cohort.n <= PER_PERSON else ["patient"]
    value = drill.people(share(len(people), known, cohort.n - known), head, lines, len(people))
    deaths = [row for row in cohort.outcome.values() if row["died"] is True]
    linked = sum(row["infection_linked"] is True for row in deaths)
    note: str = "by culture"
    if deaths:
        of = len(deaths)
        those = counted("n", linked, level="deaths", of=of), counted("N", of, level="deaths", of=of)
        note = joined("by culture; ", those[0], " of ", those[1], " deaths linked to infection")
    return [Fact(f"New bacterial infection after {cohort.zero}", value, note)]


def _day_of_death(cohort: Cohort, row: Row) -> str:
    day = cohort.hours(row["person_id"], row["death_time"]) / 24
    return UNKNOWN if math.isnan(day) else f"{by_then(row)}{fixed(day, 1)}"


def _end(cohort: Cohort, drill: Drill) -> list[Fact]:
    died, unknown = facts.deaths(cohort)
    rows = Lines(
        died,
        lambda row: [
            _link(row["person_id"]),
            _day_of_death(cohort, row),
            labels.joined(row["cause_of_death"]),
        ],
    )
    known = len(cohort.outcome) - len(unknown)
    days = [row["follow_up_days"] for row in cohort.outcome.values()]
    value = drill.people(share(len(died), known, len(unknown)), ["patient", "day", "cause"], rows)
    lines = Lines(
        cohort.outcome.items(), lambda each: [_link(each[0]), number(each[1]["follow_up_days"])]
    )
    followed = drill.people(middle(days), ["patient", "days"], lines)
    return [Fact("Died", value), Fact("Follow-up, days", followed, "median (range)")]
