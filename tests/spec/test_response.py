"""Whether it worked: the value at 48 hours against the one before, and what can be said of it."""

import math
from typing import Any

import pytest
from msgspec import structs

from becalm import protocol as protocols
from becalm.core.clock import Length
from becalm.timeline import Intervals
from tests.records import at, hours
from tests.spec.edges import around, read
from tests.spec.edges import hours as spec_hours
from tests.spec.patients import Patients, patients

ILLUSTRATIVE = {
    "patient 1": ("-4 14200|23 11900|47 7400|71 5100|168 1650", 10.0, (0.52, 0.52)),
    "patient 2": ("-5 18000|20 24500|46 17100|72 11300|168 3100", 26.0, (0.95, 0.46)),
    "patient 3": ("-2 62000|24 46000|47 27500|72 18900|168 4200", 2.0, (0.44, 0.44)),
    "patient 4": ("-3 >40000|22 >40000|46 24600|70 15200|168 5300", 24.0, (0.62, 0.38)),
    "patient 5": ("-3 31000|18 38500|46 47000|70 66000|168 118000", 20.0, (1.5, 1.7)),
}


def ferritin(values: str, **known: Any) -> Patients:
    """`-4 14200|47 7400`: hour and value."""
    table = "hour | ferritin\n" + "\n".join(v.replace(" ", " | ", 1) for v in values.split("|"))
    return patients(table, **known)


@pytest.mark.parametrize("name", ILLUSTRATIVE)
def test_the_clock_decides_what_a_fall_is_measured_against(name: str) -> None:
    """The same patient on two clocks: first dose of any route, and start of the infusion."""
    values, infusion_start, expected = ILLUSTRATIVE[name]
    patient = ferritin(values, infusion_start=infusion_start)
    found = tuple(patient.response(clock=c)["ratio_48h"] for c in ("t0", "infusion_start"))
    assert found == pytest.approx(expected, abs=0.05 if name == "patient 5" else 0.006)


def test_every_horizon_takes_the_nearest_value_in_its_own_window() -> None:
    """24 h from 12 to 30 h, 48 h from above 30 to 54 h, 72 h from above 54 to 84 h, day 7 from 132 to 192 h; within each the value nearest to the horizon."""
    row = ferritin(
        "-4 9000|12 8000|30 7000|31 6000|47 5000|54 4000|55 3000|84 2500|132 900|193 1"
    ).response()
    assert {name: row[name] for name in ("h24", "h48", "h72", "d7")} == {
        "h24": 7000,  # 30 h is six hours from 24 h, 12 h is twelve
        "h48": 5000,
        "h72": 2500,  # 84 h is nearer to 72 h than 55 h is
        "d7": 900,
    }
    assert hours(row["h48_time"]) == 47


@pytest.mark.parametrize(
    ("hour", "column"), [(12, "h24"), (30, "h24"), (30.01, "h48"), (54, "h48"), (54.01, "h72"), (84, "h72"), (132, "d7"), (192, "d7")]
)  # fmt: skip
def test_a_value_belongs_to_one_horizon_only(hour: float, column: str) -> None:
    """h24 [12, 30], h48 (30, 54], h72 (54, 84], d7 [132, 192] hours."""
    row = ferritin(f"-4 9000|{hour} 5000").response()
    assert [c for c in ("h24", "h48", "h72", "d7") if not math.isnan(row[c])] == [column]


@pytest.mark.parametrize("hour", [11.99, 84.01, 131.99, 192.01])
def test_a_value_between_the_horizons_belongs_to_none(hour: float) -> None:
    """A value outside every window answers no horizon."""
    row = ferritin(f"-4 9000|{hour} 5000").response()
    assert all(math.isnan(row[c]) for c in ("h24", "h48", "h72", "d7"))


def test_of_two_values_equally_near_the_earlier_one_counts() -> None:
    """46 and 50 h are equally near to 48 h: the 46 h value counts."""
    assert ferritin("-4 9000|46 5000|50 4000").response()["h48"] == 5000


@pytest.mark.parametrize(
    ("variable", "key"), [("ferritin", "ferritin"), ("ast", "other"), ("platelets", "other")]
)
def test_an_old_baseline_is_said_to_be_old(variable: str, key: str) -> None:
    """At the age that the file says it is not old, a minute more it is; its age is printed; without one nobody knows."""
    bound = spec_hours(read("measures/response/old_baseline.toml")[key])
    for age, old in zip(around(bound), (False, False, True), strict=True):
        row = patients(f"hour | {variable}\n{-age} | 90").response(variable)
        assert (row["baseline_old"], row["baseline"]) == (old, 90)
        assert row["baseline_hours"] == pytest.approx(age)
    row = patients(f"hour | {variable}\n30 | 90").response(variable)
    assert row["baseline_old"] is None
    assert math.isnan(row["baseline_hours"])


def test_the_baseline_is_the_last_value_before_the_clock() -> None:
    """Ferritin within 48 h, everything else within 24 h, the value at time zero itself included."""
    assert ferritin("-48 9000").response()["baseline"] == 9000
    assert math.isnan(ferritin("-48.01 9000").response()["baseline"])
    assert ferritin("-4 9000|0 8000|0.01 7000").response()["baseline"] == 8000
    ast = patients("hour | ast\n-24.01 | 90\n47 | 50")
    assert math.isnan(ast.response("ast")["baseline"])
    assert ast.response("ast")["status"] == "no sample"
    assert patients("hour | ast\n-24 | 90\n47 | 50").response("ast")["baseline"] == 90


def test_the_peak_is_the_highest_value_of_the_72_h_before() -> None:
    """Also of platelets, which the storm lowers: the column is a maximum."""
    assert ferritin("-73 99000|-72 30000|-4 9000|3 60000").response()["peak"] == 30000
    falling = patients("hour | platelets\n-60 | 180\n-4 | 54\n47 | 56")
    assert falling.response("platelets")["peak"] == 180


@pytest.mark.parametrize(
    ("values", "status", "ratio"),
    [
        ("-4 9000|47 4500", "fell", 0.5),
        ("-4 9000|47 9000", "did not fall", 1.0),
        ("-4 9000|47 9900", "did not fall", 1.1),
        ("-4 >40000|47 24600", "at least", 0.615),
        ("-4 9000|47 <900", "at least", 0.1),
        ("-4 9000|47 >40000", "did not fall", 40 / 9),
        ("-4 >40000|47 >40000", "both censored", None),
        ("-4 62000|47 >40000", "both censored", 40 / 62),
        ("-4 9000", "no sample", None),
        ("47 9000", "no sample", None),
    ],
)
def test_a_status_says_only_what_is_certain(values: str, status: str, ratio: float | None) -> None:
    """A laboratory's limit keeps its direction, and a fall from above it is a fall of at least."""
    row = ferritin(values).response()
    assert row["status"] == status
    if ratio is None:
        assert math.isnan(row["ratio_48h"])
    else:
        assert row["ratio_48h"] == pytest.approx(ratio, abs=1e-9)


def test_a_limit_is_listed_with_its_sign_and_the_number_is_the_bound() -> None:
    """Above 40,000 is written as 40,000 with the sign beside it."""
    row = ferritin("-4 >40000|22 >40000|46 24600").response()
    assert (row["baseline"], row["h24"]) == (40000, 40000)
    assert row["censored"] == "baseline>|peak>|h24>"


def test_equal_in_decimals_is_equal() -> None:
    """0.1 + 0.2 is not 0.3 in binary, and a value must not fall by a hair."""
    rows = patients("hour | fibrinogen\n-4 | 0.30000000000000004\n47 | 0.3")
    assert rows.response("fibrinogen")["status"] == "did not fall"


def test_fell_means_the_number_fell_whatever_the_variable() -> None:
    """A fall of platelets is a status, not a success."""
    assert patients("hour | platelets\n-4 | 88\n47 | 71").response("platelets")["status"] == "fell"


def test_two_results_of_one_minute_are_a_range() -> None:
    """18,000 and 20,000 at once: a later 17,000 is below both, a later 19,000 is neither."""
    assert ferritin("-4 18000 and 20000|47 17000").response()["status"] == "fell"
    assert ferritin("-4 18000 and 20000|47 19000").response()["status"] == "both censored"


@pytest.mark.parametrize(
    ("known", "status"),
    [
        ({"death_time": 40}, "died before"),
        ({"death_time": 50}, "no sample"),
        ({"discharge": 40}, "discharged before"),
        ({"discharge": 60}, "no sample"),
        ({"discharge": 30, "death_time": 40}, "died before"),
        ({"death_time": -10, "death_date_only": True}, "died before"),
        ({"death_time": 30, "death_date_only": True}, "no sample"),
    ],
)
def test_somebody_without_a_sample_may_have_died_or_left(
    known: dict[str, object], status: str
) -> None:
    """Of a death by date alone, 48 h must lie after the whole day."""
    assert ferritin("-4 9000", **known).response()["status"] == status


def test_a_sample_in_the_window_counts_though_the_patient_died_before_48_h() -> None:
    """A value drawn at 35 h is compared, though death at 40 h makes the composite a failure."""
    patient = patients("hour | ferritin | ast\n-4 | 9000 | 90\n35 | 5000 | 50", death_time=40)
    assert patient.response()["status"] == "fell"
    assert patient.primary()["response"] == "died before"


GLUCOCORTICOID = "start | drug | mg\n{}"


@pytest.mark.parametrize(
    ("doses", "confounded"),
    [
        ("-60 | methylprednisolone | 1000", "methylprednisolone"),
        ("48 | methylprednisolone | 60", "methylprednisolone"),
        ("48.01 | methylprednisolone | 60", ""),
        ("-80 | prednisolone | 60\n-56 | prednisolone | 60\n-32 | prednisolone | 60", ""),
        ("-80 | prednisolone | 60\n-56 | prednisolone | 120", "prednisolone"),
        ("-80 | prednisolone | 60\n-56 | prednisolone | 119", ""),
        ("-80 | prednisolone | 50\n-56 | methylprednisolone | 40", ""),
        ("-80 | prednisolone | 50\n-56 | methylprednisolone | 80", "methylprednisolone"),
        ("-167 | ivig | 30000", "ivig"),
        ("-169 | ivig | 30000", ""),
        ("-336 | tocilizumab | 600", "tocilizumab"),
        ("-337 | tocilizumab | 600", ""),
        ("-600 | emapalumab | 400\n-70 | ruxolitinib | 10", "emapalumab|ruxolitinib"),
    ],
)
def test_what_else_was_given_is_named(doses: str, confounded: str) -> None:
    """Windows of the protocol; a glucocorticoid counts when begun, or from twice the dose on."""
    patient = ferritin("-4 9000|47 4500")
    patient = patients("hour | ferritin\n-4 | 9000\n47 | 4500", doses=GLUCOCORTICOID.format(doses))
    row = patient.response()
    assert (row["confounded_by"], row["status"]) == (confounded, "fell")


def test_drops_creams_and_inhalers_confound_nothing() -> None:
    """A glucocorticoid that does not reach the blood does not explain a fall."""
    doses = "start | drug | route | mg\n-10 | dexamethasone | eye drops | 1\n-8 | hydrocortisone | topical | 10"
    patient = patients("hour | ferritin\n-4 | 9000\n47 | 4500", doses=doses)
    assert patient.response()["confounded_by"] == ""


def test_a_glucocorticoid_of_unknown_dose_may_have_been_doubled() -> None:
    """Somebody on 60 mg a day who is charted a dose without a number: it cannot be excluded."""
    labs = "hour | ferritin\n-4 | 9000\n47 | 4500"
    known = "start | drug | mg\n-80 | prednisolone | 60\n-56 | prednisolone | 60"
    assert patients(labs, doses=known).response()["confounded_by"] == ""
    unknown = "start | drug | mg\n-80 | prednisolone | 60\n-56 | prednisolone | "
    assert patients(labs, doses=unknown).response()["confounded_by"] == "prednisolone"


def test_each_clock_has_its_own_confounders() -> None:
    """Plasma exchange at 60 h is outside t0 + 48 h and inside infusion_start + 48 h."""
    patient = patients(
        "hour | ferritin\n-4 | 9000\n47 | 4500",
        procedures="start | end | name\n60 | 63 | plasma exchange",
        infusion_start=20,
    )
    assert patient.response()["confounded_by"] == ""
    assert patient.response(clock="infusion_start")["confounded_by"] == "plasma_exchange"


def test_a_look_alike_is_named_when_it_was_there_at_either_draw() -> None:
    """Red cells at 40 h mark the 48-h ferritin; the status stands."""
    when = Intervals.build([0], [at(40)], [at(88)])
    patient = patients(
        "hour | ferritin | crp\n-4 | 9000 | 90\n47 | 4500 | 50",
        modifiers={"ferritin": [("red cells", when)]},
    )
    assert patient.response()["modified_by"] == "red cells"
    assert patient.response()["status"] == "fell"
    assert patient.response("crp")["modified_by"] == ""
    later = Intervals.build([0], [at(48)], [at(88)])
    unmarked = patients(
        "hour | ferritin\n-4 | 9000\n47 | 4500", modifiers={"ferritin": [("red cells", later)]}
    )
    assert unmarked.response()["modified_by"] == ""


def test_a_clock_that_is_not_known_has_no_rows() -> None:
    """Without a continuous infusion there is no row for its clock."""
    clocks = set(ferritin("-4 9000").response_table()["clock"])
    assert clocks == {"t0"}


@pytest.mark.parametrize(
    ("labs", "answer"),
    [
        ("-4 | 9000 | 90 | 90\n47 | 4500 | 80 | 95", "responded"),
        ("-4 | 9000 | 90 | 90\n47 | 4500 | 95 | 80", "responded"),
        ("-4 | 9000 | 90 | 90\n47 | 4500 | 90 | 95", "did not respond"),
        ("-4 | 9000 | 90 | 90\n47 | 9000 | 80 | 80", "did not respond"),
        ("-4 | 9000 | 90 | \n47 | 4500 | 95 | ", "no sample"),
        ("-4 | 9000 | 90 | \n47 | 4500 | 80 | ", "responded"),
        ("-4 | 9000 | 90 | 90\n47 | | 80 | 80", "no sample"),
        ("-4 | 9000 | 90 | 90\n47 | | 95 | 95", "did not respond"),
        ("-4 | >40000 | 90 | 90\n47 | >40000 | 80 | 80", "no sample"),
        ("-4 | >40000 | 90 | 90\n47 | 24600 | 80 | 80", "responded"),
    ],
)
def test_response_is_ferritin_and_a_liver_enzyme_below_baseline(labs: str, answer: str) -> None:
    """What is missing may have gone either way; a rise that settles it settles it."""
    found = patients(f"hour | ferritin | ast | alt\n{labs}").primary()
    assert (found["response"], found["strict"]) == (answer, answer)


@pytest.mark.parametrize(
    ("values", "falls"),
    [
        ("-4 10000|47 8600", (False, False, False)),
        ("-4 10000|47 8500", (True, False, False)),
        ("-4 10000|47 7500", (True, True, False)),
        ("-4 10000|47 5000", (True, True, True)),
        ("-4 >40000|47 24600", (True, True, None)),
        ("-4 >40000|47 39000", (None, None, None)),
        ("-4 62000|47 >40000", (None, None, False)),
        ("-4 9000|47 >40000", (False, False, False)),
        ("-4 9000", (None, None, None)),
    ],
)
def test_graded_falls_of_15_25_and_50_percent(values: str, falls: tuple[bool | None, ...]) -> None:
    """From above a limit of 40,000 to 24,600 is a fall of at least 38.5 %: perhaps of 50 %."""
    row = ferritin(values).primary()
    assert (row["fall_15"], row["fall_25"], row["fall_50"]) == falls


def test_the_strict_horizon_takes_the_last_value_up_to_48_h() -> None:
    """52 h is near enough to 48 h for h48, but not for the strict reading."""
    labs = "hour | ferritin | ast\n-4 | 9000 | 90\n40 | 9500 | 95\n49 | 4500 | 50"
    row = patients(labs).primary()
    assert (row["response"], row["strict"]) == ("responded", "did not respond")
    at48 = patients("hour | ferritin | ast\n-4 | 9000 | 90\n48 | 4500 | 50").primary()
    assert at48["strict"] == "responded"
    late = patients("hour | ferritin | ast\n-4 | 9000 | 90\n48.01 | 4500 | 50").primary()
    assert (late["response"], late["strict"]) == ("responded", "no sample")


def test_a_patient_transferred_in_on_treatment_is_described_and_left_out() -> None:
    """Their ratios are printed; the response is excluded with that reason."""
    patient = patients("hour | ferritin | ast\n-4 | 9000 | 90\n47 | 4500 | 50", left_truncated=True)
    assert patient.primary()["response"] == "excluded: left truncated"
    assert patient.primary()["fall_50"] is None
    assert patient.response()["status"] == "fell"


def test_discharge_before_48_h_is_not_a_failure() -> None:
    """Going home before the horizon is no sample; dying before it is a failure."""
    labs = "hour | ferritin | ast\n-4 | 9000 | 90"
    assert patients(labs, discharge=40).primary()["response"] == "discharged before"
    assert patients(labs, death_time=40).primary()["response"] == "died before"


def test_every_number_leads_back_to_its_rows() -> None:
    """The rows of the baseline and of the 48-hour value are named."""
    row = ferritin("-4 9000|47 4500").response()
    assert row["source_row"] == "labs:2|labs:3"
    assert row["unit"] == "ng/mL"


def test_windows_come_from_the_protocol() -> None:
    """A file with another look-back gives another baseline."""
    own = protocols.load("anakinra_mas")
    wider = structs.replace(own, baseline=structs.replace(own.baseline, ferritin=Length("96h")))
    labs = "hour | ferritin\n-90 | 9000\n47 | 1"
    assert math.isnan(patients(labs, protocol=own).response()["baseline"])
    assert patients(labs, protocol=wider).response()["baseline"] == 9000


def test_persons_are_kept_apart() -> None:
    """One patient's sample never answers for another."""
    labs = "person | hour | ferritin\n0 | -4 | 9000\n0 | 47 | 4500\n1 | 47 | 100"
    both = patients(labs, persons=2)
    assert both.response()["status"] == "fell"
    assert both.response(person=1)["status"] == "no sample"


def test_an_empty_cohort_gives_an_empty_table_with_all_columns() -> None:
    """A cohort of nobody is an ordinary result."""
    nobody = patients(persons=0)
    assert len(nobody.response_table()) == 0
    assert "ratio_48h" in nobody.response_table().columns
