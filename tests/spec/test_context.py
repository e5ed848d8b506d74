"""What a storm stands on: primary, MAS, secondary, no trigger found, or not known."""

import json
from datetime import datetime
from typing import Any

import numpy as np
import pytest

from becalm.core.clock import UNKNOWN_TIME, to_us
from becalm.demo import write_hospital
from becalm.patients.context import CONTEXT, context
from becalm.patients.understood import Patients
from becalm.records import open_records
from tests.records import Row, V, at, chunk, condition, culture, dose, finding, person, procedure
from tests.records.pictures import rows_of

NO = "not looked for"
NONE_FOUND = "secondary, no trigger found"


def judged(*rows: Row, hour: float | None = 0) -> dict[str, Any]:
    """The one person's row, for a storm at an hour."""
    patient = chunk(*rows)
    found = context(patient, np.zeros(1, np.int32), np.array([at(hour)]))
    [row] = found.rows()
    return row


def kind(*rows: Row) -> str:
    return str(judged(*rows)["class"])


class TestClass:
    """The class of a storm says what lies below it; nothing is read off a blank."""

    def test_a_record_that_says_nothing_is_unknown(self) -> None:
        """No diagnosis is not "no disease"."""
        row = judged(person())
        assert row == dict.fromkeys(CONTEXT, "") | {
            "class": "unknown",
            "cancer": NO,
            "infection": NO,
            "covid19": "not tested",
        }

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("systemic juvenile idiopathic arthritis", "MAS"),
            ("adult-onset Still's disease", "MAS"),
            ("systemic lupus erythematosus", "MAS"),
            ("undifferentiated connective tissue disease", "MAS"),
            ("mixed connective tissue disease", "MAS"),
            ("Crohn's disease", "MAS"),
            ("lymphoma", "secondary"),
            ("acute myeloid leukaemia", "secondary"),
            ("sepsis", "secondary"),
            ("EBV", "secondary"),
            ("CAR-T cell therapy", "secondary"),
            ("familial haemophagocytic lymphohistiocytosis", "primary"),
            ("acute liver failure", "unknown"),
            ("haemochromatosis", "unknown"),
        ],
    )
    def test_what_is_below_it_decides(self, name: str, expected: str) -> None:
        """MAS with an autoimmune disease; secondary with cancer, infection or effector cells; what only resembles a storm decides nothing."""
        assert kind(condition(name, -10)) == expected

    def test_no_trigger_found_takes_two_searches(self) -> None:
        """Secondary without a trigger only if cancer and infection were looked for and not found; with one search alone the class is not known."""
        cancer, infection = finding("malignancy", "no", -5), finding("infection", "no", -5)
        assert kind(cancer) == kind(infection) == "unknown"
        assert kind(cancer, infection) == NONE_FOUND

    def test_an_autoimmune_disease_comes_before_a_trigger(self) -> None:
        """Lupus with an infection is MAS; the infection stands beside it."""
        row = judged(condition("lupus", -900), condition("sepsis", -5))
        assert (row["class"], row["infection"]) == ("MAS", "found")
        assert row["associated"] == "sepsis|sle"

    def test_a_gene_makes_it_primary(self) -> None:
        """The molecular diagnosis counts whenever it came back, and before everything else."""
        assert kind(finding("PRF1", "yes", 900), condition("lupus", -900)) == "primary"
        assert kind(finding("PRF1", "no", 900)) == "unknown"

    @pytest.mark.parametrize("status", ["suspected", "excluded"])
    def test_a_disease_that_was_not_confirmed_decides_nothing(self, status: str) -> None:
        """Lupus suspected or excluded is no lupus."""
        assert kind(condition("lupus", -5, status=status)) == "unknown"

    def test_effector_cells_count_from_their_infusion_on(self) -> None:
        """Cells given before the storm are a cause; given a month later they are not."""
        assert kind(procedure("CAR-T infusion", -100)) == "secondary"
        assert kind(procedure("CAR-T infusion", 700)) == "unknown"
        assert kind(dose("tisagenlecleucel", -100, amount="1 dose")) == "secondary"


class TestCancer:
    """Cancer: found, looked for and negative, or not looked for."""

    def test_found_within_thirty_days_counts(self) -> None:
        """A lymphoma is often found weeks after the storm that it caused; a year later is too late."""
        assert judged(condition("lymphoma", 29 * 24))["cancer"] == "found"
        assert judged(condition("lymphoma", 365 * 24))["cancer"] == NO

    def test_only_cancer_as_a_whole_can_be_excluded(self) -> None:
        """Lymphoma excluded is not cancer excluded."""
        assert judged(condition("Malignancy", -5, status="excluded"))["cancer"] == "negative"
        assert judged(condition("lymphoma", -5, status="excluded"))["cancer"] == NO

    def test_a_search_long_ago_is_none(self) -> None:
        """A negative search counts from 30 days before the storm."""
        assert judged(finding("malignancy", "no", -31 * 24))["cancer"] == NO

    def test_found_outweighs_negative(self) -> None:
        """A CT that showed nothing does not undo the biopsy."""
        rows = finding("malignancy", "no", -5), condition("lymphoma", 3)
        assert judged(*rows)["cancer"] == "found"


class TestInfection:
    """Infection as a trigger: from 14 days before the storm to 48 hours after its index."""

    @pytest.mark.parametrize(
        ("hour", "expected"), [(-14 * 24, "found"), (-14 * 24 - 1, NO), (48, "found"), (49, NO)]
    )
    def test_it_can_be_the_trigger_only_when_it_was_there(self, hour: float, expected: str) -> None:
        """A sepsis on day 9 did not cause the storm."""
        assert judged(condition("sepsis", hour))["infection"] == expected
        assert judged(culture("growth", hour, "Escherichia coli"))["infection"] == expected

    def test_a_chronic_infection_counts_from_before(self) -> None:
        """HIV of ten years ago is there today."""
        assert judged(condition("HIV", -90_000))["infection"] == "found"

    def test_one_culture_without_growth_is_a_search(self) -> None:
        """No growth everywhere is negative; pending and cancelled cultures say nothing."""
        assert judged(culture("no growth", -5))["infection"] == "negative"
        assert judged(culture("pending", -5), culture("cancelled", -5))["infection"] == NO

    def test_an_antibody_is_doubtful(self) -> None:
        """It stays after an infection and a vaccination; it neither finds a trigger nor excludes one."""
        rows = culture("detected", -5, "", "serum", test="EPSTEIN-BARR VIRUS VCA-IgG AB")
        assert judged(rows)["infection"] == "doubtful"

    @pytest.mark.parametrize("organism", ["Keim 3", "Candda albcans", "CoNS?"])
    def test_growth_of_an_organism_that_nobody_knows_is_doubtful(self, organism: str) -> None:
        """It may be a commensal of skin."""
        assert judged(culture("growth", -5, organism))["infection"] == "doubtful"

    def test_growth_anywhere_ends_the_negative(self) -> None:
        """One bottle of two with a pathogen is an infection."""
        rows = culture("no growth", -5), culture("growth", -5, "Klebsiella pneumoniae")
        assert judged(*rows)["infection"] == "found"

    @pytest.mark.parametrize("judgement", ["contaminant", "colonisation"])
    def test_what_a_clinician_called_harmless_is_no_infection(self, judgement: str) -> None:
        """A contaminant leaves the other cultures to speak."""
        rows = culture("no growth", -5), culture("growth", -4, "E. coli", judged=judgement)
        assert judged(*rows)["infection"] == "negative"

    def test_a_skin_commensal_counts_when_grown_twice(self) -> None:
        """One bottle of coagulase-negative staphylococci is doubtful; two draws within 48 h are an infection."""
        once = culture("growth", -40, "Staphylococcus, coagulase negative")
        again = culture("growth", -10, "Staphylococcus, coagulase negative")
        late = culture("growth", 20, "Staphylococcus, coagulase negative")
        assert judged(once)["infection"] == "doubtful"
        assert judged(once, again)["infection"] == "found"
        assert judged(once, late)["infection"] == "doubtful"

    def test_growth_where_organisms_live_is_doubtful_until_judged(self) -> None:
        """Growth in urine or the airway is an infection only if a clinician said so."""
        assert judged(culture("growth", 0, "E. coli", "urine"))["infection"] == "doubtful"
        sure = culture("growth", 0, "E. coli", "urine", judged="infection")
        assert judged(sure)["infection"] == "found"

    def test_doubtful_is_not_negative(self) -> None:
        """With a doubtful culture nobody can say that no trigger was found."""
        doubtful = culture("growth", 0, "E. coli", "urine")
        rows = finding("malignancy", "no", 0), finding("infection", "no", 0), doubtful
        assert kind(*rows) == "unknown"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((person(),), "not tested"),
        ((condition("COVID-19", -5),), "positive"),
        ((culture("detected", 0, "SARS-CoV-2", "swab"),), "positive"),
        ((culture("not detected", 0, test="SARS-CoV-2 PCR"),), "negative"),
        ((culture("not detected", 0, test="EBV PCR"),), "not tested"),
        ((culture("not detected", -9000, test="SARS-CoV-2 PCR"),), "not tested"),
    ],
)
def test_covid_19_is_told_by_code_or_test(rows: tuple[Row, ...], expected: str) -> None:
    """Positive by diagnosis or test, negative by test, else not tested."""
    assert judged(*rows)["covid19"] == expected


def test_without_an_index_the_whole_record_counts() -> None:
    """Somebody who never entered is judged on everything recorded of them."""
    assert judged(condition("sepsis", 5000), hour=None)["infection"] == "found"


def test_every_answer_names_its_rows() -> None:
    """The diagnosis, the finding and the culture behind an answer are listed."""
    found, grown = finding("malignancy", "no", 0, key=3), culture("no growth", 0, key=4)
    rows = condition("lupus", -5), found, grown
    assert judged(*rows)["context_rows"] == "conditions:2|findings:3|cultures:4"


FIVE = """
    person | class                       | associated | cancer         | infection | covid19
    ILL-1  | MAS                         | sle        | not looked for | negative  | not tested
    ILL-2  | MAS                         | sle        | not looked for | negative  | not tested
    ILL-3  | MAS                         | aosd       | not looked for | negative  | not tested
    ILL-4  | secondary, no trigger found |            | negative       | negative  | not tested
    ILL-5  | MAS                         | uctd       | not looked for | negative  | not tested
"""
MIMICS = """
    person          | class     | associated                          | cancer         | infection
    MIM-UROSEPSIS   | secondary | infection, sepsis                   | not looked for | found
    MIM-PARACETAMOL | unknown   | liver_failure, paracetamol_poisoning | not looked for | negative
    MIM-AML         | secondary | leukaemia                           | found          | negative
    MIM-IRON        | MAS       | autoimmune, haemochromatosis        | not looked for | not looked for
    MIM-CART        | secondary | immune_effector_therapy, lymphoma   | found          | negative
    MIM-STILL       | MAS       | aosd                                | not looked for | negative
    TRT-COVID       | secondary | covid19, infection                  | not looked for | found
    TRT-SJIA        | MAS       | sjia                                | not looked for | negative
"""


@pytest.fixture(scope="module")
def built_in(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The planted patients from their raw records: at time zero if treated, over all if a mimic."""
    folder = tmp_path_factory.mktemp("hospital")
    write_hospital(folder, 60, 1)
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    t0 = {
        each["person_id"]: to_us(datetime.fromisoformat(each["t0"]))
        for each in truth["planted"]
        if "t0" in each
    }
    found: dict[str, dict[str, Any]] = {}
    for each in open_records(str(folder)).chunks():
        patients = Patients.of(each, V)
        ids = each.persons["person_id"].tolist()
        who = np.arange(len(ids), dtype=np.int32)
        index = np.array([t0.get(name, UNKNOWN_TIME) for name in ids])
        rows = context(patients, who, index).rows()
        found |= dict(zip(ids, rows, strict=True))
    return found


@pytest.mark.parametrize("row", rows_of(FIVE), ids=lambda row: row["person"])
def test_the_backgrounds_of_the_illustrative_series(
    built_in: dict[str, dict[str, Any]], row: dict[str, str]
) -> None:
    """Lupus in two, Still's disease in one, undifferentiated disease in one, none in one; the infections that came later are no triggers."""
    found = built_in[row["person"]]
    assert {name: found[name] for name in row if name in CONTEXT} == {
        name: text for name, text in row.items() if name in CONTEXT
    }


@pytest.mark.parametrize("row", rows_of(MIMICS), ids=lambda row: row["person"])
def test_the_classes_of_what_resembles_a_storm(
    built_in: dict[str, dict[str, Any]], row: dict[str, str]
) -> None:
    """Sepsis, liver failure, leukaemia, iron overload, effector cells and a flare are told apart by what lies below; over their whole record."""
    found = built_in[row["person"]]
    wanted = {name: text for name, text in row.items() if name in CONTEXT}
    wanted["associated"] = wanted["associated"].replace(", ", "|")
    assert {name: found[name] for name in wanted} == wanted
