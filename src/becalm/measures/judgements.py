"""What people judged: each answer, the one that counts, how far reviewers agree, and the definitions against it.

Nothing here judges. Where reviewers differ and have no consensus, the answer is `cannot tell`, as it is where
nobody was asked. `judged` stands beside `computed` and never replaces it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np

from becalm.core import stats
from becalm.core.arrays import Floats
from becalm.core.frame import Frame
from becalm.measures.stage import Pooled, Stage, StageInput
from becalm.protocol import Protocol
from becalm.records.review.questions import CANNOT_TELL, CONSENSUS, questions
from becalm.tables import DEFINITION_ACCURACY, JUDGED, JUDGEMENT_AGREEMENT, JUDGEMENTS

STORM: Final = "storm_active"
"""The question that definitions are compared with."""
BASES: Final = ("consensus", "all reviewers agree", "one reviewer", "reviewers disagree")
COMPUTED_KAPPA: Final = "computed"
NO_PAIRS: Final = "nobody answered by both"
ONE_ANSWER: Final = "one reviewer gave everybody the same answer"


def is_consensus(reviewer: str) -> bool:
    """Return whether answers in this name are what all reviewers agreed on."""
    return reviewer.strip().casefold() == CONSENSUS


def measure(given: StageInput) -> Frame:
    """Fill the table `judgements`."""
    raw = _of_population(given)
    return Frame.of(
        JUDGEMENTS,
        person_id=given.patients.records.persons["person_id"][raw["person"]],
        question=raw["question"],
        reviewer=raw["reviewer"],
        answer=raw["answer"],
        confidence=raw["confidence"],
        time=raw["time"],
        holds=raw["holds"].tolist(),
        comment=raw["comment"],
        source_row=_source_rows(raw),
    )


def _of_population(given: StageInput) -> Frame:
    raw = given.patients.records.judgements
    return raw.take(given.candidates.population[raw["person"]])


def _source_rows(raw: Frame) -> list[str]:
    named = zip(raw["table"].tolist(), raw["key"].tolist(), strict=True)
    return [f"{table or 'judgements'}:{key}" for table, key in named]


def settled(answers: Mapping[str, str]) -> tuple[str, str]:
    """Return what counts as judged, and on which basis, from the answers by reviewer.

    >>> settled({"A": "yes", "B": "no"}), settled({"A": "yes", "B": "no", "consensus": "no"})
    (('cannot tell', 'reviewers disagree'), ('no', 'consensus'))
    """
    agreed = [answer for reviewer, answer in answers.items() if is_consensus(reviewer)]
    if agreed:
        return agreed[0], BASES[0]
    given = set(answers.values())
    if len(given) > 1:
        return CANNOT_TELL, BASES[3]
    return given.pop(), BASES[1] if len(answers) > 1 else BASES[2]


def _answered(given: StageInput) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Return the answers that hold by person and question."""
    raw = _of_population(given)
    ids = given.patients.records.persons["person_id"]
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row, source in zip(raw.rows(), _source_rows(raw), strict=True):
        if row["holds"]:
            key = str(ids[row["person"]]), row["question"]
            groups.setdefault(key, []).append({**row, "source": source})
    return groups


def judged_answers(given: StageInput, question: str) -> dict[str, str]:
    """Return what counts as judged to one question, by person; nothing for those whom nobody judged."""
    return {
        person: settled({row["reviewer"]: row["answer"] for row in mine})[0]
        for (person, asked), mine in _answered(given).items()
        if asked == question
    }


def judged(given: StageInput) -> Frame:
    """Fill the table `judged`."""
    groups = _answered(given)
    computed = _computed(given)
    rows = []
    for (person, question), mine in groups.items():
        answers = {row["reviewer"]: row["answer"] for row in mine}
        answer, basis = settled(answers)
        rows.append(
            {
                "person_id": person,
                "question": question,
                "judged": answer,
                "basis": basis,
                "reviewers": sum(not is_consensus(each) for each in answers),
                "answers": "|".join(f"{who}: {said}" for who, said in _consensus_last(answers)),
                "computed": computed.get(question, {}).get(person, ""),
                "computed_from": COMPUTED_FROM.get(question, ""),
                "source_row": "|".join(row["source"] for row in mine),
            }
        )
    return Frame.of_rows(JUDGED, rows)


def _consensus_last(answers: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(answers.items(), key=lambda pair: (is_consensus(pair[0]), pair[0].casefold()))


COMPUTED_FROM: Final = {
    STORM: "persons.storm",
    "infection_true": "infections.counts",
    "cause_of_death": "outcome.cause_of_death",
    "relapse": "outcome.relapse",
    "response": "primary.response",
}


def _computed(given: StageInput) -> dict[str, dict[str, str]]:
    """Return, by question and person of the cohort, what stands beside the judgement."""
    tables = given.tables
    return {
        STORM: _by_person(given.cohort, "storm"),
        "infection_true": _infections(tables["infections"], tables["outcome"]),
        "cause_of_death": _by_person(tables["outcome"], "cause_of_death"),
        "relapse": _by_person(tables["outcome"], "relapse"),
        "response": _by_person(
            tables["primary"].take(tables["primary"].coded("clock").among(["t0"])), "response"
        ),
    }


def _by_person(frame: Frame, column: str) -> dict[str, str]:
    return dict(zip(frame["person_id"].tolist(), frame[column].tolist(), strict=True))


def _infections(infections: Frame, outcome: Frame) -> dict[str, str]:
    """Return yes where growth counts as an infection; no where samples were taken and none may count."""
    found = {
        str(person): "no" if taken > 0 else ""
        for person, taken in zip(
            outcome["person_id"].tolist(), outcome["cultures_taken"].tolist(), strict=True
        )
    }
    counted = list(
        zip(infections["person_id"].tolist(), infections["counts"].tolist(), strict=True)
    )
    for person, counts in sorted(counted, key=lambda each: each[1] is True):
        if counts is not False:
            found[person] = "yes" if counts else ""
    return found


def agreement(tables: Mapping[str, Frame], _: Protocol) -> Frame:
    """Fill the table `judgement_agreement`."""
    said: dict[str, dict[str, dict[str, str]]] = {}
    for row in tables["judgements"].rows():
        if row["holds"] and not is_consensus(row["reviewer"]):
            own = said.setdefault(row["question"], {}).setdefault(row["reviewer"], {})
            own[row["person_id"]] = row["answer"]
    rows = [
        _pair(question, first, second, by_reviewer)
        for question, by_reviewer in said.items()
        for first, second in combinations(sorted(by_reviewer, key=str.casefold), 2)
    ]
    return Frame.of_rows(JUDGEMENT_AGREEMENT, rows)


def _pair(
    question: str, first: str, second: str, said: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    both = sorted(said[first].keys() & said[second].keys())
    pairs = [(said[first][who], said[second][who]) for who in both]
    decided = [pair for pair in pairs if CANNOT_TELL not in pair]
    agreed = sum(a == b for a, b in pairs)
    words = questions()[question].allowed
    kappa, interval = stats.cohen_kappa(counted(pairs, words))
    low, high = stats.proportion(agreed, len(pairs)) or (math.nan, math.nan)
    ends = interval if interval and len(pairs) >= stats.KAPPA_FROM else (None, None)
    why = NO_PAIRS if not pairs else ONE_ANSWER if kappa is None else COMPUTED_KAPPA
    return {
        "question": question,
        "reviewer_a": first,
        "reviewer_b": second,
        "answered_by_both": len(pairs),
        "agreed": agreed,
        "agreed_percent": _percent(agreed, len(pairs)),
        "agreed_low": 100 * low,
        "agreed_high": 100 * high,
        "kappa": kappa,
        "kappa_low": ends[0],
        "kappa_high": ends[1],
        "kappa_is": why,
        "decided": len(decided),
        "decided_agreed": sum(a == b for a, b in decided),
        "decided_kappa": stats.cohen_kappa(counted(decided, words))[0],
    }


def counted(pairs: Sequence[tuple[str, str]], words: Sequence[str]) -> Floats:
    """Return a square table of counts: the first's answers down, the second's across."""
    table = np.zeros((len(words), len(words)), np.float64)
    for a, b in pairs:
        table[words.index(a), words.index(b)] += 1
    return table


@dataclass(frozen=True)
class TwoByThree:
    """Persons judged yes and no, by the status of a definition."""

    met: tuple[int, int]
    not_met: tuple[int, int]
    undetermined: tuple[int, int]


@dataclass(frozen=True)
class Accuracy:
    """One measure: right of counted, how many are undetermined, and what these could make of it at worst and best."""

    right: int
    counted: int
    open: int
    lowest: tuple[int, int]
    highest: tuple[int, int]


def sensitivity(found: TwoByThree) -> Accuracy:
    """Return met, of those judged yes.

    >>> sensitivity(TwoByThree((8, 1), (2, 9), (10, 0)))
    Accuracy(right=8, counted=10, open=10, lowest=(8, 20), highest=(18, 20))
    """
    return _of_judged(found.met[0], found.not_met[0], found.undetermined[0])


def specificity(found: TwoByThree) -> Accuracy:
    """Return not met, of those judged no."""
    return _of_judged(found.not_met[1], found.met[1], found.undetermined[1])


def _of_judged(right: int, wrong: int, open_: int) -> Accuracy:
    everybody = right + wrong + open_
    return Accuracy(right, right + wrong, open_, (right, everybody), (right + open_, everybody))


def ppv(found: TwoByThree) -> Accuracy:
    """Return judged yes, of those who met the definition."""
    return _of_status(*found.met, *found.undetermined)


def npv(found: TwoByThree) -> Accuracy:
    """Return judged no, of those who did not meet the definition."""
    return _of_status(*found.not_met[::-1], *found.undetermined[::-1])


def _of_status(right: int, wrong: int, open_right: int, open_wrong: int) -> Accuracy:
    """Return a share of those with one status, which any of the undetermined may have.

    At worst those who would be wrong have it and those who would be right have not; at best the reverse. Where
    nobody certainly has the status and one of these leaves nobody, the other is the only share that there can be.
    """
    lowest = right, right + wrong + open_wrong
    highest = right + open_right, right + wrong + open_right
    if not lowest[1]:
        lowest = highest
    elif not highest[1]:
        highest = lowest
    return Accuracy(right, right + wrong, open_right + open_wrong, lowest, highest)


def _percent(k: int, n: int) -> float:
    return 100 * k / n if n else math.nan


MEASURES: Final[Mapping[str, Callable[[TwoByThree], Accuracy]]] = {
    "sensitivity": sensitivity,
    "specificity": specificity,
    "ppv": ppv,
    "npv": npv,
}


def accuracy(tables: Mapping[str, Frame], _: Protocol) -> Frame:
    """Fill the table `definition_accuracy`."""
    answers = {
        row["person_id"]: row["judged"]
        for row in tables["judged"].rows()
        if row["question"] == STORM
    }
    rows = list(_accuracies(tables["criteria"], answers)) if answers else []
    return Frame.of_rows(DEFINITION_ACCURACY, rows)


def _accuracies(criteria: Frame, answers: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield every measure of every definition at every moment."""
    decided = sum(answer != CANNOT_TELL for answer in answers.values())
    named, moments = criteria.coded("criterion"), criteria.coded("moment")
    for name in dict.fromkeys(named.texts.tolist()):
        for moment in dict.fromkeys(moments.texts.tolist()):
            here = criteria.take(named.among([name]) & moments.among([moment]))
            if not len(here):
                continue
            mine = here.take(here.coded("person_id").among(answers))
            pairs = list(zip(mine["person_id"].tolist(), mine["status"].tolist(), strict=True))
            found = two_by_three([(answers[who], status) for who, status in pairs])
            told = sum(map(sum, (found.met, found.not_met, found.undetermined)))
            for measure_, how in MEASURES.items():
                each = how(found)
                low, high = stats.proportion(each.right, each.counted) or (math.nan, math.nan)
                yield {
                    "criterion": name,
                    "moment": moment,
                    "measure": measure_,
                    "right": each.right,
                    "concerned": each.counted,
                    "accuracy": _percent(each.right, each.counted),
                    "accuracy_low": 100 * low,
                    "accuracy_high": 100 * high,
                    "open": each.open,
                    "lowest_right": each.lowest[0],
                    "lowest_counted": each.lowest[1],
                    "lowest_share": _percent(*each.lowest),
                    "highest_right": each.highest[0],
                    "highest_counted": each.highest[1],
                    "highest_share": _percent(*each.highest),
                    "cannot_tell": len(mine) - told,
                    "not_assessed": decided - told,
                    "not_judged": len(here) - len(mine),
                }


def two_by_three(pairs: Sequence[tuple[str, str]]) -> TwoByThree:
    """Count (judged, status of the definition); who was judged neither yes nor no is no part of it."""
    return TwoByThree(
        *(
            (pairs.count(("yes", status)), pairs.count(("no", status)))
            for status in ("met", "not met", "undetermined")
        )
    )


STAGES: Final = (
    Stage(JUDGEMENTS, measure, over="population"),
    Stage(JUDGED, judged, over="population", needs=("infections", "outcome", "primary")),
)
POOLED: Final = (
    Pooled(JUDGEMENT_AGREEMENT, agreement, needs=("judgements",)),
    Pooled(DEFINITION_ACCURACY, accuracy, needs=("judged", "criteria")),
)
