"""The records of Wuhan: definitions of hyperinflammation at 24 h and deaths in hospital, through a mapping.

What is expected is worked out beside it from the file alone, in plain Python, one patient after another.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from scipy import stats as scipy_stats

from becalm import protocol
from becalm.cli import main
from becalm.report.stays_by_status import STATUSES, StatusCount

FOLDER = Path(__file__).parents[2] / ".." / "shared" / "data" / "wuhan-covid"
FILE = FOLDER / "time_series_odd_patients.csv.gz"
COVID = "covid_hyperinflammation"
NAMES = protocol.load(COVID).definitions.report
DAY = timedelta(hours=24)


@dataclass
class Patient:
    """One patient as the file says it."""

    came: datetime
    went: datetime
    died: bool
    age: float
    drawn: dict[str, list[tuple[datetime, float]]] = field(default_factory=dict)

    @property
    def landmark(self) -> datetime:
        return self.came + DAY

    @property
    def end(self) -> str:
        """How it stood 28 days after admission."""
        if self.went > self.came + timedelta(days=28):
            return "in hospital"
        return "died" if self.died else "discharged"

    def within(self, column: str, back: timedelta) -> list[tuple[datetime, float]]:
        """The draws of the time before the landmark, the landmark itself included."""
        draws = sorted(self.drawn.get(column, []))
        return [(t, v) for t, v in draws if self.landmark - back < t <= self.landmark]


def patients() -> dict[str, Patient]:
    """Return who was alive and in hospital 24 h after admission."""
    found: dict[str, Patient] = {}
    who = ""
    with gzip.open(FILE, "rt", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            if row["PATIENT_ID"]:
                who = str(int(float(row["PATIENT_ID"])))
                came, went = (
                    datetime.fromisoformat(row[c]) for c in ("Admission time", "Discharge time")
                )
                found[who] = Patient(came, went, row["outcome"] == "1", float(row["age"]))
            for column in (CRP, FERRITIN):
                if row[column] and row["RE_DATE"]:
                    draw = datetime.fromisoformat(row["RE_DATE"]), float(row[column])
                    found[who].drawn.setdefault(column, []).append(draw)
    return {who: each for who, each in found.items() if each.went > each.landmark}


CRP, FERRITIN = "High sensitivity C-reactive protein", "ferritin"


def reaches(patient: Patient, column: str, limit: str, back: timedelta) -> bool | None:
    """Whether the highest value is above (`>`), or at least (`>=`), a limit; None where nothing was drawn."""
    values = [value for _, value in patient.within(column, back)]
    if not values:
        return None
    highest, number = round(max(values), 1), float(limit.lstrip(">= "))
    return highest >= number if ">=" in limit else highest > number


def doubled(patient: Patient) -> bool | None:
    """Whether the last CRP is twice one above 50 mg/L of the 24 h before it."""
    last = patient.within(CRP, DAY)
    if not last:
        return None
    at, value = last[-1]
    earlier = [v for t, v in patient.drawn[CRP] if at - DAY <= t < at]
    if not earlier:
        return False if value <= 100 else None  # it cannot have doubled from above 50
    return any(v > 50 and value >= 2 * v for v in earlier)


def cov_hi(patient: Patient) -> str:
    """COV-HI by hand."""
    parts = [
        reaches(patient, CRP, "> 150", DAY),
        doubled(patient),
        reaches(patient, FERRITIN, "> 1500", 3 * DAY),
    ]
    if True in parts:
        return "met"
    return "undetermined" if None in parts else "not met"


@dataclass
class Written:
    """What the command line wrote."""

    out: Path
    release: Path

    def rows(self, name: str) -> list[dict[str, str]]:
        with (self.out / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return [row for row in csv.DictReader(file) if row.get("moment", "index") == "index"]

    def statuses(self, name: str) -> dict[str, str]:
        cohort = {row["person_id"] for row in self.rows("persons")}
        return {
            row["person_id"]: row["status"]
            for row in self.rows("criteria")
            if row["criterion"] == name and row["person_id"] in cohort
        }


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The whole study, as its user runs it."""
    if not FILE.exists():
        pytest.skip("shared/data/wuhan-covid is absent")
    folder = tmp_path_factory.mktemp("wuhan")
    done = CliRunner().invoke(
        main,
        ["study", str(FOLDER), "--mapping", "wuhan2020", "--protocol", COVID,
         "--out", str(folder / "out"), "--release", str(folder / "release")],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    return Written(folder / "out", folder / "release")


@pytest.fixture(scope="module")
def page(written: Written) -> list[list[str]]:
    """The rows of the landmark's table in the report, cell by cell."""
    html = (written.out / "report.html").read_text(encoding="utf-8")
    part = html.split('id="landmark"')[1].split("</section>")[0]
    rows = [
        [re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r"<td>(.*?)</td>", row, re.S)]
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", part, re.S)
        if "<td>" in row
    ]
    for above, row in pairwise(rows):
        row[0] = row[0] or above[0]
    return rows


def test_the_cohort_is_who_was_there_at_24_hours(written: Written) -> None:
    """Everybody of 18 or older whose stay was longer than a day, by the dates of the file alone."""
    assert {row["person_id"] for row in written.rows("persons")} == set(patients())
    assert all(each.age >= 18 for each in patients().values())


def test_cov_hi_is_what_a_reader_of_the_file_would_say(written: Written) -> None:
    """Met, not met and undetermined of every patient, worked out by hand from CRP and ferritin."""
    expected = {who: cov_hi(each) for who, each in patients().items()}
    assert written.statuses("cov_hi") == expected
    assert set(expected.values()) == set(STATUSES)


@pytest.mark.parametrize(
    ("criterion", "item", "column", "limit", "hours"),
    [
        ("cov_hi", "crp", CRP, "> 150", 24),
        ("cov_hi", "ferritin", FERRITIN, "> 1500", 72),
        ("chis", "ferritin", FERRITIN, ">= 700", 24),
        ("temple", "ferritin", FERRITIN, "> 250", 72),
        ("temple", "crp", CRP, "> 46", 72),
    ],
)
def test_ferritin_and_crp_are_read_in_the_units_of_the_mapping(  # noqa: PLR0917
    written: Written, criterion: str, item: str, column: str, limit: str, hours: int
) -> None:
    """Ferritin in ng/mL and CRP in mg/L: met, not met and not assessed as in the file."""
    words = {True: "met", False: "not met", None: "not assessed"}
    expected = {
        who: words[reaches(each, column, limit, timedelta(hours=hours))]
        for who, each in patients().items()
    }
    found = {
        row["person_id"]: row["state"]
        for row in written.rows("criteria_items")
        if (row["criterion"], row["item"]) == (criterion, item) and row["person_id"] in expected
    }
    assert found == expected


@pytest.mark.parametrize("name", NAMES)
def test_every_cell_counts_the_deaths_of_the_file(
    written: Written, page: list[list[str]], name: str
) -> None:
    """Deaths in hospital by day 28 for met, not met and undetermined, with n and the exact interval of each; together they are everybody."""
    plain = patients()
    said = written.statuses(name)
    three = [row for row in page if row[0] == titled(name)]
    assert [row[1] for row in three] == list(STATUSES)
    for row, status in zip(three, STATUSES, strict=True):
        mine = [plain[who].end for who, each in said.items() if each == status]
        counts = [len(mine), *(mine.count(e) for e in ("died", "discharged", "in hospital"))]
        assert row[2:7] == [*map(str, counts), "0"]
        assert row[7] == exact(counts[1], counts[0])
    assert sum(int(row[2]) for row in three) == len(plain)


def titled(name: str) -> str:
    titles = {"cov_hi": "COV-HI", "chis": "cHIS", "temple": "Temple", "hscore": "HScore",
              "hlh2004": "HLH-2004", "mas2016": "MAS 2016"}  # fmt: skip
    return titles[name] + "u" * (name in MARKED)


MARKED = frozenset(NAMES)
"""Every definition rests on a unit that nobody stated."""


def exact(died: int, n: int) -> str:
    """The risk with its Clopper-Pearson interval, by another library."""
    if not n:
        return "–"
    interval = scipy_stats.binomtest(died, n).proportion_ci(0.95, "exact")
    return f"{100 * died / n:.0f} % ({100 * interval.low:.0f} to {100 * interval.high:.0f})"


@pytest.mark.parametrize(
    ("criterion", "items"),
    [
        (
            "hscore",
            (
                "temperature",
                "organomegaly",
                "haemophagocytosis",
                "triglycerides",
                "immunosuppression",
            ),
        ),
        ("hlh2004", ("fever", "splenomegaly", "haemophagocytosis")),
        ("chis", ("fever",)),
        ("temple", ("ground_glass", "anion_gap")),
    ],
)
def test_what_the_file_lacks_is_not_assessed_in_anybody(
    written: Written, criterion: str, items: tuple[str, ...]
) -> None:
    """Temperature, organs, marrow and imaging were not recorded: not assessed, never absent."""
    rows = [row for row in written.rows("criteria_items") if row["criterion"] == criterion]
    assert {(row["item"], row["state"]) for row in rows if row["item"] in items} == {
        (item, "not assessed") for item in items
    }


@pytest.mark.parametrize("name", ["hscore", "hlh2004"])
def test_what_depends_on_them_is_undetermined_and_not_negative(written: Written, name: str) -> None:
    """With fever, organs and marrow unknown nobody's HScore or HLH-2004 is decided, either way."""
    assert set(written.statuses(name).values()) == {"undetermined"}


def test_temple_cannot_be_met_without_imaging(written: Written) -> None:
    """Ground-glass opacities are an entry: without imaging it is denied by something else or open."""
    assert set(written.statuses("temple").values()) == {"not met", "undetermined"}


def test_urine_is_not_read_as_blood(written: Written) -> None:
    """White cells without a haematocrit beside them belong to a urine sediment: 441 counts, none of them above 36, two of them drawn after a death."""
    rows = [row for row in written.rows("values") if row["variable"] == "wbc"]
    assert sum(int(row["n"]) for row in rows) == 441 - 2
    assert max(float(row["max"]) for row in rows if int(row["n"])) < 36


def test_the_report_carries_licence_and_marks(written: Written) -> None:
    """The notice of the records' licence; every inferred unit is listed as unverified, and every total that rests on one is marked."""
    facts = json.loads((written.out / "manifest.json").read_text(encoding="utf-8"))
    assert any("MIT licence" in notice for notice in facts["notices"])
    inferred = "Ferritin from column 'ferritin', read in ng/mL: inferred from the name"
    assert any(said.startswith(inferred) for said in facts["unverified"])
    assert {"yan2020"} <= set(facts["citations"])
    assert [file["name"] for file in facts["inputs"]] == [FILE.name, "wuhan2020.toml"]
    cohort = set(patients())
    marks = {r["verified"] for r in written.rows("criteria") if r["person_id"] in cohort}
    assert marks == {"false"}
    for html in (written.out / "report.html", written.release / "release.html"):
        text = html.read_text(encoding="utf-8")
        assert "MIT licence" in text
        assert "read in ng/mL" in text


def test_the_risk_has_no_cell_without_its_n() -> None:
    """Two deaths of ten, two of them unknown: 2 of 8."""
    assert StatusCount("cov_hi", "met", 10, 2, 5, 1, 2).risk == 0.25
