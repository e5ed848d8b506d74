"""What the definitions would have said with other look-backs."""

import numpy as np
import pytest

from becalm import protocol
from becalm.core.clock import HOUR, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.definitions import Moments, evaluate, load
from becalm.measures.look_backs import FACTORS, look_backs
from becalm.patients.understood import Patients
from tests.records import at, chunk, finding, lab, person

NAMES = ("hscore", "hlh2004", "mas2016")
PATIENTS: Patients = chunk(
    person("outside"),
    person("case"),
    person("bare"),
    lab("ferritin", 9000, -50, person=1),
    lab("temperature", 39.5, -30, person=1),
    lab("ast", 80, -1, person=1),
    lab("ast", 20, 30, person=1),  # after the index
    lab("platelets", 50, -20, person=1),
    finding("splenomegaly", "yes", -20 * 24, person=1),
    lab("ferritin", 9000, -1, person=0),
)
COHORT = Frame(
    {
        "person": np.array([1, 2], np.int32),
        "person_id": np.array(["case", "bare"], object),
    }
)
MOMENTS = Moments(np.array([UNKNOWN_TIME, at(0), at(0)]), 14 * 24 * HOUR)


def varied(moment: str) -> dict[tuple[str, str, float], tuple[float, float, str]]:
    definitions = [load(name) for name in NAMES]
    said = look_backs(COHORT, PATIENTS.inputs("drawn"), definitions, MOMENTS, moment)  # type: ignore[arg-type]
    return {
        (row["person_id"], row["criterion"], row["factor"]): (
            row["low"],
            row["high"],
            row["status"],
        )
        for row in said.rows()
    }


def test_half_forgets_and_double_remembers() -> None:
    """A ferritin of 50 h ago counts for 72 h, not for 36; a fever of 30 h ago for 48 h, not for 24."""
    said = varied("index")
    low, high, status = said["case", "hscore", 0.5]
    assert (low, high, status) == (0 + 19, 337, "undetermined")
    low, *_ = said["case", "hscore", 2.0]
    assert low == 50 + 49 + 19 + 23  # ferritin, fever, AST, and a spleen of 20 days ago


@pytest.mark.parametrize("moment", ["index", "peak_to_index"])
def test_what_lies_after_the_index_or_outside_the_cohort_changes_nothing(moment: str) -> None:
    """The same as the changed definition evaluated on everything."""
    said = varied(moment)
    assert {who for who, *_ in said} == {"case", "bare"}
    assert len(said) == 2 * len(NAMES) * len(FACTORS)
    for (who, name, factor), (low, high, _) in said.items():
        evaluation = evaluate(load(name).scaled_look_backs(factor), PATIENTS.inputs("drawn"))
        code = 1 if who == "case" else 2
        hours = [0.0] if moment == "index" else np.arange(-336, 0.01, 0.5).tolist()
        every = [evaluation.at([code], [at(hour)]) for hour in hours]
        best = max(every, key=lambda pair: pair[0][0])
        assert low == best[0][0]
        if moment == "index":
            assert high == best[1][0]


def test_an_empty_cohort_has_no_rows() -> None:
    nobody = COHORT.take(np.array([], np.intp))
    definitions = [load("hscore")]
    assert len(look_backs(nobody, PATIENTS.inputs("drawn"), definitions, MOMENTS, "index")) == 0


def test_a_protocol_shows_a_treated_storm_at_its_peak_and_others_at_the_index() -> None:
    assert protocol.load("anakinra_mas").moment == "peak_to_index"
    assert protocol.load("hyperinflammation").moment == "index"
