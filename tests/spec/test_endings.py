"""When an infusion ended whose end nobody wrote, and what rests on that."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from becalm.doses import daily_dose, rebuild
from becalm.events import harmonise
from becalm.records.sheets import open_sheets
from becalm.vocabulary import row_statuses
from tests.records import V, at, chunk, condition, dose, entered, hours, infusion, person, stay
from tests.records.chart_review import write
from tests.spec.dosing import column, courses, doses_of, mg, rates
from tests.spec.test_escalations import course_of

SPELLED = row_statuses.spelled("doses.status")


def ends(table: str, **known: object) -> list[tuple[float | None, str]]:
    """End in hours of each row, and why it is assumed."""
    doses = doses_of(table, **known)  # type: ignore[arg-type]
    return [
        (hours(end), reason)
        for end, reason in zip(
            doses.frame["end"].tolist(), column(doses, "end_assumed"), strict=True
        )
    ]


OPEN = """
    start | end | rate
    0     |     | 25 mg/h
"""


@pytest.mark.parametrize(
    ("known", "end"),
    [
        ({}, (72, "limit of the drug")),
        ({"stay": (-5, 500)}, (72, "limit of the drug")),
        ({"stay": (-5, 40)}, (40, "end of the stay")),
        ({"stay": (-5, 72)}, (72, "end of the stay")),
        ({"stay": (-5, 40), "death": 30}, (30, "death")),
        ({"stay": (-5, 40), "death": 40}, (40, "death")),
        ({"death": 100}, (72, "limit of the drug")),
        ({"stay": (-50, -5)}, (72, "limit of the drug")),
    ],
)
def test_a_rate_without_an_end_ends_with_the_first_of_stay_death_and_limit(
    known: dict[str, object], end: tuple[float, str]
) -> None:
    """A rate of anakinra whose end nobody wrote holds for 72 hours, or until its stay or the patient's life ended before; the table says which."""
    assert ends(OPEN, **known) == [end]


@pytest.mark.parametrize(
    ("later", "end"),
    [
        ("12 | | IV | | 50 mg/h", (12, "")),
        ("12 | | IV | | 0 mg/h", (12, "")),
        ("12 | 14 | IV | 100 mg |", (12, "")),
        ("12 | | SC | 100 mg |", (12, "")),
        ("12 | | | | 50 mg/h", (12, "")),
        ("72 | | IV | | 50 mg/h", (72, "")),
        ("73 | | IV | | 50 mg/h", (72, "limit of the drug")),
        ("12 | | IV | 100 mg |", (72, "limit of the drug")),
        ("12 | | | 100 mg |", (72, "limit of the drug")),
        ("12 | | ophthalmic | 1 mg |", (72, "limit of the drug")),
    ],
)
def test_the_next_row_of_the_drug_ends_a_rate(later: str, end: tuple[float, str]) -> None:
    """Another rate, a bag, or a dose by another route ends it and leaves nothing to assume; a bolus into the vein runs beside it, and eye drops are another matter."""
    table = f"""
        start | end | route | amount | rate
        0     |     | IV    |        | 25 mg/h
        {later}
    """
    assert ends(table)[0] == end


@pytest.mark.parametrize(
    ("named", "stays", "end"),
    [
        ("", [(-5, 60, "hospital"), (-2, 20, "icu")], 60),
        ("icu", [(-5, 60, "hospital"), (-2, 20, "icu")], 20),
        ("hospital", [(-5, 60, "hospital"), (-2, 20, "icu")], 60),
        ("another", [(-5, 60, "hospital"), (-2, 20, "icu")], 60),
        ("", [(-5, 20, "icu"), (20, 60, "ward")], 20),
        ("ward", [(-5, 20, "icu"), (20, 60, "ward")], 60),
        ("", [(-5, 1, "ed"), (1, 60, "hospital")], 1),
        ("hospital", [(-5, 1, "ed"), (1, 60, "hospital")], 60),
        ("before", [(-50, -1, "before"), (-1, 60, "hospital")], 60),
        ("", [(-5, 0, "ed"), (0, 60, "icu")], 60),
        ("", [(-5, None, "hospital"), (-2, 20, "icu")], 20),
        ("a", [(-5, 20, "a"), (-5, 60, "a")], 60),
    ],
)
def test_an_infusion_ends_with_the_stay_in_which_it_was_charted(
    named: str, stays: list[tuple[float, float | None, str]], end: float
) -> None:
    """It is the stay that the row names, which may begin a little later, else the longest around it: intensive care within a stay passes its infusion on, and a stay that follows is another one."""
    rows = [stay(start, over, name) for start, over, name in stays]
    row = dose("anakinra", 0, rate="25 mg/h", stay_id=named)
    assert chunk(person(), *rows, row).doses.frame["end"].tolist() == [at(end)]


@pytest.mark.parametrize("rate", ["25 mg/h", "0 mg/h", "999 mg/h", "2 mg/kg/h", "1 hub/h", ""])
@pytest.mark.parametrize("route", ["IV", "SC", ""])
def test_a_row_that_says_stopped_stops_whatever_its_rate_says(rate: str, route: str) -> None:
    """The row of a stop often repeats the last rate, in any unit or none: nothing runs from there."""
    doses = doses_of(
        [
            {"start": 0, "rate": "25 mg/h", "route": "IV"},
            {"start": 10, "route": route, "status": "stopped", **({"rate": rate} if rate else {})},
        ],
        stay=(-5, 50),
    )
    assert rates(doses, [0, 9.9, 10, 20]) == {0: 25, 9.9: 25, 10: None, 20: None}
    assert mg(doses) == 250
    assert not doses.refused
    assert courses(doses).episodes["cumulative_mg"].tolist() == [250]
    assert column(doses, "end_assumed") == ["", ""]
    assert column(doses, "flag")[1].startswith("stopped: no rate runs from here")


@pytest.mark.parametrize(
    "word", ["stopped", "Stopped", *(w for w, name in SPELLED.items() if name == "stopped")]
)
def test_a_chart_may_say_stopped_in_several_words(word: str, tmp_path: Path) -> None:
    """Words for a stop are read in the status of a sheet's row, and its other cells do not matter, not even text or a number without a unit."""
    for cells in ("25,mg/h", ",", "off,", "25,", "1.234,hub/h"):
        folder = tmp_path / cells.replace("/", "_")
        write(
            folder,
            persons="person_id,sex,age\nP1,F,44\n",
            doses="person_id,drug,route,start,end,rate,rate_unit,status\n"
            f"P1,anakinra,IV,2020-01-01T00:00,,25,mg/h,\nP1,anakinra,,2020-01-01T10:00,,{cells},{word}\n",
        )
        [records] = open_sheets(folder).chunks()
        doses = rebuild(records, harmonise(records, V), V)
        assert (mg(doses), doses.refused) == (250, ()), cells


def test_what_ran_until_it_was_stopped_was_given() -> None:
    """A row with a start and an end that says stopped is an infusion that ran in between."""
    doses = doses_of([{"start": 0, "end": 6, "rate": "25 mg/h", "status": "stopped"}])
    assert mg(doses) == 150
    assert column(doses, "flag") == [""]


@pytest.mark.parametrize(
    ("drug", "rate", "route", "end"),
    [
        ("norepinephrine", "1 mg/h", "IV", 24),
        ("propofol", "100 mg/h", "IV", 12),
        ("heparin", "1000 units/h", "IV", 24),
        ("anakinra", "2400 mg/day", "IV", 72),
        ("anakinra", "100 mg/day", "SC", 28 * 24),
        ("prednisone", "60 mg/day", "oral", 28 * 24),
        ("prednisone", "60 mg/day", "", 28 * 24),
        ("dexamethasone", "1 mg/h", "IV", 72),
        ("Zyxomabine", "1 mg/h", "IV", 72),
    ],
)
def test_each_drug_has_its_limit(drug: str, rate: str, route: str, end: float) -> None:
    """A vasopressor that nobody charts for a day is not running any more; a dose per day by mouth is written once for many days."""
    doses = doses_of([{"start": 0, "drug": drug, "rate": rate, "route": route}], weight_kg=70)
    assert [hours(end) for end in doses.frame["end"].tolist()] == [end]


def test_what_rests_on_an_assumed_end_is_marked_in_days_and_episodes() -> None:
    """Of the dose of each day and of each episode the table says how much rests on an assumed end."""
    table = """
        start | end | rate
        0     | 12  | 50 mg/h
        12    |     | 25 mg/h
    """
    doses = doses_of(table, stay=(-5, 36))
    days = daily_dose(doses, ["anakinra"])
    assert days["amount_canonical"].tolist() == [600 + 300, 300]
    assert days["assumed_end_canonical"].tolist() == [300, 300]
    [episode] = courses(doses).episodes.rows()
    assert (episode["cumulative_canonical"], episode["assumed_end_canonical"]) == (1200, 600)
    closed = doses_of(table + "36 | | 0 mg/h", stay=(-5, 36))
    assert daily_dose(closed, ["anakinra"])["assumed_end_canonical"].tolist() == [0, 0]


def test_a_course_says_whether_an_end_in_it_is_assumed() -> None:
    """The course of an infusion whose last end nobody wrote is marked, that of one that was stopped is not."""
    table = """
        start | end | drug     | mg_h
        0     | 30  | anakinra | 25
        30    |     | anakinra | 50
    """
    assert course_of(table)["any_end_assumed"] is True
    assert course_of(table + "        40 | | anakinra | 0\n")["any_end_assumed"] is False


@pytest.mark.parametrize(
    ("rows", "marked"),
    [
        ((infusion(0, 10),), False),
        ((dose("anakinra", 0, rate="25 mg/h"),), True),
        ((dose("anakinra", 0, rate="25 mg/h"), dose("anakinra", 10, rate="0 mg/h")), False),
        ((infusion(0, 2), dose("anakinra", 2, rate="25 mg/h")), True),
        ((infusion(0, 6), dose("anakinra", 6, rate="25 mg/h")), False),
        ((infusion(0, 5.9), dose("anakinra", 5.9, rate="25 mg/h")), True),
        ((dose("anakinra", 0, rate="25 mg/h"), infusion(200, 210)), True),
    ],
)
def test_entry_by_an_assumed_end_is_marked(rows: tuple[object, ...], marked: bool) -> None:
    """Who enters by six hours of infusion of which nobody wrote the end is marked; six written hours need no assumption."""
    row = entered("anakinra_mas", person(), stay(-5, 300), condition("MAS", -1), *rows)  # type: ignore[arg-type]
    assert row["entry_end_assumed"] is marked


@given(
    st.lists(
        st.tuples(st.integers(1, 90), st.sampled_from([0, 10, 25, 50])), min_size=1, max_size=6
    ),
    st.none() | st.integers(1, 200),
    st.none() | st.integers(1, 200),
)
def test_rates_charted_at_their_changes_hold_until_the_first_that_ends_them(
    changes: list[tuple[int, int]], discharge: int | None, death: int | None
) -> None:
    """Whatever the changes, the dose is the sum of each rate over the hours until the next row, discharge, death or the drug's limit."""
    start, rows = 0, []
    for pause, rate in changes:
        rows.append((start, rate))
        start += pause
    doses = doses_of(
        [{"start": hour, "rate": f"{rate} mg/h"} for hour, rate in rows],
        stay=None if discharge is None else (-5, discharge),
        death=death,
    )
    total = 0.0
    assumed = 0.0
    for n, (hour, rate) in enumerate(rows):
        moments = [(hour + 72, True)]
        if discharge is not None and hour < discharge:
            moments.append((discharge, True))
        if death is not None:
            moments.append((max(death, hour), True))
        if n + 1 < len(rows):
            moments.append((rows[n + 1][0], False))
        end = min(moment for moment, _ in moments)
        given_mg = rate * (end - hour)
        total += given_mg
        if (end, False) not in moments:
            assumed += given_mg
    assert mg(doses) == pytest.approx(total)
    part = doses.assumed_flow("anakinra").integrate(
        np.array([0]), np.array([at(-1)]), np.array([at(9999)])
    )[0]
    assert part.tolist() == pytest.approx([assumed])
