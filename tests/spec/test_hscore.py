"""HScore: nine items, their boundaries, what is missing, and the probability that the paper prints."""

import pytest

from becalm.core.clock import HOUR
from becalm.definitions import (
    attainable,
    failed_examples,
    load,
    modifier_intervals,
    probability_interval,
)
from becalm.timeline import Intervals
from tests.records.pictures import bounds_of, rows_of
from tests.spec.scoring import check, hours, over_time, points, reported, us

HSCORE = load("hscore")


def worth(item: str, **given: bool | float | str) -> float:
    low, high = points("hscore", **given)[item]
    assert low == high
    return low


@pytest.mark.parametrize(
    ("item", "variable", "value", "expected"),
    [
        ("temperature", "temperature", 38.39, 0),
        ("temperature", "temperature", 38.4, 33),
        ("temperature", "temperature", 39.4, 33),
        ("temperature", "temperature", 39.41, 49),
        ("ferritin", "ferritin", 1999, 0),
        ("ferritin", "ferritin", 2000, 35),
        ("ferritin", "ferritin", 6000, 35),
        ("ferritin", "ferritin", 6001, 50),
        ("triglycerides", "triglycerides", 1.49, 0),
        ("triglycerides", "triglycerides", 1.5, 44),
        ("triglycerides", "triglycerides", 4.0, 44),
        ("triglycerides", "triglycerides", 4.01, 64),
        ("fibrinogen", "fibrinogen", 2.5, 30),
        ("fibrinogen", "fibrinogen", 2.51, 0),
        ("ast", "ast", 29, 0),
        ("ast", "ast", 30, 19),
    ],
)
def test_every_boundary_belongs_to_the_band_that_the_paper_prints(
    item: str, variable: str, value: float, expected: float
) -> None:
    """38.4 and 39.4 °C are worth 33 points, ferritin 2,000 and 6,000 are worth 35, triglycerides of 1.5 and 4.0 mmol/L 44, fibrinogen of 2.5 g/L 30 and AST of 30 U/L 19."""
    assert worth(item, **{variable: value}) == expected


@pytest.mark.parametrize(
    ("mg_dl", "expected"), [(132, 0), (133, 44), (354, 44), (355, 64), (150, 44), (400, 64)]
)
def test_triglycerides_in_mg_dl_are_compared_in_mmol_l(mg_dl: float, expected: float) -> None:
    """A result in mg/dL is divided by 88.57 and rounded to two decimals, as a laboratory prints mmol/L; 354 mg/dL is 4.00 and not above 4.0. A page that prints the edges as 150 and 400 mg/dL has them wrong."""
    assert worth("triglycerides", triglycerides=mg_dl / 88.57) == expected


@pytest.mark.parametrize(
    ("haemoglobin", "wbc", "platelets", "expected"),
    [
        (12.0, 8.0, 300, 0),
        (9.2, 8.0, 300, 0),
        (9.2, 5.0, 300, 24),
        (9.2, 8.0, 110, 24),
        (9.2, 5.0, 110, 34),
        (9.3, 5.1, 111, 0),
    ],
)
def test_one_low_lineage_scores_nothing(
    haemoglobin: float, wbc: float, platelets: float, expected: float
) -> None:
    """Haemoglobin up to 9.2 g/dL, leucocytes up to 5.0 and platelets up to 110 count; none or one lineage is worth 0, two 24, three 34."""
    assert worth("cytopenias", haemoglobin=haemoglobin, wbc=wbc, platelets=platelets) == expected


def test_leucocytes_count_and_neutrophils_do_not() -> None:
    """HScore counts leucocytes; HLH-2004 counts neutrophils."""
    assert "wbc" in HSCORE.variables
    assert "neutrophils" not in HSCORE.variables


def test_lineages_that_were_not_measured_leave_a_range() -> None:
    """With only a low haemoglobin known, one to three lineages are low; with two normal ones the third no longer matters."""
    assert points("hscore", haemoglobin=8.0)["cytopenias"] == (0, 34)
    assert points("hscore", haemoglobin=8.0, wbc=3.0)["cytopenias"] == (24, 34)
    assert points("hscore", haemoglobin=12.0)["cytopenias"] == (0, 24)
    assert points("hscore", haemoglobin=12.0, wbc=8.0)["cytopenias"] == (0, 0)


def test_liver_or_spleen_is_23_and_both_are_38() -> None:
    """An organ that nobody documented is not known: an enlarged spleen alone is worth 23 to 38."""
    assert worth("organomegaly", hepatomegaly=False, splenomegaly=False) == 0
    assert worth("organomegaly", hepatomegaly=True, splenomegaly=False) == 23
    assert worth("organomegaly", hepatomegaly=False, splenomegaly=True) == 23
    assert worth("organomegaly", hepatomegaly=True, splenomegaly=True) == 38
    assert points("hscore", splenomegaly=True)["organomegaly"] == (23, 38)


def test_nothing_known_is_everything_possible() -> None:
    """A patient without a single value has an HScore of 0 to 337, never 0."""
    assert points("hscore")["total"] == (0, 337)


def test_a_censored_ferritin_above_the_highest_edge_is_decided() -> None:
    """Above 15,000 is worth 50 for certain; above 5,000 is worth 35 or 50; below 2,000 nothing."""
    assert points("hscore", ferritin=">15000")["ferritin"] == (50, 50)
    assert points("hscore", ferritin=">5000")["ferritin"] == (35, 50)
    assert points("hscore", ferritin=">6000")["ferritin"] == (50, 50)
    assert points("hscore", ferritin=">=6000")["ferritin"] == (35, 50)
    assert points("hscore", ferritin="<2000")["ferritin"] == (0, 0)
    assert points("hscore", ferritin="<=2000")["ferritin"] == (0, 35)


def test_the_worked_examples_of_the_file_hold() -> None:
    """A published transplant recipient scores the 184 that the authors printed; with the marrow as it was, not examined, 184 to 219."""
    assert failed_examples(HSCORE) == []


CASE = """
    hour | temperature | hepatomegaly | splenomegaly | haemoglobin | wbc | platelets | ferritin | triglycerides | fibrinogen | ast
    0    | 36.7        | 0            | 1            | 10.2        | 8.3 | 90        | 55740    | 2.0           | 2.44       | 2645
"""


def test_a_score_changes_when_something_happens_and_when_something_expires() -> None:
    """Temperature stands for 24 h, counts for 48 h, ferritin, AST and fibrinogen for 72 h, triglycerides for 7 days, organs for 14: what expired is unknown again, and the score widens instead of falling to nothing."""
    check(
        over_time("hscore", CASE, immunosuppressed=True),
        {
            -1: "18..337",
            0: "184..219",
            23.999: "184..219",
            24: "184..268",
            48: "184..302",
            72: "85..302",
            168: "41..322",
            336: "18..337",
        },
    )


def test_the_worst_value_of_the_look_back_counts() -> None:
    """Temperature and ferritin count at their highest, platelets and fibrinogen at their lowest, within the look-back."""
    evaluation = over_time(
        "hscore",
        """
        hour | ferritin | fibrinogen
        0    | 9000     | 1.9
        10   | 1000     | 3.9
        72   |          |
        """,
    )
    check(evaluation, {5: "80..337", 71: "80..337", 72: "0..257", 81: "0..257"})


def test_look_backs_can_be_changed() -> None:
    """Half and double the look-backs are a sensitivity analysis."""
    table = """
        hour | ferritin
        0    | 9000
    """
    check(over_time(HSCORE.scaled_look_backs(0.5), table), {35: "50..337", 36: "0..337"})
    check(over_time(HSCORE.scaled_look_backs(2), table), {143: "50..337", 144: "0..337"})
    check(
        over_time(HSCORE.with_look_backs({"ferritin": "<=24h"}), table),
        {24: "50..337", 24.001: "0..337"},
    )


# The built-in example: the five illustrative patients and the cases that imitate a storm.

EXAMPLE = """
    case             | immunosuppression | temperature | hepatomegaly | splenomegaly | haemophagocytosis | haemoglobin | wbc  | platelets | ferritin | triglycerides | fibrinogen | ast  | hscore
    patient 1        | 1                 | 39.6        | 0            | 1            |                   | 8.1         | 2.3  | 54        | 14200    | 3.4           | 1.6        | 412  | 267..302
    patient 2        | 1                 | 39.1        |              |              |                   | 9.8         | 7.2  | 88        | 18000    | 2.9           | 2.2        | 286  | 194..267
    patient 3        | 1                 | 39.8        | 1            | 1            | 0                 | 9.9         | 18.4 | 132       | 62000    | 2.1           | 1.9        | 188  | 248
    patient 4        | 0                 | 38.9        | 0            | 1            | 1                 | 7.9         | 1.4  | 31        | >40000   | 4.6           | 1.1        | 640  | 288
    patient 5        | 1                 | 39.0        | 1            | 0            |                   | 8.3         | 3.1  | 22        | 31000    |               | 1.3        | 890  | 207..306
    urosepsis        | 0                 | 39.3        | 0            | 0            | 0                 | 10.2        | 21   | 95        | 2900     | 2.0           | 4.8        | 140  | 131
    paracetamol      | 0                 | 37.1        | 0            | 0            | 0                 | 12.0        | 9    | 70        | 28000    | 1.2           | 1.1        | 9800 | 99
    leukaemia        | 1                 | 39.0        | 0            | 1            | 0                 | 7.4         | 1.1  | 18        | 12400    | 2.2           | 1.8        | 60   | 251
    iron, naive      | 0                 | 36.8        | 1            | 0            | 0                 | 14          | 7    | 240       | 4900     | 1.1           | 3.1        | 44   | 77
    iron, suppressed | 1                 | 36.8        | 1            | 0            | 0                 | 14          | 7    | 240       | 4900     | 1.1           | 3.1        | 44   | 95
    CAR-T            | 1                 | 39.8        | 0            | 0            |                   | 8.8         | 0.6  | 62        | 8600     |               | 2.4        | 85   | 200..299
    Still's flare    | 0                 | 39.7        | 0            | 1            | 0                 | 11          | 19   | 410       | 5800     | 1.1           | 6.1        | 40   | 126
"""


@pytest.mark.parametrize("row", rows_of(EXAMPLE), ids=lambda row: row["case"])
def test_the_built_in_example_scores_what_its_values_say(row: dict[str, str]) -> None:
    """Each illustrative patient and each mimic, from the values that describe it; a blank is not known. Haemochromatosis scores 77, and 95 with the immunosuppression that the example also gives it."""
    given = {name: row[name] for name in HSCORE.variables if row[name]}
    assert points("hscore", **given)["total"] == bounds_of(row["hscore"])


def test_triglycerides_drawn_during_propofol_are_marked_and_taken_out_beside_the_score() -> None:
    """Propofol is itself a lipid. The score stands as published, 131 in a urosepsis; beside it stands 87, without the triglycerides drawn while it ran or within a day of its end."""
    evaluation = over_time(
        "hscore",
        """
        hour | temperature | hepatomegaly | splenomegaly | haemophagocytosis | haemoglobin | wbc | platelets | ferritin | triglycerides | fibrinogen | ast
        30   | 39.3        | 0            | 0            | 0                 | 10.2        | 21  | 95        | 2900     | 2.0           | 4.8        | 140
        """,
        immunosuppressed=False,
    )
    propofol = Intervals.build([0], [us(0)], [us(20)])
    modifiers = modifier_intervals({"propofol": propofol}, {})
    totals, items = reported(evaluation, index=40, modifiers=modifiers)
    row = totals["peak_to_index"]
    assert (row["low"], row["high"]) == (131, 131)
    assert (row["low_unmodified"], row["high_unmodified"]) == (87, 87)
    marked = {key[1]: each["modified_by"] for key, each in items.items() if each["modified_by"]}
    assert marked == {"triglycerides": "propofol"}

    long_over = modifier_intervals({"propofol": Intervals.build([0], [us(0)], [us(6)])}, {})
    totals, items = reported(evaluation, index=40, modifiers=long_over)
    assert totals["index"]["low_unmodified"] == 131
    assert items["index", "triglycerides"]["modified_by"] == ""


def test_transfused_platelets_leave_the_other_lineages_in_the_count() -> None:
    """Without a lineage that a transfusion moved, the count goes on with the others."""
    evaluation = over_time(
        "hscore",
        """
        hour | haemoglobin | wbc | platelets
        0    | 8.0         | 2.0 | 60
        """,
    )
    given = {"platelet_concentrate": Intervals.build([0], [-HOUR], [-HOUR + 1])}
    totals, items = reported(evaluation, index=0, modifiers=modifier_intervals(given, {}))
    assert items["index", "cytopenias"]["points_low"] == 34
    assert items["index", "cytopenias"]["modified_by"] == "platelet transfusion"
    assert totals["index"]["low"] - totals["index"]["low_unmodified"] == 10


# The probability that the paper prints, and nothing else.


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 0, "<1 %"),
        (90, 90, "<1 %"),
        (95, 95, "<1–1 %"),
        (120, 120, "5 %"),
        (169, 169, "40–54 %"),
        (170, 170, "54 %"),
        (184, 184, "70–80 %"),
        (184, 219, "70–96 %"),
        (245, 245, "99–>99 %"),
        (250, 250, ">99 %"),
        (337, 337, ">99 %"),
        (0, 337, "<1–>99 %"),
    ],
)
def test_the_probability_is_the_printed_interval(low: float, high: float, expected: str) -> None:
    """At a printed total the printed number; between two of them both; up to 90 "<1 %", from 250 ">99 %"."""
    assert probability_interval(low, high, HSCORE.probability) == expected


def test_no_formula_in_circulation_is_used() -> None:
    """Formulas found in calculators give 17 % at 90, 12 % at 120, 25, 50 or 68 % at 169, and 96 % at 250; the table gives under 1, 5, 40 to 54 and over 99."""
    printed = {
        total: probability_interval(total, total, HSCORE.probability)
        for total in (90, 120, 169, 250)
    }
    assert printed == {90: "<1 %", 120: "5 %", 169: "40–54 %", 250: ">99 %"}


UNATTAINABLE = {
    *range(1, 18), *range(20, 23), *range(25, 30), 31, 32, 36, 39, 40, 45, 46, 55,
    295, 305, 310, *range(313, 317), 320, *range(323, 327), *range(328, 337),
}  # fmt: skip


def test_54_totals_cannot_be_reached() -> None:
    """A total found in a note that no combination of items gives was added up wrongly; an abstract that reports scores up to 363 exceeds the greatest of 337."""
    found = {total for total in range(338) if not attainable(HSCORE, total)}
    assert found == UNATTAINABLE
    assert len(found) == 54
    assert not attainable(HSCORE, 363)
    assert not attainable(HSCORE, 338)


# Errors found in public calculators, which must not be repeated.


def test_not_the_calculators_error_of_points_for_one_lineage() -> None:
    """A public calculator gives 24 points for one low lineage and 34 for two."""
    assert worth("cytopenias", haemoglobin=8.0, wbc=8.0, platelets=300) == 0
    assert worth("cytopenias", haemoglobin=8.0, wbc=3.0, platelets=300) == 24


def test_not_the_calculators_error_of_strict_cytopenia_limits() -> None:
    """A public calculator asks for leucocytes below 4 and strict inequalities: it misses leucocytes of 4 to 5 and every equality."""
    assert worth("cytopenias", haemoglobin=9.2, wbc=4.5, platelets=110) == 34


def test_not_the_calculators_error_of_a_high_edge_at_355() -> None:
    """A public calculator gives 64 points only from 355 mg/dL, so that 354.8, which is 4.01 mmol/L, loses 20."""
    assert worth("triglycerides", triglycerides=354.8 / 88.57) == 64


def test_not_the_calculators_error_of_scoring_a_missing_value_as_zero() -> None:
    """Most calculators add nothing for what was not measured; here it is named and the score is a range."""
    evaluation = over_time(
        "hscore",
        """
        hour | ferritin
        0    | 9000
        """,
    )
    totals, items = reported(evaluation, index=1)
    assert (totals["index"]["low"], totals["index"]["high"]) == (50, 337)
    assert totals["index"]["status"] == "undetermined"
    assert (totals["index"]["items_assessed"], totals["index"]["items_total"]) == (1, 9)
    assert items["index", "ast"]["state"] == "not assessed"


def test_not_the_calculators_error_of_dropping_a_measured_zero() -> None:
    """A calculator that treats 0 as an empty field loses leucocytes of 0.0, the lowest there is."""
    assert worth("cytopenias", haemoglobin=8.0, wbc=0.0, platelets=300) == 24


def test_not_the_calculators_error_of_an_extra_triglyceride_band() -> None:
    """A public calculator invents a band above 442.8 mg/dL; there is one above 4 mmol/L."""
    assert (
        worth("triglycerides", triglycerides=4.1) == worth("triglycerides", triglycerides=40) == 64
    )


def test_not_the_reprints_error_of_ast_above_30() -> None:
    """A reprint of the table says AST above 30; the paper's 30 counts."""
    assert worth("ast", ast=30) == 19


def test_the_peak_is_the_highest_lowest_total_the_earliest_on_ties() -> None:
    """The peak is where the most is certain, at the first moment it is."""
    evaluation = over_time(
        "hscore",
        """
        hour | ferritin | ast
        0    | 3000     |
        10   | 9000     |
        20   |          | 10
        30   |          | 50
        90   | 9000     |
        """,
    )
    totals, _ = reported(evaluation, index=25)
    assert hours(totals["peak_to_index"]["time"]) == 10
    assert totals["peak_to_index"]["low"] == 50
    assert hours(totals["peak_ever"]["time"]) == 30
    assert totals["peak_ever"]["low"] == 69
