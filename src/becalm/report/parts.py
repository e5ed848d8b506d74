"""The sections of the page, in the order in which a reader asks: who, what was given, what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from becalm.core import stats
from becalm.measures import fever
from becalm.report import (
    agreement,
    counts,
    landmark,
    sensitivity,
    serial,
    table_one,
    tables,
    treatment,
)
from becalm.report.cohort import ROW_EACH, Cohort
from becalm.report.drill import Drill
from becalm.report.figures import course
from becalm.report.tables import PageTable
from becalm.report.text import label, words
from becalm.report.theme import Figure
from becalm.study.result import PER_PERSON


@dataclass(frozen=True)
class Section:
    """A section of the page: an introduction, figures and tables, in this order."""

    id: str
    title: str
    intro: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    tables: Sequence[PageTable] = ()
    folded: Sequence[PageTable] = field(default=())


def _fig(figures: Mapping[str, Figure], *names: str) -> list[Figure]:
    return [figures[name] for name in names if name in figures]


def sections(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> list[Section | None]:
    """Return the sections; those that the study has nothing for are None."""
    nearest = tables.nearest(cohort, drill)
    flow = Section(
        "flow", "Who was studied",
        ["Nobody entered the study."] if not cohort.n else [],
        _fig(figures, "attrition"), [_named(nearest, "Nearest misses")] if nearest else [],
        [_named(counts.attrition(cohort, drill), "Who left at each step")],
    )  # fmt: skip
    if not cohort.n:
        return [flow, _missing(cohort, drill, figures)]
    return [
        flow,
        _patients(cohort, drill),
        _landmark(cohort, drill, figures),
        _treatment(cohort, drill, figures),
        _course(cohort, drill, figures),
        _serial(cohort, drill),
        _change(cohort, drill, figures),
        _criteria(cohort, drill, figures),
        _agreement(cohort, drill, figures),
        _safety(cohort, drill, figures),
        _outcome(cohort, drill),
        _prognosis(cohort, drill),
        _missing(cohort, drill, figures),
    ]


def _each(cohort: Cohort) -> bool:
    """Whether the long tables list every patient."""
    return cohort.n <= PER_PERSON


def _patients(cohort: Cohort, drill: Drill) -> Section:
    if cohort.n <= ROW_EACH:
        first = [_named(table_one.each_patient(cohort, drill), "Table 1. Every patient")]
        return Section("patients", "Patients", [], [], first, [])
    first = [_named(table_one.summary(cohort, drill), f"Table 1. The {cohort.n:,} patients")]
    listed = []
    if _each(cohort):
        listed = [_named(table_one.persons(cohort, drill), "Every patient, one line each")]
    return Section("patients", "Patients", [], [], first, listed)


def _treatment(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section:
    treated = bool(cohort.drug)
    given = [
        _named(
            treatment.prior(cohort, drill),
            f"Immunotherapies before {'t0' if treated else 'the index'}",
        ),
        _named(treatment.given(cohort, drill), "Every immunotherapy that was given, with its rows"),
    ]
    if treated:
        given += [
            _named(tables.episodes(cohort, drill), f"Treatment episodes with {label(cohort.drug)}"),
            _named(treatment.courses(cohort, drill), "How the infusion was stepped"),
            _named(
                treatment.escalations(cohort, drill),
                "Escalation: each step up, and what was worse in the 24 h before",
            ),
            _named(treatment.escalations(cohort, drill, "down"), "De-escalation: each step down"),
            _named(treatment.at_dose(cohort, drill), "Time at or above a dose"),
        ]
    odd = treatment.oddities(cohort, drill)
    given.append(_named(odd, "Remarks about rows of doses: said beside them, none dropped for it"))
    nothing = [] if cohort.steps else ["No dose of an immunotherapy is recorded around time zero."]
    return Section(
        "treatment", "Treatment", nothing, _fig(figures, "swimmer", "dose", "escalation"), [],
        [t for t in given if t and _each(cohort)],
    )  # fmt: skip


def _course(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section:
    measured = set(cohort.result.frames["series"].coded("variable").texts.tolist())
    shown = [name for name in course.shown(cohort) if name in measured]
    listed = []
    if len(cohort.described) <= PER_PERSON:
        drawn = tables.drawn(cohort, drill, shown)
        caption = f"The {len(drawn.rows):,} values drawn, with the rows behind them"
        listed = [_named(drawn, caption)] if drawn else []
    return Section(
        "course", landmark.course_title(cohort), landmark.course_words(cohort, drill),
        _fig(figures, "course_t0", "course_infusion_start"), [], listed,
    )  # fmt: skip


def _change(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    if not cohort.described:
        return None
    claim = "Response" if cohort.claim == "response" else "Course against baseline"
    intro = [
        "What else was given (confounded by) and what moved a test by itself (modified by) stand beside "
        "each result; neither changes it."
    ]
    if cohort.claim != "response":
        intro.append("This protocol describes a course; it claims no effect of any drug.")
    falls = _named(tables.falls(cohort, drill), "Ferritin: how far it had fallen at 48 h")
    long = []
    if len(cohort.described) <= PER_PERSON:
        for clock in cohort.clocks:
            which = f" ({clock})" if cohort.drug else ""
            caption = f"Every test against baseline, from {cohort.clock_name(clock)}{which}"
            long.append(_named(tables.response(cohort, drill, clock), caption))
    return Section(
        "change", claim, intro, _fig(figures, "waterfall"), [falls] if falls else [],
        [table for table in long if table],
    )  # fmt: skip


def _criteria(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section:
    names = cohort.result.protocol.definitions.report
    varied = _named(
        sensitivity.look_backs(cohort, drill),
        "How long a value counts: look-backs halved and doubled",
    )
    folded = []
    if _each(cohort):
        folded = [_named(tables.definitions(cohort, drill), "Totals at index, at peak and ever")]
        folded += [
            _named(tables.items(cohort, drill, name), f"{label(name)}: the value behind every item")
            for name in names
        ]
    return Section(
        "criteria", "Criteria met",
        ["A definition is met when its lowest possible total reaches the cut-off, not met when its "
         "highest cannot; otherwise undetermined. Unknown is never counted as no."],
        _fig(figures, *[f"criteria_{name}" for name in names]), [varied] if varied else [],
        [table for table in folded if table],
    )  # fmt: skip


def _safety(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section:
    harms = []
    if cohort.n > ROW_EACH:
        moved = counts.shifts(cohort, drill)
        harms.append(_named(moved, "How grades moved, patients counted"))
    if _each(cohort):
        events = tables.safety(cohort, drill)
        harms.append(_named(events, "Every event: grade before, worst after, onset"))
    return Section(
        "safety", "Safety", [], _fig(figures, "safety"), [], [table for table in harms if table]
    )


def _outcome(cohort: Cohort, drill: Drill) -> Section | None:
    if not _each(cohort):
        return None
    ends = [_named(tables.outcome(cohort, drill), "How it ended")]
    few = cohort.n <= ROW_EACH
    return Section("outcome", "Outcome", [], [], ends if few else [], [] if few else ends)


def _serial(cohort: Cohort, drill: Drill) -> Section:
    """Return fever as hours, and what rose and fell over a day or two."""
    bound = f"{fever.rule().at_least:.1f} °C"
    days = _named(serial.fever_by_day(cohort, drill), "Fever by day from time zero, median (range)")
    many = cohort.n > ROW_EACH
    listed = []
    if _each(cohort):
        each, moved = serial.fever(cohort, drill), serial.changes(cohort, drill)
        caption = f"What rose and fell over 24 and 48 h, {cohort.moment_text}"
        listed = [
            _named(each, "Every 24 h of every patient; day 1 is the first from time zero"),
            _named(moved, caption),
        ]
    return Section(
        "serial", "Fever and change over days",
        [f"Hours at {bound} or more in each 24 h. A temperature stands until the next, or until it expires; "
         "hours that nothing is known of are neither febrile nor afebrile.",
         "What changed over one and two days are features to look at, not a score: nothing is added up."],
        [], [days] if many and days else [], [t for t in (*([] if many else [days]), *listed) if t],
    )  # fmt: skip


def _prognosis(cohort: Cohort, drill: Drill) -> Section | None:
    """Return ferritin beside who died, where anybody has one."""
    each, groups = serial.prognosis(cohort, drill), serial.by_outcome(cohort, drill)
    if not each:
        return None
    few = len(each.rows) < stats.AUC_FROM
    words = (
        f"With fewer than {stats.AUC_FROM} patients this is description only: no test, no area under a curve."
        if few
        else "An area of a half tells nothing; of values printed as a limit it has a least and a most."
    )
    listed = _named(each, "Ferritin and outcome of every patient")
    named = _named(groups, "Ferritin by outcome, median (range)")
    return Section(
        "ferritin", "Ferritin and death",
        [words, "Day 3 is known only of those who lived to it, which by itself makes survivors look better."],
        [], [named], [listed] if cohort.n <= PER_PERSON else [],
    )  # fmt: skip


def _landmark(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    """Return hospital deaths by what each definition said at the landmark."""
    rule, table = cohort.result.protocol.landmark, landmark.deaths(cohort, drill)
    if rule is None or table is None:
        return None
    after, horizon = landmark.spaced(rule.after), landmark.days(rule.horizon)
    return Section(
        "landmark", "Deaths in hospital by definition",
        [f"Of the {cohort.n} alive and in hospital {after} after admission: what each definition said by the "
         f"tests drawn until then, and how their stay stood {horizon} after admission. Discharge alive competes with death in "
         "hospital: who went home counts as not having died there. Undetermined is not \"not met\": too "
         "little was measured to say. No definition is claimed to cause anything."],
        _fig(figures, "landmark"), [_named(table, f"How the stay stood {horizon} after admission")], [],
    )  # fmt: skip


def _agreement(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    """Return what the definitions say side by side, where a protocol reports more than one."""
    if len(cohort.result.protocol.definitions.report) < 2:
        return None
    many = ROW_EACH < cohort.n <= PER_PERSON
    each = _named(agreement.side_by_side(cohort, drill), "Who met which definition, and since when")
    missing = agreement.decisive(cohort, drill)
    shown = [_named(agreement.agreed(cohort, drill), "Agreement of each pair")]
    if missing:
        shown.append(_named(missing, "What one missing test would have decided"))
    return Section(
        "agreement", "Definitions side by side",
        ["Agreement is counted where both definitions are decided; whoever is undetermined by one is "
         "counted beside it. A missing test decides alone if the definition is met or not met after "
         "every result it can have, everything else staying unknown."],
        _fig(figures, "standing", "agreement"), shown if many else [each, *shown],
        [each] if many else [],
    )  # fmt: skip


def _missing(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section:
    result = cohort.result
    absent = PageTable(
        ["Not in these records", "What cannot be known without it"],
        [[part.table, part.consequence] for part in result.absent],
    )
    refused = tables.refused(cohort)
    rows = int(result.tables["rows_refused"]["rows"].sum())
    refused = _named(refused, f"Rows that were not used, and why ({rows:,} rows)")
    short = len(refused.rows) <= 12
    shown = [_named(absent, "Tables that the records do not have"), *([refused] if short else [])]
    folded = []
    if cohort.n <= PER_PERSON:
        counted = counts.counted(cohort, drill)
        folded = [_named(counted, "What was measured on which day, patients counted")]
    return Section(
        "missing", "What is missing", consequences(result.consequences), _fig(figures, "missing"),
        [table for table in shown if table], [t for t in (*folded, *([] if short else [refused])) if t],
    )  # fmt: skip


def consequences(given: Sequence[str]) -> list[str]:
    """Return what was not assessed, one line a definition: `HScore: marrow not assessed in 3 of 5`."""
    found: dict[str, list[str]] = {}
    for line in given:
        about, _, rest = line.partition(": ")
        found.setdefault(words(about), []).append(words(rest))
    return [f"{about}: {'; '.join(rest)}." if any(rest) else about for about, rest in found.items()]


def _named(table: PageTable, caption: str) -> PageTable:
    return PageTable(table.head, table.rows, table.groups, caption, table.ids, table.kind)
