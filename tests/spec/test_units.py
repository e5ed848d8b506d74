"""Units, limits and refusal: what becomes of a result as it is written.

Each table gives results as a laboratory wrote them and, on the right, what becalm makes of them: a
value in the canonical unit, with its sign where it is only a limit, or the reason for refusing it.
"""

import pytest

from becalm.events import Events, harmonise
from tests.records import V, finding, lab, records


def charted(table: str) -> tuple[Events, list[str]]:
    """Read `name | value | unit | understood`, one result an hour, of one patient."""
    lines = [line for line in table.strip().splitlines()[1:] if line.strip()]
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    results = (lab(name, value, hour, unit) for hour, (name, value, unit, _) in enumerate(rows))
    return harmonise(records(*results), V), [expected for *_, expected in rows]


def check(table: str) -> None:
    events, expected = charted(table)
    rows = [events.describe(i) for i in range(len(expected))]
    assert [row["canonical"] or row["reason"] for row in rows] == expected


def test_every_result_is_brought_to_one_unit() -> None:
    """Values are compared only in the canonical unit, converted once and at full precision."""
    check(
        """
        name          | value  | unit    | understood
        ferritin      | 1123.5 | pmol/L  | 500 ng/mL
        ferritin      | 500    | µg/L    | 500 ng/mL
        triglycerides | 177.14 | mg/dL   | 2 mmol/L
        fibrinogen    | 244    | mg/dL   | 2.44 g/L
        CRP           | 15     | mg/dL   | 150 mg/L
        CRP           | 15     | mg/L    | 15 mg/L
        haemoglobin   | 92     | g/L     | 9.2 g/dL
        platelets     | 110    | K/uL    | 110 10⁹/L
        neutrophils   | 900    | /µL     | 0.9 10⁹/L
        creatinine    | 176.8  | µmol/L  | 2 mg/dL
        temperature   | 98.6   | °F      | 37 °C
        D-dimer       | 4930   | ng/mL FEU | 4.93 µg/mL FEU
        """
    )


def test_a_limit_stays_a_limit() -> None:
    """An assay that stopped counting gives a limit, and conversion keeps its direction."""
    check(
        """
        name       | value              | unit   | understood
        ferritin   | >15000             | ng/mL  | >15000 ng/mL
        ferritin   | > 15,000           | ng/mL  | >15000 ng/mL
        ferritin   | ABOVE 40000        | ng/mL  | >40000 ng/mL
        ferritin   | >33.705            | nmol/L | >15000 ng/mL
        D-dimer    | GREATER THAN 21000 | ng/mL FEU | >21 µg/mL FEU
        bilirubin  | <0.2.              | mg/dL  | <0.2 mg/dL
        fibrinogen | LESS THAN 60       | mg/dL  | <0.6 g/L
        """
    )


def test_a_unit_is_never_assumed() -> None:
    """Without its unit a number is refused, however likely the unit seems; a few have none."""
    check(
        """
        name        | value | unit   | understood
        ferritin    | 9000  |        | unit missing
        temperature | 38.4  |        | unit missing
        ferritin    | 9000  | mg/dL  | unknown unit
        neutrophils | 3     | mmol/L | unknown unit
        INR         | 1.3   |        | 1.3
        GCS         | 15    |        | 15
        """
    )


def test_units_that_only_look_convertible_are_refused() -> None:
    """FEU and DDU differ about twofold; a receptor by mass is not one by activity."""
    check(
        """
        name    | value  | unit      | understood
        D-dimer | 1500   | ng/mL     | unit does not say FEU or DDU
        D-dimer | 750    | ng/mL DDU | DDU is not FEU
        D-dimer | 1500   | ng/mL FEU | 1.5 µg/mL FEU
        sIL-2R  | 1192.5 | pg/mL     | pg/mL becomes U/mL only by the assay's own factor
        sIL-2R  | 2400   | U/mL      | 2400 U/mL
        """
    )


def test_what_could_mean_two_things_is_not_a_number() -> None:
    """A decimal comma, a range and a word are refused; a mark before three digits is a thousand."""
    check(
        """
        name     | value     | unit  | understood
        ferritin | 12,3      | ng/mL | comma could be a decimal or a thousands mark
        ferritin | 1,200     | ng/mL | 1200 ng/mL
        ferritin | 100-200   | ng/mL | a range, not one number
        ferritin | Hemolyzed | ng/mL | not a number
        ferritin | ___       | ng/mL | not a number
        ferritin | 12 ng/mL  | ng/mL | text after the number; write the unit in its own column
        """
    )


def test_a_number_no_patient_can_have_is_refused() -> None:
    """Outside the plausible range the unit or the typing is wrong; nothing is put right silently."""
    check(
        """
        name        | value | unit  | understood
        fibrinogen  | 2.4   | mg/dL | outside plausible range
        fibrinogen  | 2.4   | g/L   | 2.4 g/L
        temperature | 99.0  | °C    | outside plausible range
        platelets   | -1    | K/uL  | outside plausible range
        weight      | 0     | kg    | outside plausible range
        """
    )


def test_what_the_vocabulary_does_not_have_is_counted_not_guessed() -> None:
    """A name is read whole: what merely contains a known word is something else."""
    check(
        """
        name             | value | unit  | understood
        Creatinine, Urine| 90    | mg/dL | unknown variable
        Hemoglobin A1c   | 7     | %     | unknown variable
        feritin          | 500   | ng/mL | unknown variable
        Neutrophils      | 64    | %     | 64 %
        Neutrophils      | 6.4   | K/uL  | 6.4 10⁹/L
        """
    )


@pytest.mark.parametrize(
    ("present", "understood"), [("yes", "yes"), ("no", "no"), ("unknown", ""), ("", "")]
)
def test_a_finding_not_known_is_neither_present_nor_absent(present: str, understood: str) -> None:
    """A finding counts as absent only where somebody says no."""
    events = harmonise(records(finding("splenomegaly", present, 0)), V)
    assert events.describe(0)["canonical"] == understood
    assert len(events.points("splenomegaly")) == (1 if understood else 0)
