"""Names, codes, units and labels: what resolves, and above all what does not."""

import csv
import gzip
from itertools import combinations
from pathlib import Path

import pytest

from becalm import vocabulary
from becalm.vocabulary import (
    CODE_AND_NAME_DISAGREE,
    LABEL_CONTRADICTS,
    SPECIMEN_MISMATCH,
    UNIT_MISSING,
    UNKNOWN_UNIT,
    UNKNOWN_VARIABLE,
    MeasurementKind,
    Resolution,
)
from becalm.vocabulary.loading import read
from becalm.vocabulary.units import Conversion

ITEMS = "MIMIC-IV items"
MIMIC = Path(__file__).parents[3] / ".." / "shared" / "data" / "mimic-iv-demo"
V = vocabulary.load()


def resolve(
    name: str = "", unit: str = "", *, code: str = "", system: str = "name", specimen: str = ""
) -> Resolution:
    return V.resolve(MeasurementKind("labs", system, code, name, unit, specimen))


def understood(name: str, unit: str, value: float, **more: str) -> tuple[str, float]:
    found = resolve(name, unit, **more)
    assert found.reason == ""
    assert found.variable is not None
    return V.variables[found.variable].name, found.conversion.apply(value)


def reason(name: str, unit: str, **more: str) -> str:
    return resolve(name, unit, **more).reason


@pytest.mark.parametrize(
    ("name", "unit", "value", "variable", "canonical"),
    [
        ("Ferritin", "ng/mL", 500, "ferritin", 500),
        ("S-Ferritin", "µg/L", 500, "ferritin", 500),
        ("ferritin", "pmol/L", 1123.5, "ferritin", 500),
        ("ferritin", "nmol/L", 33.7, "ferritin", 14997.775),
        ("Triglyceride", "mg/dL", 132.855, "triglycerides", 1.5),
        ("TG", "mg/dL", 354.28, "triglycerides", 4.0),
        ("Fibrinogen", "mg/dL", 57, "fibrinogen", 0.57),
        ("fibrinogen", "µmol/L", 4.41, "fibrinogen", 1.4994),
        ("CRP", "mg/dL", 15, "crp", 150),
        ("CRP", "mg/L", 15, "crp", 15),
        ("SGOT", "IU/L", 30, "ast", 30),
        ("ALT", "µkat/L", 1, "alt", 60),
        ("Platelets", "K/uL", 110, "platelets", 110),
        ("Platelets", "G/L", 110, "platelets", 110),
        ("Platelets", "/µL", 110000, "platelets", 110),
        ("ANC", "cells/µL", 900, "neutrophils", 0.9),
        ("Leucocytes", "x10^9/L", 5.0, "wbc", 5.0),
        ("Hb", "g/L", 92, "haemoglobin", 9.2),
        ("Hemoglobin", "mmol/L", 5.70952, "haemoglobin", 9.2),
        ("Creatinine", "µmol/L", 88.4, "creatinine", 1.0),
        ("Bilirubin total", "µmol/L", 17.1, "bilirubin", 1.0),
        ("BUN", "mg/dL", 28, "urea_nitrogen", 28),
        ("D-Dimer", "ng/mL FEU", 1500, "d_dimer", 1.5),
        ("D-dimer", "mg/L FEU", 1.5, "d_dimer", 1.5),
        ("sCD25", "U/mL", 2400, "sil2r", 2400),
        ("sCD25", "kU/L", 2.4, "sil2r", 2.4),
        ("sCD25", "IU/mL", 2400, "sil2r", 2400),
        ("Lactate", "mg/dL", 18.016, "lactate", 2.0),
        ("Temperature", "°F", 101.12, "temperature", 38.4),
        ("temp", "[degF]", 98.6, "temperature", 37.0),
        ("temp", "Cel", 38.4, "temperature", 38.4),
        ("weight", "lb", 100, "weight", 45.359237),
        ("PaO2", "kPa", 10.1325, "pao2", 76.0),
        ("INR", "", 1.3, "inr", 1.3),
        ("GCS", "", 15, "gcs", 15),
    ],
)
def test_each_unit_converts_to_the_canonical_one(
    name: str, unit: str, value: float, variable: str, canonical: float
) -> None:
    found, converted = understood(name, unit, value)
    assert (found, round(converted, 3)) == (variable, round(canonical, 3))


def test_fahrenheit_is_converted_to_a_tenth_of_a_degree() -> None:
    """101.1 °F is 38.4 °C, as web tools print the edge; 101.0 °F is 38.3 °C."""
    assert understood("temp", "F", 101.1)[1] == 38.4
    assert understood("temp", "F", 101.0)[1] == 38.3


@pytest.mark.parametrize("unit", ["ng/mL", "ug/mL", "mg/L", "ug/L"])
def test_a_d_dimer_that_does_not_say_feu_or_ddu_is_refused(unit: str) -> None:
    assert reason("D-dimer", unit) == "unit does not say FEU or DDU"
    assert reason("D-Dimer", f"{unit} DDU") == "DDU is not FEU"


@pytest.mark.parametrize("unit", ["pg/mL", "ng/L", "ng/mL", "pmol/L"])
def test_soluble_il2_receptor_by_mass_is_refused(unit: str) -> None:
    assert "assay's own factor" in reason("sIL-2R", unit)


def test_urea_and_urea_nitrogen_are_not_one() -> None:
    assert understood("urea", "mmol/L", 10) == ("urea", 10)
    assert reason("urea", "mg/dL").startswith("mg/dL of urea or of urea nitrogen")


def test_a_missing_and_an_unknown_unit_are_two_reasons() -> None:
    assert reason("ferritin", "") == UNIT_MISSING
    assert reason("ferritin", "N/A") == UNIT_MISSING
    assert reason("ferritin", "mg/dL") == UNKNOWN_UNIT
    assert reason("neutrophils", "mmol/L") == UNKNOWN_UNIT
    assert reason("GCS", "mmol/L") == UNKNOWN_UNIT


def test_a_share_and_a_count_of_neutrophils_are_told_apart_by_unit() -> None:
    assert understood("Neutrophils", "%", 64)[0] == "neutrophils_percent"
    assert understood("Neutrophils", "K/uL", 64)[0] == "neutrophils"
    assert understood("Neutrophils %", "%", 64)[0] == "neutrophils_percent"
    assert reason("Neutrophils", "") == UNIT_MISSING
    assert reason("ANC", "%") == UNKNOWN_UNIT


def test_no_name_and_unit_fit_two_variables() -> None:
    measured = [v for v in V.variables if v.kind != "finding"]
    for one, other in combinations(measured, 2):
        shared = {n.casefold() for n in one.names} & {n.casefold() for n in other.names}
        assert not shared or not set(one.units) & set(other.units), (one.name, other.name, shared)


def test_names_are_read_whole() -> None:
    for name in ("Creatinine, Urine", "Ferritin index", "Hemoglobin A1c", "pO2", "feritin"):
        assert resolve(name, "mg/dL") == (None, Conversion(), UNKNOWN_VARIABLE)
    assert V.suggest("feritin") == "Did you mean 'ferritin'?"


def test_another_specimen_is_refused() -> None:
    assert reason("Creatinine", "mg/dL", specimen="Urine") == SPECIMEN_MISMATCH
    assert reason("Creatinine", "mg/dL", specimen="Serum") == ""
    assert reason("Creatinine", "mg/dL") == ""


def test_the_code_wins_and_a_name_that_contradicts_it_refuses_the_row() -> None:
    assert understood("ferr. (ext.)", "ng/mL", 1, code="2276-4", system="LOINC")[0] == "ferritin"
    assert understood("", "ng/mL", 1, code="3001122", system="OMOP")[0] == "ferritin"
    assert reason("albumin", "g/dL", code="2276-4", system="LOINC") == CODE_AND_NAME_DISAGREE
    assert understood("ferritin", "ng/mL", 1, code="99999-9", system="LOINC")[0] == "ferritin"


def test_a_mimic_item_with_another_label_is_refused() -> None:
    """52546 is creatinine in one release and D-dimer in another."""
    item = {"code": "52546", "system": ITEMS, "specimen": "Blood"}
    assert understood("Creatinine", "mg/dL", 1.2, **item)[0] == "creatinine"
    assert reason("D-Dimer", "ng/mL DDU", **item) == LABEL_CONTRADICTS
    assert reason("Creatinine", "ng/mL", **item) == UNKNOWN_UNIT


def test_mimic_items_that_are_not_listed_are_not_read_by_label() -> None:
    """Charting repeats the laboratory's AST as item 220587: counting both would double it."""
    assert reason("AST", "IU/L", code="220587", system=ITEMS) == UNKNOWN_VARIABLE


def test_an_item_whose_label_states_the_unit_needs_no_other() -> None:
    pounds = {"code": "226531", "system": ITEMS}
    assert round(understood("Admission Weight (lbs.)", "", 100, **pounds)[1], 6) == 45.359237
    percent = {"code": "223835", "system": ITEMS}
    assert understood("Inspired O2 Fraction", "", 40, **percent)[1] == 40
    assert reason("Daily Weight", "", code="224639", system=ITEMS) == UNIT_MISSING


@pytest.mark.skipif(not MIMIC.is_dir(), reason="shared/data/mimic-iv-demo is absent")
def test_every_mimic_item_has_the_label_of_the_release() -> None:
    labels: dict[int, str] = {}
    fluids: dict[int, str] = {}
    for path in (MIMIC / "hosp" / "d_labitems.csv.gz", MIMIC / "icu" / "d_items.csv.gz"):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                labels[int(row["itemid"])] = row["label"]
                fluids[int(row["itemid"])] = row.get("fluid", "Blood")
    system = read().systems[ITEMS.upper()]
    listed = [*system.variables.values(), *system.drugs.values(), *system.procedures.values()]
    assert len(listed) == 169
    assert {one.code: one.label for _, one in listed} == {
        one.code: labels.get(int(one.code)) for _, one in listed
    }
    assert {fluids[int(code)] for code in system.variables} == {"Blood"}


@pytest.mark.parametrize(
    ("label", "drug"),
    [
        ("Kineret 100 mg/0.67 mL", "anakinra"),
        ("Methylprednisolone Sodium Succ", "methylprednisolone"),
        ("MethylPREDNISolone Sod Succ ", "methylprednisolone"),
        ("PrednisoLONE Acetate 1% Ophth. Susp.", "prednisolone"),
        ("PredniSONE", "prednisone"),
        ("NORepinephrine", "norepinephrine"),
        ("Epinephrine.", "epinephrine"),
        ("cyclosporine (Neoral) MODIFIED", "ciclosporin"),
        ("*NF* Ertapenem Sodium", "ertapenem"),
        ("Piperacillin/Tazobactam (Zosyn)", "piperacillin_tazobactam"),
        ("Immune Globulin Intravenous (Human)", "ivig"),
        ("Hepatitis B Immune Globulin", "specific_immunoglobulin"),
        ("Filgrastim-sndz", "g_csf"),
        ("TPN w/ Lipids", "lipid_emulsion"),
        ("TPN without Lipids", None),
        ("PlasmaLyte", None),
        ("Sodium Chloride 0.9%  Flush", None),
        ("Placebo", None),
    ],
)
def test_a_drug_is_the_longest_whole_name_in_the_label(label: str, drug: str | None) -> None:
    found = V.drug_of(label)
    assert (found.name if found else None) == drug


def test_a_drug_code_that_contradicts_the_label_is_no_drug() -> None:
    by_code = V.drug_of("study drug", "727711", "RxNorm")
    assert by_code is not None
    assert by_code.name == "anakinra"
    assert V.drug_of("tocilizumab", "727711", "RxNorm") is None


def test_which_drugs_suppress_immunity_long_term() -> None:
    for name in ("prednisolone", "ciclosporin", "azathioprine", "mycophenolate", "tacrolimus"):
        assert V.drug(name).immunosuppressant, name
    for name in ("hydroxychloroquine", "ivig", "vancomycin", "propofol", "g_csf"):
        assert not V.drug(name).immunosuppressant, name


def test_prednisolone_equivalents_and_which_of_them_were_read() -> None:
    equivalents = {
        name: V.drug(name).prednisolone_equivalent
        for name in ("methylprednisolone", "dexamethasone", "hydrocortisone")
    }
    assert {n: round(e.factor, 3) for n, e in equivalents.items() if e} == {
        "methylprednisolone": 1.25,
        "dexamethasone": 6.667,
        "hydrocortisone": 0.25,
    }
    assert all(e.verified for e in equivalents.values() if e)
    for name in ("betamethasone", "deflazacort"):
        equivalent = V.drug(name).prednisolone_equivalent
        assert equivalent is not None
        assert not equivalent.verified


@pytest.mark.parametrize(
    ("text", "route"),
    [
        ("IV DRIP", "IV"),
        ("i.v.", "IV"),
        ("intravenous", "IV"),
        ("SUBCUT", "SC"),
        ("s.c.", "SC"),
        ("PO/NG", "PO"),
        ("by mouth", "PO"),
        ("IM", "IM"),
        ("TP", "topical"),
        ("BOTH EYES", "ophthalmic"),
        ("NEB", "inhaled"),
        ("PR", "other"),
        ("", ""),
        ("somehow", ""),
    ],
)
def test_routes(text: str, route: str) -> None:
    assert V.route_of(text) == route


@pytest.mark.parametrize(
    ("system", "code", "expected"),
    [
        ("ICD10CM", "D89.813", ("gvhd",)),
        ("ICD10CM", "D8981", ("gvhd",)),
        ("ICD10CM", "D89.831", ("crs",)),
        ("ICD10CM", "D89.839", ("crs",)),
        ("ICD10CM", "D89.82", ("alps", "immunodeficiency")),
        ("ICD10CM", "J11.1", ("influenza",)),
        ("ICD10CM", "B27.10", ("cmv",)),
        ("ICD10CM", "T80.82XA", ("immune_effector_therapy",)),
        ("ICD10CM", "C83.3A", ()),
        ("ICD10CM", "C84.7A", ("lymphoma", "malignancy")),
        ("ICD10CM", "D47.Z1", ("ptld", "malignancy")),
        ("ICD9CM", "238.4", ("myeloproliferative_neoplasm",)),
        ("ICD9CM", "555.9", ("autoimmune",)),
        ("ICD10", "B24", ("hiv",)),
        ("SNOMED", "55464009", ("sle", "autoimmune")),
        ("ICD10CM", "D76.1", ("hlh",)),
        ("ICD9CM", "288.4", ("hlh",)),
        ("ICD10CM", "M08.20", ("sjia", "autoimmune")),
        ("ICD10CM", "M08.3", ("autoimmune",)),
        ("ICD10CM", "M06.1", ("aosd", "autoimmune")),
        ("ICD10CM", "M32.14", ("sle", "autoimmune")),
        ("ICD9CM", "7100", ("sle", "autoimmune")),
        ("ICD10CM", "C92.00", ("leukaemia", "malignancy")),
        ("ICD10CM", "C91.01", ()),
        ("ICD9CM", "204.00", ("leukaemia", "malignancy")),
        ("ICD9CM", "20401", ()),
        ("ICD10CM", "M31.1", ()),
        ("ICD10CM", "C50.911", ("solid_tumour", "malignancy")),
        ("ICD10CM", "C44.91", ()),
        ("ICD10CM", "D46.9", ("mds", "malignancy")),
        ("ICD9CM", "V08", ("hiv",)),
        ("ICD9CM", "173.9", ()),
        ("ICD10CM", "R65.21", ("septic_shock", "sepsis")),
        ("ICD10CM", "Z85.6", ()),
        ("ICD9CM", "D761", ()),
        ("SNOMED", "76571007", ("septic_shock", "sepsis")),
        ("OMOP", "132797", ("sepsis",)),
    ],
)
def test_conditions_by_code(system: str, code: str, expected: tuple[str, ...]) -> None:
    assert V.conditions_of(system, code, "") == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Adult-onset Still's disease", ("aosd", "autoimmune")),
        ("Adult-onset Still’s disease", ("aosd", "autoimmune")),
        ("AOSD", ("aosd", "autoimmune")),
        ("Macrophage activation syndrome", ("mas", "hlh")),
        ("MAS in SLE", ("mas", "sle", "hlh", "autoimmune")),
        ("primary HLH", ("primary_hlh", "hlh")),
        ("AML, on chemotherapy", ("leukaemia", "malignancy")),
        ("CAR-T", ("immune_effector_therapy",)),
        ("family history of lymphoma", ()),
        ("no evidence of lymphoma", ()),
        ("lymphoma?", ()),
        ("lymphoma in remission", ()),
        ("broken arm", ()),
    ],
)
def test_conditions_by_name(name: str, expected: tuple[str, ...]) -> None:
    assert V.conditions_of("", "", name) == expected


@pytest.mark.parametrize(
    ("system", "code", "name", "expected"),
    [
        ("", "", "CRRT", ("crrt", "renal_replacement")),
        ("", "", "HD", ("haemodialysis", "renal_replacement")),
        ("", "", "plasma exchange", ("plasma_exchange",)),
        ("", "", "transfusion: platelets", ("transfusion_platelets", "transfusion")),
        ("", "", "non-invasive ventilation", ("non_invasive_ventilation",)),
        (ITEMS, "225802", "Dialysis - CRRT", ("crrt", "renal_replacement")),
        (ITEMS, "225802", "Something else", ()),
        (ITEMS, "224270", "Dialysis Catheter", ()),
        ("ICD10PCS", "5A1D80Z", "", ("haemodialysis", "renal_replacement")),
        ("ICD10PCS", "5A15A2F", "", ("ecmo",)),
        ("ICD10PCS", "XW033H7", "", ("car_t_infusion",)),
        ("ICD10PCS", "XW033L7", "", ()),
        ("ICD9PCS", "39.95", "", ("haemodialysis", "renal_replacement")),
        ("ICD10PCS", "6A551Z3", "", ("plasma_exchange",)),
    ],
)
def test_procedures(system: str, code: str, name: str, expected: tuple[str, ...]) -> None:
    assert V.procedures_of(system, code, name) == expected


def test_findings_are_variables_and_are_read_whole() -> None:
    assert V.finding_of("Spleen") == "splenomegaly"
    assert V.finding_of("marrow haemophagocytosis") == "haemophagocytosis"
    assert V.finding_of("hemophagocytosis") == "haemophagocytosis"
    assert V.finding_of("no splenomegaly") is None
    assert V.variable("splenomegaly").kind == "finding"
    assert resolve("splenomegaly", "") == (None, Conversion(), UNKNOWN_VARIABLE)


def test_a_code_is_a_position_and_a_wrong_name_gets_a_hint() -> None:
    assert V.variables[V.code("ferritin")] is V.variable("ferritin")
    with pytest.raises(KeyError, match="Did you mean 'ferritin'"):
        V.code("feritin")
    with pytest.raises(KeyError, match="Did you mean 'anakinra'"):
        V.drug("anakinara")


def test_memory_is_marked() -> None:
    listed = {code for e in (*V.variables, *V.drugs, *V.conditions) for code in e.unverified}
    assert {"72435", "6902", "853491"} <= listed
    assert not V.drug("infliximab").verified
    assert not V.variable("crp").units["nmol/L"].verified
    assert not V.variable("ast").usual.verified  # type: ignore[union-attr]


def test_the_vocabulary_is_read_once() -> None:
    assert vocabulary.load() is V


@pytest.mark.parametrize(
    ("code", "name", "unit", "reason"),
    [
        ("48065-7", "D-dimer", "ug/mL", ""),
        ("48065-7", "D-dimer FEU", "ng/mL", ""),
        ("48065-7", "", "mg/L{FEU}", ""),
        ("48065-7", "D-dimer DDU", "ug/mL", "unit does not say FEU or DDU"),
        ("48065-7", "D-dimer", "ug/mL DDU", "DDU is not FEU"),
        ("48065-7", "D-dimer", "", UNIT_MISSING),
        ("", "D-dimer", "ug/mL", "unit does not say FEU or DDU"),
        ("6301-6", "INR", "{INR}", ""),
        ("", "platelets", "10*9/L{cells}", ""),
        ("", "D-dimer", "ug/mL{DDU}", "DDU is not FEU"),
        ("", "ferritin", "{any}", UNIT_MISSING),
        ("", "ferritin", "{any}/mL", UNKNOWN_UNIT),
        ("20567-4", "", "ug/L", ""),
        ("59408-5", "", "%", ""),
        ("2708-6", "Oxygen saturation in Arterial blood", "%", ""),
    ],
)
def test_a_loinc_code_says_what_its_unit_does_not_and_braces_say_nothing(
    code: str, name: str, unit: str, reason: str
) -> None:
    """LOINC defines 48065-7 as D-dimer in FEU; in UCUM text in braces is a remark."""
    found = V.resolve(MeasurementKind("labs", "LOINC" if code else "", code, name, unit))
    assert (found.variable is not None, found.reason) == (True, reason)
