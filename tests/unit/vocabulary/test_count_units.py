"""Units of cell counts: every word of the lists, with every volume, in every spelling of a power."""

import itertools

import pytest

from becalm import vocabulary
from becalm.vocabulary.count_units import count_units, per_litre

V = vocabulary.load()
SHIPPED = count_units()
VOLUMES = {
    "L": 0,
    "dL": -1,
    "mL": -3,
    "µL": -6,
    "mm³": -6,
    "mm3": -6,
    "cumm": -6,
    "cu mm": -6,
    "cmm": -6,
    "nL": -9,
}
COUNTS = ("platelets", "wbc", "neutrophils", "lymphocytes")


def within(power: int) -> int | None:
    return power if 6 <= power <= 12 else None


@pytest.mark.parametrize(
    ("word", "exponent"), [(word, each.exponent) for each in SHIPPED.power for word in each.words]
)
def test_every_word_for_a_power_with_every_volume(word: str, exponent: int) -> None:
    """The power per litre is that of the word less that of the volume; a point or capital changes nothing."""
    for volume, litres in VOLUMES.items():
        expected = within(exponent - litres)
        for text in (f"{word}/{volume}", f"{word.upper()}/{volume}", f"{word} cells/{volume}"):
            assert per_litre(text) == expected, text
        if word.isalpha():
            assert per_litre(f"{word}./{volume}") == expected


@pytest.mark.parametrize("exponent", [3, 4, 5, 6, 9])
def test_every_spelling_of_a_power_of_ten(exponent: int) -> None:
    small = "⁰¹²³⁴⁵⁶⁷⁸⁹"[exponent]
    for form in (
        "10^{}",
        "10*{}",
        "10**{}",
        "10E{}",
        "10e{}",
        "x10^{}",
        "×10^{}",
        "10 {}",
        "x 10 exp {}",
        "E{}",
    ):
        for volume, litres in VOLUMES.items():
            text = f"{form.format(exponent)}/{volume}"
            assert per_litre(text) == within(exponent - litres), text
    for text in (f"10{small}/µL", f"×10{small}/µL", f"10{small}·µL⁻¹", f"10{small} µL-1"):
        assert per_litre(text) == within(exponent + 6), text


@pytest.mark.parametrize("word", [*SHIPPED.cells.words])
def test_what_is_counted_changes_nothing(word: str) -> None:
    assert per_litre(f"{word}/µL") == per_litre(f"10^3 {word}/mL") == 6
    assert per_litre(f"10*9 {word}/L") == 9


@pytest.mark.parametrize(
    "text",
    ["", "/", "mg/dL", "g/L", "U/L", "T/µl", "m/µL", "mil/mm3", "billion/L", "%", "10^3", "µL", "10^2/µL", "10^12/L/L",
     "k/h", "/kg", "giga/µL", "10^9/nL", "1/mL", "#/hpf"],
)  # fmt: skip
def test_what_has_two_meanings_or_none_is_no_count(text: str) -> None:
    assert per_litre(text) is None


def test_the_lists_have_no_word_twice() -> None:
    words = [word for power in SHIPPED.power for word in power.words]
    words += [word for volume in SHIPPED.volume for word in volume.words]
    assert len(set(words)) == len(words)


@pytest.mark.parametrize(
    ("unit", "times"),
    [
        ("Tsd./µl", 1), ("tys/µl", 1), ("1/nl", 1), ("U/nL", 1), ("10^6/mL", 1), ("10³/mL", 1e-3), ("/cumm", 1e-3),
        ("thsd/cumm", 1), ("lakh/cumm", 100), ("×10⁴/µL", 10), ("万/μL", 10), ("10⁹·L⁻¹", 1), ("Mio/ml", 1),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", COUNTS)
def test_counts_are_converted_exactly(name: str, unit: str, times: float) -> None:
    conversion, reason = V.unit_of(V.variable(name), unit)
    assert reason == ""
    assert conversion.apply(60.0) == 60.0 * times


def test_every_unit_of_mass_per_volume_differs_from_the_others_by_its_prefixes() -> None:
    """mg, µg, ng, pg, g per L, dL, mL: the factor of each shipped unit is what the prefixes say."""
    grams = {"g": 0, "mg": -3, "ug": -6, "ng": -9, "pg": -12}
    litres = {"L": 0, "dL": -1, "mL": -3}
    powers = {
        f"{g}/{v}": power - volume
        for (g, power), (v, volume) in itertools.product(grams.items(), litres.items())
    }
    checked = 0
    for variable in V.variables:
        if variable.unit not in powers or variable.name in COUNTS:
            continue
        for unit in set(powers) & set(V.variable(variable.name).units):
            conversion, _ = V.unit_of(variable, unit)
            expected = 10.0 ** (powers[unit] - powers[variable.unit])
            assert conversion.apply(1.0) == pytest.approx(expected, rel=1e-12), (
                variable.name,
                unit,
            )
            checked += 1
    assert checked > 40
