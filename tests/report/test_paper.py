"""The paper: every number a field, nothing that a release would not print, figures that can be read."""

from __future__ import annotations

import builtins
import csv
import html
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from docx import Document

from becalm.api.write import write
from becalm.cli import main
from becalm.report.paper import figures, latex, writing
from becalm.report.paper.checklists import answers, checklists, filled
from becalm.report.paper.content import PaperContent, paper, tables_of
from becalm.report.paper.fields import Fields, plain
from becalm.report.paper.figures import PIXELS_PER_MM, WIDTHS_MM
from becalm.report.release.aggregates import Aggregates, aggregates_of
from becalm.report.release.results import results as released
from becalm.study.result import StudyResult
from tests.report import charts
from tests.report.charts import PERSONS, STUDY
from tests.report.conftest import Study

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
STATED = STUDY + (
    'case_series_consent = "written consent"\ncase_series_ethics = "REC 1/2 (invented)"\n'
    'case_series_decided_by = "somebody"\ncase_series_words = "AOSD"\n'
)
NAMES = re.compile(
    r"95 %|/1\.73|\d+ h\b|day \d+|v5|-\d|Case \d+|MAS 2016|10⁹|%\)|t0|\[Authors.*?\]"
)
"""What holds a digit and is no number: an interval's level, horizons, scales, patients."""


@pytest.fixture(scope="module")
def stated(study: Study) -> Aggregates:
    """Return the aggregates of five patients whose authors state that they may be published."""
    return aggregates_of(study(PERSONS, about=STATED))


@pytest.fixture(scope="module")
def many_patients(thirty_six: StudyResult) -> Aggregates:
    return aggregates_of(thirty_six)


@pytest.fixture(scope="module")
def written(
    stated: Aggregates, tmp_path_factory: pytest.TempPathFactory
) -> tuple[PaperContent, Path]:
    """Return the paper of a case series, and its folder."""
    out = tmp_path_factory.mktemp("paper")
    content = paper(stated, "case-series")
    writing.write(content, out)
    return content, out


def numbers_of(path: Path) -> dict[str, str]:
    """Return the numbers that a document holds, by their fields."""
    text = zipfile.ZipFile(path).read("customXml/item2.xml").decode()
    found = re.findall(r'<number field="([^"]+)">([^<]*)</number>', text)
    return {name: html.unescape(number) for name, number in found}


def body(path: Path) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return each paragraph's words outside fields, and its fields with what they show."""
    found = []
    for paragraph in Document(str(path)).element.body.iter(f"{W}p"):
        fields = [
            (
                re.findall(r"@field='([^']+)'", bound.get(f"{W}xpath"))[0],
                "".join(t.text for t in sdt.iter(f"{W}t")),
            )
            for sdt in paragraph.iter(f"{W}sdt")
            for bound in sdt.iter(f"{W}dataBinding")
        ]
        words = "".join(
            t.text or ""
            for t in paragraph.iter(f"{W}t")
            if not any(parent.tag == f"{W}sdt" for parent in t.iterancestors())
        )
        found.append((words, fields))
    return found


def test_every_number_of_the_draft_is_a_field(written: tuple[PaperContent, Path]) -> None:
    """In methods and results, sentences and tables; what names a line or a column is no number."""
    content, out = written
    labels = {cell for table in content.tables for row in table.rows for cell in row[:2]}
    labels |= {head for table in content.tables for head in table.head}
    labels |= {table.title for table in content.tables}
    labels |= {label[:1].upper() + label[1:] for label in labels}
    paragraphs = body(out / "draft.docx")
    texts = [words for words, _ in paragraphs]
    start, end = texts.index("Methods"), texts.index("Figures")
    left = []
    for words in texts[start:end]:
        for label in sorted((each for each in labels if len(each) > 2), key=len, reverse=True):
            words = words.replace(label, " ")  # noqa: PLW2901
        words = re.sub(r"^Table \d+\.|becalm \d+\.\d+\.\d+", " ", words)  # noqa: PLW2901
        if re.search(r"\d", NAMES.sub(" ", words)):
            left.append(words)
    assert left == []
    assert sum(len(fields) for _, fields in paragraphs) > 200


def test_every_field_shows_the_number_that_the_document_holds(
    written: tuple[PaperContent, Path],
) -> None:
    content, out = written
    for name in ("draft.docx", "tables.docx"):
        held = numbers_of(out / name)
        shown = [each for _, fields in body(out / name) for each in fields]
        assert shown
        assert all(held[field] == text for field, text in shown)
        assert held.items() <= content.fields.values.items()
    with (out / "fields.csv").open(encoding="utf-8", newline="") as file:
        assert {row["field"] for row in csv.DictReader(file)} == set(content.fields.values)


def test_a_number_in_a_sentence_and_in_a_table_is_one_field(
    written: tuple[PaperContent, Path],
) -> None:
    fields = [name for _, found in body(written[1] / "draft.docx") for name, _ in found]
    assert len(fields) > len(set(fields))
    [women] = [name for name in set(fields) if name == "case_series_summary.sex.female.count"]
    assert fields.count(women) == 2


def test_the_order_is_that_of_a_case_series(written: tuple[PaperContent, Path]) -> None:
    document = Document(str(written[1] / "draft.docx"))
    heads = [p.text for p in document.paragraphs if p.style and p.style.name == "Heading 1"]
    assert heads == [
        "Abstract", "Introduction", "Methods", "Results", "Figures", "Discussion", "Declarations", "References",
    ]  # fmt: skip
    parts = [section.title for section in written[0].results]
    assert parts == ["Patients", "Diagnosis", "Treatment", "Response", "Safety"]
    assert "Research use only" in document.sections[0].header.paragraphs[0].text


@pytest.mark.parametrize("kind", ["aggregates", "case-series"])
def test_a_paper_prints_no_more_than_a_release(
    stated: Aggregates, kind: str, tmp_path: Path
) -> None:
    """No id, no date, no place; and of results only what its tables print."""
    content = paper(stated, kind)
    writing.write(content, tmp_path)
    allowed = {row[-2] for row in released(content.tables).rows} | {"suppressed"}
    for name, text in content.fields.values.items():
        if not name.startswith(("methods", "unverified")):
            assert text in allowed, name
    for path in tmp_path.rglob("*"):
        if path.suffix in {".csv", ".tex", ".svg"}:
            words = path.read_text("utf-8")
        elif path.suffix == ".docx":
            words = " ".join(text for text, _ in body(path))
        else:
            continue
        for person in PERSONS:
            assert person.id not in words, path
        assert "Invented Hospital" not in words
        assert not re.search(r"\b20\d\d-\d\d-\d\d", words)


def test_suppressed_stays_suppressed(stated: Aggregates) -> None:
    """Of five patients no count is printed, and there is no figure of single patients."""
    content = paper(stated, "aggregates")
    texts = [plain(each) for section in content.results for each in section.paragraphs]
    assert "Sex: women suppressed; men suppressed; sex unknown suppressed." in texts
    assert {figure.name for figure in figures.figures(content)} <= {"flow", "shares"}
    assert not any("Case 1" in text for text in texts)


def test_the_internal_draft_says_so_on_every_page(many_patients: Aggregates) -> None:
    content = paper(many_patients, "internal")
    assert content.banner.startswith("INTERNAL DRAFT. Contains patient data, not for release.")
    women = next(s for s in content.results if s.title == "Patients").paragraphs[0]
    assert re.match(r"Sex: women \d+ of 36 \(\d+ %; 95 % interval \d+–\d+\); men", plain(women))


def test_counts_of_the_cases_are_those_of_their_table(written: tuple[PaperContent, Path]) -> None:
    tables = {table.name: table for table in written[0].tables}
    patients = tables["case_series_patients"]
    at = list(patients.head).index("outcome")
    died = sum(row[at].startswith("died") for row in patients.rows)
    [row] = [r for r in tables["case_series_summary"].rows if r[:2] == ["outcome", "died"]]
    assert row[2:4] == [str(died), str(len(patients.rows))]


@pytest.mark.parametrize("width", WIDTHS_MM)
def test_figures_have_the_width_of_a_journal_and_can_be_read(
    written: tuple[PaperContent, Path], width: int
) -> None:
    """Letters of 6 points or more; PNG of 600 points an inch; the page of the PDF is as wide."""
    content, out = written
    names = {figure.name for figure in figures.figures(content)}
    assert names == {"shares", "timeline", "course"}
    for name in names:
        path = out / "figures" / f"{name}_{width}mm"
        svg = path.with_suffix(".svg").read_text("utf-8")
        assert f'width="{width}mm"' in svg
        assert "…" not in svg, "words were cut off"
        view = re.search(r'viewBox="0 0 ([\d.]+)', svg)
        assert view
        scale = width * PIXELS_PER_MM / float(view[1])
        sizes = [float(size) for size in re.findall(r'font-size="([\d.]+)px"', svg)]
        assert sizes
        assert min(sizes) * scale * 72 / 96 >= 6
        png = path.with_suffix(".png").read_bytes()
        assert abs(int.from_bytes(png[16:20], "big") - width / 25.4 * 600) < 2
        box = re.search(rb"/MediaBox ?\[ ?0 0 ([\d.]+)", path.with_suffix(".pdf").read_bytes())
        assert box is None or abs(float(box[1]) - width / 25.4 * 72) < 1
        with (out / "figures" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            assert len(list(csv.reader(file))) > 1


def test_the_timeline_has_what_became_of_each_patient(stated: Aggregates) -> None:
    """By hand from the sheets: who died is on the timeline on that day, in the cohort's own days."""
    for case in stated.series.cases:
        events = {each.what: each for each in case.timeline}
        assert ("died" in events) == case.outcome.startswith("died")
        if "died" in events:
            day = re.search(r"day (\d+)", case.outcome)
            assert day
            assert abs(events["died"].start - int(day[1])) <= 0.5
        assert all(each.start <= each.end for each in case.timeline)
        assert "followed" in events


def test_words_are_safe_for_latex(written: tuple[PaperContent, Path]) -> None:
    assert latex.escaped("5 % & #1_x ≥ 2") == r"5 \% \& \#1\_x $\geq$ 2"
    for path in (written[1] / "tables").glob("*.tex"):
        lines = path.read_text("utf-8").splitlines()
        columns = {len(re.findall(r"(?<!\\)&", line)) for line in lines if line.endswith(r" \\")}
        assert len(columns) == 1, path


def test_checklists_name_parts_that_the_draft_has(written: tuple[PaperContent, Path]) -> None:
    content, out = written
    known = answers(content)
    for each in checklists().values():
        assert {item.run for item in each.item if item.run} <= set(known)
    texts = [words for words, _ in body(out / "draft.docx")]
    lists = filled(content)
    for one in lists:
        for row in one.rows:
            assert row[3] != "not in the draft" or row[4] != "–", row
            for part in row[3].split(", "):
                if part.startswith("Results: "):
                    assert part.removeprefix("Results: ") in texts
                if part.startswith("figure "):
                    assert (out / "figures" / f"{part.removeprefix('figure ')}.csv").exists(), row
    assert [one.name for one in lists] == ["care", "process2023", "record"]


def test_names_of_fields_are_told_apart() -> None:
    fields = Fields()
    one, two = fields.text("5", ("t", "a b", "c")), fields.text("6", ("t", "a-b", "c"))
    assert one != two
    assert len(fields.values) == 2
    assert fields.text("5", ("t", "a b", "c")) == one


@pytest.fixture(scope="module")
def results_folder(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what a study of five wrote; its authors state nothing of publishing them."""
    out = tmp_path_factory.mktemp("results")
    write(study(PERSONS), out)
    return out


def becalm(*words: object) -> Any:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_the_command_writes_and_never_over_the_authors_work(
    results_folder: Path, tmp_path: Path
) -> None:
    done = becalm("paper", results_folder, "--out", tmp_path / "paper")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "paper" / "draft.docx").is_file()
    again = becalm("paper", results_folder, "--out", tmp_path / "paper")
    assert again.exit_code == 6, again.output


def test_single_patients_need_the_statement(results_folder: Path, tmp_path: Path) -> None:
    done = becalm("paper", results_folder, "--out", tmp_path / "paper", "--kind", "case-series")
    assert done.exit_code == 4
    assert "case_series_consent" in done.output
    assert not (tmp_path / "paper").exists()


def test_without_the_library_it_says_what_to_install(
    results_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = builtins.__import__

    def without(name: str, *rest: Any, **given: Any) -> Any:
        if name == "docx":
            raise ModuleNotFoundError(name)
        return imported(name, *rest, **given)

    monkeypatch.setattr(builtins, "__import__", without)
    done = becalm("paper", results_folder, "--out", tmp_path / "paper")
    assert done.exit_code == 8
    assert "pip install 'becalm[paper]'" in done.output


def test_a_folder_that_is_no_results_is_told(tmp_path: Path) -> None:
    assert becalm("paper", tmp_path, "--out", tmp_path / "paper").exit_code == 3


def test_aggregates_of_older_studies_can_still_be_read(stated: Aggregates) -> None:
    """A file without timelines has none."""
    data = msgspec.json.decode(msgspec.json.encode(stated, enc_hook=str))
    for case in data["series"]["cases"]:
        del case["timeline"]
    old = msgspec.convert(data, Aggregates)
    assert {figure.name for figure in figures.figures(paper(old, "case-series"))} == {"shares", "course"}  # fmt: skip
    assert len(tables_of(old, "case-series")) == len(tables_of(stated, "case-series"))
    assert charts.PERSONS


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not installed")
def test_libreoffice_prints_the_numbers_that_the_document_holds(
    written: tuple[PaperContent, Path], tmp_path: Path
) -> None:
    """A number that is changed in the document is printed at every place of its field."""
    name = "case_series_summary.sex.female.count"
    with (
        zipfile.ZipFile(written[1] / "draft.docx") as old,
        zipfile.ZipFile(tmp_path / "draft.docx", "w") as new,
    ):
        for each in old.namelist():
            data = old.read(each)
            if each == "customXml/item2.xml":
                data = re.sub(rf'(field="{name}">)\d+'.encode(), rb"\g<1>987", data)
            new.writestr(each, data)
    command = ["soffice", "--headless", "--convert-to", "txt:Text", "draft.docx"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=300)
    assert (tmp_path / "draft.txt").read_text("utf-8-sig").count("987") == 2
