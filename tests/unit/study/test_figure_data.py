"""What a report draws and opens: nobody's rows but the cohort's, each leading back to the records."""

from typing import Any

import numpy as np

from becalm import definitions, protocol, vocabulary
from becalm.core.clock import DAY
from becalm.core.frame import Frame
from becalm.definitions import Moments, criteria, evaluate, status
from becalm.measures.criteria_over_time import criteria_over_time
from becalm.patients.understood import Patients
from becalm.study import figure_data, source_rows
from becalm.tables import CRITERIA, CRITERIA_ITEMS, PERSONS
from tests.records import at, chunk, condition, dose, finding, lab, person, study

MAS = protocol.load("anakinra_mas")
PATIENTS = [
    person("other"),
    person("case"),
    condition("mas", 0, person=1),
    dose("anakinra", 0, 20, rate="100 mg/h", person=1),
    dose("methylprednisolone", -24, amount="500 mg", person=1),
    lab("ferritin", 900, -5, person=0),
    lab("ferritin", ">15000", -14 * 24, person=1),
    lab("ferritin", 800, -14 * 24 - 1, person=1),
    lab("ferritin", 700, 30 * 24, person=1),
    lab("ferritin", 600, 30 * 24 + 1, person=1),
    lab("ast", 55, 0, person=1),
    lab("crp", 40, 1, person=1),
]


def of(*rows: Any) -> tuple[Patients, Frame]:
    _, selection = study(MAS, *rows)
    return chunk(*rows), selection.cohort


DRUGS = [drug.name for drug in vocabulary.load().drugs if drug.immunotherapy]


def opened(patients: Patients, cohort: Frame, *shown: Frame) -> list[dict[str, Any]]:
    """The rows behind what some frames show and behind the classes of the cohort."""
    wanted = source_rows.named(((each, "source_row") for each in shown), cohort["person_id"])
    wanted |= {key for rows in cohort["context_rows"] for key in rows.split("|") if key}
    return list(source_rows.wanted_rows(patients, cohort, wanted).rows())


def test_series_reach_from_two_weeks_before_to_thirty_days_after() -> None:
    patients, cohort = of(*PATIENTS)
    drawn = figure_data.series(patients, cohort, ["ferritin", "ast"])
    found = [(row["variable"], row["hours_from_t0"], row["low"]) for row in drawn.rows()]
    assert found == [
        ("ferritin", -336, np.nextafter(15000, 1e9)),
        ("ast", 0, 55),
        ("ferritin", 720, 700),
    ]
    assert set(drawn["person_id"]) == {"case"}
    assert drawn["source_row"].tolist() == ["labs:3", "labs:7", "labs:5"]


def test_dose_steps_and_the_rows_behind_everything() -> None:
    patients, cohort = of(*PATIENTS)
    steps = figure_data.dose_steps(patients, cohort, DRUGS)
    found = {
        row["drug"]: (row["hours_from_t0"], row["end_hours_from_t0"], row["rate"])
        for row in steps.rows()
    }
    assert found["anakinra"] == (0, 20, 100)
    assert found["methylprednisolone"][:2] == (-24, -24)
    drawn = figure_data.series(patients, cohort, ["ferritin"])
    found_behind = opened(patients, cohort, drawn, steps)
    assert {row["person_id"] for row in found_behind} == {"case"}
    said = {(row["label"], row["value"]) for row in found_behind}
    assert {
        ("anakinra", "100 mg/h, IV"),
        ("methylprednisolone", "500 mg, IV"),
        ("ferritin", ">15000"),
    } <= said
    assert set(steps["source_row"]) <= {row["source_row"] for row in found_behind}


def test_the_rows_behind_a_class_are_told_as_recorded() -> None:
    """The diagnosis and the negative search, not the lupus of somebody outside the cohort."""
    patients, cohort = of(
        *PATIENTS,
        condition("lupus", -900, person=1),
        finding("malignancy", "no", -20, method="CT", person=1),
        condition("lupus", -900),
    )
    found = opened(patients, cohort, figure_data.dose_steps(patients, cohort, DRUGS))
    said = [(row["person_id"], row["label"], row["value"]) for row in found]
    assert ("case", "lupus", "confirmed") in said
    assert ("case", "malignancy", "no, CT") in said
    assert sum(label == "lupus" for _, label, _ in said) == 1


def test_what_a_definition_said_over_time_is_what_it_says_at_every_moment() -> None:
    """Stretches end at two weeks before and thirty days after; where nothing was known is none."""
    patients, cohort = of(*PATIENTS)
    inputs = patients.inputs("drawn")
    evaluations = [evaluate(definitions.load(name), inputs) for name in ("hscore", "mas2016")]
    said = list(criteria_over_time(cohort, evaluations).rows())
    assert {row["person_id"] for row in said} == {"case"}
    assert {row["criterion"] for row in said} == {"hscore", "mas2016"}
    t0 = int(cohort["t0"][0])
    assert min(row["start"] for row in said) >= t0 - 14 * DAY
    assert max(row["end"] for row in said) <= t0 + 30 * DAY
    for row in said:
        evaluation = evaluations[row["criterion"] == "mas2016"]
        for moment in (row["start"], row["end"] - 1):
            low, high = evaluation.at([1], [moment])
            assert (row["low"], row["high"]) == (low[0], high[0])
            assert [row["status"]] == status(evaluation.definition, low, high)
    known = sum(row["end"] - row["start"] for row in said if row["criterion"] == "mas2016")
    assert 0 < known < 44 * DAY


def test_missing_counts_days_from_time_zero() -> None:
    """Day 0 is the 24 h before time zero; nothing measured is a 0, not a gap."""
    patients, cohort = of(*PATIENTS, lab("ast", 60, -0.5, person=1), lab("ast", 61, 24, person=1))
    counted = figure_data.missing(patients, cohort, ["ast", "ferritin"])
    days = {(row["variable"], row["day"]): row["n"] for row in counted.rows()}
    assert [days["ast", day] for day in range(4)] == [1, 1, 1, 0]
    assert all(days["ferritin", day] == 0 for day in range(8))


def test_nobody_is_missing_a_test_on_a_day_after_death() -> None:
    """Death at 24 h ends the first day and begins no second; a minute later there is a second."""
    for death, last in ((24.0, 1), (24 + 1 / 60, 2)):
        rows = [person("other"), person("case", death=death), *PATIENTS[2:5]]
        patients, cohort = of(*rows, lab("ast", 60, 1, person=1))
        counted = figure_data.missing(patients, cohort, ["ast"])
        assert counted["day"].tolist() == list(range(last + 1))


def tables(patients: Patients, who: list[bool]) -> tuple[Frame, Frame]:
    inputs = patients.inputs("drawn")
    people = Frame(
        {
            "person_id": patients.records.persons["person_id"],
            "age": np.full(len(who), 44),
            "underlying": np.full(len(who), "", dtype=object),
        }
    )
    totals, items = [], []
    for name in ("hlh2004", "hscore"):
        total, item = criteria(
            evaluate(definitions.load(name), inputs),
            people,
            Moments.peak_only(len(who)),
            modifiers={},
            source_row=lambda _, rows: patients.events.source_texts(rows),
            who=np.array(who),
        )
        totals.append(total)
        items.append(item)
    return Frame.concat(totals), Frame.concat(items)


MISSED = chunk(
    person("b"), person("a"), person("in"), person("c"), person("far"),
    *(lab("ferritin", 9000, 0, person=i) for i in (0, 1, 2)),
    lab("temperature", 40, 0, person=0), lab("ferritin", 100, 0, person=3),
)  # fmt: skip
LEFT = {
    "b": (4, "no storm"), "a": (4, "no storm"), "in": (-1, ""), "c": (4, "no storm"),
    "far": (2, "no drug"),
}  # fmt: skip


def test_nearest_misses_are_those_who_came_furthest_then_highest() -> None:
    nearest = figure_data.nearest_misses(LEFT, *tables(MISSED, [True] * 5))
    assert nearest["person_id"].tolist() == ["b", "a", "c", "far"]
    first = next(iter(nearest.rows()))
    assert (first["reason"], first["criterion"], first["low"]) == ("no storm", "hscore", 50 + 49)
    missing = first["missing"].split("|")
    assert {"cytopenias", "triglycerides", "organomegaly", "immunosuppression"} <= set(missing)
    assert "temperature" not in missing


def test_nobody_missed_when_everybody_is_in_or_nothing_was_assessed() -> None:
    inside = dict.fromkeys(LEFT, (-1, ""))
    assert len(figure_data.nearest_misses(inside, *tables(MISSED, [True] * 5))) == 0
    empty = Frame.of(CRITERIA), Frame.of(CRITERIA_ITEMS)
    assert len(figure_data.nearest_misses(LEFT, *empty)) == 0


def test_an_empty_cohort_draws_nothing() -> None:
    patients, cohort = of(person("a"), lab("ferritin", 900, 0))
    assert len(cohort) == 0
    drawn = figure_data.series(patients, cohort, ["ferritin"])
    steps = figure_data.dose_steps(patients, cohort, DRUGS)
    assert (len(drawn), len(steps)) == (0, 0)
    assert len(figure_data.missing(patients, cohort, ["ferritin"])) == 0
    assert opened(patients, cohort, drawn, steps) == []


def test_variables_are_those_of_the_response_then_of_the_definitions() -> None:
    names = figure_data.variables_of(MAS, [definitions.load("hscore")])
    assert names[: len(MAS.response.variables)] == list(MAS.response.variables)
    assert {"temperature", "hepatomegaly", "wbc"} <= set(names)
    assert len(names) == len(set(names))


def test_infusions_of_persons_outside_the_cohort_are_not_drawn() -> None:
    patients, cohort = of(*PATIENTS, dose("anakinra", 0, amount="100 mg", route="SC"))
    assert set(figure_data.dose_steps(patients, cohort, DRUGS)["person_id"]) == {"case"}
    assert at(0) == cohort["t0"][0]


def test_what_is_missing_is_said_of_everybody_where_nobody_entered() -> None:
    definition = definitions.load("mas2016")
    items = Frame.of_rows(
        CRITERIA_ITEMS,
        [
            {
                "person_id": who,
                "criterion": "mas2016",
                "moment": "peak_ever",
                "item": "fever",
                "state": state,
            }
            for who, state in (("A", "not assessed"), ("B", "met"), ("C", "not assessed"))
        ],
    )
    nobody = Frame.of(PERSONS)
    (said,) = figure_data.consequences(items, nobody, {"mas2016": definition}, "index")
    assert said == "2016 MAS criteria, not assessed: Fever in 2 of 3"
