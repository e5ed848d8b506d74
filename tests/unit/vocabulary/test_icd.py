"""Every ICD code of the vocabulary against the classification's own titles.

ICD-10-CM comes from a package that holds it (public domain, April 2026); ICD-9-CM and both lists of
procedures come from MIMIC-IV's dictionaries. A prefix stands for all codes that begin with it, so each
of their titles must name the disease: a code that hides below a wider one is found here.
"""

from __future__ import annotations

import csv
import gzip
import re
import unicodedata
import warnings
from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

from becalm import vocabulary

with warnings.catch_warnings():  # it reads its data by a function that Python calls deprecated
    warnings.simplefilter("ignore", DeprecationWarning)
    import simple_icd_10_cm as cm

V = vocabulary.load()
MIMIC = Path(__file__).parents[3] / ".." / "shared" / "data" / "mimic-iv-demo" / "hosp"
needs_mimic = pytest.mark.skipif(not MIMIC.is_dir(), reason="shared/data/mimic-iv-demo is absent")

WHO_ONLY = {
    "B21": "HIV disease with infections: WHO has B20 to B24, ICD-10-CM has B20 alone",
    "B22": "as B21",
    "B23": "as B21",
    "B24": "as B21",
    "A97": "dengue in WHO's list since 2016; ICD-10-CM kept A90 and A91",
    "R572": "septic shock in WHO's list; ICD-10-CM has R65.21",
    "U109": "multisystem inflammatory syndrome in WHO's list; ICD-10-CM has M35.81",
}
"""Codes of WHO's ICD-10 that ICD-10-CM does not have, each with the reason why they are here."""

WORDS = {
    "hlh": "hemophagocytic",
    "histiocytosis_other": "histiocytosis",
    "sjia": "systemic onset",
    "aosd": "still",
    "sle": "lupus",
    "uctd": "connective tissue|collagen",
    "mctd": "overlap|connective tissue|collagen",
    "autoinflammatory": "autoinflammatory|periodic fever|cryopyrin|mediterranean fever|amyloidosis",
    "rheumatoid_arthritis": "rheumatoid|felty",
    "autoimmune": (
        "arteritis|polyangiitis|vasculitis|mucocutaneous lymph node|dermatomyositis|polymyositis"
        "|dermatopolymyositis|scleros|cr.e.st|sjogren|sicca|behcet|polymyalgia|juvenile|crohn"
        "|enteritis|colitis|proctitis|sigmoiditis|polyp|autoimmune hepatitis|wegener|takayasu|arthritis|churg-strauss|angiitis"
    ),
    "leukaemia": "leukemi|lymphosarcoma cell|myelosis|myeloid sarcoma|myelofibrosis|panmyelosis|erythremia",
    "lymphoma": (
        "lymphoma|hodgkin|lymphosarcoma|reticulosarcoma|mycosis fungoides|sezary|macroglobulinemia"
        "|heavy chain|lymphoid|histiocytosis|letterer|mast cell|immunoproliferative|lymphoproliferative"
        "|hairy cell|leukemic reticuloendotheliosis|follicul|neoplasm|t-cell proliferations"
    ),
    "mds": "myelodysplastic|refractory|anemia",
    "solid_tumour": (
        "neoplasm|cancer|melanoma|carcinoma|sarcoma|carcinoid|tumor|merkel|mesothelioma|kaposi|malignant"
        "|hepatoblastoma"
    ),
    "malignancy": (
        "myeloma|plasma cell|plasmacytoma|histiocyt|mast|neoplasm|langerhans|dendritic|sarcoma"
        "|immunoproliferative"
    ),
    "myeloproliferative_neoplasm": (
        "polycythemia|thrombocythemia|myelofibrosis|osteomyelofibrosis|myeloproliferative"
    ),
    "crs": "cytokine release",
    "gvhd": "graft-versus-host",
    "immune_effector_therapy": "immune effector|cellular therapy|antigen receptor|gene therapy",
    "hiv": "immunodeficiency virus|hiv",
    "immunodeficiency": (
        "immunodeficienc|immunity|immunoglobulin|di ?george|lfa-1|wiskott|complement|nezelof|adenosine"
        "|purine nucleoside|hypogammaglobulinemia|leukocyte|agammaglobulinemia|combined|t-cell|b-cell"
        "|reticular|deficiency|phosphoinositide"
    ),
    "stem_cell_transplant": "bone marrow|stem cell",
    "transplant": "transplant|allograft",
    "sepsis": "sep|bacteremia|meningococcemia",
    "septic_shock": "septic shock|shock, septic",
    "bacteraemia": "bacteremia",
    "pneumonia": "pneumonia|bronchopneumonia|legionnaires",
    "covid19": "covid|coronavirus disease 2019",
    "ebv": "mononucleosis",
    "cmv": "cytomegalo",
    "leishmaniasis": "leishmania",
    "tuberculosis": "tubercul|respiratory|silicotuberculosis|ghon|pott",
    "aki": "kidney failure|renal failure",
    "ckd": "chronic kidney|end stage renal|dialysis",
    "end_stage_kidney_disease": "end stage renal|dialysis",
    "liver_failure": "hepatic failure|necrosis of liver|coma",
    "paracetamol_poisoning": "aminophenol|aromatic analgesics",
    "haemochromatosis": "hemochromatosis|iron overload",
    "hypertriglyceridaemia": "hyperglyceridemia|hyperchylomicronemia",
    "immune_thrombocytopenia": "thrombocytopeni|evans",
    "subarachnoid_haemorrhage": "subarachnoid",
    "neutropenia": "neutropenia|agranulocytosis",
    "thrombocytopenia": "thrombocytopenia",
    "pancytopenia": "pancytopenia",
    "tumour_lysis": "tumor lysis",
    "influenza": "influenza|flu virus",
    "herpes_simplex": "herpes|herpetic|dendritic keratitis",
    "herpesvirus_6_to_8": "human herpesvirus",
    "parvovirus": "parvovirus",
    "adenovirus": "adenovirus",
    "dengue": "dengue",
    "malaria": "malaria|blackwater",
    "histoplasmosis": "histoplasm",
    "ehrlichiosis": "ehrlichiosis",
    "babesiosis": "babesiosis",
    "q_fever": "q fever",
    "brucellosis": "brucell",
    "toxoplasmosis": "toxoplasm",
    "ptld": "post-transplant lymphoproliferative",
    "castleman": "castleman",
    "multisystem_inflammatory": "multisystem inflammatory",
    "igg4_related": "igg4",
    "alps": "autoimmune lymphoproliferative",
    "immunosuppressant_use": (
        "long.term .*(steroid|immuno|inhibitor|agent|drug|antibiotic)|immunodeficiency due to drugs"
    ),
}
"""By condition, what the title of each of its codes must contain, in lower case."""

PROCEDURE_WORDS = {
    "crrt": "filtration, continuous",
    "haemodialysis": "hemodialysis|urinary filtration",
    "peritoneal_dialysis": "peritoneal dialysis|peritoneal cavity using dialysate",
    "plasma_exchange": "plasmapheresis|pheresis of plasma",
    "ventilation": "ventilation",
    "non_invasive_ventilation": "non-invasive|positive airway pressure",
    "ecmo": "extracorporeal",
    "transfusion_red_cells": "red blood cells|packed cells",
    "transfusion_platelets": "platelets",
    "transfusion_plasma": "plasma|serum",
    "transfusion_cryoprecipitate": "cryoprecipitate",
    "stem_cell_transplant": "bone marrow|stem cell",
    "car_t_infusion": "chimeric antigen receptor",
    "bone_marrow_biopsy": "bone marrow",
    "splenectomy": "spleen|splenectomy",
}


@cache
def released(table: str, version: str) -> dict[str, str]:
    """Titles by code of a dictionary of MIMIC-IV; its ICD-10-CM is of about 2018."""
    with gzip.open(MIMIC / f"d_icd_{table}.csv.gz", "rt", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["icd_version"] == version]
    return {row["icd_code"]: plain(row["long_title"]) for row in rows}


@cache
def classified() -> dict[str, str]:
    """Titles of ICD-10-CM by code without a dot; chapters and blocks are no codes."""
    codes = [code for code in cm.get_all_codes() if cm.is_category_or_subcategory(code)]
    return {code.replace(".", ""): plain(cm.get_description(code)) for code in codes}


def plain(title: str) -> str:
    """A title in small letters without accents."""
    letters = unicodedata.normalize("NFKD", title.casefold())
    return "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")


def below(prefix: str, titles: dict[str, str]) -> dict[str, str]:
    """The codes and titles for which a prefix or a range of categories stands."""
    first, _, last = prefix.partition("-")
    return {
        code: title
        for code, title in titles.items()
        if (first <= code[:3] <= last if last else code.startswith(first))
    }


def strange(
    codes: list[str], words: str, titles: dict[str, str], meant: Callable[[str], bool]
) -> list[tuple[str, str]]:
    """The codes of which no title exists, or that the vocabulary means and whose title says otherwise."""
    found = []
    for prefix in codes:
        under = below(prefix, titles)
        found += [] if under else [(prefix, "does not exist")]
        found += [
            (code, title)
            for code, title in under.items()
            if not re.search(words, title) and meant(code) and not tells_below(code, words, under)
        ]
    return found


def tells_below(code: str, words: str, titles: dict[str, str]) -> bool:
    """Whether it is a heading, and each title below it names the disease."""
    more = [title for each, title in titles.items() if each.startswith(code) and each != code]
    return bool(more) and all(re.search(words, title) for title in more)


def is_condition(name: str, system: str) -> Callable[[str], bool]:
    """Whether a code means a condition: of two prefixes the longer one decides."""
    return lambda code: name in V.conditions_of(system, code, "")


def is_procedure(name: str, system: str) -> Callable[[str], bool]:
    return lambda code: name in V.procedures_of(system, code, "")


def test_each_condition_with_a_code_says_what_its_titles_must_contain() -> None:
    coded = {each.name for each in V.conditions if each.icd10 or each.icd9}
    assert coded == set(WORDS)
    coded = {each.name for each in V.procedures if each.icd10 or each.icd9}
    assert coded == set(PROCEDURE_WORDS)


@pytest.mark.parametrize("name", sorted(WORDS))
def test_every_icd_10_code_exists_and_its_title_names_the_disease(name: str) -> None:
    """What ICD-10-CM lacks is in WHO's list, each with its reason."""
    codes = [code for code in V.condition(name).icd10 if code not in WHO_ONLY]
    assert strange(codes, WORDS[name], classified(), is_condition(name, "ICD10CM")) == []


def test_who_codes_are_none_of_icd_10_cm_and_are_used() -> None:
    """A code that ICD-10-CM gets one day leaves the list of exceptions."""
    assert not [code for code in WHO_ONLY if below(code, classified())]
    unused = [code for code in WHO_ONLY if not V.conditions_of("ICD10", code, "")]
    assert unused == []


@needs_mimic
@pytest.mark.parametrize("name", sorted(WORDS))
def test_every_icd_9_code_exists_and_its_title_names_the_disease(name: str) -> None:
    codes, titles = list(V.condition(name).icd9), released("diagnoses", "9")
    assert strange(codes, WORDS[name], titles, is_condition(name, "ICD9CM")) == []


@needs_mimic
@pytest.mark.parametrize("name", sorted(PROCEDURE_WORDS))
def test_every_code_of_a_procedure_exists_or_is_marked(name: str) -> None:
    entry, words = V.procedure(name), PROCEDURE_WORDS[name]
    new = [code for code in entry.icd10 if code not in entry.unverified]
    old, current = released("procedures", "9"), released("procedures", "10")
    assert strange(list(entry.icd9), words, old, is_procedure(name, "ICD9PCS")) == []
    assert strange(new, words, current, is_procedure(name, "ICD10PCS")) == []
    assert not [c for c in entry.unverified if below(c, current)]


def test_a_pattern_of_remission_is_a_title_with_that_word() -> None:
    """And every code in remission below malignancy has a pattern."""
    families = [each for each in V.conditions if "malignancy" in (each.name, *each.parents)]
    patterns = [pattern for each in families for pattern in each.in_remission]
    ours = {
        code for each in families for prefix in each.icd10 for code in below(prefix, classified())
    }
    matched = {c for c in ours if any(fnmatchcase(c, pattern) for pattern in patterns)}
    over = re.compile(r"(?<!not having achieved) ?\bin remission")
    remission = {code for code in ours if over.search(classified()[code])}
    assert matched == remission
    assert len(matched) > 60


@needs_mimic
def test_a_pattern_of_remission_in_icd_9_is_a_title_with_that_word() -> None:
    patterns = [pattern for each in V.conditions for pattern in each.in_remission]
    titles = [
        title
        for code, title in released("diagnoses", "9").items()
        if any(fnmatchcase(code, pattern) for pattern in patterns)
    ]
    assert titles
    assert all("remission" in title for title in titles)
