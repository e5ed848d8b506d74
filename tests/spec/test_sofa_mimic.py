"""SOFA's lung, mind and kidney on the MIMIC-IV demo: a plain reading of its files, and the public concepts."""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pytest

from becalm.core.clock import DAY, HOUR, to_us
from becalm.measures.organs import rules, sofa
from becalm.timeline import Timeline
from tests.reference import organs as plain
from tests.spec.test_organs_mimic import demo
from tests.spec.test_organs_mimic import infusions as infusions_by_person

DATA = Path(__file__).parents[3] / "shared" / "data"
FILES = DATA / "mimic-iv-demo"
CONCEPTS = DATA / "mimic-iv-demo-concepts"
pytestmark = pytest.mark.skipif(not CONCEPTS.exists(), reason="shared/data is not here")
Span = tuple[float, float]
URINE = "226559 226560 226561 226584 226563 226564 226565 226567 226557 226558 226627 226631"
URINE_THERE = URINE.replace("226627", "").replace("226631", "")  # not that of an operation
RINSED = "227488 227489"
CREATININE = "50912 52546 52024"


def query(sql: str) -> list[tuple[Any, ...]]:
    return duckdb.connect().execute(sql).fetchall()


def file(name: str) -> str:
    return f"read_csv('{FILES / name}.csv.gz', all_varchar = true)"


def listed(items: str) -> str:
    return ", ".join(f"'{item}'" for item in items.split())


@cache
def deaths() -> dict[str, int]:
    """When nothing counts any more: the death in hospital, or the end of the day of death."""
    found = {
        who: to_us(day) + DAY
        for who, day in query(f"SELECT subject_id, dod::TIMESTAMP FROM {file('hosp/patients')} WHERE dod IS NOT NULL")
    }  # fmt: skip
    for who, time in query(
        f"SELECT subject_id, deathtime::TIMESTAMP FROM {file('hosp/admissions')} WHERE deathtime IS NOT NULL"
    ):
        found[who] = to_us(time) + 1
    return found


def drawn(
    name: str, items: str, low: float, high: float, column: str = "valuenum"
) -> dict[str, list[plain.Between]]:
    """The lowest and the highest number of each minute, as the file has them, without what cannot be."""
    found: dict[str, list[plain.Between]] = defaultdict(list)
    for who, time, least, most in query(
        f"SELECT subject_id, charttime::TIMESTAMP AS t, min({column}::DOUBLE), max({column}::DOUBLE) FROM {file(name)} "
        f"WHERE itemid IN ({listed(items)}) AND {column}::DOUBLE BETWEEN {low} AND {high} GROUP BY 1, 2 ORDER BY 1, 2"
    ):
        if to_us(time) < deaths().get(who, 2**62):
            found[who].append((to_us(time), least, most))
    return found


def spans(name: str, start: str, end: str, where: str = "true") -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = defaultdict(list)
    for who, begin, stop in query(
        f"SELECT subject_id, {start}::TIMESTAMP AS b, {end}::TIMESTAMP FROM {file(name)} WHERE {where} ORDER BY 1, 2"
    ):
        found[who].append((to_us(begin), to_us(stop)))
    return found


def ventilated(items: str) -> dict[str, list[Span]]:
    return spans("icu/procedureevents", "starttime", "endtime", f"itemid IN ({listed(items)})")


def coded(where: str) -> dict[str, list[int]]:
    """The days of procedures that are known by their date alone."""
    found: dict[str, list[int]] = defaultdict(list)
    for who, day in query(
        f"SELECT subject_id, chartdate::TIMESTAMP FROM {file('hosp/procedures_icd')} WHERE {where}"
    ):
        found[who].append(to_us(day))
    return found


@cache
def stays() -> tuple[dict[str, list[Span]], dict[str, list[Span]]]:
    care = spans("icu/icustays", "intime", "outtime")
    emergency = spans("hosp/transfers", "intime", "outtime", "eventtype = 'ED'")
    whole: dict[str, list[Span]] = defaultdict(list)
    for who, of_person in spans("hosp/admissions", "admittime", "dischtime").items():
        for start, end in sorted([*of_person, *care[who], *emergency[who]]):
            near = whole[who] and start - whole[who][-1][1] <= DAY
            before = whole[who].pop() if near else (start, end)
            whole[who].append((before[0], max(before[1], end)))
    return care, whole


def perhaps(timed: dict[str, list[Span]], days: dict[str, list[int]]) -> dict[str, list[Span]]:
    """From the day of a coded procedure to the end of the admission, where no hour of that day is charted."""
    found: dict[str, list[Span]] = defaultdict(list)
    for who, of_person in days.items():
        for day in of_person:
            if any(start < day + DAY and end > day for start, end in timed[who]):
                continue
            ends = [stop for start, stop in stays()[1][who] if start < day + DAY and stop > day]
            found[who].append((day, max([day + DAY, *ends])))
    return found


def replaced() -> dict[str, list[Span]]:
    """Courses of dialysis: sessions at most 72 h apart, and days of which only the date is known."""
    timed = ventilated("225802 225441 225805")
    for who, rows in drawn("icu/outputevents", "226499", 0, 1e9, "value").items():
        timed[who] += [(time, time + 1) for time, _, _ in rows]
    found: dict[str, list[Span]] = defaultdict(list)
    days = coded("icd_code IN ('3995', '5498', '3E1M39Z') OR icd_code LIKE '5A1D%'")
    for who in {*timed, *days}:
        sessions, died = list(timed[who]), deaths().get(who, 2**62)
        for day in days[who]:
            if not any(start < day + DAY and end > day for start, end in timed[who]):
                found[who].append((day, min(day + DAY, died)))
                sessions.append((min(day + DAY, died), min(day + DAY, died) + 1))
        course: list[float] = []
        for start, end in sorted(
            (start, min(max(end, start + 1), died)) for start, end in sessions
        ):
            if course and start - course[1] <= 72 * HOUR:
                course[1] = max(course[1], end)
                continue
            if course:
                found[who].append((course[0], course[1]))
            course = [start, end]
        if course:
            found[who].append((course[0], course[1]))
    return found


@cache
def irrigated() -> frozenset[str]:
    """Whose bladder was irrigated: how much of what ran out was urine is another rule, with tests of its own."""
    sql = f"SELECT DISTINCT subject_id FROM {file('icu/outputevents')} WHERE itemid IN ({listed(RINSED)})"
    return frozenset(who for (who,) in query(sql))


def volumes(items: str = URINE) -> dict[str, list[plain.Draw]]:
    """All urine of a minute together."""
    found: dict[str, list[plain.Draw]] = defaultdict(list)
    for who, time, ml in query(
        f"SELECT subject_id, charttime::TIMESTAMP AS t, sum(value::DOUBLE) FROM {file('icu/outputevents')} "
        f"WHERE itemid IN ({listed(items)}) GROUP BY 1, 2 ORDER BY 1, 2"
    ):
        if to_us(time) < deaths().get(who, 2**62):
            found[who].append((to_us(time), ml))
    return found


@cache
def lines() -> dict[str, Timeline]:
    """SOFA's items of everybody."""
    return sofa.items(demo(), rules.load().sofa, np.ones(len(demo()), np.bool_))


def number_of() -> dict[str, int]:
    return {name: at for at, name in enumerate(demo().records.persons["person_id"].tolist())}


def moments(*tables: dict[str, list[Any]]) -> list[tuple[str, int]]:
    """At each draw, twelve and 24 hours after it and a microsecond before that."""
    found = set()
    for table in tables:
        for who, rows in table.items():
            for row in rows:
                found |= {(who, int(row[0]) + later) for later in (0, 12 * HOUR, DAY - 1, DAY)}
    return sorted(found)


class Compared(NamedTuple):
    exact: int
    ranges: int
    unknown: int


def compare(item: str, at: list[tuple[str, int]], read: Any) -> Compared:
    """Compare at moments; return how many of them have one value, a range, or none."""
    ids = number_of()
    persons, times = [ids[who] for who, _ in at], [time for _, time in at]
    low, high = lines()[item].at(persons, times)
    count, wrong = [0, 0, 0], []
    for (who, time), least, most in zip(at, low.tolist(), high.tolist(), strict=True):
        expected = read(who, time)
        if expected != ((least, most) if np.isfinite(least) else None):
            wrong.append((who, time, expected, least, most))
        count[2 if expected is None else 0 if expected[0] == expected[1] else 1] += 1
    assert wrong == []
    return Compared(*count)


def lung() -> tuple[dict[str, list[plain.Between]], Any]:
    gases, oxygen = drawn("icu/chartevents.numeric-rebuilt", "220224", 15, 760), drawn("icu/chartevents.numeric-rebuilt", "223835", 21, 100)  # fmt: skip
    on = ventilated("225792 225794")
    maybe = perhaps(on, coded(f"icd_code IN ({listed('5A1935Z 5A1945Z 5A1955Z 9670 9671 9672 9390')}) OR icd_code LIKE '5A09%'"))  # fmt: skip
    return gases, lambda who, at: plain.respiration(gases[who], oxygen[who], on[who], [*on[who], *maybe[who]], at)  # fmt: skip


def mind() -> tuple[list[dict[str, list[plain.Between]]], Any]:
    parts = [
        drawn("icu/chartevents.numeric-rebuilt", code, 1, most)
        for code, most in (("220739", 4), ("223900", 5), ("223901", 6))
    ]
    on = ventilated("225792")
    maybe = perhaps(on, coded(f"icd_code IN ({listed('5A1935Z 5A1945Z 5A1955Z 9670 9671 9672')})"))
    eye, verbal, motor = parts
    return parts, lambda who, at: plain.nervous_system(
        eye[who], verbal[who], motor[who], [*on[who], *maybe[who]], at
    )


def kidney() -> tuple[Any, Any, Any]:
    creatinine, urine = drawn("hosp/labevents", CREATININE, 0.05, 40), volumes()
    dialysed, (care, whole) = replaced(), stays()
    return (
        creatinine,
        urine,
        lambda who, at: plain.renal(
            creatinine[who], dialysed[who], plain.Urine(urine[who], care[who], whole[who]), at
        ),
    )


def test_respiration_equals_a_plain_reading_for_everybody() -> None:
    """PaO2 by the oxygen in force, ventilated or not, at every gas and at the edges of its 24 h."""
    gases, read = lung()
    assert compare("respiration", moments(gases), read) == (2136, 0, 349)


def test_the_coma_scale_equals_a_plain_reading_for_everybody() -> None:
    """Whatever is charted again without a change counts again; a tube leaves a range."""
    parts, read = mind()
    assert compare("nervous_system", moments(*parts), read) == (5867, 4219, 145)


def test_the_kidney_equals_a_plain_reading_for_everybody() -> None:
    """Creatinine, urine of a day, dialysis; without the three whose bladder was irrigated."""
    creatinine, urine, read = kidney()
    at = [each for each in moments(creatinine, urine) if each[0] not in irrigated()]
    assert compare("renal", at, read) == (20669, 7434, 2060)


THEIRS = ("respiration", "coagulation", "liver", "cardiovascular", "cns", "renal")
CHART = "icu/chartevents.numeric-rebuilt"
PLATELETS, BILIRUBIN = "51265 51704", "50885 53089"


@cache
def public() -> tuple[list[dict[str, str]], np.ndarray, np.ndarray, dict[str, int]]:
    """The rows of the public SOFA, whom and when they are about, and the begin of each stay."""
    with gzip.open(CONCEPTS / "sofa.csv.gz", "rt", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    ids = number_of()
    who = np.array([ids[row["subject_id"]] for row in rows], np.int32)
    at = np.array([to_us(datetime.fromisoformat(row["endtime"])) for row in rows])
    begins = dict(query(f"SELECT stay_id, intime::TIMESTAMP FROM {file('icu/icustays')}"))
    return rows, who, at, {stay: to_us(begin) for stay, begin in begins.items()}


def since(begin: int, *draws: Sequence[Any]) -> list[list[Any]]:
    """Only what was drawn after the begin of a stay, as the public query looks at."""
    return [[row for row in each if row[0] > begin] for each in draws]


def within(time: int, table: Sequence[Any]) -> list[Any]:
    return [row for row in table if time - DAY < row[0] <= time]


@cache
def infusions() -> dict[str, dict[str, list[plain.Run]]]:
    names = demo().records.persons["person_id"].tolist()
    return {names[who]: runs for who, runs in infusions_by_person().items()}


def hours_before(at: int, begin: int) -> list[int]:
    """The ends of the hours of the last day, none before the stay."""
    return [at - back * HOUR for back in range(24) if at - back * HOUR > begin]


def days_of_theirs() -> dict[str, list[tuple[int, float]]]:
    """Urine as the public query takes it for that of a day: of 23 whole hours with the gaps before them, made 24 h.

    It counts where these are 22 to 30 h long.
    """
    found: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for who, charted in volumes(URINE_THERE).items():
        for begin, end in stays()[0][who]:
            mine = [(int(time), ml) for time, ml in charted if begin < time <= end]
            gaps = np.diff([int(begin), *(time for time, _ in mine)]) / HOUR
            for time, _ in mine:
                hour = time // HOUR - 23
                near = [i for i, (t, _) in enumerate(mine) if t <= time and t // HOUR >= hour]
                length = sum(gaps[i] for i in near)
                if 22 <= length <= 30:
                    found[who].append((time, 24 * sum(mine[i][1] for i in near) / length))
    return found


def fits(theirs: int, reading: plain.Range | None) -> bool:
    return reading[0] <= theirs <= reading[1] if reading else theirs == 0


def why(item: str) -> Any:
    """The reason of one difference, found by reading the files again as the public query does."""
    if item in {"coagulation", "liver"}:
        code, read = {
            "coagulation": (PLATELETS, plain.coagulation), "liver": (BILIRUBIN, plain.liver),
        }[item]  # fmt: skip
        draws = drawn("hosp/labevents", code, 0, 5000)

        def blood(who: str, at: int, begin: int, theirs: int, _: plain.Range | None) -> str:
            [mine] = since(begin, draws[who])
            points = read([(time, low) for time, low, _ in mine], at)
            return "drawn before that stay" if (points or 0) == theirs else "?"

        return blood
    if item == "respiration":
        arterial = {
            (who, to_us(time))
            for who, time in query(
                f"SELECT subject_id, charttime::TIMESTAMP FROM {file('hosp/labevents')} WHERE itemid = '52033' AND value = 'ART.'"
            )
        }
        gases = drawn("hosp/labevents", "50821", 0, 1000)
        beside, charted = drawn("hosp/labevents", "50816", 21, 100), drawn(CHART, "223835", 21, 100)

        def gas(who: str, at: int, begin: int, theirs: int, found: plain.Range | None) -> str:
            if found and theirs == 2 < found[0]:
                return "ventilation is lost there"
            scores = [0]
            for time, mmhg, _ in within(at, gases[who]):
                own = [low for drawn_at, low, _ in beside[who] if drawn_at == time]
                last = plain.last(charted[who], time, 4 * HOUR)
                oxygen = own[0] if own else last[0] if last else None
                if oxygen and (who, time) in arterial:
                    scores.append(sum(100 * mmhg / oxygen < bound for bound in (400, 300)))
            return "gases of the laboratory, oxygen of 4 h" if max(scores) == theirs else "?"

        return gas
    if item == "nervous_system":
        parts, _ = mind()

        def coma(who: str, at: int, begin: int, theirs: int, found: plain.Range | None) -> str:
            eye, verbal, motor = since(begin, *(part[who] for part in parts))
            if fits(theirs, plain.nervous_system(eye, verbal, motor, [(0, 2**62)], at)):
                return "charted before that stay"
            return "a part that is not charted is normal there" if found is None else "?"

        return coma
    if item == "renal":
        creatinine, urine, _ = kidney()
        care, whole = stays()
        days = days_of_theirs()

        def renal(who: str, at: int, begin: int, theirs: int, found: plain.Range | None) -> str:
            bound = 200 if theirs == 4 else 500
            low = [time for time, ml in within(at, days[who]) if theirs > 2 and ml < bound]
            mine = plain.Urine(urine[who], care[who], whole[who])
            if who in irrigated() and theirs > 2:
                return "the bladder is irrigated"
            if any(plain.urine_of_day(mine, time)[0] < bound for time in low):
                return "the worst of the days of urine that ended in 24 h"
            if low:
                return "their day has 22 to 30 h, taken for 24"
            charted = within(at, urine[who])
            ml, whole_day = plain.urine_of_day(mine, charted[-1][0]) if charted else (0.0, False)
            if whole_day and ml < 500:
                return "a day of urine that they do not count"
            [blood] = since(begin, creatinine[who])
            points = plain.renal_by_creatinine([(time, mg_dl) for time, mg_dl, _ in blood], at)
            return "drawn before that stay" if (points or 0) == theirs else "?"

        return renal
    low = drawn(CHART, "220052 220181 225312", -1e9, 1e9)
    runs = infusions()

    def pressure(who: str, at: int, begin: int, theirs: int, found: plain.Range | None) -> str:
        mine = [(time, mmhg) for time, mmhg, _ in since(begin, low[who])[0]]
        if found and theirs > found[1] and any(mmhg < 20 for _, mmhg in within(at, mine)):
            return "a pressure that cannot be"
        given = {
            drug: [
                run
                for run in of_drug
                if any(run[0] < hour <= run[1] for hour in hours_before(at, begin))
            ]
            for drug, of_drug in runs.get(who, {}).items()
        }
        if fits(theirs, (plain.cardiovascular(mine, given, at) or 0,) * 2):
            return "drugs at the full hour"
        return "?"

    return pressure


DIFFERENCES: dict[str, dict[str, int]] = {
    "respiration": {"equal": 2858, "unknown, 0 there": 7691, "ventilation is lost there": 1427, "gases of the laboratory, oxygen of 4 h": 233},
    "coagulation": {"equal": 11745, "unknown, 0 there": 419, "drawn before that stay": 45},
    "liver": {"equal": 5569, "possible": 21, "unknown, 0 there": 6568, "drawn before that stay": 51},
    "cardiovascular": {"equal": 11950, "possible": 32, "unknown, 0 there": 13, "drugs at the full hour": 200, "a pressure that cannot be": 14},
    "nervous_system": {"equal": 6800, "possible": 5310, "unknown, 0 there": 52, "a part that is not charted is normal there": 28, "charted before that stay": 19},
    "renal": {
        "equal": 9793, "possible": 1549, "unknown, 0 there": 217, "the worst of the days of urine that ended in 24 h": 264,
        "the bladder is irrigated": 148, "drawn before that stay": 204, "their day has 22 to 30 h, taken for 24": 34,
    },
}  # fmt: skip


@pytest.mark.parametrize("item", sofa.ITEMS)
def test_every_difference_from_the_public_sofa_has_its_reason(item: str) -> None:
    """Every hour of every stay: equal, possible by ours, unknown and 0 there, or a reason."""
    rows, who, at, begins = public()
    low, high = lines()[item].at(who, at)
    column = THEIRS[sofa.ITEMS.index(item)] + "_24hours"
    found: Counter[str] = Counter()
    examples: dict[str, Any] = {}
    reason = why(item)
    for row, time, least, most in zip(rows, at.tolist(), low.tolist(), high.tolist(), strict=True):
        theirs, known = int(row[column]), np.isfinite(least)
        if known and least <= theirs <= most:
            text = "equal" if least == most else "possible"
        elif not known and theirs == 0:
            text = "unknown, 0 there"
        else:
            ours_ = (least, most) if known else None
            text = reason(row["subject_id"], time, begins[row["stay_id"]], theirs, ours_)
        found[text] += 1
        examples.setdefault(text, (row["subject_id"], row["endtime"], least, most, theirs))
    assert "?" not in examples, examples["?"]
    assert dict(found) == DIFFERENCES[item]
