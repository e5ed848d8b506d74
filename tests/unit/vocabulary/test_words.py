"""The words by which records call drugs, diagnoses and procedures, in several languages.

The tables are written from the words of clinicians, not from the vocabulary's files.
"""

import pytest

from becalm import vocabulary

V = vocabulary.load()

DRUGS = {
    "anakinra": "anakinra, Kineret, IL-1RA, IL1RA, IL-1 receptor antagonist",
    "canakinumab": "canakinumab, Ilaris",
    "rilonacept": "rilonacept, Arcalyst",
    "tocilizumab": "tocilizumab, toci, TCZ, Actemra, RoActemra, Tyenne, Avtozma, Tofidence",
    "sarilumab": "sarilumab, Kevzara",
    "siltuximab": "siltuximab, Sylvant",
    "emapalumab": "emapalumab, Gamifant",
    "ruxolitinib": "ruxolitinib, ruxo, Jakafi, Jakavi",
    "baricitinib": "baricitinib, Olumiant",
    "tofacitinib": "tofacitinib, Xeljanz",
    "upadacitinib": "upadacitinib, Rinvoq",
    "filgotinib": "filgotinib, Jyseleca",
    "pacritinib": "pacritinib, Vonjo",
    "itacitinib": "itacitinib",
    "olokizumab": "olokizumab",
    "levilimab": "levilimab",
    "mavrilimumab": "mavrilimumab",
    "lenzilumab": "lenzilumab",
    "tadekinig_alfa": "tadekinig alfa",
    "methylprednisolone": (
        "methylprednisolone, methylpred, MP, mPSL, Solu-Medrol, Solu-Medrone, Medrol, Urbason,"
        "Methylprednisolon, méthylprednisolone, metilprednisolona, metilprednisolone"
    ),
    "prednisolone": "prednisolone, pred, PSL, Prednisolon, prednisolona, Solu-Decortin H, Decortin H",
    "prednisone": "prednisone, Prednison, prednisona, Cortancyl",
    "dexamethasone": (
        "dexamethasone, dex, DXM, Dexa, Decadron, Fortecortin, Dexamethason, dexaméthasone,"
        "dexametasona, desametasone"
    ),
    "hydrocortisone": "hydrocortisone, Hydrocortison, hidrocortisona, idrocortisone, Solu-Cortef",
    "betamethasone": "betamethasone, Betamethason, bétaméthasone, betametasona, betametasone",
    "triamcinolone": "triamcinolone, Triamcinolon, triamcinolona",
    "cortisone": "cortisone, cortisone acetate, cortisona",
    "deflazacort": "deflazacort",
    "ciclosporin": (
        "ciclosporin, cyclosporine, Cyclosporin A, CsA, CyA, ciclosporine, ciclosporina, Neoral,"
        "Sandimmun"
    ),
    "tacrolimus": "tacrolimus, FK506, FK 506, Prograf, tacrolimús",
    "voclosporin": "voclosporin, Lupkynis",
    "cyclophosphamide": "cyclophosphamide, CYC, Cyclophosphamid, ciclofosfamida, ciclofosfamide, Endoxan",
    "etoposide": "etoposide, VP16, VP-16, Etoposid, étoposide, etopósido, Vepesid, Toposar",
    "azathioprine": "azathioprine, Azathioprin, azatioprina, Imurek",
    "mycophenolate": (
        "mycophenolate mofetil, MMF, CellCept, Mycophenolat-Mofetil, Mycophenolsäure,"
        "mycophénolate mofétil, micofenolato de mofetilo, micofenolato"
    ),
    "methotrexate": "methotrexate, MTX, Methotrexat, méthotrexate, metotrexato, metotressato",
    "ivig": (
        "IVIG, IgIV, IV immunoglobulin, Immunglobuline, Immunglobulin, immunoglobulines,"
        "immunoglobulines intraveineuses, inmunoglobulina intravenosa, immunoglobuline, Privigen,"
        "Panzyga, Pentaglobin, Hizentra"
    ),
    "specific_immunoglobulin": (
        "Hepatitis B immune globulin, Anti-D-Immunglobulin, Tetanus-Immunglobulin,"
        "immunoglobulines anti-D, inmunoglobulina antitetánica"
    ),
    "antithymocyte_globulin": (
        "ATG, antithymocyte globulin, Antithymozytenglobulin, globulina antitimocítica,"
        "immunoglobulines de lapin anti-thymocytes, globulina antitimocitaria, Thymoglobulin, Grafalon"
    ),
    "alemtuzumab": "alemtuzumab, Campath",
    "rituximab": "rituximab, Rituxan, MabThera, Riabni",
    "obinutuzumab": "obinutuzumab, Gazyva",
    "ofatumumab": "ofatumumab",
    "norepinephrine": (
        "norepinephrine, noradrenaline, Noradrenalin, Arterenol, noradrénaline, norépinéphrine,"
        "noradrenalina, norepinefrina"
    ),
    "epinephrine": "epinephrine, adrenaline, Adrenalin, Suprarenin, adrénaline, adrenalina, epinefrina",
    "vasopressin": "vasopressin, argipressin, vasopressine, argipressine, vasopresina, vasopressina",
    "phenylephrine": "phenylephrine, Phenylephrin, phényléphrine, fenilefrina",
    "dopamine": "dopamine, Dopamin, dopamina",
    "dobutamine": "dobutamine, Dobutamin, dobutamina",
    "milrinone": "milrinone, Milrinon, milrinona",
    "angiotensin_ii": "angiotensin II, angiotensina II",
    "metaraminol": "metaraminol",
    "terlipressin": "terlipressin, terlipressine, terlipresina, terlipressina, Glypressin",
    "ephedrine": "ephedrine, Ephedrin, éphédrine, efedrina",
    "talquetamab": "talquetamab, Talvey",
    "elranatamab": "elranatamab, Elrexfio",
    "mosunetuzumab": "mosunetuzumab, Lunsumio",
    "tarlatamab": "tarlatamab, Imdelltra",
    "tebentafusp": "tebentafusp",
    "glofitamab": "glofitamab, Columvi",
    "epcoritamab": "epcoritamab, Epkinly",
    "obecabtagene_autoleucel": "obecabtagene autoleucel, Aucatzyl",
    "lifileucel": "lifileucel",
    "afamitresgene_autoleucel": "afamitresgene autoleucel",
    "cemiplimab": "cemiplimab",
    "tremelimumab": "tremelimumab",
    "dostarlimab": "dostarlimab",
    "avelumab": "avelumab",
    "anifrolumab": "anifrolumab",
    "lipid_emulsion": "Kabiven, SmofKabiven, Nutriflex Lipid, Lipofundin, Intralipid 20%",
    "celecoxib": "celecoxib",
    "meloxicam": "meloxicam",
    "inotuzumab": "inotuzumab ozogamicin",
    "polatuzumab": "polatuzumab vedotin",
    "nelarabine": "nelarabine",
    "thiotepa": "thiotepa",
    "mercaptopurine": "6-MP, mercaptopurine",
    "plasma": "plasma, FFP, fresh frozen plasma",
    "plasma_lyte": "Plasma-Lyte 148, PLASMA-LYTE A 1000 mL",
    "human_albumin": "plasma protein fraction, albumin 5%",
}
NO_DRUG = (
    "MP joint injection kit, DEX 5% in water, Dexmedetomidine (Precedex), PlasmaLyte, cyc cream,"
    "pred strips"
)

CONDITIONS = {
    "hlh": "HLH, HPS, hemophagocytic syndrome, Hämophagozytische Lymphohistiozytose",
    "mas": "MAS, macrophage activation syndrome, Makrophagenaktivierungssyndrom",
    "primary_hlh": (
        "FHL, FHL2, FHL3, FHL4, FHL5, FHL-2, XLP, XLP1, GS2, Griscelli syndrome type 2, primary HLH"
    ),
    "iec_hs": "IEC-HS",
    "multisystem_inflammatory": "MIS-C, MIS-A, PIMS-TS, multisystem inflammatory syndrome in children",
    "rheumatoid_arthritis": "RA, RA with ILD, rheumatoid arthritis, Rheumatoide Arthritis",
    "autoimmune": "JIA, polyarticular JIA",
    "sjia": "sJIA, systemic JIA",
    "aosd": "AOSD, Still's, Still's disease, Morbus Still, maladie de Still, enfermedad de Still",
    "leukaemia": "ALL, ALL relapsed in 2019, B-ALL, T-ALL, AML, Leukämie, leucémie, leucemia",
    "lymphoma": "NHL, PTCL, PTCL-NOS, AITL, DLBCL, Lymphom, lymphome, linfoma",
    "ptld": "PTLD",
    "castleman": "Castleman disease",
    "influenza": "influenza A, H1N1",
    "parvovirus": "parvovirus B19",
    "dengue": "severe dengue",
}
NO_CONDITION = (
    "ALL CULTURES NEGATIVE, all cultures negative, sat 95% on ra, RA PRESSURE, influenza vaccination,"
    "no RA, room air"
)

PROCEDURES = {
    "ventilation": (
        "MV, intubated, intubation, invasive ventilation, intubiert, beatmet, intubé, intubado, intubato"
    ),
    "haemodialysis": "HD, iHD, SLED, haemodialysis",
    "crrt": "CVVH, CVVHDF, CRRT",
    "plasma_exchange": "PEX, PLEX, TPE, Plasmapherese, Plasmaaustausch, échanges plasmatiques",
    "transfusion_red_cells": "RBC, pRBC, RBC transfusion",
}
NO_PROCEDURE = "MV repair, RBC count, MV annuloplasty"

SEXES = {
    "F": "F, f, female, Female, weiblich, femme, féminin, mujer, femenino, femmina, donna, vrouw",
    "M": "M, m, male, MALE, männlich, maennlich, homme, masculin, hombre, masculino, varón, maschio",
}


def each(table: dict[str, str]) -> list[tuple[str, str]]:
    """Pairs of a word and what it means."""
    return [(word.strip(), name) for name, words in table.items() for word in words.split(",")]


@pytest.mark.parametrize(("word", "drug"), each(DRUGS))
def test_a_drug_by_each_of_its_names(word: str, drug: str) -> None:
    found = V.drug_of(word)
    assert found is not None
    assert found.name == drug


@pytest.mark.parametrize("word", [word.strip() for word in NO_DRUG.split(",")])
def test_a_short_name_counts_only_as_the_whole_label(word: str) -> None:
    assert V.drug_of(word) is None


@pytest.mark.parametrize(("word", "condition"), each(CONDITIONS))
def test_a_diagnosis_by_each_of_its_names(word: str, condition: str) -> None:
    assert V.conditions_of("", "", word)[:1] == (condition,)


@pytest.mark.parametrize("word", [word.strip() for word in NO_CONDITION.split(",")])
def test_a_short_name_is_no_diagnosis_in_another_sense(word: str) -> None:
    assert V.conditions_of("", "", word) == ()


@pytest.mark.parametrize(("word", "procedure"), each(PROCEDURES))
def test_a_procedure_by_each_of_its_names(word: str, procedure: str) -> None:
    assert V.procedures_of("", "", word)[:1] == (procedure,)


@pytest.mark.parametrize("word", [word.strip() for word in NO_PROCEDURE.split(",")])
def test_a_short_name_is_no_procedure_in_another_sense(word: str) -> None:
    assert V.procedures_of("", "", word) == ()


@pytest.mark.parametrize(("word", "sex"), each(SEXES))
def test_a_sex_in_words(word: str, sex: str) -> None:
    """As a sheet reads it; a letter that is a man in one language and nobody in another is refused."""
    from becalm.records.sheets.reading import Wrong, read_choice
    from becalm.records.sheets.schema import SHEETS

    column = SHEETS["persons"].columns["sex"]
    assert read_choice(word, column) == sex
    assert isinstance(read_choice("H", column), Wrong)


def test_immunotherapies_and_vasopressors_are_of_their_class() -> None:
    """Every JAK inhibitor is a treatment of a storm; every glucocorticoid has an equivalent."""
    for name in ("upadacitinib", "filgotinib", "pacritinib", "itacitinib", "ruxolitinib"):
        assert V.drug(name).drug_class == "JAK inhibitor"
        assert V.drug(name).immunotherapy
    steroids = V.drugs_of_class("glucocorticoid")
    assert {"betamethasone", "triamcinolone", "deflazacort", "cortisone"} <= set(steroids)
    for name in steroids:
        assert V.drug(name).prednisolone_equivalent is not None, name
    assert {"metaraminol", "terlipressin", "ephedrine"} <= set(V.drugs_of_class("vasopressor"))
