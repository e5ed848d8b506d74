"""The 2016 criteria for macrophage activation syndrome in systemic juvenile arthritis."""

import pytest

from becalm.definitions import derived_in, failed_examples, load
from tests.spec.scoring import over_time, people, points, reported

MAS = load("mas2016")
Bounds = tuple[float, float]
YES: Bounds = (1, 1)
NO: Bounds = (0, 0)
OPEN: Bounds = (0, 1)


def met(**given: bool | float | str) -> Bounds:
    return points("mas2016", **given)["total"]


def test_fever_ferritin_and_two_of_four() -> None:
    """A febrile patient with ferritin above 684 and two of platelets up to 181, AST above 48, triglycerides above 156 mg/dL, fibrinogen up to 360 mg/dL."""
    assert met(temperature=38.0, ferritin=685, platelets=181, ast=49) == YES
    assert met(temperature=38.0, ferritin=685, platelets=181, fibrinogen=3.6) == YES
    assert met(temperature=38.0, ferritin=685, triglycerides=1.77, ast=49) == YES
    assert met(temperature=37.9, ferritin=685, platelets=181, ast=49) == NO
    assert met(temperature=38.0, ferritin=684, platelets=181, ast=49) == NO
    assert (
        met(temperature=38, ferritin=685, platelets=181, ast=48, triglycerides=1.7, fibrinogen=3.7)
        == NO
    )


@pytest.mark.parametrize(
    ("item", "variable", "value", "expected"),
    [
        ("ferritin", "ferritin", 684, 0),
        ("ferritin", "ferritin", 685, 1),
        ("platelets", "platelets", 181, 1),
        ("platelets", "platelets", 182, 0),
        ("ast", "ast", 48, 0),
        ("ast", "ast", 49, 1),
        ("triglycerides", "triglycerides", 156 / 88.57, 0),
        ("triglycerides", "triglycerides", 157 / 88.57, 1),
        ("fibrinogen", "fibrinogen", 360 / 100, 1),
        ("fibrinogen", "fibrinogen", 361 / 100, 0),
    ],
)
def test_boundaries(item: str, variable: str, value: float, expected: float) -> None:
    """684, 48 and 156 mg/dL do not count; 181 and 360 mg/dL do."""
    assert points("mas2016", **{variable: value})[item] == (expected, expected)


def test_normal_platelets_and_fibrinogen_count() -> None:
    """Platelets of 170 and fibrinogen of 3.4 g/L are within the usual normal range and count all the same: in Still's disease both should be high."""
    assert met(temperature=39, ferritin=9000, platelets=170, fibrinogen=3.4) == YES


def test_fibrinogen_of_a_trusted_page_is_in_other_units() -> None:
    """A trusted page prints fibrinogen up to 10.58 g/L, which is µmol/L: 5 g/L does not count."""
    assert points("mas2016", fibrinogen=5.0)["fibrinogen"] == NO


def test_what_was_not_measured_leaves_it_open_only_when_it_could_decide() -> None:
    """Without a ferritin nothing can be met; without fever nothing else matters; two of four known decide, one known does not."""
    assert met(temperature=39, platelets=100, ast=90) == OPEN
    assert met(temperature=37, platelets=100) == NO
    assert met(temperature=39, ferritin=9000, platelets=100) == OPEN
    assert met(temperature=39, ferritin=9000, platelets=400, ast=20, fibrinogen=5) == NO
    assert met() == OPEN


def test_septic_patients_meet_it_and_are_labelled_as_outside_its_population() -> None:
    """A urosepsis with fever, ferritin 2,900, platelets 95 and AST 140 meets the rule; it was made for systemic juvenile arthritis, and the row says so."""
    evaluation = over_time(
        "mas2016",
        """
        hour | temperature | ferritin | platelets | ast
        0    | 39.3        | 2900     | 95        | 140
        """,
    )
    totals, _ = reported(evaluation, index=1, persons=people(underlying=["sepsis"]))
    assert totals["index"]["status"] == "met"
    assert totals["index"]["in_derivation_population"] is False


def test_liver_failure_without_fever_does_not_meet_it() -> None:
    """Paracetamol liver failure: ferritin 28,000, AST 9,800, platelets 70, fibrinogen 1.1, but 37.1 °C."""
    assert met(temperature=37.1, ferritin=28000, ast=9800, platelets=70, fibrinogen=1.1) == NO


def test_a_flare_without_falling_counts_does_not_meet_it() -> None:
    """Still's flare: fever and ferritin 5,800, platelets 410, AST 40, triglycerides 1.1, fibrinogen 6.1."""
    still = met(
        temperature=39.7, ferritin=5800, platelets=410, ast=40, triglycerides=1.1, fibrinogen=6.1
    )
    assert still == NO


def test_the_number_of_the_fever_is_ours_and_marked() -> None:
    """The criteria say febrile without a number. 38.0 °C is becalm's proposal, and every result that rests on it carries the mark."""
    [fever] = [item for item in MAS.items if item.key == "fever"]
    assert fever.at_least == 38.0
    assert fever.source.startswith("becalm proposal")
    assert not MAS.verified
    totals, _ = reported(over_time("mas2016", "hour | ferritin\n 0 | 900"), index=0)
    assert totals["index"]["verified"] is False


def test_the_population_is_known_outside_or_unknown() -> None:
    """True with systemic juvenile arthritis, false with another known disease, unknown without any; HScore asks for adults, HLH-2004 for patients below 18."""
    ages = [12, 44, -1]
    diseases = ["sjia|sle", "aosd", ""]
    assert derived_in(MAS.derivation, ages, diseases) == [True, False, None]
    assert derived_in(load("hscore").derivation, ages, diseases) == [False, True, None]
    assert derived_in(load("hlh2004").derivation, ages, diseases) == [True, False, None]


def test_the_worked_examples_of_the_file_hold() -> None:
    """Two of four with the others unknown, one of four with none left, no ferritin, no fever."""
    assert failed_examples(MAS) == []
