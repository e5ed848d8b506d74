"""Two reviewers at the page, with the keyboard alone: every answer is kept, whoever is killed and whoever writes beside."""

from __future__ import annotations

import csv
import http.client
import json
import multiprocessing
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from statsmodels.stats.inter_rater import cohens_kappa

from becalm import protocol
from becalm.records import open_records
from becalm.records.review.answers import HEADER, AnswerBook, Answered
from becalm.study.run import run
from tests.report.test_page import browser as chromium
from tests.web.browser import Tab
from tests.web.conftest import PERSONS, Open, write_records
from tests.web.conftest import protocol as protocol_file

QUESTIONS = ("storm_active", "infection_true", "relapse")
WORDS = {"yes": "1", "no": "2", "cannot tell": "3"}


def answers_of(seed: int) -> dict[tuple[int, str], str]:
    """Return what a reviewer answers: mostly by the number of the patient, sometimes otherwise."""
    chance = random.Random(seed)
    found = {}
    for number in range(1, PERSONS + 1):
        for question in QUESTIONS:
            usual = "yes" if number % 2 else "no"
            found[number, question] = usual if chance.random() < 0.8 else chance.choice([*WORDS])
    return found


def judge(browser: Tab, reviewer: str, answers: Mapping[tuple[int, str], str]) -> None:
    """Judge everybody with keys alone: the name, Enter, Tab to the first patient, digits, q and n."""
    browser.until("document.activeElement.id === 'reviewer'")
    browser.type(reviewer)
    browser.key("Enter")
    browser.until("document.querySelector('#filter')")
    browser.tab_to("button.open")
    browser.key("Enter")
    for number in range(1, PERSONS + 1):
        browser.until(f"document.querySelector('h1').textContent === 'SECRET-{number:02}'")
        for at, question in enumerate(QUESTIONS):
            browser.until(f"document.querySelector('[data-question={question}][aria-current]')")
            browser.key(WORDS[answers[number, question]])
            title = f"document.querySelector('[data-question={question}]').textContent"
            browser.until(f"{title}.endsWith(': {answers[number, question]}')")
            if at < len(QUESTIONS) - 1:
                browser.key("q")
        browser.key("n")
    browser.until("document.querySelector('#status').textContent.includes('last patient')")


def rows_of(records: Path) -> list[dict[str, str]]:
    file = records.with_name(f"{records.name}.becalm") / "judgements.csv"
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_two_reviewers_judge_twenty_patients_with_keys_alone(
    opened: Callable[..., Open], browser: Tab
) -> None:
    """Every answer is a row; agreement, disagreements and predictive values are those of a plain count."""
    said = {"Dr A": answers_of(1), "Dr B": answers_of(2)}
    for reviewer, answers in said.items():
        page = opened()
        browser.go(page.gate.address)
        browser.js("sessionStorage.clear()") if reviewer == "Dr A" else None
        judge(browser, reviewer, answers)
    assert [each for each in browser.console if "favicon" not in each] == []
    ids = {f"SECRET-{number:02}": number for number in range(1, PERSONS + 1)}
    rows = rows_of(page.records)
    assert len(rows) == 2 * PERSONS * len(QUESTIONS)
    for row in rows:
        assert said[row["reviewer"]][ids[row["person_id"]], row["question"]] == row["answer"]
    assert not any("SECRET" in address for address in browser.requests)
    assert {address.split("/")[2].split(":")[0] for address in browser.requests} == {"127.0.0.1"}
    result = run(open_records(str(page.records)), protocol.load("hyperinflammation"), "records")
    _agrees(result.tables["judgement_agreement"].rows(), said)
    accuracy = [
        row
        for row in result.tables["definition_accuracy"].rows()
        if (row["criterion"], row["moment"], row["measure"]) == ("hscore", "peak_ever", "ppv")
    ]
    status = {
        row["person_id"]: row["status"]
        for row in result.tables["criteria"].rows()
        if (row["criterion"], row["moment"]) == ("hscore", "peak_ever")
    }
    both = [
        (a, status[who])
        for who, number in ids.items()
        if (a := said["Dr A"][number, "storm_active"]) == said["Dr B"][number, "storm_active"]
        and a != "cannot tell"
    ]
    met = [judged for judged, state in both if state == "met"]
    assert [(row["right"], row["concerned"]) for row in accuracy] == [(met.count("yes"), len(met))]


def _agrees(rows: Any, said: Mapping[str, Mapping[tuple[int, str], str]]) -> None:
    for row in rows:
        pairs = [
            (said["Dr A"][number, row["question"]], said["Dr B"][number, row["question"]])
            for number in range(1, PERSONS + 1)
        ]
        assert (row["answered_by_both"], row["agreed"]) == (PERSONS, sum(a == b for a, b in pairs))
        words = [*WORDS]
        table = [[pairs.count((a, b)) for b in words] for a in words]
        assert row["kappa"] == pytest.approx(cohens_kappa(table).kappa)


def add(folder: Path, reviewer: str, rows: int, told: Connection) -> None:
    """Add rows, and say of each that it is kept."""
    book = AnswerBook(folder, [], frozenset({"P1"}))
    for number in range(rows):
        book.add(Answered("P1", reviewer, "relapse", "no", "", f"answer {number}, " + "x" * 400))
        told.send(number)


def adding(folder: Path, reviewer: str, rows: int = 10**6) -> tuple[BaseProcess, Connection]:
    """Start a program that adds rows, from one that has loaded everything; return it and what it tells."""
    context = multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")
    context.set_forkserver_preload(["tests.web.test_judging"])
    hear, tell = context.Pipe(duplex=False)
    program: BaseProcess = context.Process(  # type: ignore[attr-defined]
        target=add, args=(folder, reviewer, rows, tell)
    )
    program.start()
    tell.close()
    return program, hear


def heard(hear: Connection) -> list[int]:
    """Return what a program told until it ended."""
    found = []
    with suppress(EOFError):
        while True:
            found.append(hear.recv())
    return found


def kept(folder: Path, reviewer: str) -> list[str]:
    with (folder / "judgements.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert all(None not in row and None not in row.values() for row in rows)
    return [row["comment"].split(",")[0] for row in rows if row["reviewer"] == reviewer]


def test_twenty_kills_lose_no_answer_that_was_confirmed(tmp_path: Path) -> None:
    """At random moments; whoever goes on reads and writes the same file, and a torn row harms nobody."""
    chance = random.Random(20)
    folder = tmp_path / "five.xlsx.becalm"
    for number in range(20):
        program, hear = adding(folder, f"R{number}")
        assert hear.recv() == 0
        time.sleep(chance.uniform(0, 0.03))
        program.kill()
        told = [0, *heard(hear)]
        program.join()
        AnswerBook(folder, [], frozenset({"P1"})).add(
            Answered("P1", "after", "relapse", "yes", "", "")
        )
        found = kept(folder, f"R{number}")
        assert found[: len(told)] == [f"answer {each}" for each in told]
        assert len(found) <= len(told) + 1
    assert len(kept(folder, "after")) == 20


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.long)])
def test_a_page_that_is_killed_loses_no_answer_that_it_confirmed(
    tmp_path: Path, kills: int
) -> None:
    """The program itself, with an answer after the other, killed at random moments."""
    records, chance = write_records(tmp_path, 2), random.Random(7)
    confirmed = 0
    for number in range(kills):
        command = [
            sys.executable,
            "-m",
            "becalm",
            "open",
            str(records),
            "--protocol",
            protocol_file(tmp_path),
        ]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as program:
            assert program.stdout is not None
            address = next(line for line in program.stdout if "?token=" in line).strip()
            port = int(address.split(":")[2].split("/")[0])
            text = ask(port, "GET", address.partition(str(port))[2])
            key = text.split('name="becalm-key" content="')[1].split('"')[0]
            threading.Timer(chance.uniform(0.05, 0.4), program.kill).start()
            with suppress(OSError, http.client.HTTPException):
                while True:
                    answer = {"person": 0, "reviewer": f"R{number}", "question": "relapse", "answer": "no",
                              "comment": f"answer {confirmed}"}  # fmt: skip
                    bearer = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
                    told = json.loads(
                        ask(port, "POST", "/call/answer", json.dumps(answer), **bearer)
                    )
                    assert told["saved"], told
                    confirmed += 1
        found = [row["comment"] for row in rows_of(records)]
        assert set(found) >= {f"answer {each}" for each in range(confirmed)}
        assert len(found) <= confirmed + number + 1
    assert confirmed > kills


def ask(port: int, method: str, path: str, body: str | None = None, **headers: str) -> str:
    """Send one request and return what comes back."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        link.request(method, path, body, headers)
        return link.getresponse().read().decode()
    finally:
        link.close()


def test_a_torn_row_is_cut_off_before_the_next_is_added(tmp_path: Path) -> None:
    """At every byte of a row: what was confirmed before stays, what comes after is read."""
    book = AnswerBook(
        tmp_path / "x.becalm", [], frozenset({"P1"}), clock=lambda: "2024-01-02T10:00Z"
    )
    book.add(Answered("P1", "A", "relapse", "no", "low", "one"))
    whole = book.file.read_bytes()
    book.add(Answered("P1", "B", "relapse", "yes", "", 'he said "never", twice'))
    both = book.file.read_bytes()
    for end in range(len(whole), len(both) + 1):
        book.file.write_bytes(both[:end])
        book.add(Answered("P1", "C", "relapse", "no", "", ""))
        with book.file.open(encoding="utf-8", newline="") as stream:
            header, *rows = csv.reader(stream)
        assert tuple(header) == HEADER
        assert all(len(row) == len(HEADER) for row in rows)
        assert [row[1] for row in rows] in (["A", "C"], ["A", "B", "C"])
        assert [each.reviewer for each in book.holding()] in (["A", "C"], ["A", "B", "C"])


def test_two_programs_on_one_file_lose_nothing(tmp_path: Path) -> None:
    """They wait for each other; both see the answers of both."""
    folder = tmp_path / "x.becalm"
    programs = [adding(folder, reviewer, 60) for reviewer in ("A", "B", "C")]
    for program, hear in programs:
        assert heard(hear) == list(range(60))
        program.join()
    for reviewer in ("A", "B", "C"):
        assert kept(folder, reviewer) == [f"answer {number}" for number in range(60)]


def test_a_second_consensus_is_refused_while_the_first_stands(tmp_path: Path) -> None:
    """Also of two people at the same moment: one of them is told."""
    folder = tmp_path / "x.becalm"
    told: list[str] = []

    def agree(answer: str) -> None:
        try:
            AnswerBook(folder, [], frozenset({"P1"})).add(
                Answered("P1", "consensus", "relapse", answer, "", "")
            )
        except Exception as error:
            told.append(str(error))

    threads = [threading.Thread(target=agree, args=[word]) for word in ("yes", "no")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 1
    book = AnswerBook(folder, [], frozenset({"P1"}))
    (first,) = book.holding()
    book.add(Answered("P1", "consensus", "relapse", "", "", ""))
    book.add(Answered("P1", "consensus", "relapse", "cannot tell", "", ""))
    assert [each.answer for each in book.holding()] == ["cannot tell"]
    assert first.answer in {"yes", "no"}


def test_a_formula_in_a_comment_is_kept_and_calculated_by_nobody(tmp_path: Path) -> None:
    book = AnswerBook(tmp_path / "x.becalm", [], frozenset({"P1"}))
    book.add(Answered("P1", "A", "relapse", "no", "", "=HYPERLINK(1)\nand more"))
    assert ",'=HYPERLINK(1) and more" in book.file.read_text("utf-8")
    assert [each.comment for each in book.holding()] == ["=HYPERLINK(1) and more"]


BLIND = """
[review]
questions = ["storm_active", "relapse"]
blind = { storm_active = ["computed", "outcome", "treatment"] }
shown_after = "24h"
"""


def test_what_a_protocol_hides_is_not_in_the_page(opened: Callable[..., Open]) -> None:
    """Not in what is sent either; the question beside it hides nothing."""
    page = opened(2, BLIND)

    asked = partial(ask, page.gate.port)
    asked("GET", f"/?token={page.gate.token}")

    def html(name: str, **body: Any) -> str:
        sent = json.dumps({"reviewer": "A", **body})
        bearer = {"Authorization": f"Bearer {page.gate.key}", "Content-Type": "application/json"}
        return str(json.loads(asked("POST", f"/call/{name}", sent, **bearer))["html"])

    blind = html("patient", person=0, question="storm_active", everything=True)
    seeing = html("patient", person=0, question="relapse")
    for word in ("anakinra", "HScore", "&gt;15000"):
        assert word in seeing
        assert word not in blind
    assert "Hidden while you answer: computed, outcome, treatment" in blind
    listed = html("patients")
    assert "undetermined" not in listed
    assert "HScore" not in listed


def test_the_browser_is_there() -> None:
    assert chromium()
