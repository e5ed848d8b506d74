"""The application behind the gate: one page, and the calls with which it asks for patients and saves answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from typing import Any, Final, TypeVar

import jinja2
import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from becalm import __version__
from becalm.core.errors import BecalmError, UsageError
from becalm.records.review.answers import Answered
from becalm.records.review.questions import CONFIDENCE
from becalm.records.review.unblinding import EVERYBODY, reviewer_key
from becalm.report import labels
from becalm.report.page import environment as report_environment
from becalm.report.page import style
from becalm.report.page_table import PageTable
from becalm.web import drawing
from becalm.web.entering import EntryDesk, RowCall, RowsCall, SaveAsCall, ShowCall
from becalm.web.gate import Gate
from becalm.web.lists import PAGE, ListedPatient, PatientLists
from becalm.web.patient import PatientView, view
from becalm.web.workbench import Workbench

PAGES: Final = files("becalm.web") / "pages"
KEPT: Final = 32
"""Patients whose figure is kept."""
DRUGS_TELL: Final = frozenset({"treatment"})
"""What a name of a drug tells."""
T = TypeVar("T")


class ListCall(msgspec.Struct, forbid_unknown_fields=True):
    """What the list of patients is asked for."""

    reviewer: str
    filters: list[str] = []
    text: str = ""
    first: int = 0


class PatientCall(msgspec.Struct, forbid_unknown_fields=True):
    """What one patient is asked for: the question that is answered decides what is hidden."""

    person: int
    reviewer: str
    question: str
    everything: bool = False


class AnswerCall(msgspec.Struct, forbid_unknown_fields=True):
    """An answer; '' takes back the one before."""

    person: int
    reviewer: str
    question: str
    answer: str
    confidence: str = ""
    comment: str = ""


class WordsCall(msgspec.Struct, forbid_unknown_fields=True):
    """The names that nobody understands."""

    reviewer: str


class WordCall(msgspec.Struct, forbid_unknown_fields=True):
    """What a name means. only_check : nothing is saved, the mistake is told."""

    reviewer: str
    kind: str
    label: str
    means: str
    only_check: bool = False


class NoCall(msgspec.Struct, forbid_unknown_fields=True):
    """Nothing is asked but the page itself."""


@dataclass
class Desk:
    """Answers the calls of the page."""

    bench: Workbench
    lists: PatientLists = field(init=False)
    drawn: dict[tuple[int, frozenset[str], bool], tuple[PatientView, str]] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        self.lists = PatientLists(self.bench)

    @cached_property
    def templates(self) -> jinja2.Environment:
        """The page's templates, with those of the report beneath."""
        own = jinja2.FileSystemLoader(str(PAGES))
        report = report_environment()
        assert report.loader is not None
        return report.overlay(loader=jinja2.ChoiceLoader([own, report.loader]))

    def start(self, call: NoCall) -> dict[str, Any]:
        """Return what the page shows before a patient is chosen."""
        del call
        info = self.bench.result.info
        html = self.templates.get_template("start.html.j2").render(
            name=self.bench.name, protocol=self.bench.protocol, illustrative=info.illustrative,
            questions=self.bench.asked, file=self.bench.book.file, notices=self.bench.result.notices,
            n=len(self.bench.people),
        )  # fmt: skip
        return {
            "html": html,
            "illustrative": info.illustrative,
            "questions": [
                {"name": q.name, "title": q.title, "answers": list(q.allowed)}
                for q in self.bench.asked
            ],
        }

    def patients(self, call: ListCall) -> dict[str, Any]:
        """Return the list of patients."""
        offered = self.lists.filters
        wanted = [name for name in call.filters if name in offered]
        found = self.lists.patients(
            call.reviewer, self.bench.book.holding(), wanted, call.text.strip()
        )
        first = max(0, min(call.first, len(found) - 1)) // PAGE * PAGE
        shown = found[first : first + PAGE]
        html = self.templates.get_template("list.html.j2").render(
            table=self._table(shown), rows=shown, total=len(found), of=len(self.bench.people), first=first,
            page=PAGE, filters=offered, wanted=wanted, text=call.text, head=self._head(),
        )  # fmt: skip
        return {"html": html, "order": [each.number for each in found], "total": len(found)}

    def _head(self) -> list[str]:
        definitions = [
            self.bench.result.definitions[name].short_title for name in self.lists.definitions
        ]
        storm = ["Storm"] if definitions else []
        return [*storm, *definitions, "Words not understood", "Questions open", "Reviewers differ"]

    def _table(self, shown: list[ListedPatient]) -> list[list[str]]:
        names = self.lists.definitions
        return [
            [
                *([each.storm or "not in the study"] if names else []),
                *(each.statuses.get(name, "not assessed") for name in names),
                str(each.unknown_words or ""), str(each.open_questions or ""), str(each.differing or ""),
            ]
            for each in shown
        ]  # fmt: skip

    def patient(self, call: PatientCall) -> dict[str, Any]:
        """Return one patient, as far as the question that is answered shows her."""
        question = self._question(call.question)
        person = self._person(call.person)
        hidden = self.bench.hidden(question.name)
        seen, figure = self._seen(call.person, hidden, call.everything)
        answers = [each for each in self.bench.book.holding() if each.person == person.person_id]
        mine = {
            each.question: {"answer": each.answer, "confidence": each.confidence, "comment": each.comment}
            for each in answers
            if _same(each.reviewer, call.reviewer)
        }  # fmt: skip
        consensus = _same(call.reviewer, "consensus")
        others = [
            each
            for each in answers
            if consensus
            and each.question == question.name
            and not _same(each.reviewer, "consensus")
        ]
        html = self.templates.get_template("patient.html.j2").render(
            view=seen, figure=figure, table=rows_table(seen), question=question,
            questions=self.bench.asked, mine=mine, others=others, confidence=CONFIDENCE,
            hidden=sorted(hidden), everything=call.everything, consensus=consensus,
            shown_after=self.bench.protocol.review.shown_after,
        )  # fmt: skip
        return {"html": html, "mine": mine}

    def _seen(
        self, number: int, hidden: frozenset[str], everything: bool
    ) -> tuple[PatientView, str]:
        """Return what is shown of a patient, with the figure; the last ones are kept, for the next question."""
        key = number, hidden, everything
        if key not in self.drawn:
            seen = view(self.bench, self._person(number), hidden, everything=everything)
            self.drawn[key] = seen, drawing.figure(seen)
            while len(self.drawn) > KEPT:
                self.drawn.pop(next(iter(self.drawn)), None)
        return self.drawn[key]

    def answer(self, call: AnswerCall) -> dict[str, Any]:
        """Save an answer; it is on the disk when this returns."""
        person = self._person(call.person)
        row = self.bench.book.add(
            Answered(
                person.person_id, call.reviewer.strip(), call.question, call.answer, call.confidence, call.comment
            ),
            hidden=self.bench.hidden(call.question),
        )  # fmt: skip
        return {"row": row, "saved": True}

    def words(self, call: WordsCall) -> dict[str, Any]:
        """Return the names that nobody understands, with guesses and with what was said of them."""
        said = self.bench.said_words()
        by_kind: dict[str, list[dict[str, Any]]] = {}
        hidden = self.bench.still_hidden(DRUGS_TELL, call.reviewer, EVERYBODY)
        listed = self.lists.unknown_words()
        shown = [row for row in listed if not (hidden and row["what"] == "drug")]
        for row in shown:
            row["said"] = said.get((row["what"], row["written"]), "")
            by_kind.setdefault(row["what"], []).append(row)
        known = {kind: sorted(self.bench.vocabulary.names_of(kind)) for kind in by_kind}
        html = self.templates.get_template("words.html.j2").render(
            rows=list(by_kind.items()), known=known, file=self.bench.words_file, left_out=len(listed) - len(shown)
        )  # fmt: skip
        return {"html": html}

    def show_drugs(self, call: WordsCall) -> dict[str, Any]:
        """Write down that somebody is shown the names of drugs although the protocol hides the treatment."""
        self.bench.show(DRUGS_TELL, call.reviewer, EVERYBODY)
        return {}

    def word(self, call: WordCall) -> dict[str, Any]:
        """Save what a name means, or tell what is wrong with it."""
        if not call.reviewer.strip():
            raise UsageError("whoever writes has no name", hint="Write your name or initials")
        self.bench.say_word(
            (call.kind, call.label, call.means), call.reviewer, only_check=call.only_check
        )
        return {"saved": not call.only_check}

    def _question(self, name: str) -> Any:
        found = [each for each in self.bench.asked if each.name == name]
        return found[0] if found else self.bench.asked[0]

    def _person(self, number: int) -> Any:
        if not 0 <= number < len(self.bench.people):
            raise _NotThereError
        return self.bench.people[number]


class _NotThereError(Exception):
    """There is no such patient."""


def rows_table(seen: PatientView) -> PageTable:
    """Return every row that is drawn, in the order of time."""
    rows = [
        [
            _day(row.day), "hidden" if row.goes_on else _day(row.end) if row.end > row.day else "",
            labels.heading(labels.variable(row.lane)) if row.group == "measured" else row.lane,
            row.label, row.written, row.read_as, row.source_row,
        ]
        for row in seen.rows
    ]  # fmt: skip
    head = ["day", "until", "what", "as written", "value", "read as", "row"]
    ids = [drawing.anchor(i) for i in range(len(rows))]
    return PageTable(head, rows, ids=ids, caption="Rows of the records", kind="long")


def _day(day: float) -> str:
    return f"{day:.2f}".replace("-", "−")


def _same(one: str, other: str) -> bool:
    return reviewer_key(one) == reviewer_key(other)


def application(bench: Workbench, gate: Gate) -> Starlette:
    """Return the application of a workbench."""
    desk = Desk(bench)
    entry = EntryDesk(bench, desk.templates)

    def shell(request: Request) -> Response:
        key = gate.begin(request.query_params.get("token", ""))
        html = desk.templates.get_template("shell.html.j2").render(key=key, version=__version__)
        return HTMLResponse(html, status_code=200 if key else 403)

    def script(_: Request) -> Response:
        return Response((PAGES / "page.js").read_bytes(), media_type="text/javascript")

    def styles(_: Request) -> Response:
        text = f"{style()}\n{(PAGES / 'page.css').read_text(encoding='utf-8')}"
        return Response(text, media_type="text/css")

    return Starlette(
        routes=[
            Route("/", shell),
            Route("/page.js", script),
            Route("/page.css", styles),
            _call("start", NoCall, desk.start),
            _call("patients", ListCall, desk.patients),
            _call("patient", PatientCall, desk.patient),
            _call("answer", AnswerCall, desk.answer),
            _call("words", WordsCall, desk.words),
            _call("word", WordCall, desk.word),
            _call("show-drugs", WordsCall, desk.show_drugs),
            _call("rows", RowsCall, entry.rows),
            _call("show-rows", ShowCall, entry.show),
            _call("row", RowCall, entry.row),
            _call("save-as", SaveAsCall, entry.save_as),
        ],
    )


def _call(name: str, kind: type[T], how: Callable[[T], dict[str, Any]]) -> Route:
    return Route(f"/call/{name}", _called(kind, how), methods=["POST"])


def _called(
    kind: type[T], how: Callable[[T], dict[str, Any]]
) -> Callable[[Request], Awaitable[Response]]:
    """Return the handler of one call: what is wrong is told in one line, and never in a log."""

    async def handler(request: Request) -> Response:
        try:
            call = msgspec.json.decode(await request.body(), type=kind)
            return JSONResponse(await run_in_threadpool(how, call))
        except (msgspec.ValidationError, msgspec.DecodeError):
            return JSONResponse(
                {"error": "the page and the program are of different versions"}, 400
            )
        except _NotThereError:
            return JSONResponse({"error": "no such patient"}, 404)
        except BecalmError as error:
            return JSONResponse({"error": error.line()}, 409)
        except Exception as error:
            return JSONResponse(
                {"error": f"a bug in becalm ({type(error).__name__}); nothing was saved"}, 500
            )

    return handler
