"""Responses of several parts as others defined them: each bound, what is missing, death, and each part left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm import vocabulary
from becalm.core.frame import Frame
from becalm.measures.response.composites import counted, counts, shipped
from becalm.protocol import load
from becalm.tables import COMPOSITES
from tests.records import Row, dose, finding, infusion, lab, measured, patient, procedure
from tests.reference import composites as reference
from tests.spec.edges import around, hours, read

FILE = read("measures/response/composites.toml")
RULES = FILE["rules"]
STORM = (
    lab("ferritin", 20_000, -90), lab("triglycerides", 5, -90), lab("fibrinogen", 1.0, -70), lab("ast", 400, -70),
    lab("temperature", 39.8, -4), lab("wbc", 1.0, -30), lab("haemoglobin", 7, -100), lab("platelets", 20, -100),
    lab("neutrophils", 0.4, -100), lab("ferritin", 20_000, -50), infusion(0, 96),
)  # fmt: skip
"""A definite storm without a baseline."""
BASELINES = {
    "ferritin": 50_000,
    "sil2r": 9000,
    "platelets": 40,
    "neutrophils": 2,
    "fibrinogen": 2,
    "triglycerides": 4,
}
"""So high or low that no other test of the part is met."""


def study(*people: tuple[Row, ...]) -> list[dict[str, Any]]:
    everybody = [row for each in people for row in each]
    return measured("anakinra_mas", *everybody, only="composites")


def bounds() -> Iterator[tuple[dict[str, Any], str, dict[str, Any], str, float]]:
    """Every bound of every part."""
    for composite in FILE["composite"]:
        for part in composite["part"]:
            for test in part["any"]:
                for rule, bound in test.items():
                    if rule not in {"variable", "sign", "if_tested"}:
                        yield composite, part["name"], test, rule, bound


def test_each_bound_of_each_part_is_where_it_is_written() -> None:
    """Below, at and above it: met or not as the words say. Only what the part reads is given."""
    people, expected = [], {}
    for number, (composite, part, test, rule, bound) in enumerate(bounds()):
        if test["variable"] == "splenomegaly":
            continue
        at = reference.window(composite)["at"]
        low = rule.endswith("_lower")
        limit = 4.0 if low else 100.0 if rule.endswith("_upper") else 1.0
        baseline = BASELINES.get(test["variable"], 100.0) if rule.startswith("ratio") else None
        for place, factor in (("below", 0.999), ("at", 1.0), ("above", 1.001)):
            name = f"{number:02}-{place}"
            value = bound * factor * limit * (baseline or 1)
            rows = [lab(test["variable"], value, at, ref_low=4.0, ref_high=100.0)]
            rows += [lab(test["variable"], baseline, -1)] if baseline else []
            people.append(patient(name, *STORM, *rows))
            meets = {"below": ("below",), "above": ("above",), "most": ("below", "at"), "least": ("at", "above")}  # fmt: skip
            word = rule.removesuffix("_upper").removesuffix("_lower").rsplit("_", 1)[-1]
            expected[name] = (composite["name"], part, place in meets[word])
    found = {
        (row["person_id"], row["composite"]): row for row in study(*people) if row["clock"] == "t0"
    }
    for name, (composite_name, part, met) in expected.items():
        row = found[name, composite_name]
        other = [
            t for c in FILE["composite"] if c["name"] == composite_name
            for p in c["part"] if p["name"] == part for t in p["any"]
        ]  # fmt: skip
        if met:
            assert part in row["met_parts"].split("|"), (name, composite_name, part)
        elif len({t["variable"] for t in other}) == 1 and not any("ratio" in k for t in other for k in t):  # fmt: skip
            assert part in row["failed_parts"].split("|"), (name, composite_name, part)
        else:
            assert part not in row["met_parts"].split("|"), (name, composite_name, part)


@pytest.mark.parametrize("name", [c["name"] for c in FILE["composite"] if "window" in c])
def test_each_window_of_its_own_ends_where_it_is_written(name: str) -> None:
    """[from, to], or (from, to] when open; a minute outside a value answers nothing."""
    composite = next(c for c in FILE["composite"] if c["name"] == name)
    when = composite["window"]
    test = next(
        t for p in composite["part"] for t in p["any"]
        if "variable" in t and t["variable"] in {"platelets", "crp"}
    )  # fmt: skip
    variable = test["variable"]
    inside = {
        **dict(zip(around(when["from"]), (False, not when["open"], True), strict=True)),
        **dict(zip(around(when["to"]), (True, True, False), strict=True)),
    }
    people = [
        patient(f"{hour:.4f}", *STORM, lab(variable, 50, -1), lab(variable, 400, hour))
        for hour in inside
    ]
    found = {row["person_id"]: row for row in study(*people)
             if (row["composite"], row["clock"]) == (name, "t0")}  # fmt: skip
    for hour, counts_ in inside.items():
        row = found[f"{hour:.4f}"]
        known = f"{row['met_parts']}|{row['failed_parts']}".lower().split("|")
        assert (variable in known) is counts_, hour


@pytest.mark.parametrize(
    ("key", "part", "make"),
    [
        ("vasopressor_before", "no new vasopressor", lambda a, b: dose("norepinephrine", a, b, rate="5 mcg/min")),
        ("ventilation_before", "no new ventilation", lambda a, b: procedure("ventilation", a, b)),
        ("replacement_before", "no new renal replacement", lambda a, b: procedure("CVVHDF", a, b)),
    ],
)  # fmt: skip
def test_organ_support_that_ran_shortly_before_is_not_new(key: str, part: str, make: Any) -> None:
    """It ran until so long before the clock: not new. A minute longer ago it is new. Without any it is not."""
    back = hours(RULES[key])
    again = make(10, 20)
    ends = dict(zip(around(-back), (False, False, True), strict=True))
    people = [patient(f"{end:.4f}", *STORM, make(end - 5, end), again) for end in ends]
    people += [patient("first", *STORM, again), patient("at 7 d", *STORM, make(167, 170)),
               patient("later", *STORM, make(169, 175)), patient("none", *STORM, procedure("x", 0, 1))]  # fmt: skip
    found = {row["person_id"]: row for row in study(*people)
             if (row["composite"], row["clock"]) == ("clinical_d7", "t0")}  # fmt: skip
    expected = {f"{end:.4f}": met for end, met in ends.items()}
    expected |= {"first": False, "at 7 d": False, "later": True, "none": True}
    told = {who: part in found[who]["met_parts"].split("|") for who in expected}
    assert told == expected
    assert all(part in found[who]["failed_parts"] for who, met in expected.items() if not met)


def test_without_any_procedure_in_the_records_new_support_is_not_known() -> None:
    """Records without procedures do not say that nobody was ventilated."""
    row = next(r for r in study(patient("A", *STORM)) if r["composite"] == "clinical_d7")
    assert {"no new ventilation", "no new renal replacement"} <= set(row["missing_parts"].split("|"))  # fmt: skip
    assert "no new vasopressor" in row["met_parts"]


def test_no_fever_needs_a_valid_temperature_below_its_bound_all_the_time() -> None:
    """At the bound it is fever; below it is none; without a measurement nobody knows; 24 h back it starts."""
    start = 168 - hours(RULES["fever_for"])
    cool = [lab("temperature", 37.0, h) for h in range(121, 175, 6)]
    people = {
        "cool": (cool, "met_parts"),
        "at the bound": ([*cool, lab("temperature", RULES["fever_below"], 160)], "failed_parts"),
        "just below": ([*cool, lab("temperature", RULES["fever_below"] - 0.1, 160)], "met_parts"),
        "at the end": ([*cool, lab("temperature", 39, 168)], "failed_parts"),
        "after it": ([*cool, lab("temperature", 39, 168.1)], "met_parts"),
        "over before": ([*cool, lab("temperature", 39, start - 1), lab("temperature", 37, start)], "met_parts"),
        "into it": ([*cool, lab("temperature", 39, start - 1), lab("temperature", 37, start + 1)], "failed_parts"),
        "unmeasured": ([lab("temperature", 37, 166)], "missing_parts"),
    }  # fmt: skip
    found = study(*(patient(name, *STORM, *rows) for name, (rows, _) in people.items()))
    for name, (_, column) in people.items():
        row = next(r for r in found if (r["person_id"], r["composite"], r["clock"]) == (name, "clinical_d7", "t0"))  # fmt: skip
        assert "no fever" in row[column].split("|"), name


def test_death_before_the_horizon_fails_whatever_was_measured() -> None:
    """At 168 h or later it does not; whoever is discharged before without a value is said to be."""
    good = (lab("ferritin", 10_000, -1), lab("ferritin", 2000, 60))
    found = study(
        patient("died", *STORM, *good, death=71),
        patient("alive", *STORM, *good, death=73),
        patient("nothing", *STORM),
    )
    told = {r["person_id"]: r["status"] for r in found if (r["composite"], r["clock"]) == ("mals_day_3", "t0")}  # fmt: skip
    assert told == {"died": "died before", "alive": "met", "nothing": "no sample"}


def test_what_only_a_clinician_judges_is_never_known() -> None:
    """With ferritin and AST lower, the published response stays open; without that part it is reached."""
    rows = (lab("ferritin", 9000, -1), lab("ferritin", 900, 48), lab("ast", 90, -1), lab("ast", 9, 48))  # fmt: skip
    found = study(patient("A", *STORM, *rows))
    row = next(r for r in found if r["composite"] == "monteagudo" and r["clock"] == "t0")
    assert (row["status"], row["missing_parts"]) == ("undetermined", "clinical response")
    assert (row["parts_low"], row["parts_high"], row["parts_needed"]) == (2, 3, 3)
    table = Frame.of_rows(COMPOSITES, [row])
    told = {c["without"]: (c["met"], c["not_met"], c["unknown"]) for c in counts({"composites": table}, load("anakinra_mas")).rows()}  # fmt: skip
    assert told[""] == (0, 0, 1)
    assert told["clinical response"] == (1, 0, 0)


def test_a_value_known_only_by_a_limit_decides_only_what_is_certain() -> None:
    """From above 40,000 to 24,600 is surely a fall of 15 % and not surely one of 50 %."""
    found = study(
        patient("A", *STORM, lab("ferritin", ">40000", -1), lab("ferritin", 24_600, 168)),
        patient("B", *STORM, lab("ferritin", 40_000, -1), lab("ferritin", ">50000", 168)),
    )
    told = {r["person_id"]: r for r in found if (r["composite"], r["clock"]) == ("dep_partial", "t0")}  # fmt: skip
    assert told["A"]["met_parts"] == "ferritin"
    assert told["B"]["failed_parts"] == "ferritin"


def test_the_spleen_and_a_test_that_was_not_done() -> None:
    """An enlarged spleen fails the part; sIL-2R counts only if it was tested."""
    found = study(
        patient("felt", *STORM, finding("splenomegaly", "yes", 168)),
        patient("not felt", *STORM, finding("splenomegaly", "no", 168), lab("sil2r", 9000, 168)),
    )
    told = {r["person_id"]: r for r in found if (r["composite"], r["clock"]) == ("hlh2004_resolution", "t0")}  # fmt: skip
    assert told["felt"]["failed_parts"] == "no splenomegaly"
    assert told["felt"]["met_parts"] == "sIL-2R"
    assert told["not felt"]["met_parts"] == "no splenomegaly"


VALUES = {
    "ferritin": (1500, 1999, 2000, 4000, 8000), "platelets": (40, 99, 100, 160), "alt": (20, 60, 90, 300),
    "ast": (20, 60, 90, 300), "crp": (4, 50, 120), "neutrophils": (0.4, 0.5, 0.9, 1.5), "haemoglobin": (7, 9, 11),
    "fibrinogen": (0.9, 1.0, 1.6), "triglycerides": (1.5, 3.0, 4.0), "wbc": (2.0, 5.0), "ldh": (200, 900),
    "temperature": (36.8, 37.9, 38.0, 39.5),
}  # fmt: skip
HOURS = (-50, -30, -20, -4, 0, 36, 46, 50, 66, 72, 90, 100, 140, 150, 160, 168, 180, 1200, 1340)
DRAWN = st.lists(
    st.sampled_from(sorted(VALUES)).flatmap(
        lambda name: st.tuples(st.just(name), st.sampled_from(HOURS), st.sampled_from(VALUES[name]), st.sampled_from(("", "", "", ">")))
    ),
    max_size=45, unique_by=lambda draw: draw[:2],
)  # fmt: skip


@settings(max_examples=20)
@given(st.lists(DRAWN, min_size=3, max_size=8))
def test_the_parts_are_those_of_a_slow_reading(drawn: list[list[tuple[str, int, float, str]]]) -> None:  # fmt: skip
    """Every part of every response of random patients, values and limits: the same as judged one by one."""
    upper = {v.name: v.usual for v in vocabulary.load().variables if v.usual is not None}
    limits = {name: (usual.low or np.nan, usual.high or np.nan) for name, usual in upper.items()}
    people, draws_of = [], []
    for number, draws in enumerate(drawn):
        rows = [lab(n, f"{s}{v}" if s and n != "temperature" else v, h) for n, h, v, s in draws]
        people.append(patient(f"P{number}", *STORM, *rows))
        own: dict[str, list[reference.Draw]] = {"temperature": [(-4.0, 39.8, 39.8)]}
        for n, h, v, s in draws:
            if (n, h) == ("temperature", -4):
                own["temperature"] = []
            censored = s and n != "temperature"
            own.setdefault(n, []).append((h, v, np.inf if censored else v))
        draws_of.append(own)
    found = {
        (row["person_id"], row["composite"]): row for row in study(*people) if row["clock"] == "t0"
    }
    for number, own in enumerate(draws_of):
        for composite in FILE["composite"]:
            row = found.get((f"P{number}", composite["name"]))
            if row is None:
                continue
            when = reference.window(composite)
            known = {
                part["name"]: reference.part(part["any"], own, when, RULES, limits)
                for part in composite["part"]
                if not any("new" in test.get("sign", "") for test in part["any"])
            }
            for name, answer in known.items():
                column = {True: "met_parts", False: "failed_parts", None: "missing_parts"}[answer]
                assert name in row[column].split("|"), (composite["name"], name, own)
            if len(known) == len(composite["part"]) and row["status"] != "no sample":
                wanted = reference.status(list(known.values()), composite.get("needs"))
                assert row["status"] == wanted


def test_left_out_parts_are_counted_as_if_they_had_never_been_asked() -> None:
    """For every response: the counts without a part are those of its other parts alone; the dead stay failures."""
    for name, composite in shipped().items():
        parts = [part.name for part in composite.parts]
        rows = [
            {"person_id": f"{i}", "composite": name, "clock": "t0", "status": "died before" if i == 0 else "met",
             "met_parts": "|".join(p for n, p in enumerate(parts) if (n + i) % 3 == 0),
             "failed_parts": "|".join(p for n, p in enumerate(parts) if (n + i) % 3 == 1),
             "missing_parts": "|".join(p for n, p in enumerate(parts) if (n + i) % 3 == 2)}
            for i in range(9)
        ]  # fmt: skip
        for out in ["", *parts]:
            answers = [
                [True if p in row["met_parts"].split("|") else None if p in row["missing_parts"].split("|") else False
                 for p in parts if p != out]
                for row in rows[1:]
            ]  # fmt: skip
            told = [reference.status(each, composite.needs) for each in answers]
            found = counted(Frame.of_rows(COMPOSITES, rows), composite, out)
            assert found["met"] == told.count("met")
            assert found["not_met"] == told.count("not met") + 1
            assert found["unknown"] == told.count("undetermined")
            assert found["worst"] * 9 == pytest.approx(found["met"])
            assert found["best"] * 9 == pytest.approx(found["met"] + found["unknown"])
