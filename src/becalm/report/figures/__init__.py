"""The report's figures, one file each; `draw_all` draws those that the study has data for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from becalm.report import theme
from becalm.report.cohort import Cohort
from becalm.report.figures import (
    agreement,
    attrition,
    course,
    criteria,
    crowd,
    dose,
    escalation,
    landmark,
    missing,
    safety,
    standing,
    swimmer,
    waterfall,
)
from becalm.report.sections import landmark as landmark_words
from becalm.report.text import heading, label
from becalm.report.theme import Figure
from becalm.report.vega import Spec
from becalm.study.result import PER_PERSON


def specs(cohort: Cohort) -> Iterator[tuple[str, str, str, Spec]]:
    """Yield name, title, caption and specification of every chart that has something to show."""
    treated = bool(cohort.drug)
    zero = f"{cohort.zero} (t0)" if treated else cohort.zero
    found: list[tuple[str, str, str, Spec | None]] = []
    for name in cohort.result.protocol.definitions.report:
        found.append(
            (
                f"criteria_{name}",
                f"{label(name)}: items met, not met and not assessed",
                "Read as the figure before."
                if found
                else f"{cohort.moment_text.capitalize()}. Blue: met, with the points it gives; grey: not met; "
                "white and crossed: not assessed, with the points it could give. An asterisk marks an "
                "item that something else moved. Right: the lowest and highest total possible given "
                "what is unknown; dashed: cut-off.",
                criteria.spec(cohort, name),
            )
        )
    found.append(
        (
            "standing",
            "Which definitions were met when",
            (
                "A lane a definition: full height and dark where it was met, lower and paler where what "
                "is missing decides, low and grey where it was not met, empty where nothing was known. "
                "Beneath: "
                if cohort.n <= course.EACH
                else ""
            )
            + "patients counted every 6 h, those of whom nothing was known left out.",
            standing.spec(cohort),
        )
    )
    found.append(
        (
            "agreement",
            "Agreement of the definitions",
            "Patients in whom both definitions are decided: those in whom they say the same, of all; "
            "κ: Cohen's kappa, where it is defined. The darker, the more agree.",
            agreement.spec(cohort),
        )
    )
    found.append(
        (
            "swimmer",
            "Treatment and follow-up" if treated else "Immunotherapies given and follow-up",
            (
                f"Height of the {cohort.drug} lane: rate in {cohort.unit}/h; ▼ single dose (any route). "
                if treated
                else ""
            )
            + (
                "Ticks: single doses of other immunotherapies, drawn through where at most 36 h apart. "
                if cohort.n <= 10
                else "A line a patient, shortest follow-up first; marks: doses of immunotherapies. "
            )
            + "◇ discharge, ✖ death, ▶ beyond what is drawn.",
            swimmer.spec(cohort),
        )
    )
    found.append(
        (
            "dose",
            f"{heading(cohort.drug)} as given: dose timeline",
            f"Heights share one scale a row. ▼ single dose; a bar: the {cohort.unit} of 24 hours from t0, "
            "? rate or amount not known. Beneath: other immunotherapies, ticks single doses.",
            dose.spec(cohort),
        )
    )
    found.append(
        (
            "escalation",
            f"Escalation of the {cohort.drug} infusion, all patients from t0",
            "A rate holds until it is changed; 0: not running."
            + (
                f" Lines at the same rate in {cohort.unit}/h are drawn just apart. Weight: the one in force."
                if cohort.n <= 10
                else " A line a patient. Weight: the one in force."
            ),
            escalation.spec(cohort),
        )
    )
    clocks = [c for c in ("t0", "infusion_start") if c in cohort.clocks] or ["t0"]
    if not treated:
        clocks = ["t0"]
    for clock in clocks if cohort.n else []:
        other = (
            " Solid line: this clock; dashed: the other one."
            if len(clocks) > 1 and len(cohort.described) <= course.EACH
            else ""
        )
        many = (
            ""
            if len(cohort.described) <= course.EACH
            else " Grey: a patient each; black: median of the patients' last values of each day, "
            "where five or more have one."
        )
        found.append(
            (
                f"course_{clock}",
                f"{landmark_words.course_title(cohort)} from {cohort.clock_name(clock)}{f' ({clock})' if treated else ''}",
                f"{_logs(cohort)}Arrows: the laboratory printed only a bound "
                f"(above or below).{other}{many}"
                + (
                    f" Beneath: {cohort.drug} in {cohort.unit}/h, ▼ single doses."
                    if treated
                    else ""
                ),
                course.spec(cohort, clock),
            )
        )
    found.append(
        (
            "landmark",
            "Deaths in hospital by what each definition said at the landmark",
            "Point: died in hospital, of those whose end is known; line: exact 95 % interval; beside "
            "it, deaths of patients. Undetermined: too little was measured to say met or not met. A status that nobody has is not drawn.",
            landmark.spec(cohort),
        )
    )
    found.append(
        (
            "waterfall",
            f"Ferritin {'response' if cohort.claim == 'response' else 'course'}: change from baseline",
            "Nearest value in the window of each horizon against the last value before the clock. "
            "Blue: fell; orange: did not fall. Arrows: a bound, the true change lies beyond. "
            + ("" if cohort.claim == "response" else "No effect of any drug is claimed."),
            waterfall.spec(cohort),
        )
    )
    found.append(
        (
            "safety",
            f"Safety: shift from before {zero} to worst after",
            "Kidney injury in KDIGO stages by creatinine, the others in CTCAE v5 grades. "
            + (
                "○ before, arrowhead worst after; red: worse, blue: better; ◉ unchanged; ■ after only."
                if cohort.n <= 10
                else "Patients counted; ? not graded."
            ),
            safety.spec(cohort),
        )
    )
    found.append(
        (
            "missing",
            "What was measured, day by day",
            f"Day 0: the 24 h before {zero}; day 1: the first 24 h after. "
            + (
                "The darker, the more values (1, 2–3, 4 or more); dot: none; blank: no longer followed."
                if cohort.n <= 10
                else "Percentage of the patients still followed with at least one value."
            ),
            missing.spec(cohort),
        )
    )
    for name, title, caption, spec in found:
        if spec is not None:
            kind = next((kind for kind in crowd.CAPTIONS if name.startswith(kind)), "")
            said = crowd.CAPTIONS[kind] if cohort.n > PER_PERSON and kind else caption
            yield name, title, said, spec


def _logs(cohort: Cohort) -> str:
    """Say which variables are drawn on log scales: `Ferritin, AST and CRP on log scales. `."""
    names = [label(name) for name in course.shown(cohort) if name in course.LOG]
    if not names:
        return ""
    text = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    return f"{text[:1].upper()}{text[1:]} on log scales. "


def draw_all(cohort: Cohort, drawn: Callable[[Figure], None] = lambda _: None) -> dict[str, Figure]:
    """Draw every figure, by name; each is told to `drawn` as soon as it is ready."""
    found: dict[str, Figure] = {}
    for figure in _figures(cohort):
        found[figure.name] = figure
        drawn(figure)
    return found


def _figures(cohort: Cohort) -> Iterator[Figure]:
    yield Figure(
        "attrition",
        "From everyone in the records to the cohort",
        "Persons, stays and rows (measurements and administrations) left after each step.",
        attrition.draw(cohort),
    )
    for name, title, caption, spec in specs(cohort):
        yield Figure(name, title, caption, theme.draw(spec))
