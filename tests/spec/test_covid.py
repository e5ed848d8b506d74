"""COVID-19: hyperinflammation by COV-HI, cHIS and the Temple criteria."""

import pytest

from becalm.definitions import Case, load, score_of
from tests.spec.scoring import check, over_time, points, reported

YES, NO, OPEN = (1.0, 1.0), (0.0, 0.0), (0.0, 1.0)


def course(name: str, item: str, **given: object) -> tuple[float, float]:
    case: Case = given  # type: ignore[assignment]
    return score_of(load(name), case)[item]


# ------------------------------------------------------------ COV-HI


def test_not_the_news_pages_error_of_crp_and_ferritin() -> None:
    """CRP or ferritin or doubling: one news page words it as CRP and ferritin, and would miss most."""
    assert points("cov_hi", crp=40, ferritin=1501)["total"] == YES
    assert points("cov_hi", crp=151, ferritin=100)["total"] == YES
    assert points("cov_hi", crp=40, ferritin=1500)["total"] == NO


def test_doubling_counts_from_above_50_and_within_24_hours() -> None:
    """From 60 to 130 mg/L in 24 h it doubled; from 45 it did not count, although 130 is nearly three times as much; 119 from 60 is no doubling, 120 is."""
    assert course("cov_hi", "crp_doubling", crp=((0, 60), (24, 130))) == YES
    assert course("cov_hi", "crp_doubling", crp=((0, 45), (24, 130))) == NO
    assert course("cov_hi", "crp_doubling", crp=((0, 50), (24, 130))) == NO
    assert course("cov_hi", "crp_doubling", crp=((0, 60), (12, 119))) == NO
    assert course("cov_hi", "crp_doubling", crp=((0, 60), (12, 120))) == YES


def test_a_value_between_does_not_hide_a_doubling() -> None:
    """40, then 60, then 130 within a day: the rise from 40 does not count, that from 60 does."""
    assert course("cov_hi", "crp_doubling", crp=((0, 40), (8, 60), (20, 130))) == YES
    assert course("cov_hi", "crp_doubling", crp=((0, 60), (8, 90), (20, 130))) == YES


def test_one_crp_alone_can_only_deny_a_doubling() -> None:
    """Nobody can have doubled from above 50 to 100 mg/L or less; from 101 on it is open, because no one drew before."""
    assert course("cov_hi", "crp_doubling", crp=100) == NO
    assert course("cov_hi", "crp_doubling", crp=101) == OPEN
    assert course("cov_hi", "crp_doubling", crp=((0, 60), (25, 130))) == OPEN


def test_a_doubling_shows_both_rows() -> None:
    """The value of the item is the multiple, and it names the draw and the one it is compared with."""
    evaluation = over_time("cov_hi", "hour | crp\n 0 | 60\n 20 | 135\n 30 | 90")
    _, items = reported(evaluation, index=20)
    row = items["index", "crp_doubling"]
    assert (row["value"], row["unit"], row["source_row"]) == (2.25, "", "crp:2|crp:1")
    _, later = reported(evaluation, index=30)  # 60 lies 30 h back, and from 135 it fell
    row = later["index", "crp_doubling"]
    assert (row["value"], row["state"]) == (1, "not met")
    check(evaluation, {19: "0..1", 20: 1, 43: "0..1"})


# ------------------------------------------------------------ cHIS


@pytest.mark.parametrize(
    ("item", "given", "expected"),
    [
        ("fever", {"temperature": 38.0}, NO),
        ("fever", {"temperature": 38.1}, YES),
        ("ferritin", {"ferritin": 700}, YES),
        ("ferritin", {"ferritin": 699}, NO),
        ("haematological", {"neutrophils": 10, "lymphocytes": 1}, YES),
        ("haematological", {"neutrophils_percent": 91, "lymphocytes_percent": 9.1}, YES),
        ("haematological", {"haemoglobin": 9.2, "platelets": 110}, YES),
        ("haematological", {"haemoglobin": 9.2, "platelets": 111}, OPEN),
        ("coagulopathy", {"d_dimer": 1.5}, YES),
        ("coagulopathy", {"d_dimer": 1.49}, NO),
        ("hepatic", {"ldh": 400}, YES),
        ("hepatic", {"ldh": 399, "ast": 99}, NO),
        ("hepatic", {"ast": 100}, YES),
        ("cytokinaemia", {"il6": 15}, YES),
        ("cytokinaemia", {"triglycerides": 150}, YES),
        ("cytokinaemia", {"crp": 15}, YES),
        ("cytokinaemia", {"crp": 14.9, "il6": 14, "triglycerides": 149}, NO),
    ],
)
def test_six_domains(item: str, given: dict[str, float], expected: tuple[float, float]) -> None:
    """Fever above 38.0 °C; ferritin from 700; neutrophils over lymphocytes from 10, or haemoglobin up to 9.2 with platelets up to 110; D-dimer from 1.5 µg/mL; LDH from 400 or AST from 100; CRP from 15 mg/dL, IL-6 from 15 pg/mL or triglycerides from 150 mg/dL."""
    assert points("chis", **given)[item] == expected


def test_not_the_tenfold_error_of_crp_in_mg_per_l() -> None:
    """15 mg/L of a record is 1.5 mg/dL and does not count; 150 mg/L does. The same for Temple: 46 mg/L is its 4.6 mg/dL."""
    for name, item, below, above in (
        ("chis", "cytokinaemia", 15, 150),
        ("temple", "crp", 46, 46.1),
    ):
        for value, state in ((below, "not met"), (above, "met")):
            table = f"hour | crp | il6 | triglycerides\n 0 | {value} | 1 | 1.0"
            _, items = reported(over_time(name, table), index=0)
            assert items["index", item]["state"] == state, (name, value)


def test_nothing_of_it_was_compared_with_its_table() -> None:
    """Only the six domains were read: every number is marked, and so is every row."""
    assert not any(item.verified for item in load("chis").items)
    assert (load("chis").maximum, load("chis").cut_off) == (6, 2)


# ------------------------------------------------------------ Temple

ENTRY = {"ground_glass": True, "ferritin": 251, "crp": 4.7}


@pytest.mark.parametrize(
    "first", [{"albumin": 2.7}, {"lymphocytes_percent": 10.1}, {"neutrophils": 11.5}]
)
@pytest.mark.parametrize(
    "second", [{"alt": 61}, {"ast": 88}, {"d_dimer": 4931}, {"ldh": 417}, {"troponin_i": 1.1}]
)
@pytest.mark.parametrize(
    "third",
    [
        {"anion_gap": 6.7},
        {"chloride": 107},
        {"potassium": 5.0},
        {"urea_nitrogen": 29.1, "creatinine": 1},
    ],
)
def test_the_entry_and_one_of_each_cluster(
    first: dict[str, float], second: dict[str, float], third: dict[str, float]
) -> None:
    """Ground-glass opacities, ferritin above 250 and CRP above 4.6 mg/dL; then one of albumin, lymphocytes, neutrophils; one of ALT, AST, D-dimer, LDH, troponin; one of anion gap, chloride, potassium, urea nitrogen over creatinine."""
    assert points("temple", **ENTRY, **first, **second, **third)["total"] == YES
    assert points("temple", **ENTRY, **first, **second)["total"] == OPEN


def test_no_edge_of_it_counts() -> None:
    """Every threshold is a strict one."""
    edges = {
        "albumin": 2.8, "lymphocytes_percent": 10.2, "neutrophils": 11.4, "alt": 60, "ast": 87,
        "d_dimer": 4930, "ldh": 416, "troponin_i": 1.09, "anion_gap": 6.8, "chloride": 106,
        "potassium": 4.9, "urea_nitrogen": 29, "creatinine": 1.0, "ferritin": 250, "crp": 4.6,
    }  # fmt: skip
    found = points("temple", ground_glass=True, **edges)
    assert {name for name, value in found.items() if value != NO} == {"ground_glass"}


def test_the_d_dimer_is_read_as_feu_and_marked() -> None:
    """4,930 ng/mL without saying of what: read as fibrinogen-equivalent units, 4.93 µg/mL, and marked."""
    table = "hour | d_dimer\n 0 | {}"
    for value, state in ((4.93, "not met"), (4.94, "met")):
        _, items = reported(over_time("temple", table.format(value)), index=0)
        assert items["index", "d_dimer"]["state"] == state
    assert not load("temple").verified
