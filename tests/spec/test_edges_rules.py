"""At, just before and just after every window and bound of persons, patients, kidney, measures and doses.

Made from the files: each key has a test here or a reason why it has no edge. What is expected is the
protocols' rule in words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from becalm import vocabulary
from becalm.core.clock import HOUR, UNKNOWN_TIME
from becalm.doses import ROUTES, EpisodeRules, treatments, written_out
from becalm.kidney import injury, kdigo, replacement
from becalm.kidney.baseline import CreatinineBaseline
from becalm.measures import ctcae
from becalm.measures.fever import fever
from becalm.patients.context import context
from becalm.persons.diagnoses import diagnosed_storm, excluded_by
from becalm.persons.stays import admissions, discharges
from becalm.persons.weight import WeightInForce, weight_in_force
from becalm.protocol import load as protocol
from becalm.timeline import Intervals, Points, Timeline
from tests.records import (
    Row,
    V,
    at,
    chunk,
    condition,
    culture,
    dose,
    finding,
    infusion,
    lab,
    person,
    procedure,
    records,
    stay,
)
from tests.spec.edges import MINUTE, around, files, hours, inclusive, read, unknown_keys
from tests.spec.patients import patients

DAY = 24.0
MINUTE_US = 60_000_000
ONE = np.zeros(1, np.int32)
WORDS = dict.fromkeys(
    [
        "source", "verified", "*.source", "*.verified", "*[].source", "*.title", "*.grade", "kdigo.event", "*.event[].title", "*.event[].source",
        "*.event[].verified", "*.event[].event", "*.event[].variable", "*.event[].below",
        "*.event[].above", "days_source", "*[].verified", "*.*_source", "*.*_verified",
    ],
    "words, marks and names",
)  # fmt: skip
FILES: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    # file: keys that are tested here, keys without an edge (lists of names, and what only multiplies)
    "persons/diagnoses.toml": (
        ["recorded_after", "storm_recorded_before", "active.before", "active.after"],
        ["underlying", "lifelong", "active.conditions", "done.conditions", "suggests.immune_effector_therapy"],
    ),
    "persons/age.toml": (["steps[].below", "steps[].step"], []),
    "persons/stays.toml": (["same_admission"], []),
    "persons/surface.toml": ([], ["divisor"]),  # a factor; test_body_surface has it
    "persons/weight.toml": (
        ["before", "after", "tolerance", "low_kg", "adult_low_kg", "high_kg", "adult_from", "apart", "pounds",
         "restated"],
        ["repeats", "dosing"],
    ),
    "patients/context.toml": (
        ["infection_before", "infection_after", "looked_before", "looked_after", "commensal_within"],
        ["primary", "autoimmune", "malignancy", "infection", "immune_effector", "look_alike", "chronic",
         "gene", "inhabited", "antibodies", "covid_tests"],
    ),
    "patients/derived.toml": (
        ["oxygen.low_flow_upto", "oxygen.holds", "fever_masked[].after"],
        ["vasopressors.class", "vasopressors.apart", "oxygen.positive_pressure", "fever_masked[].classes",
         "fever_masked[].drugs"],
    ),
    "patients/immunosuppression.toml": (
        ["days", "within", "finding_valid", "illness", "ferritin_at_least", "dose_stands_for.*", "dose_stands_for.*.*"],
        ["conditions", "coded_use"],
    ),
    "kidney/kdigo.toml": (
        ["kdigo.rise.*", "kdigo.rise_within", "kdigo.ratio_within", "kdigo.ratios.*",
         "kdigo.severe.*", "kdigo.printed_mg_dl", "replacement.bridge",
         "urine.window[].stage", "urine.window[].within", "urine.window[].below", "urine.longest_gap",
         # in tests/spec/test_kidney_course.py
         "recovery.sustained", "recovery.persistent_after", "recovery.disease_after"], [],
    ),
    "kidney/equations.toml": (
        [], [
            # formulas: numbers that multiply, held by the published facts; `kappa`, `min_hours` and
            # `max_rise_mg_dl_day` by tests of the formulas themselves
            "cockcroft_gault.*", "ckd_epi_2021.*", "ckd_epi_2021.*.*", "jelliffe_1973.*",
            "jelliffe_2002.*", "jelliffe_2002.*.*", "kegfr.*", "kegfr.*.*", "mdrd.*",
        ],
    ),
    "measures/ctcae.toml": (
        [f"{version}.event[].{key}.*" for version in ("ctcae", "ctcae_6") for key in ("grades", "absolute")]
        # in test_ctcae.py
        + [f"{version}.event[].from_baseline.{key}.*" for version in ("ctcae", "ctcae_6") for key in ("above", "at_least", "below", "at_most")],
        [f"{version}.{key}" for version in ("ctcae", "ctcae_6")
         for key in ("cite", "event[].times_limit", "event[].abnormal_baseline")],
    ),
    "measures/fever.toml": (["at_least", "days"], []),
    "measures/cell_lines.toml": (
        ["low.haemoglobin", "low.platelets", "low.neutrophils", "rules.lines", "rules.within"],  # test_cell_lines.py
        ["rules.transfused", "rules.blood_products", "rules.growth_factors"],
    ),
    "measures/infections.toml": (
        [f"rules.{key}" for key in (
            "commensal_within", "antibiotic_days", "antibiotic_from", "antibiotic_to", "episode_gap", "shown_from",
            "death_within", "antibiotic_within",
        )],  # in test_infections.py
        [f"sites.{key}" for key in ("sterile", "not_sterile", "treated", "screens")],
    ),
    "measures/prognosis_inputs.toml": ([], ["input[].name", "input[].asked_by"]),  # how long a value counts: the vocabulary
    "measures/maintenance.toml": (["covers.*"], ["source.*", "verified.*"]),
    "doses/equivalents.toml": (
        [], ["equivalent[].name", "equivalent[].unit", "equivalent[].times.*.unit",
             "equivalent[].times.*.times", "equivalent[].times.*.by"],
    ),
    "doses/limits.toml": (
        ["plausible[].high", "plausible[].bolus_within", "limits.without_weight_kg", "limits.push_upto",
         "limits.tolerance", "limits.changeover", "limits.most_doses", "limits.long_single_dose",
         "limits.rate_holds", "limits.daily_rate_holds", "limits.longest_row", "limits.largest_number",
         "holds[].upto"],
        ["plausible[].drug", "plausible[].unit", "holds[].drugs"],
    ),
    "doses/units.toml": (
        [], ["unit[].*", "counted.*", "hours.*", "written_together.*", "product[].*", "schedule.*", "held",
             "counted_doses.hours_apart"],
    ),
}  # fmt: skip


def test_every_file_of_these_rooms_is_listed() -> None:
    """A new TOML file is tested or listed."""
    rooms = ("persons", "patients", "kidney", "measures", "doses")
    assert sorted(FILES) == sorted(name for room in rooms for name in files(room))


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_key_is_tested_or_has_no_edge(name: str) -> None:
    """A new window is tested here, or says why it has no edge."""
    tested, without = FILES[name]
    unknown = unknown_keys(name, WORDS, dict.fromkeys(tested), dict.fromkeys(without))
    assert not unknown, f"nobody knows how to test the edge of {unknown}"


# ------------------------------------------------------------------------------------ persons


def test_a_diagnosis_belongs_to_the_storm_in_its_window() -> None:
    """Up to so long after entry it excludes; so long before it may name this storm; ends included."""
    says = read("persons/diagnoses.toml")
    after, before = hours(says["recorded_after"]), hours(says["storm_recorded_before"])
    index = np.array([at(0)])

    def excludes(hour: float, name: str = "CAR-T", by: str = "immune_effector_therapy") -> bool:
        return bool(excluded_by(chunk(condition(name, hour)).diagnosed, by, index)[0])

    def names(hour: float) -> bool:
        found = chunk(condition("macrophage activation syndrome", hour)).diagnosed
        return bool(diagnosed_storm(found, ["mas"], index)[0])

    assert [excludes(hour) for hour in around(after)] == [True, True, False]
    active = {key: around(hours(says["active"][key])) for key in ("before", "after")}
    cancer = ("lymphoma", "malignancy")
    assert [excludes(hour, *cancer) for hour in active["after"]] == [True, True, False]
    assert [excludes(-hour, *cancer) for hour in active["before"]] == [True, True, False]
    assert [names(hour) for hour in around(after)] == [True, True, False]
    assert [names(-hour) for hour in around(before)] == [True, True, False]


def test_stays_no_further_apart_than_that_are_one_admission() -> None:
    """Exactly a day apart is one admission; an hour that lies so long before one belongs to it."""
    apart = hours(read("persons/stays.toml")["same_admission"])
    found = [
        len(admissions(chunk(stay(0, 10), stay(10 + gap, 90, "S2")).records))
        for gap in around(apart)
    ]
    assert found == [1, 1, 2]
    ends = [
        discharges(chunk(stay(100, 200)).records, ONE, np.array([at(100 - h)]))[0]
        for h in around(apart)
    ]
    assert ends == [at(200), at(200), UNKNOWN_TIME]


def weight(*rows: Row, hour: float = 0, own: float | None = None) -> tuple[float, str]:
    """The weight in force at an hour, and where it comes from."""
    patient = chunk(*rows)
    stated = None if own is None else np.array([own])
    found = weight_in_force(patient.records, patient.events, ONE, np.array([at(hour)]), stated)
    return float(found.kg[0]), str(found.names()[0])


def test_a_measured_weight_is_near_for_less_than_its_time() -> None:
    """One measured exactly a day before or after is no longer the nearest: the sheet's holds then."""
    says, sheet = read("persons/weight.toml"), person(weight_kg=90.0)
    found = [weight(sheet, lab("weight", 61, -age))[1] for age in around(hours(says["before"]))]
    assert found == ["measured before", "persons sheet", "persons sheet"]
    found = [weight(sheet, lab("weight", 61, age))[1] for age in around(hours(says["after"]))]
    assert found == ["measured after", "persons sheet", "persons sheet"]
    assert weight(sheet, lab("weight", 61, 0)) == (61, "measured before")


def test_two_weights_of_one_minute_are_one_up_to_the_tolerance() -> None:
    """5 % apart they are one, their mean; further apart neither holds."""
    share = read("persons/weight.toml")["tolerance"]
    sheet = person(weight_kg=90.0)
    found = [
        weight(sheet, lab("weight", 60, -1), lab("weight", round(60 * (1 + share) + more, 3), -1))
        for more in (-0.1, 0, 0.1)
    ]
    assert [source for _, source in found] == [
        "measured before",
        "measured before",
        "persons sheet",
    ]
    assert found[1][0] == pytest.approx(60 * (1 + share / 2))
    assert weight(sheet, lab("weight", 60, -1), lab("weight", 72, -1))[1] == "persons sheet"


def test_a_weight_at_the_end_of_its_range_counts() -> None:
    """A newborn of 0.4 kg and an adult of 25 or 400 kg are possible; just beyond it is a slip."""
    says = read("persons/weight.toml")
    adult, child = says["adult_from"], says["adult_from"] - 1

    def counts(kg: float, age: float) -> bool:
        return weight(person(age=age), own=kg)[1] == "own"

    low, most = says["low_kg"], says["high_kg"]
    assert [counts(kg, 0) for kg in (low - 0.1, low, low + 0.1)] == [False, True, True]
    assert [counts(kg, 44) for kg in (most - 0.1, most, most + 0.1)] == [True, True, False]
    light = says["adult_low_kg"]
    assert [counts(kg, 44) for kg in (light - 0.1, light, light + 0.1)] == [False, True, True]
    assert [counts(light - 0.1, age) for age in (child, adult)] == [True, False]


def weighed(*rows: Row, own: float | None = None) -> WeightInForce:
    """What is in force at hour 0, and what speaks against it."""
    patient, stated = chunk(*rows), None if own is None else np.array([own])
    return weight_in_force(patient.records, patient.events, ONE, np.array([at(0)]), stated)


def test_two_weights_are_apart_from_the_factor_on() -> None:
    """At the factor and above it a weight is set aside, or remarked; just below it is kept."""
    factor = read("persons/weight.toml")["apart"]
    for light, sign in ((60.0, 1), (60.0, -1)):
        others = [lab("weight", light, -9), lab("weight", light, 9)]
        far = light * factor if sign > 0 else light / factor
        beside = [round(far + sign * more, 6) for more in (-0.1, 0, 0.1)]
        found = [weighed(*others, lab("weight", kg, -1)) for kg in beside]
        assert [float(each.kg[0]) == light for each in found] == [False, True, True]
        owned = [weighed(*others, own=kg) for kg in beside]
        assert [float(each.kg[0]) == light for each in owned] == [False, True, True]
        alone = [weighed(person(weight_kg=light), lab("weight", kg, -1)) for kg in beside]
        assert [bool(np.isnan(each.against_kg[0])) for each in alone] == [True, False, False]


def test_a_weight_may_be_pounds_within_the_tolerance() -> None:
    """2.2 times another, give or take the tolerance: the remark says that it may be pounds."""
    says, light = read("persons/weight.toml"), 60.0
    low, high = (says["pounds"] * (1 + sign * says["tolerance"]) for sign in (-1, 1))
    for bound, inside in ((low, 1), (high, -1)):
        remarks = [
            weighed(person(weight_kg=light), lab("weight", round(light * bound + inside * more, 6), -1))
            .remarks().written()[0]
            for more in (-0.1, 0.1)
        ]  # fmt: skip
        assert ["may be pounds" in each for each in remarks] == [False, True]


def test_an_admission_weight_repeats_up_to_its_share() -> None:
    """Up to 1 % from an earlier admission weight it was not measured again; beyond it was."""
    share, here = read("persons/weight.toml")["restated"], stay(-20, 20)
    first, since = lab("admission weight", 80, -9, "kg"), lab("weight", 100, -5)
    for sign in (-1, 1):
        found = [
            weighed(here, first, since, lab("admission weight", round(80 * (1 + sign * (share + more)), 3), -1, "kg"))
            for more in (-0.001, 0, 0.001)
        ]  # fmt: skip
        assert [float(each.kg[0]) == 100 for each in found] == [True, True, False]


# ------------------------------------------------------------------------------------ patients


def background(*rows: Row) -> dict[str, Any]:
    """What a storm at hour 0 stands on."""
    [row] = context(chunk(*rows), ONE, np.array([at(0)])).rows()
    return row


def test_infection_and_cancer_count_in_their_windows() -> None:
    """From so long before the index to so long after it, both ends included, whatever says so."""
    says = read("patients/context.toml")
    before, after = hours(says["infection_before"]), hours(says["infection_after"])
    makers: tuple[Callable[[float], Row], ...] = (
        lambda hour: condition("sepsis", hour),
        lambda hour: culture("growth", hour, "Escherichia coli"),
        lambda hour: finding("infection", "yes", hour),
    )
    for make in makers:
        for edge, sign, expected in (
            (before, -1, [True, True, False]),
            (after, 1, [True, True, False]),
        ):
            found = [background(make(sign * h))["infection"] == "found" for h in around(edge)]
            assert found == expected
    back, ahead = hours(says["looked_before"]), hours(says["looked_after"])
    for hour, counts in zip(around(ahead), (True, True, False), strict=True):
        assert (background(condition("lymphoma", hour))["cancer"] == "found") is counts
        assert (background(finding("malignancy", "no", hour))["cancer"] == "negative") is counts
        assert (
            background(condition("cancer", hour, status="excluded"))["cancer"] == "negative"
        ) is counts
        assert (background(condition("COVID-19", hour))["covid19"] == "positive") is counts
        early = -back + ahead - hour  # the same distance from the other end
        assert (background(finding("malignancy", "no", early))["cancer"] == "negative") is counts
        assert (background(condition("COVID-19", early))["covid19"] == "positive") is counts


def test_a_second_commensal_counts_up_to_its_window() -> None:
    """In 2 draws within 48 h: exactly 48 h apart is within; one draw alone is doubtful."""
    apart = hours(read("patients/context.toml")["commensal_within"])

    def grown(*drawn: float) -> str:
        rows = [culture("growth", hour, "Staphylococcus epidermidis") for hour in drawn]
        return str(background(*rows)["infection"])

    found = [grown(-apart - 10, -10 + (gap - apart)) for gap in around(apart)]
    assert found == ["found", "found", "doubtful"]
    assert grown(-10, -10) == "doubtful"  # two bottles of one draw


def test_cell_therapy_counts_up_to_the_index_itself() -> None:
    """Given exactly at the index it can be what the storm stands on; a minute later it cannot."""
    makers: tuple[Callable[[float], Row], ...] = (
        lambda hour: dose("tisagenlecleucel", hour, amount="1 dose"),
        lambda hour: procedure("CAR-T infusion", hour),
    )
    for make in makers:
        kinds = [background(make(hour))["class"] for hour in around(0)]
        assert kinds == ["secondary", "secondary", "unknown"]


def worked_out(name: str, *rows: Row) -> Timeline:
    """What definitions read that no row says by itself."""
    line = chunk(*rows).inputs("drawn").values[name]
    assert isinstance(line, Timeline)
    return line


def test_age_goes_in_the_steps_of_its_file() -> None:
    """Below 3 years in hundredths, below 18 in tenths, from then on whole years: each from its moment on."""
    says = read("persons/age.toml")["steps"]
    year, cases = 365.2425 * DAY, []
    for number, part in enumerate(says):
        edge, step = part["below"], part["step"]
        after = says[number + 1]["step"] if number + 1 < len(says) else 1
        cases += [(edge - step, edge - 2 * step), (edge, edge - step), (edge + after, edge)]
    birth = at(0)
    for reached, before in cases:
        hour = reached * year
        rows = person(birth="2020-01-01"), lab("crp", 5, hour - 48), lab("crp", 5, hour)
        moment = birth + int(hour * HOUR)
        low, high = worked_out("age", *rows).at([0, 0], [moment - MINUTE_US, moment + MINUTE_US])
        assert low.tolist() == pytest.approx([before, reached])
        assert low.tolist() == high.tolist()


def test_oxygen_turns_at_its_flow_and_its_time() -> None:
    """Up to 6 L/min is low flow; a flow holds until just before 12 h have passed."""
    says = read("patients/derived.toml")["oxygen"]
    edge, holds = says["low_flow_upto"], hours(says["holds"])

    def level(flow: float, hour: float) -> tuple[float, float]:
        line = worked_out("oxygen_support", lab("oxygen_flow", flow, 0))
        low, high = line.at([0], [at(hour)])
        return float(low[0]), float(high[0])

    assert [level(flow, 1)[0] for flow in (edge - 0.1, edge, edge + 0.1)] == [1, 1, 2]
    known = [np.isfinite(level(2, hour)[0]) for hour in around(holds)]
    assert known == [True, inclusive(says["holds"]), False]


@pytest.mark.parametrize("number", range(len(read("patients/derived.toml")["fever_masked"])))
def test_a_fever_is_hidden_until_so_long_after_the_end(number: int) -> None:
    """Counted from the end of an infusion, until just before the time has passed."""
    says = read("patients/derived.toml")["fever_masked"][number]
    of_class = vocabulary.load().drugs_of_class(*says.get("classes", ()))
    [drug, *_] = says.get("drugs") or [each for each in of_class if each != "anakinra"]
    rows = stay(-100, 5000), dose(drug, 0, 5, amount="100 mg")
    line = worked_out("fever_masked", *rows)
    moments = [at(hour) for hour in around(5 + hours(says["after"]))]
    assert line.at([0] * 3, moments)[0].tolist() == [1, 0, 0]


def suppressed(*rows: Row, hour: float = 1) -> bool | None:
    """Whether the person is known to be immunosuppressed at an hour."""
    low, _ = chunk(*rows).immunosuppressed.at([0], [at(hour)])
    return bool(low[0]) if np.isfinite(low[0]) else None


def daily(drug: str, first: int, days: int, every: int = 1, route: str = "PO") -> list[Row]:
    """One dose at noon of each day, counted from hour 0; negative days lie before it."""
    return [
        dose(drug, DAY * (first + n * every) + 12, amount="5 mg", route=route) for n in range(days)
    ]


def test_immunosuppression_turns_at_its_days_and_windows() -> None:
    """28 of the 90 days before the illness began; the day of admission never counts."""
    says = read("patients/immunosuppression.toml")
    days, back = says["days"], round(hours(says["within"]) / DAY)
    admitted = stay(10, 400)
    for many, answer in ((days - 1, None), (days, True), (days + 1, True)):
        assert suppressed(admitted, *daily("azathioprine", -60, many), hour=11) is answer
        # So many days of which the last is the day of admission: one too few.
        assert suppressed(admitted, *daily("azathioprine", 1 - many, many), hour=20) is (
            True if many > days else None
        )
    for first, answer in ((-back - 1, None), (-back, True), (-back + 1, True)):
        assert suppressed(admitted, *daily("azathioprine", first, days), hour=11) is answer
    lead = hours(says["illness"])
    known = daily("azathioprine", -days, days)  # two weeks before, only 14 of them had been taken
    found = [suppressed(admitted, *known, hour=10 - h) for h in around(lead)]
    assert found == [True, True, None]
    # So long after the discharge its treatment never counts; then the days before the moment do.
    treated = stay(0, 40 * DAY), *daily("azathioprine", 1, days)
    assert [suppressed(*treated, hour=40 * DAY + h) for h in around(lead)] == [None, True, True]
    # Outside an illness it ends so many days after the first of the 28.
    found = [
        suppressed(*daily("azathioprine", 0, days), hour=(back + 1) * DAY + h) for h in around(0)
    ]
    assert found == [True, None, None]
    found = [suppressed(*daily("azathioprine", 0, days), hour=days * DAY + h) for h in around(0)]
    assert found == [None, True, True]
    # Two admissions no further apart are one illness: the drug given in the first never counts.
    for gap, answer in zip(around(lead), (None, None, True), strict=True):
        second = 40 * DAY
        rows = stay(0, second - gap), stay(second, second + 100, "S2")
        assert suppressed(*rows, *daily("azathioprine", 1, days), hour=second + 1) is answer
    bound = says["ferritin_at_least"]
    later = daily("azathioprine", 1, days)  # its treatment, if the ferritin began an illness
    for value, answer in ((bound - 1, True), (bound, None), (bound + 1, None)):
        assert suppressed(lab("ferritin", value, 1), *later, hour=40 * DAY) is answer
    valid = hours(says["finding_valid"])
    found = [suppressed(finding("immunosuppression", "yes", 0), hour=h) for h in around(valid)]
    assert found == [True, None, None]
    # A code of a stay counts from the end of the stay until as long after it, never during the stay.
    coded = condition("", code="Z79.52", system="ICD10CM", stay_id="S1")
    found = [suppressed(stay(0, 50), coded, hour=50 + h) for h in around(valid)]
    assert found == [True, None, None]
    found = [suppressed(stay(0, 50), coded, hour=h) for h in (-1, 1, 49, 50, 51)]
    assert found == [None, None, None, True, True]
    dated = condition("", 20, code="Z79.52", system="ICD10CM")
    assert [suppressed(stay(0, 50), dated, hour=h) for h in (19, 21, 50)] == [None, None, True]
    undated = condition("", code="Z79.52", system="ICD10CM")
    assert suppressed(stay(0, 50), undated, hour=60) is None
    # An infection for life counts from shortly before it was first recorded.
    before = hours(read("persons/diagnoses.toml")["recorded_after"])
    infected = condition("HIV", 0)
    assert [suppressed(stay(0, 50), infected, hour=-h) for h in around(before)] == [
        True,
        True,
        None,
    ]


def standing() -> list[tuple[str, str, int]]:
    """Drug, route and days of each entry; a drug with one number has it by mouth too."""
    says = read("patients/immunosuppression.toml")["dose_stands_for"]
    found = []
    for drug, days in sorted(says.items()):
        by_route = days if isinstance(days, dict) else {"PO": days}
        found += [(drug, route, many) for route, many in by_route.items()]
    return found


def test_a_dose_without_a_route_of_its_own_stands_for_the_longest() -> None:
    """Tocilizumab into muscle is nobody's interval: as long as the longest of the two."""
    rows = daily("tocilizumab", -28, 1, route="IM")
    assert suppressed(stay(10, 400), *rows, hour=11) is True


@pytest.mark.parametrize(("drug", "route", "stands"), standing())
def test_a_dose_stands_for_its_days(drug: str, route: str, stands: int) -> None:
    """As few doses as cover 28 days are enough; with one day fewer they are not."""
    says = read("patients/immunosuppression.toml")
    needed = says["days"]
    doses, rest = divmod(needed, stands)

    def answer(first: int) -> bool | None:
        given = daily(drug, first, 1, route=route)
        return suppressed(stay(10, 400), *given, hour=11)

    if stands >= needed:
        # One dose: as many of its days as lie before the admission.
        assert [answer(-n) for n in (needed - 1, needed, needed + 1)] == [None, True, True]
    else:
        enough = doses + bool(rest)
        rows = daily(drug, -needed, enough, every=stands, route=route)
        assert suppressed(stay(10, 400), *rows, hour=11) is True
        assert suppressed(stay(10, 400), *rows[1:], hour=11) is None
    # So many days and no more: what ended a day too early does not reach 28.
    if stands > needed:
        back = round(hours(says["within"]) / DAY)
        reach = [answer(-back - stands + needed + shift) for shift in (-1, 0)]
        assert reach == [None, True]


# ------------------------------------------------------------------------------------ kidney


def stage(*draws: tuple[float, float], baseline: float = np.nan) -> float:
    """The certain stage at the last of some draws (hour, mg/dL)."""
    points = Points.build(
        [0] * len(draws), [round(h * HOUR) for h, _ in draws], [v for _, v in draws]
    )
    of = CreatinineBaseline.of([baseline])
    found = injury.kdigo_stages(points, of, Intervals.empty(), kdigo.load().kdigo).points
    return float(found.low[-1])


def stage_umol(*draws: tuple[float, float]) -> float:
    """The certain stage at the last of some draws (hour, µmol/L); the first is the baseline."""
    mg_dl = [(hour, round(value, 1) / 88.4) for hour, value in draws]
    return stage(*mg_dl, baseline=mg_dl[0][1])


def test_kidney_injury_turns_at_its_rise_its_ratios_and_its_windows() -> None:
    """A rise of 0.3 within 48 h; 1.5, 2 and 3 times the baseline within 7 d; 4.0 only once it is met."""
    says = read("kidney/kdigo.toml")["kdigo"]
    rise = says["rise"]["mg/dL"]
    found = [
        stage((0, 2.0), (24, round(2 + rise + more, 2)), baseline=2.0) for more in (-0.01, 0, 0.01)
    ]
    assert found == [0, 1, 1]
    within = hours(says["rise_within"])
    found = [stage((0, 2.0), (hour, 2 + rise), baseline=2.0) for hour in around(within)]
    assert found == [1, float(inclusive(says["rise_within"])), 0]
    for number, times in says["ratios"].items():
        for value, reached in ((times - 0.01, False), (times, True), (times + 0.01, True)):
            # Both draws more than 48 h apart, so that the ratio alone decides.
            assert (stage((0, 1.0), (60, value), baseline=1.0) >= int(number)) is reached
    within, first = hours(says["ratio_within"]), says["ratios"]["1"]
    # A value of the window is a reference of its own: a slow rise is no acute injury.
    found = [
        stage((0, 1.0), (hour - 100, first - 0.1), (hour, first), baseline=1.0) >= 1
        for hour in around(within)
    ]
    assert found == [True, inclusive(says["ratio_within"]), False]
    severe = says["severe"]["mg/dL"]
    found = [
        stage((0, severe - 0.5), (24, severe + more), baseline=severe - 0.5)
        for more in (-0.01, 0, 0.01)
    ]
    assert found == [1, 3, 3]
    assert stage((0, severe + 0.2), (24, severe + 0.2), baseline=severe + 0.2) == 0
    # The same limits in the guideline's other unit: 26.5 µmol/L is a little less than 0.3 mg/dL.
    rise, severe = says["rise"]["umol/L"], says["severe"]["umol/L"]
    found = [stage_umol((0, 100.0), (24, 100 + rise + more)) for more in (-0.1, 0, 0.1)]
    assert found == [0, 1, 1]
    found = [stage_umol((0, severe - 50), (24, severe + more)) for more in (-0.1, 0, 0.1)]
    assert found == [1, 3, 3]


def test_a_value_of_exactly_seven_days_ago_is_a_reference() -> None:
    """KDIGO's "within the prior 7 days", the 7th day included, whatever the file says."""
    draws = ((0.0, 1.0), (100.0, 1.4))
    found = [stage(*draws, (hour, 1.5), baseline=1.0) for hour in around(168)]
    assert found == [1, 1, 0]


def test_sessions_no_further_apart_than_the_bridge_are_one_course() -> None:
    """Between two sessions exactly 72 h apart creatinine stays void."""
    rule = kdigo.load().replacement
    gap = hours(read("kidney/kdigo.toml")["replacement"]["bridge"])
    found = []
    for apart in around(gap):
        two = chunk(procedure("HD", 0, 4), procedure("HD", 4 + apart, 8 + apart))
        found.append(len(replacement.sessions(two.records, two.events).courses(rule)))
    assert found == [1, 1, 2]


# ------------------------------------------------------------------------------------ measures


def graded_events() -> list[dict[str, Any]]:
    """The events of every version of CTCAE, as written."""
    file = read("measures/ctcae.toml")
    return [event for version in ("ctcae", "ctcae_6") for event in file[version]["event"]]


@pytest.mark.parametrize("says", graded_events(), ids=lambda each: each["event"])
def test_a_grade_begins_beyond_its_bound(says: dict[str, Any]) -> None:
    """`below` a bound or the lower limit, `above` multiples of the upper limit: at it the milder grade."""
    event = ctcae.named(says["event"])
    falls, times = "below" in says, says.get("times_limit", "above" in says)
    limit = 200.0 if falls else 40.0
    first = {} if says.get("below") == "bound" else {1: 1.0 if times else limit}
    for grade, bound in {**first, **{int(n): b for n, b in says["grades"].items()}}.items():
        edge, sign = bound * limit if times else bound, -1 if falls else 1
        values = np.array([edge - sign * 0.01, edge, edge + sign * 0.01])
        assert event.grade(values, np.full(3, limit)).tolist() == [grade - 1, grade - 1, grade]
    for grade, bound in says.get("absolute", {}).items():
        values = np.array([bound + 0.01, bound, bound - 0.01])
        found = event.grade(
            values, np.full(3, bound)
        ).tolist()  # the lower limit itself, so grade 0
        assert found == [0, 0, int(grade)]


def test_fever_turns_at_its_bound_and_is_followed_for_its_days() -> None:
    """38.0 is a fever; day 0 is the day before time zero, the last day is so many days after it."""
    says = read("measures/fever.toml")
    bound, days = says["at_least"], says["days"]

    def rows(value: float, hour: float = 1, **known: Any) -> dict[int, dict[str, Any]]:
        found = patients(f"hour | temperature\n{hour} | {value}", **known)
        table = fever(found.cohort, found.events, {})
        return {row["day"]: row for row in table.rows()}

    found = [rows(value)[1]["hours_febrile"] > 0 for value in (bound - 0.1, bound, bound + 0.1)]
    assert found == [False, True, True]
    assert sorted(rows(39)) == list(range(days + 1))
    # A measurement at the end of a day belongs to the next one.
    counts = [
        (rows(39, hour)[1]["measurements"], rows(39, hour)[2]["measurements"])
        for hour in around(DAY)
    ]
    assert counts == [(1, 0), (0, 1), (0, 1)]
    ends = [max(rows(39, end_of_records=hour)) for hour in around(DAY * days - DAY)]
    assert ends == [days - 1, days - 1, days]


@pytest.mark.parametrize("drug", sorted(read("measures/maintenance.toml")["covers"]))
def test_a_dose_of_maintenance_covers_its_time(drug: str) -> None:
    """One dose covers 28 days: two of them so far apart are one course, records end it."""
    covers = hours(read("measures/maintenance.toml")["covers"][drug])
    needed = hours(next(read(f) for f in files("protocol/shipped") if "maintenance_min" in read(f)["outcome"])["outcome"]["maintenance_min"])  # fmt: skip
    assert needed < covers
    table = f"start | end | drug | route | mg | mg_h\n0 | 96 | anakinra | IV | | 100\n200 | | {drug} | SC | 300 |"
    found = [
        patients(doses=table, infusion_start=0, last_contact=9000, end_of_records=200 + hour)
        .outcome()["maintenance_drug"] for hour in around(needed)
    ]  # fmt: skip
    assert found == ["", drug, drug]
    # Begun before the infusion ended: what its time still covers afterwards.
    for start, kept in ((96 - covers + needed - MINUTE, ""), (96 - covers + needed, drug)):
        table = f"start | end | drug | route | mg | mg_h\n{start} | | {drug} | SC | 300 |\n0 | 96 | anakinra | IV | | 100"
        row = patients(
            doses=table, infusion_start=0, last_contact=9000, end_of_records=9000
        ).outcome()
        assert row["maintenance_drug"] == kept


# ------------------------------------------------------------------------------------ doses


def flags(*rows: Row) -> list[str]:
    return [str(each) for each in chunk(*rows).doses.frame["flag"]]


@pytest.mark.parametrize("number", range(len(read("doses/limits.toml")["plausible"])))
def test_a_rate_at_the_end_of_its_range_is_plausible(number: int) -> None:
    """Above it is remarked, and counts all the same; without a weight, only what is above it for 200 kg."""
    says = read("doses/limits.toml")["plausible"][number]
    unit, heavy = says["unit"], read("doses/limits.toml")["limits"]["without_weight_kg"]
    for share, odd in ((0.99, False), (1.0, False), (1.01, True)):
        rate = says["high"] * share
        for kg in (50.0, 80.0, 399.0):
            [flag] = flags(person(weight_kg=kg), dose(says["drug"], 0, 10, rate=f"{rate} {unit}"))
            assert ("implausible rate" in flag) is odd, (rate, kg)
        whole = rate * heavy if "/kg" in unit else rate
        patient = chunk(dose(says["drug"], 0, 10, rate=f"{whole} {unit.replace('/kg', '')}")).doses
        assert ("implausible rate" in patient.frame["flag"][0]) is odd
        assert patient.frame["counted"].all()


@pytest.mark.parametrize("number", range(len(read("doses/limits.toml")["plausible"])))
def test_an_amount_within_its_time_is_a_bolus_and_no_rate(number: int) -> None:
    """A bolus over minutes is no rate; the same rate stated is remarked, however short it ran."""
    says, limits = (
        read("doses/limits.toml")["plausible"][number],
        read("doses/limits.toml")["limits"],
    )
    within = hours(says.get("bolus_within", limits["push_upto"]))
    one, per = says["unit"].removesuffix("/h"), 1.0
    if not says["unit"].endswith("/h"):
        one, per = says["unit"].removesuffix("/min").removesuffix("/kg"), 60.0
    much = 10 * says["high"] * per * (100 if "/kg" in says["unit"] else 1)
    heavy = person(weight_kg=100.0)
    for length in around(within):
        [flag] = flags(heavy, dose(says["drug"], 0, length, amount=f"{much * length} {one}"))
        assert ("implausible rate" in flag) is (length > within)
        if length > hours(limits["push_upto"]):
            [flag] = flags(
                heavy, dose(says["drug"], 0, length, rate=f"{10 * says['high']} {says['unit']}")
            )
            assert "implausible rate" in flag


def test_every_drug_that_is_dosed_by_its_rate_has_a_plausible_one() -> None:
    """Vasopressors, inotropes, heparin, insulin and the sedative; ephedrine is given as boluses."""
    limited = {each["drug"] for each in read("doses/limits.toml")["plausible"]}
    by_rate = {each.name for each in V.drugs if each.drug_class in ("vasopressor", "inotrope")}
    assert by_rate - {"ephedrine"} <= limited
    assert {"anakinra", "propofol", "heparin", "insulin", "clevidipine", "furosemide"} <= limited
    assert limited <= {each.name for each in V.drugs}


def _held(drug: str, next_at: float, rate: str, route: str) -> str:
    """Why the end is assumed of a rate whose next row comes at an hour."""
    rows = (
        dose(drug, 0, rate=rate, route=route),
        dose(drug, next_at, rate=rate.replace("1 ", "0 ", 1), route=route),
    )
    return str(chunk(*rows).doses.frame["end_assumed"][0])


@pytest.mark.parametrize(
    ("drug", "holds", "rate", "route"),
    [
        *[
            (
                drug,
                each["upto"],
                "1 units/h" if drug in ("heparin", "insulin", "vasopressin") else "1 mg/h",
                "IV",
            )
            for each in read("doses/limits.toml")["holds"]
            for drug in each["drugs"]
        ],
        ("dexamethasone", read("doses/limits.toml")["limits"]["rate_holds"], "1 mg/h", "IV"),
        (
            "dexamethasone",
            read("doses/limits.toml")["limits"]["daily_rate_holds"],
            "1 mg/day",
            "oral",
        ),
    ],
)
def test_a_rate_without_an_end_holds_up_to_its_limit(
    drug: str, holds: str, rate: str, route: str
) -> None:
    """A next row at the limit, or before it, is the end; one a minute later is too late, and the end is assumed."""
    found = [_held(drug, at_hour, rate, route) for at_hour in around(hours(holds))]
    assert found == ["", "", "limit of the drug"]


def test_every_drug_with_a_limit_of_its_own_is_known() -> None:
    """A limit names drugs of the vocabulary, each once."""
    named = [drug for each in read("doses/limits.toml")["holds"] for drug in each["drugs"]]
    assert len(named) == len(set(named))
    assert set(named) <= {each.name for each in V.drugs}
    assert {each["drug"] for each in read("doses/limits.toml")["plausible"]} <= set(named)


def test_the_limits_of_doses_turn_where_they_say() -> None:
    """A push of exactly a minute is single; 24 h are not over more than a day; 5 % is not apart."""
    says = read("doses/limits.toml")["limits"]
    push = hours(says["push_upto"])
    single = [
        bool(chunk(dose("anakinra", 0, end, amount="100 mg")).doses.frame["single"][0])
        for end in around(push)
    ]
    assert single == [True, True, False]
    long = [
        "one amount over more than a day"
        in flags(dose("anakinra", 0, end, amount="100 mg", route="SC"))[0]
        for end in around(hours(says["long_single_dose"]))
    ]
    assert long == [False, False, True]
    share = says["tolerance"]
    apart = [
        "entered as"
        in flags(dose("anakinra", 0, 10, rate="100 mg/h", entered_rate=100 * (1 + share) + more))[0]
        for more in (-0.1, 0, 0.1)
    ]
    assert apart == [False, False, True]


def test_a_push_of_a_minute_does_not_end_an_infusion_without_an_end() -> None:
    """What lasts longer is another infusion and ends it."""
    push = hours(read("doses/limits.toml")["limits"]["push_upto"])
    found = []
    for length in around(push):
        rows = (
            dose("anakinra", 0, rate="10 mg/h"),
            dose("anakinra", 20, 20 + length, amount="50 mg"),
            stay(-1, 50),
        )
        found.append(int(chunk(*rows).doses.frame["end"][0]))
    assert found == [at(50), at(50), at(20)]


def test_bags_a_changeover_apart_are_one_and_one_so_close_to_the_end_still_ran() -> None:
    """30 min apart is one infusion; one that stops 30 min before death was running at death."""
    gap = hours(read("doses/limits.toml")["limits"]["changeover"])
    rule = EpisodeRules.of(protocol("anakinra_mas"))

    def modes(*rows: Row) -> set[str]:
        return {str(m) for m in treatments(chunk(*rows).doses, ["anakinra"], rule).episodes["mode"]}

    found = []
    for pause in around(gap):
        # Two bags by amount, each planned for 2 h: together longer than an intermittent one.
        bags = (
            dose("anakinra", 0, 2, amount="100 mg", route="IV infusion"),
            dose("anakinra", 2 + pause, 4 + pause, amount="100 mg", route="IV infusion"),
        )
        found.append(modes(*bags, lab("crp", 5, 500)))
    assert found == [{"continuous IV"}, {"continuous IV"}, {"intermittent IV"}]
    ran = [modes(person(death=2 + before), infusion(0, 2)) for before in around(gap)]
    assert ran == [{"continuous IV"}, {"continuous IV"}, {"intermittent IV"}]


def test_no_row_of_doses_runs_longer_than_a_year() -> None:
    """One that runs longer is refused with a reason, enters no table of days, and still says that the drug was given."""
    longest = hours(read("doses/limits.toml")["limits"]["longest_row"])
    for end, kept in zip(around(longest), (True, True, False), strict=True):
        for how in (
            {"rate": "25 mg/h"},
            {"amount": "100 mg"},
            {"rate": "20 mg/day", "route": "oral"},
        ):
            doses = chunk(dose("anakinra", 0, end, **how)).doses
            assert bool(len(doses.exposure("anakinra", routes=ROUTES))) is kept
            assert [each.reason for each in doses.refused] == (
                []
                if kept
                else [
                    "runs for more than 366d: the end cannot be true; correct it, or write a row for each year"
                ]
            )
            assert bool(doses.frame["untimed"][0]) is not kept


def test_no_number_of_a_dose_is_larger_than_that() -> None:
    """At it the number is a number (of nanograms a kilogram); above it the row is refused, and nothing overflows."""
    largest = read("doses/limits.toml")["limits"]["largest_number"]
    for number, kept in (
        (largest, True),
        (float(np.nextafter(largest, np.inf)), False),
        (1e308, False),
    ):
        for how in (
            {"amount": f"{number!r} ng"},
            {"rate": f"{number!r} ng/h"},
            {"amount": f"{number!r} ng/kg", "weight_kg": 70},
        ):
            doses = chunk(dose("anakinra", 0, 2, **how)).doses
            reasons = [each.reason for each in doses.refused]
            assert reasons == ([] if kept else [f"a number above {largest:g} is no dose"])
            assert bool(len(doses.exposure("anakinra"))) or not kept


def test_an_end_that_amount_and_rate_give_is_no_later_than_a_year() -> None:
    """25 mg/h for 366 days are 219,600 mg; a larger amount at that rate is an error of one of the two, and has no end."""
    longest = hours(read("doses/limits.toml")["limits"]["longest_row"])
    ends = [
        int(
            chunk(dose("anakinra", 0, amount=f"{25 * length:.10g} mg", rate="25 mg/h")).doses.frame[
                "end"
            ][0]
        )
        for length in around(longest)
    ]
    assert round((ends[0] - at(longest)) / HOUR, 4) == round(-MINUTE, 4)
    assert ends[2] in (UNKNOWN_TIME, at(0))


def test_a_schedule_is_written_out_up_to_the_most_doses() -> None:
    """More doses in one row than a year of four a day are a slip, and the row is refused."""
    most = read("doses/limits.toml")["limits"]["most_doses"]
    found = []
    for many in (most - 1, most, most + 1):
        row = dose("anakinra", 0, 6 * many, amount="100 mg q6h", route="SC")
        found.append(len(written_out(records(row)).administrations))
    assert found == [most - 1, most, 1]
