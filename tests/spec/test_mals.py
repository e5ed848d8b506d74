"""Sepsis with features of macrophage activation: liver and coagulation, HScore, ferritin."""

import pytest

from becalm.definitions import evaluate, load
from becalm.timeline import Intervals
from tests.spec.scoring import chart, over_time, points, reported

YES, NO, OPEN = (1.0, 1.0), (0.0, 0.0), (0.0, 1.0)
DIC = {"platelets": 40, "d_dimer_uln": 12, "pt_prolongation": 4, "fibrinogen": 2.0}
LIVER = {"bilirubin": 2.6, "ast_uln": 2.0}


@pytest.mark.parametrize(
    ("variable", "item", "values"),
    [
        ("platelets", "platelets", {100: 0, 99: 1, 50: 1, 49: 2}),
        ("d_dimer_uln", "d_dimer", {1.0: 0, 1.1: 2, 9.9: 2, 10.0: 3}),
        ("pt_prolongation", "pt", {-1.0: 0, 2.9: 0, 3.0: 1, 5.9: 1, 6.0: 2}),
        ("fibrinogen", "fibrinogen", {1.0: 0, 0.99: 1}),
    ],
)
def test_coagulation_by_isth(variable: str, item: str, values: dict[float, float]) -> None:
    """Platelets below 50 are 2 points and below 100 one; D-dimer beyond the laboratory's own limit 2 and from ten times it 3; prothrombin time 3 s beyond its limit 1 and 6 s 2; fibrinogen below 1 g/L 1. The multiples of D-dimer are a convention."""
    for value, expected in values.items():
        assert points("isth_dic", **{variable: value})[item] == (expected, expected)
    assert not load("isth_dic").verified


def test_liver_and_coagulation_at_once() -> None:
    """Bilirubin above 2.5 mg/dL with AST at least twice its limit, and ISTH 5 or more."""
    assert points("hbd_dic", **LIVER, **DIC)["total"] == YES
    assert points("hbd_dic", **(LIVER | {"bilirubin": 2.5}), **DIC)["total"] == NO
    assert points("hbd_dic", **(LIVER | {"ast_uln": 1.99}), **DIC)["total"] == NO
    assert (
        points("hbd_dic", **LIVER, **(DIC | {"platelets": 200, "pt_prolongation": 0}))["total"]
        == NO
    )
    assert points("hbd_dic", **LIVER)["total"] == OPEN


def test_a_positive_hscore_or_liver_with_coagulation() -> None:
    """Either is enough; it is denied only when neither can be reached any more."""
    assert points("mals", **LIVER, **DIC)["total"] == YES
    storm = {
        "immunosuppression": True, "temperature": 39.5, "hepatomegaly": True, "splenomegaly": True,
        "ferritin": 9000, "triglycerides": 3.0, "ast": 80,
    }  # fmt: skip
    assert points("mals", **storm, bilirubin=0.8)["total"] == YES
    assert points("mals", bilirubin=0.8)["total"] == OPEN
    calm = {
        "temperature": 37, "hepatomegaly": False, "splenomegaly": False, "haemoglobin": 12, "wbc": 9,
        "platelets": 300, "ferritin": 300, "triglycerides": 1,
    }  # fmt: skip
    assert points("mals", **calm, bilirubin=0.8)["total"] == NO


def test_ferritin_stands_beside_the_rule() -> None:
    """Above 4,420 ng/mL is an item that is shown and decides nothing; alone it is a definition of its own."""
    found = points("mals", ferritin=4421, bilirubin=0.8)
    assert (found["ferritin"], found["total"]) == (YES, OPEN)
    assert points("mals_ferritin", ferritin=4420)["total"] == NO
    assert points("mals_ferritin", ferritin=4421)["total"] == YES


def test_the_item_is_the_total_of_the_other_definition() -> None:
    """The row of the HScore item shows that total, the rows it rests on, and what moved them; HScore itself is worked out once for both."""
    inputs = chart("hour | ferritin | temperature | triglycerides\n 0 | 9000 | 39.5 | 3.0")
    mals, hscore = evaluate(load("mals"), inputs), evaluate(load("hscore"), inputs)
    _, items = reported(mals, index=0)
    row = items["index", "hscore"]
    assert (row["value"], row["censored"]) == (143, "value>=")
    assert (row["state"], row["points_low"], row["points_high"]) == ("not assessed", 0, 1)
    assert len(row["source_row"].split("|")) == 3
    [item] = [each for each in mals.definition.items if each.key == "hscore"]
    assert mals.value(item) is hscore.total


def test_what_moved_a_value_reaches_the_definitions_that_refer_to_it() -> None:
    """Triglycerides drawn during propofol are taken out of HScore, and out of what counts HScore."""
    evaluation = over_time(
        "mals", "hour | ferritin | temperature | triglycerides\n 0 | 9000 | 39.5 | 3"
    )
    propofol = {"triglycerides": [("propofol", Intervals.build([0], [-1], [10]))]}
    _, items = reported(evaluation, index=0, modifiers=propofol)
    assert items["index", "hscore"]["modified_by"] == "propofol"
