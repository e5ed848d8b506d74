"""What is judged stands beside what is computed: agreement, consensus, and the definitions against it.

The tables are compared with a plain count of persons, and the range of the undetermined with all that they could be.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm import protocol
from becalm.measures.judgements import MEASURES, settled, two_by_three
from becalm.records import open_records
from becalm.study.result import StudyResult
from becalm.study.run import run
from tests.records import Row, lab, person, sheets

HEAD = "person_id,reviewer,question,answer,confidence,time,comment\n"


def plain(measure: str, pairs: list[tuple[str, str]]) -> tuple[int, int]:
    """Count k and n of a measure, as its name says."""
    decided = [pair for pair in pairs if pair[1] != "undetermined"]
    of = {
        "sensitivity": (0, "yes"),
        "specificity": (0, "no"),
        "ppv": (1, "met"),
        "npv": (1, "not met"),
    }
    side, word = of[measure]
    counted = [pair for pair in decided if pair[side] == word]
    right = {("yes", "met"), ("no", "not met")}
    return sum(pair in right for pair in counted), len(counted)


def possible(pairs: list[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """Yield what the undetermined could turn out to be, all of it."""
    ways = [[status] if status != "undetermined" else ["met", "not met"] for _, status in pairs]
    for statuses in product(*ways):
        yield [(judged, status) for (judged, _), status in zip(pairs, statuses, strict=True)]


PAIRS = st.lists(
    st.tuples(st.sampled_from(["yes", "no"]), st.sampled_from(["met", "not met", "undetermined"])),
    max_size=7,
)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(PAIRS)
def test_every_measure_is_a_plain_count_and_its_range_is_all_that_could_be(
    pairs: list[tuple[str, str]],
) -> None:
    """Sensitivity, specificity and both predictive values are counts of persons; the undetermined give each a range."""
    found = two_by_three(pairs)
    for name, how in MEASURES.items():
        each = how(found)
        assert (each.right, each.counted) == plain(name, pairs), name
        shares = [k / n for one in possible(pairs) for k, n in [plain(name, one)] if n]
        if not shares:
            assert each.lowest[1] == each.highest[1] == 0
        else:
            ends = each.lowest[0] / each.lowest[1], each.highest[0] / each.highest[1]
            assert ends == pytest.approx((min(shares), max(shares))), name


def test_the_measures_of_a_published_example() -> None:
    """344 liver scans against pathology: Altman and Bland, BMJ 1994;308:1552 and 309:102, to the digits printed there."""
    scans = (
        [("yes", "met")] * 231
        + [("no", "met")] * 32
        + [("yes", "not met")] * 27
        + [("no", "not met")] * 54
    )
    found = {name: how(two_by_three(scans)) for name, how in MEASURES.items()}
    assert {name: round(each.right / each.counted, 2) for name, each in found.items()} == {
        "sensitivity": 0.90, "specificity": 0.63, "ppv": 0.88, "npv": 0.67,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"A": "yes"}, ("yes", "one reviewer")),
        ({"A": "yes", "B": "yes"}, ("yes", "all reviewers agree")),
        ({"A": "yes", "B": "no"}, ("cannot tell", "reviewers disagree")),
        ({"A": "yes", "B": "cannot tell"}, ("cannot tell", "reviewers disagree")),
        ({"A": "yes", "B": "yes", "C": "no"}, ("cannot tell", "reviewers disagree")),
        ({"A": "yes", "B": "no", "Consensus": "no"}, ("no", "consensus")),
        ({"A": "yes", "B": "yes", "consensus": "cannot tell"}, ("cannot tell", "consensus")),
    ],
)
def test_a_judgement_is_the_consensus_or_what_all_said(
    answers: dict[str, str], expected: tuple[str, str]
) -> None:
    """The consensus counts; without one, what all reviewers said alike; else nothing is settled."""
    assert settled(answers) == expected


def studied(
    folder: Path, judgements: str, persons: int = 4, more: Sequence[Row] = ()
) -> StudyResult:
    """Run a study of persons with the same storm, each once, and what was judged of them."""
    rows = list(more)
    for number in range(1, persons + 1):
        who = f"P{number}"
        hot = {"ferritin": 9000 if number % 2 else 600, "temperature": 39.5, "haemoglobin": 7}
        rows.append(person(who))
        rows += [lab(name, value, 0, person=who) for name, value in hot.items()]
    records = sheets(folder, *rows)
    (records / "judgements.csv").write_text(HEAD + judgements, encoding="utf-8")
    return run(open_records(str(records)), protocol.load("hyperinflammation"), "records")


def test_nothing_judged_leaves_every_result_as_it_is(tmp_path: Path) -> None:
    """And no judgement changes a computed table, but those that show what was judged."""
    without = studied(tmp_path / "a", "")
    judged = studied(tmp_path / "b", "P1,A,storm_active,no,,,\nP1,A,attribution,drug,,,\n")
    own = {"judgements", "judged", "judgement_agreement", "definition_accuracy"}
    for name in own:
        assert len(without.tables[name]) == 0
    for name, frame in judged.tables.items():
        if name not in own | {"safety"}:
            assert repr(list(frame.rows())) == repr(list(without.tables[name].rows())), name
    attributed = set(
        zip(
            judged.tables["safety"]["person_id"].tolist(),
            judged.tables["safety"]["attribution"].tolist(),
            strict=True,
        )
    )
    assert {who for who, said in attributed if said == "drug"} == {"P1"}


def test_agreement_counts_the_persons_whom_both_answered(tmp_path: Path) -> None:
    """Two reviewers are compared in the persons whom both answered, and in nobody else."""
    said = "".join(
        f"P{number},{reviewer},storm_active,{answer},,,\n"
        for reviewer, answers in (
            ("B", ["yes", "no", "no"]),
            ("A", ["yes", "no", "cannot tell", "no"]),
        )
        for number, answer in enumerate(answers, 1)
    )
    (row,) = (
        studied(tmp_path, said + "P1,consensus,storm_active,yes,,,\n")
        .tables["judgement_agreement"]
        .rows()
    )
    assert (row["reviewer_a"], row["reviewer_b"], row["answered_by_both"], row["agreed"]) == (
        "A",
        "B",
        3,
        2,
    )
    assert (row["decided"], row["decided_agreed"], row["decided_kappa"]) == (2, 2, 1.0)
    # observed 2/3; by chance 1/3·1/3 (yes) + 1/3·2/3 (no) = 1/3; (2/3 − 1/3) / (1 − 1/3) = 1/2
    assert row["kappa"] == pytest.approx(0.5)
    assert math.isnan(row["kappa_low"])  # too few for the interval of a large sample
    assert row["kappa_is"] == "computed"


def test_where_a_reviewer_has_one_answer_for_everybody_there_is_no_kappa(tmp_path: Path) -> None:
    """Kappa says nothing where a reviewer gave everybody one answer, even if both agree in all."""
    said = "".join(f"P{n},{who},relapse,no,,,\n" for n in (1, 2) for who in "AB")
    (row,) = studied(tmp_path, said).tables["judgement_agreement"].rows()
    assert (row["agreed"], row["answered_by_both"], row["agreed_percent"]) == (2, 2, 100.0)
    assert math.isnan(row["kappa"])
    assert row["kappa_is"] == "one reviewer gave everybody the same answer"


def test_the_interval_of_kappa_is_given_from_thirty_persons_on(tmp_path: Path) -> None:
    """Below thirty persons kappa has no interval."""
    for persons, given_ in ((29, False), (30, True)):
        said = "".join(
            f"P{n},A,relapse,{'yes' if n % 2 else 'no'},,,\nP{n},B,relapse,{'yes' if n % 3 else 'no'},,,\n"
            for n in range(1, persons + 1)
        )
        result = studied(tmp_path / str(persons), said, persons)
        (row,) = result.tables["judgement_agreement"].rows()
        assert math.isfinite(row["kappa_high"]) == given_


def test_definitions_are_counted_against_the_judgement(tmp_path: Path) -> None:
    """P1 was judged yes, P2 no, P3 cannot tell, P4 by nobody; P5 has no ferritin, so no definition is assessed."""
    said = "P1,A,storm_active,yes,,,\nP2,A,storm_active,no,,,\nP3,A,storm_active,cannot tell,,,\n"
    rows = [person("P5"), lab("temperature", 39, 0, person="P5")]
    result = studied(tmp_path, said + "P5,A,storm_active,no,,,\n", 4, rows)
    of_hscore = [
        row
        for name in ("criteria", "definition_accuracy")
        for row in result.tables[name].rows()
        if row["criterion"] == "hscore" and row["moment"] == "peak_ever"
    ]
    statuses = {row["person_id"]: row["status"] for row in of_hscore if "person_id" in row}
    assert sorted(statuses) == ["P1", "P2", "P3", "P4"]
    pairs = [("yes", statuses["P1"]), ("no", statuses["P2"])]
    for row in of_hscore[len(statuses) :]:
        assert (row["right"], row["concerned"]) == plain(row["measure"], pairs)
        assert (row["cannot_tell"], row["not_assessed"], row["not_judged"]) == (1, 1, 1)
