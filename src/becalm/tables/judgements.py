"""What people judged, how far reviewers agree, and how the definitions do against their judgement."""

from __future__ import annotations

from typing import Final

from becalm.tables.schema import (
    CRITERION,
    MOMENT,
    PERSON_ID,
    SOURCE_ROW,
    Table,
    answer,
    count,
    number,
    text,
    time,
)

QUESTION: Final = text(
    "The question: storm_active, infection_true, attribution, cause_of_death, relapse or response."
)

JUDGEMENTS: Final = Table(
    "judgements",
    "Every answer of a reviewer, those that a later one replaced included.",
    "answer",
    {
        "person_id": PERSON_ID,
        "question": QUESTION,
        "reviewer": text("Who answered; consensus is what all reviewers agreed on."),
        "answer": text("The answer; empty where the reviewer took an earlier one back."),
        "confidence": text("low, moderate or high, by the reviewer."),
        "time": time("When it was answered, as written, without an offset."),
        "holds": answer(
            "Whether it is the reviewer's answer; false where a later one replaced it or took it back."
        ),
        "comment": text("What the reviewer wrote beside it."),
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "question", "reviewer", "source_row"),
)
JUDGED: Final = Table(
    "judged",
    "What was judged of each person, beside what is computed; one never replaces the other.",
    "person and question that somebody answered",
    {
        "person_id": PERSON_ID,
        "question": QUESTION,
        "judged": text(
            "The consensus; without one the answer that all reviewers gave. cannot tell where they differ, and where "
            "one of them cannot tell."
        ),
        "basis": text("consensus, all reviewers agree, one reviewer, or reviewers disagree."),
        "reviewers": count("reviewers", "Reviewers who answered, the consensus not counted."),
        "answers": text("Their answers as `reviewer: answer`, joined by |, and the consensus."),
        "computed": text(
            "What the program computes or the records say, for the persons of the cohort; empty for others, and for the "
            "attribution, which no program computes."
        ),
        "computed_from": text("The table and column of `computed`."),
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "question"),
)
JUDGEMENT_AGREEMENT: Final = Table(
    "judgement_agreement",
    "How far two reviewers agree on a question, over the persons whom both answered; cannot tell is an answer like the others.",
    "question and pair of reviewers",
    {
        "question": QUESTION,
        "reviewer_a": text("One reviewer."),
        "reviewer_b": text("The other."),
        "answered_by_both": count("persons", "Persons whom both answered.", persons=True),
        "agreed": count("persons", "Of these, persons with the same answer.", persons=True),
        "agreed_percent": number("%", "agreed of answered_by_both."),
        "agreed_low": number("%", "Lower end of its exact 95 % interval (Clopper-Pearson)."),
        "agreed_high": number("%", "Upper end of that interval."),
        "kappa": number("1", "Cohen's kappa; empty where it has no meaning, see `kappa_is`."),
        "kappa_low": number(
            "1", "Lower end of its large-sample 95 % interval; empty with fewer than 30 persons."
        ),
        "kappa_high": number("1", "Upper end of that interval."),
        "kappa_is": text(
            "computed, or why not: nobody answered by both, or one reviewer gave everybody the same answer, so that kappa is 0 "
            "or undefined in any case."
        ),
        "decided": count(
            "persons", "Persons whom neither answered with cannot tell.", persons=True
        ),
        "decided_agreed": count("persons", "Of these, with the same answer.", persons=True),
        "decided_kappa": number("1", "Cohen's kappa over these alone."),
    },
    key=("question", "reviewer_a", "reviewer_b"),
)
DEFINITION_ACCURACY: Final = Table(
    "definition_accuracy",
    "Each definition against the judgement of whether the storm was active, over the persons judged yes or no.",
    "definition, moment and measure",
    {
        "criterion": CRITERION,
        "moment": MOMENT,
        "measure": text(
            "sensitivity (met, of those judged yes), specificity (not met, of those judged no), ppv (judged yes, of those met) "
            "or npv (judged no, of those not met)."
        ),
        "right": count("persons", "Persons in whom the definition is right.", persons=True),
        "concerned": count(
            "persons",
            "Persons of whom the measure speaks, without those in whom the definition is undetermined.",
            persons=True,
        ),
        "accuracy": number("%", "right of concerned."),
        "accuracy_low": number("%", "Lower end of its exact 95 % interval (Clopper-Pearson)."),
        "accuracy_high": number("%", "Upper end of that interval."),
        "open": count(
            "persons",
            "Persons judged yes or no in whom the definition is undetermined, and on whom the measure could still depend.",
            persons=True,
        ),
        "lowest_right": count(
            "persons", "right, if the undetermined were as bad as they can be.", persons=True
        ),
        "lowest_counted": count("persons", "concerned in that case.", persons=True),
        "lowest_share": number("%", "lowest_right of lowest_counted: the worst case."),
        "highest_right": count(
            "persons", "right, if the undetermined were as good as they can be.", persons=True
        ),
        "highest_counted": count("persons", "concerned in that case.", persons=True),
        "highest_share": number("%", "highest_right of highest_counted: the best case."),
        "cannot_tell": count(
            "persons",
            "Persons with this definition who were judged, but neither yes nor no: no part of the measure.",
            persons=True,
        ),
        "not_assessed": count(
            "persons",
            "Persons judged yes or no who have no result of this definition at this moment, as where the protocol's entry test "
            "was not met: no part of the measure.",
            persons=True,
        ),
        "not_judged": count(
            "persons",
            "Persons with this definition whom nobody judged: no part of the measure.",
            persons=True,
        ),
    },
    key=("criterion", "moment", "measure"),
)
