"""From checked rows of judgements to the raw table: whose answer, to which question, and whether it holds."""

from __future__ import annotations

import numpy as np

from becalm.core.frame import Frame
from becalm.records import JUDGEMENTS
from becalm.records.review.questions import questions
from becalm.records.sheets.building import Building
from becalm.records.sheets.check import Checked
from becalm.records.sheets.reading import Wrong
from becalm.records.sheets.standing import AnswerTime, answer_time, given_answers, standing, told

_WRITE_A_TIME = "Write 2020-03-04T10:00, or 2020-03-04 if the time is not known"


def judgements(checked: Checked, building: Building, table: str = "") -> Frame:
    """Return the judgements of one sheet; what cannot be true, or decided, is a mistake of its row.

    table : the name of the file of the page, '' for a sheet. Rows of a sheet that have neither an answer nor
    a comment are left out: a form that was not filled in.
    """
    asked, answers = checked.choices("question"), checked.choices("answer")
    checked.texts("question")
    times = checked.sheet.texts("time")
    _answers_that_fit(checked, asked.tolist(), answers.tolist())
    frame = Frame.of(
        JUDGEMENTS,
        person=building.persons_of(checked),
        reviewer=checked.texts("reviewer"),
        question=asked,
        answer=answers,
        confidence=checked.choices("confidence"),
        time=[(answer_time(text) or AnswerTime()).shown for text in times],
        written=times,
        comment=checked.texts("comment"),
        holds=[False] * len(checked.sheet),
        table=[table or checked.sheet.label] * len(checked.sheet),
        key=checked.sheet.keys,
    )
    holds, against = standing(given_answers(frame, checked.texts("person_id").tolist(), table))
    for row, what, hint in told(against):
        checked.add(row.at, "answer", Wrong("twice", what, hint))
    frame = Frame({**frame.columns, "holds": np.isin(np.arange(len(frame)), list(holds))})
    return frame if table else frame.take((answers != "") | (frame["comment"] != ""))


def _answers_that_fit(checked: Checked, asked: list[str], answers: list[str]) -> None:
    """Note answers that their question does not have, and times that are none."""
    for i, (name, answer) in enumerate(zip(asked, answers, strict=True)):
        question = questions().get(name)
        if question and answer and answer not in question.allowed:
            what = f"{answer!r} is no answer to {name}"
            hint = f"Write {', '.join(question.answers)} or {question.allowed[-1]}"
            checked.add(i, "answer", Wrong(f"answer to {name}", what, hint))
    for i, text in enumerate(checked.sheet.texts("time")):
        if answer_time(text) is None:
            what = f"{text!r} is not a date or a time"
            checked.add(i, "time", Wrong("time", what, _WRITE_A_TIME))
