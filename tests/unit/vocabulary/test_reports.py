"""What a comment or a status says of its report."""

from __future__ import annotations

import duckdb
import pytest

from becalm.records.mimic4 import results
from becalm.vocabulary.reports import (
    CORRECTS,
    FINAL,
    NOTHING,
    PRELIMINARY,
    is_withdrawn,
    said,
    shipped,
)

TEXTS = {
    "CORRECTED RESULT, PREVIOUSLY REPORTED AS 10.": CORRECTS,
    "corrected: clumped": CORRECTS,
    "Amended report": CORRECTS,
    "REVISED 14:00": CORRECTS,
    "résultat corrigé": CORRECTS,
    "Korrigierter Befund": CORRECTS,
    "C": CORRECTS,
    "final": FINAL,
    "Final - corrected": CORRECTS,
    "Preliminary result": PRELIMINARY,
    "corrected for 12 NRBC/100 WBC.": NOTHING,
    "albumin corrected calcium": NOTHING,
    "not corrected": NOTHING,
    "uncorrected": NOTHING,
    "will be corrected": NOTHING,
    "nicht korrigiert": NOTHING,
    "FINAL INTERPRETATION BY ___.": NOTHING,
    "VERIFIED. NO CALLS MADE - SAME ABNORMALITY PREVIOUSLY NOTED TODAY.": NOTHING,
    "haemolysed": NOTHING,
    "C-reactive": NOTHING,
    "": NOTHING,
}


@pytest.mark.parametrize(("text", "says"), TEXTS.items())
def test_a_comment_says_what_its_report_is(text: str, says: int) -> None:
    assert said(text) == says


def test_every_word_of_the_list_says_what_its_list_is() -> None:
    words = shipped()
    for phrases, says in (
        (words.corrects, CORRECTS),
        (words.preliminary, PRELIMINARY),
        (words.final, FINAL),
    ):
        assert {phrase: said(phrase.upper()) for phrase in phrases} == dict.fromkeys(phrases, says)


@pytest.mark.parametrize("phrase", shipped().nothing)
def test_a_phrase_that_says_nothing_is_not_read(phrase: str) -> None:
    assert said(f"NOTE: {phrase}, see below") == NOTHING


def test_the_database_reads_comments_as_python_does() -> None:
    con = duckdb.connect()
    con.execute(results.reported())
    texts = [
        *TEXTS,
        *shipped().corrects,
        *shipped().nothing,
        *shipped().preliminary,
        *shipped().final,
    ]
    found = [con.execute("SELECT reported(?)", [text]).fetchone() for text in texts]
    assert [each[0] for each in found if each] == [said(text) for text in texts]
    assert con.execute("SELECT reported(NULL)").fetchone() == (NOTHING,)


def test_a_report_that_was_entered_in_error_is_withdrawn() -> None:
    assert all(is_withdrawn(word.upper()) for word in shipped().withdrawn)
    for word in ("", "final", "corrected", "not cancelled", "wrong tube?"):
        assert not is_withdrawn(word)
