"""When a storm is over, and when it has come back.

Over: seven days with temperature below 38.0, ferritin below 2,000 or at most 20 % of its peak, and no rescue.
Back: definite again; or ferritin at least twice its lowest and 1,000, with fever or platelets down by a third, and the
dose doubled or a new agent. Within seven days of an infection it is uncertain.
"""

from __future__ import annotations

from math import nan
from typing import Any

import pytest

from tests.records import Row, culture, dose, infusion, lab, measured, person
from tests.spec.edges import MINUTE, around, hours
from tests.spec.edges import protocol_file as raw

RULE = raw("anakinra_mas")["relapse"]
QUIET = hours(raw("anakinra_mas")["outcome"]["resolution_min"])
STORM = (
    lab("platelets", 20, -4), lab("haemoglobin", 7, -4), lab("wbc", 1.0, -4), lab("neutrophils", 0.4, -4),
    lab("triglycerides", 5, -4), lab("fibrinogen", 1.0, -4), lab("ast", 400, -4), lab("temperature", 39.8, -4),
    infusion(0, 20),
)  # fmt: skip
PEAK = 8000.0
WELL = 1000.0
SEEN = person(last_contact=WELL, last_contact_status="alive")


def outcome(*rows: Row, peak: float | str = PEAK, seen: Row = SEEN) -> dict[str, Any]:
    [row] = measured("anakinra_mas", *STORM, lab("ferritin", peak, -4), seen, *rows, only="outcome")
    return row


def cool(first: float, last: float, every: float = 12, value: float = 37.0) -> list[Row]:
    """Temperatures from one hour to another."""
    count = int((last - first) // every) + 1
    return [lab("temperature", value, first + i * every) for i in range(count)]


def calm(*, until: float = 300, ferritin: float = 500) -> list[Row]:
    """Well from hour 24 on: cool, and ferritin low at once."""
    return [lab("temperature", 37.0, 24), *cool(24.1, until), lab("ferritin", ferritin, 24)]


def at_hour(row: dict[str, Any], column: str = "resolution_time") -> float:
    from tests.records import hours as since

    hour = since(row[column])
    return nan if hour is None else float(hour)


def test_the_storm_is_over_after_seven_quiet_days() -> None:
    """Seven days from the draw with which all was quiet; a fever at the end of them is after them."""
    row = outcome(*calm())
    assert (row["resolution"], at_hour(row)) == ("certain", 24 + QUIET)
    assert row["relapse"] == "none"


def test_a_fever_in_the_seven_days_begins_them_anew() -> None:
    """At the last moment of them, and a minute after it."""
    for hour, over in ((24 + QUIET - MINUTE, False), (24 + QUIET + MINUTE, True)):
        row = outcome(*calm(), lab("temperature", 38.5, hour))
        assert (at_hour(row) == 24 + QUIET) is over, hour


@pytest.mark.parametrize(
    ("name", "value", "over"),
    [
        ("temperature", RULE["fever_at_least"], False),
        ("temperature", RULE["fever_at_least"] - 0.1, True),
        ("ferritin", RULE["quiet_ferritin"], False),
        ("ferritin", RULE["quiet_ferritin"] - 1, True),
    ],
)
def test_quiet_is_below_its_bounds(name: str, value: float, over: bool) -> None:
    """A value in the middle of the seven days; 2,000 of 8,000 is more than a fifth."""
    row = outcome(*calm(), lab(name, value, 100))
    assert (at_hour(row) == 24 + QUIET) is over


def test_a_later_peak_does_not_make_what_was_before_it_quiet() -> None:
    """2,500 is not a fifth of 8,000; that it is less than a fifth of 20,000 five weeks later says nothing about then."""
    row = outcome(*calm(ferritin=2500, until=800), lab("ferritin", 20_000, 900))
    assert row["resolution"] == "not reached"


def test_a_fifth_of_the_peak_is_quiet_whatever_it_is() -> None:
    """At most 20 % of the peak: 20,000 of 100,000, and not one more. Of a limit the least is meant."""
    share = RULE["quiet_share"]
    for value, over in ((share * 100_000, True), (share * 100_000 + 1, False)):
        assert (outcome(*calm(ferritin=value), peak=100_000)["resolution"] == "certain") is over
    assert outcome(*calm(ferritin=8000), peak=">40000")["resolution"] == "certain"
    assert outcome(*calm(ferritin=8001), peak=">40000")["resolution"] == "not reached"


def test_what_was_not_measured_is_no_proof() -> None:
    """A day without temperature: possible. No temperature or no ferritin at all: unknown."""
    gap = [*calm(until=60), *cool(120, 250)]
    assert outcome(*gap)["resolution"] == "possible"
    row = outcome(*calm(until=60), *cool(120, 300))
    assert (row["resolution"], at_hour(row)) == ("certain", 120 + QUIET)
    assert outcome(lab("ferritin", 500, 24))["resolution"] == "unknown"
    assert outcome(*cool(24, 300))["resolution"] == "unknown"
    assert outcome(*calm(until=100), seen=person(death=120))["relapse"] == "not resolved"


def test_without_a_contact_after_it_nobody_knows() -> None:
    """The last contact is the end of the quiet time itself, or a minute later."""
    for hour, said in ((24 + QUIET, "unknown"), (24 + QUIET + MINUTE, "none")):
        seen = person(last_contact=hour, last_contact_status="alive")
        assert outcome(*calm(until=24 + QUIET), seen=seen)["relapse"] == said


def test_a_rescue_begins_the_quiet_time_anew() -> None:
    """A new agent, or the dose doubled; the same agent again within 14 d is none."""
    new = dose("tocilizumab", 100, amount="600 mg")
    assert at_hour(outcome(*calm(until=500), new)) == 100 + QUIET


def test_an_agent_is_new_where_it_was_not_given_for_14_days() -> None:
    """From the end of one dose, which lasts a minute, to the next: 14 d is not long enough, a minute more is."""
    for apart, new in zip(
        around(hours(RULE["new_agent_after"])), (False, False, True), strict=True
    ):
        first = dose("tocilizumab", 400 - MINUTE - apart, amount="600 mg")
        row = outcome(*calm(), first, *storm_again(rescue=400))
        assert (row["relapse"] == "relapse") is new, apart


def storm_again(
    ferritin: float = 1200,
    *,
    temperature: float = 38.5,
    hour: float = 400,
    rescue: float | None = 401,
) -> list[Row]:
    """A second rise after the storm was over, with fever and a new agent."""
    rows = [
        lab("ferritin", ferritin, hour),
        lab("temperature", temperature, hour),
        lab("platelets", 200, hour),
    ]
    if rescue is not None:
        rows.append(dose("tocilizumab", rescue, amount="600 mg"))
    return rows


def test_a_rise_of_ferritin_with_fever_and_a_new_agent_is_a_relapse() -> None:
    """Each part is needed."""
    row = outcome(*calm(), *storm_again())
    assert (row["relapse"], at_hour(row, "relapse_time")) == ("relapse", 400)
    assert row["relapse_rows"]
    assert outcome(*calm(), *storm_again(rescue=None))["relapse"] == "none"
    assert outcome(*calm(), *storm_again(temperature=37.5))["relapse"] == "none"


def test_the_bounds_of_ferritin() -> None:
    """At least twice the lowest, and at least 1,000."""
    for lowest, value, back in (
        (300, RULE["ferritin_at_least"], True), (300, RULE["ferritin_at_least"] - 1, False),
        (700, RULE["rise"] * 700, True), (700, RULE["rise"] * 700 - 1, False),
    ):  # fmt: skip
        row = outcome(*calm(ferritin=lowest), *storm_again(value))
        assert (row["relapse"] == "relapse") is back, (lowest, value)


def test_platelets_down_by_a_third_stand_for_fever() -> None:
    """A fall to two thirds counts, a fall to a little more does not."""
    fall = RULE["platelet_fall"]
    for value, back in ((300 * (1 - fall), True), (300 * (1 - fall) + 1, False)):
        rows = [
            *calm(), lab("platelets", 300, 350), lab("ferritin", 1200, 400), lab("temperature", 37, 400),
            lab("platelets", value, 400), dose("tocilizumab", 401, amount="600 mg"),
        ]  # fmt: skip
        assert (outcome(*rows)["relapse"] == "relapse") is back, value


def test_a_doubled_dose_is_a_rescue() -> None:
    """100 mg a day, then twice as much in 96 h; a little less is none."""
    usual = [dose("anakinra", 24 + 24 * i, amount="100 mg", route="SC") for i in range(16)]
    window = hours(RULE["dose_window"])
    for mg, back in ((100 * RULE["dose_rise"], True), (100 * RULE["dose_rise"] - 1, False)):
        more = [
            dose("anakinra", 408 + 24 * i, amount=f"{mg} mg", route="SC")
            for i in range(int(window // 24))
        ]
        row = outcome(*calm(), *storm_again(rescue=None, hour=408), *usual, *more)
        assert (row["relapse"] == "relapse") is back, mg


def test_how_near_fever_and_rescue_must_be() -> None:
    """72 h on either side, the ends included."""
    near = hours(RULE["near"])
    for gap, back in zip(around(near), (True, True, False), strict=True):
        rescued = outcome(*calm(), *storm_again(rescue=400 + gap))
        assert (rescued["relapse"] == "relapse") is back, gap
        warm = [lab("ferritin", 1200, 400), lab("temperature", 38.5, 400 + gap), lab("temperature", 37, 399),
                lab("platelets", 200, 400), dose("tocilizumab", 401, amount="600 mg")]  # fmt: skip
        assert (outcome(*calm(), *warm)["relapse"] == "relapse") is back, gap


def test_near_an_infection_it_is_uncertain() -> None:
    """Within seven days before or after its onset; a minute more and it is a relapse."""
    near = hours(RULE["infection_near"])
    for gap, uncertain in zip(around(near), (True, True, False), strict=True):
        for sign in (-1, 1):
            row = outcome(
                *calm(), *storm_again(), culture("growth", 400 + sign * gap, "Escherichia coli")
            )
            assert row["relapse"] == ("uncertain" if uncertain else "relapse"), (gap, sign)
    assert (
        "infection"
        in outcome(*calm(), *storm_again(), culture("growth", 400, "E. coli"))["relapse_why"]
    )


def test_near_what_may_be_an_infection_it_is_uncertain() -> None:
    """A result that is not known, an organism or a time that nobody knows; what is none changes nothing."""
    near = hours(RULE["infection_near"])
    open_ = (
        culture("pending", 400),
        culture("growth", 400, "Keim 3"),
        culture("growth", None, "E. coli"),
    )
    for sample in open_:
        row = outcome(*calm(), *storm_again(), sample)
        assert row["relapse"] == "uncertain"
        assert "a sample that may show an infection" in row["relapse_why"]
    for sample in (culture("no growth", 400), culture("cancelled", 400), culture("pending", 400, "", "stool"),
                   culture("growth", 400, "E. coli", judged="contaminant")):  # fmt: skip
        assert outcome(*calm(), *storm_again(), sample)["relapse"] == "relapse"
    sure = outcome(
        *calm(), *storm_again(), culture("pending", 400), culture("growth", 410, "E. coli")
    )
    assert sure["relapse_why"].endswith("of an infection")
    day = 408.0  # any moment of this date may be the onset: its first and its last one are tried
    for hour, uncertain in ((day - near, True), (day - near - MINUTE, False),
                            (day + 24 + near - MINUTE, True), (day + 24 + near, False)):  # fmt: skip
        dated = culture("growth", day, "E. coli", date_only=True)
        row = outcome(*calm(until=600), *storm_again(hour=hour, rescue=hour + 1), dated)
        assert row["relapse"] == ("uncertain" if uncertain else "relapse"), hour


def test_without_temperature_and_platelets_it_is_uncertain() -> None:
    """Ferritin rose and was treated; nobody measured the rest."""
    row = outcome(*calm(), lab("ferritin", 1200, 500), dose("tocilizumab", 501, amount="600 mg"))
    assert row["relapse"] == "uncertain"


def test_a_storm_that_is_definite_again_is_a_relapse_and_a_recurrence() -> None:
    """Whatever was given for it; it stands in the table of later storms."""
    again = [
        lab(name, value, 600)
        for name, value in (
            ("ferritin", 20_000), ("platelets", 20), ("haemoglobin", 7), ("wbc", 1.0), ("neutrophils", 0.4),
            ("triglycerides", 5), ("fibrinogen", 1.0), ("ast", 400), ("temperature", 39.8),
        )
    ]  # fmt: skip
    row = outcome(*calm(), *again)
    assert (row["relapse"], at_hour(row, "relapse_time")) == ("relapse", 600)
    rows = measured(
        "anakinra_mas", *STORM, lab("ferritin", PEAK, -4), SEEN, *calm(), *again, only="recurrences"
    )
    assert [at_hour(each, "storm_begin") for each in rows] == [600]
    assert rows[0]["treated_again"] is False
    assert (
        measured(
            "anakinra_mas", *STORM, lab("ferritin", PEAK, -4), SEEN, *calm(), only="recurrences"
        )
        == []
    )


def test_the_storm_at_death_is_judged_by_the_days_before_it() -> None:
    """Definite where its values stand, not assessed where nothing was measured for days."""
    soon = outcome(lab("ferritin", 9000, 30), seen=person(death=40))
    assert soon["storm_at_death"] == "definite"
    late = outcome(*calm(), seen=person(death=900))
    assert late["storm_at_death"] == "not assessed"
    assert outcome(*calm())["storm_at_death"] == ""
