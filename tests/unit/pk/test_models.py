"""Models as data: the shipped ones as they are published, a file of one's own, and every mistake with its place."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from becalm.core.errors import DefinitionError, UsageError
from becalm.pk import RateConstants, load, propagate, shipped
from becalm.pk.loading import MODELS, parse
from becalm.pk.model import PkParameter, PkSpread
from becalm.pk.propagation import CENTRAL
from becalm.pk.units import by_kind, factor

OWN = """\
name = "own"
title = "A drug of our own"
drug = "X"
routes = ["iv"]

[covariate.weight]
unit = "kg"
studied = [40, 120]
source = "assumed"
verified = false

[parameter.clearance]
part_of = "clearance"
value = 100
unit = "mL/min"
scaled_by.weight = { at = 70, exponent = 0.75 }
status = "assumed"
source = "assumed"
verified = false

[parameter.volume]
part_of = "central_volume"
value = 20
unit = "L"
status = "assumed"
source = "assumed"
verified = false
"""


def anakinra(weight: float, clearance: float, **more: float) -> dict[str, float]:
    given = {"weight": weight, "creatinine_clearance": clearance, "haemodialysis": 0.0, "effluent_flow": 0.0, **more}  # fmt: skip
    return {name: float(value) for name, value in load("anakinra").typical(given).items()}


def test_the_models_that_ship() -> None:
    assert shipped() == ("anakinra", "anakinra_urien_2013", "canakinumab", "vancomycin")
    for name in shipped():
        assert load(name).name == name


@pytest.mark.parametrize(
    ("weight", "clearance", "ml_min"), [(75, 115, 136), (70, 3, 23), (75, 3, 24)]
)
def test_anakinra_clears_as_published_means_say(
    weight: float, clearance: float, ml_min: float
) -> None:
    assert anakinra(weight, clearance)["clearance"] / 0.06 == pytest.approx(ml_min, abs=0.6)


@pytest.mark.parametrize(
    ("clearance", "predicted", "mean", "spread", "within"),
    [
        (105, 148, 170, 37, True),
        (65, 101, 142, 59, True),
        (40, 72, 84.5, 24.7, True),
        (20, 48, 51.5, 8.4, True),
        (3, 28, 42.7, 4.7, False),
    ],
)
def test_anakinra_under_the_skin_beside_the_published_means(
    clearance: float, predicted: float, mean: float, spread: float, within: bool
) -> None:
    """CL/F in mL/min of 75 kg; the creatinine clearance is an assumed middle of each group. The last one fails."""
    found = anakinra(75, clearance)["clearance"] / 0.06 / 0.85
    assert found == pytest.approx(predicted, abs=0.6)
    assert (abs(found - mean) <= spread) == within


def test_renal_replacement_adds_to_the_clearance() -> None:
    without = anakinra(70, 0)["clearance"]
    dialysed = anakinra(70, 0, haemodialysis=1)["clearance"]
    continuous = anakinra(70, 0, effluent_flow=35)["clearance"]
    assert dialysed - without == pytest.approx(1.0 * 0.06)
    assert continuous - without == pytest.approx(0.3 * 35 * 0.06)


def test_urien_at_21_kg_and_2_mg_per_kg_a_day() -> None:
    """Area 11.853 mg·h/L, average in steady state 0.494 mg/L, half-life 5.108 h."""
    model = load("anakinra_urien_2013")
    typical = {name: float(value) for name, value in model.typical({"weight": 21.0}).items()}
    cl, v = typical["clearance"], typical["central_volume"]
    days = 40
    found = propagate(
        RateConstants.of(cl, v, absorption=typical["absorption"]),
        [24.0] * days,
        depot=[42.0] * days,
    )
    area = float(found.area[-1] / v)
    assert area == pytest.approx(11.853, abs=5e-4)
    assert area / 24 == pytest.approx(0.494, abs=5e-4)
    assert math.log(2) * v / cl == pytest.approx(5.108, abs=5e-4)


def test_canakinumab_peaks_as_its_label_says() -> None:
    """150 mg under the skin: 16 ± 3.5 µg/mL after about 7 days."""
    model = load("canakinumab")
    typical = {name: float(value) for name, value in model.typical({"weight": 70.0}).items()}
    constants = RateConstants.of(
        typical["clearance"], typical["central_volume"], typical["exchange"], typical["peripheral_volume"],
        typical["absorption"],
    )  # fmt: skip
    found = propagate(constants, [6.0] * 200, depot=[150 * 0.7] + [0.0] * 199)
    level = found.before[:, CENTRAL] / typical["central_volume"]
    assert 12.5 < level.max() < 19.5
    assert 5 < level.argmax() * 6 / 24 < 9


@pytest.mark.parametrize("name", shipped())
def test_every_number_has_its_source_and_what_is_assumed_is_not_called_verified(name: str) -> None:
    model = load(name)
    entries: list[PkParameter | PkSpread] = [*model.parameters.values(), *model.spreads.values()]
    for each in entries:
        assert each.source
        assert not (each.status == "assumed" and each.verified)
    assert any(not group.studied for group in model.groups.values()) or name == "vancomycin"


def test_a_file_of_your_own(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(OWN, encoding="utf-8")
    model = load(str(file))
    assert float(model.typical({"weight": 70})["clearance"]) == pytest.approx(6.0)
    assert model.unverified == ("clearance", "volume")


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ('"clearance"\nvalue', '"clearence"\nvalue', "own.toml, row 13, parameter.clearance.part_of: there is no part 'clearence'. Did you mean 'clearance'?"),
        ("mL/min", "mL/mn", "own.toml, row 15, parameter.clearance.unit: the unit 'mL/mn' is not known. Did you mean 'mL/min'?"),
        ('unit = "L"', 'unit = "L/h"', "own.toml, row 24, parameter.volume.unit: the unit 'L/h' is a unit of flow, not of volume"),
        ("scaled_by.weight", "scaled_by.wieght", "own.toml, row 16, parameter.clearance.scaled_by.wieght: no covariate is called 'wieght'. Did you mean 'weight'?"),
        ("exponent", "exponnent", "unknown key 'exponnent'. Did you mean 'exponent'?"),
        ("value = 20", "vlaue = 20", "own.toml, row 23, parameter.volume.vlaue: unknown key 'vlaue'. Did you mean 'value'?"),
        ("value = 20", 'value = "20"', "own.toml, row 23, parameter.volume.value: needs a number, not a text in quotes"),
        ("value = 20", "value = 0", "own.toml, row 23, parameter.volume.value: a central_volume cannot be 0"),
        ("value = 20", "value = -1", "a central_volume cannot be -1"),
        ("value = 20", "value = nan", "own.toml, row 23, parameter.volume.value: is no number"),
        ("value = 100", "value = -100", "a clearance cannot be -100"),
        ('["iv"]', '["oral"]', "own.toml, row 4, routes: the route 'oral' is not known"),
        ('["iv"]', '["sc"]', "no parameter is part of 'absorption'"),
        ('drug = "X"\n', "", "the key 'drug' needs a text in quotes"),
        ("[parameter.volume]", "[paramter.volume]", "unknown key 'paramter'. Did you mean 'parameter'?"),
        ('status = "assumed"', 'status = "guessed"', "'guessed' cannot stand here"),
        ("studied = [40, 120]", "studied = [120, 40]", "needs the lowest and the highest value studied"),
        ('source = "assumed"', 'source = ""', "is empty"),
        ('unit = "kg"', 'unit = "kgs"', "the unit 'kgs' is not known. Did you mean 'kg'?"),
        ("at = 70", "at = 0", "'at' is above 0"),
        ("verified = false\n\n[parameter.volume]", "verified = false\nlow = 120\n\n[parameter.volume]", "does not lie between low and high"),
        ('drug = "X"', 'drug = "X', "is not valid TOML"),
        ("[covariate.weight]", '[spread.volume]\nvalue = 0.2\nstatus = "assumed"\nsource = "a"\nverified = false\n[covariate.weight]', "no parameter is part of 'volume'"),
        ("[covariate.weight]", '[residual.additve]\nvalue = 0.2\nunit = "mg/L"\nstatus = "assumed"\nsource = "a"\nverified = false\n[covariate.weight]', "no error is called 'additve'. Did you mean 'additive'?"),
        ('drug = "X"', 'drug = "X"\napparent = "by F"', "cannot be used for doses into a vein"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_row_and_key(was: str, now: str, told: str) -> None:
    assert was in OWN
    with pytest.raises(DefinitionError) as error:
        parse(OWN.replace(was, now, 1), "own.toml")
    assert told in error.value.line()


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    text = OWN.replace("mL/min", "mL/mn").replace("value = 20", "value = -20").replace('"kg"', '"Kg"')  # fmt: skip
    with pytest.raises(DefinitionError) as error:
        parse(text, "own.toml")
    assert len(error.value.each()) == 3
    rows = [int(line.split(",")[1].split()[-1]) for line in error.value.line().splitlines()]
    assert rows == sorted(rows)


def test_a_name_that_no_model_has() -> None:
    with pytest.raises(DefinitionError, match=r"no model is called 'anakira'.*'anakinra'"):
        load("anakira")


def test_a_parameter_or_covariate_that_the_model_does_not_have() -> None:
    model = load("anakinra")
    with pytest.raises(UsageError, match=r"no parameter 'seiving'.*'sieving'"):
        model.replaced({"seiving": 0.5})
    with pytest.raises(UsageError, match=r"no covariate 'wieght'.*'weight'"):
        model.typical({"wieght": 70})
    with pytest.raises(UsageError, match="needs the covariate weight"):
        model.typical({})
    with pytest.raises(UsageError, match=r"no group 'kids'"):
        model.group("kids")


@pytest.mark.parametrize(
    ("name", "value"),
    [("sieving", -0.1), ("bioavailability", 101.0), ("central_volume", 0.0), ("exchange", math.nan)],
)  # fmt: skip
def test_a_value_that_cannot_be(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=name):
        load("anakinra").replaced({name: value})


def test_values_at_their_bounds_can_be() -> None:
    changed = load("anakinra").replaced({"sieving": 0.0, "bioavailability": 100.0})
    assert changed.parameters["sieving"].source == "set by the user"
    assert changed.parameters["bioavailability"].value == 100


def test_units_of_one_kind_agree() -> None:
    assert factor("mL/min", "L/h") == pytest.approx(60 / 1000, rel=1e-15)
    assert factor("L/d", "L/h") == pytest.approx(1 / 24, rel=1e-15)
    assert factor("months", "years") == pytest.approx(1 / 12, rel=1e-15)
    everything = [unit for kind in by_kind().values() for unit in kind]
    assert len(everything) == len(set(everything))


def test_no_shipped_file_is_left_out() -> None:
    assert {path.stem for path in MODELS.iterdir()} == set(shipped())
