"""Codes of a source's own: data beside its reader, checked when it is loaded."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from becalm.core.errors import DefinitionError
from becalm.vocabulary import (
    LABEL_CONTRADICTS,
    UNIT_MISSING,
    UNKNOWN_VARIABLE,
    MeasurementKind,
    Resolution,
    Vocabulary,
    loading,
)
from becalm.vocabulary.codes import code_files, systems
from becalm.vocabulary.loading import FOLDER, read

WARD = """
system = "Ward book"
source = "the ward's list of 2020"
[variable]
ferritin = [{ code = "F1", label = "Ferritin, serum" }, { code = "F2", unit = "ng/mL" }]
[drug]
anakinra = [{ code = "D1", label = "IL-1 blocker" }]
[procedure]
crrt = [{ code = "P1", label = "Filter" }]
"""


def vocabulary_with(folder: Path, *files: str) -> Vocabulary:
    """Return the vocabulary with the codes of these files."""
    shipped = read()
    for number, text in enumerate(files):
        (folder / f"{number}").mkdir()
        (folder / f"{number}" / "codes.toml").write_text(text, encoding="utf-8")
    registered = systems(
        sorted(folder.glob("*/codes.toml")),
        variables=(entry.name for entry in shipped.variables),
        drugs=(entry.name for entry in shipped.drugs),
        procedures=(entry.name for entry in shipped.procedures),
    )
    return Vocabulary(msgspec.structs.replace(shipped, systems=registered))


def ask(words: Vocabulary, code: str, name: str = "", unit: str = "ng/mL") -> Resolution:
    return words.resolve(MeasurementKind("t", "ward book", code, name, unit))


def test_codes_of_a_new_system_are_understood(tmp_path: Path) -> None:
    words = vocabulary_with(tmp_path, WARD)
    ferritin = words.code("ferritin")
    assert ask(words, "F1")[::2] == (ferritin, "")
    assert ask(words, "F1", "FERRITIN (serum)")[::2] == (ferritin, "")
    assert ask(words, "F1", "Ferritin, urine")[::2] == (ferritin, LABEL_CONTRADICTS)
    assert ask(words, "F1", unit="")[::2] == (ferritin, UNIT_MISSING)
    assert ask(words, "F2", "anything", "")[::2] == (ferritin, "")
    assert words.measured_codes("WARD BOOK") == {"F1", "F2"}
    assert words.measured_label("Ward book", "F1") == "Ferritin, serum"
    assert words.measured_label("another", "F1") == ""
    assert words.measured_codes("another") == frozenset()
    drug = words.drug_of("", "D1", "ward book")
    assert drug is not None and drug.name == "anakinra"
    assert words.procedures_of("Ward book", "P1", "filter") == ("crrt", "renal_replacement")
    assert words.procedures_of("Ward book", "P1", "a drain") == ()
    assert words.procedures_of("Ward book", "P2", "filter") == ()


def test_a_system_says_whether_names_are_read_where_a_code_is_not_listed(tmp_path: Path) -> None:
    """Where one result is charted under several codes, only the listed ones may be read."""
    words = vocabulary_with(tmp_path, WARD)
    assert ask(words, "F9", "ferritin")[::2] == (words.code("ferritin"), "")
    (tmp_path / "strict").mkdir()
    strict = WARD.replace("[variable]", "names_are_read = false\n[variable]")
    words = vocabulary_with(tmp_path / "strict", strict)
    assert ask(words, "F9", "ferritin").reason == UNKNOWN_VARIABLE


def test_two_files_may_add_to_one_system(tmp_path: Path) -> None:
    more = 'system = "WARD BOOK"\nsource = "x"\n[variable]\ncrp = [{ code = "C1" }]\n'
    words = vocabulary_with(tmp_path, WARD, more)
    assert words.measured_codes("Ward book") == {"F1", "F2", "C1"}


@pytest.mark.parametrize(
    ("was", "becomes", "complaint"),
    [
        ("ferritin =", "feritin =", "no variable is called 'feritin'"),
        ("anakinra =", "anakinera =", "no drug is called 'anakinera'"),
        ("crrt =", "crt =", "no procedure is called 'crt'"),
        ('"Ward book"', '"loinc"', "belong into the entries of the vocabulary"),
        ('"Ward book"', '"ICD10CM"', "belong into the entries of the vocabulary"),
        ("[drug]", 'crp = [{ code = "F1" }]\n[drug]', "F1 is both ferritin and crp"),
        ("source =", "sauce =", "sauce"),
    ],
)
def test_a_file_of_codes_that_is_wrong_is_named(
    tmp_path: Path, was: str, becomes: str, complaint: str
) -> None:
    assert was in WARD
    with pytest.raises(DefinitionError, match=complaint) as caught:
        vocabulary_with(tmp_path, WARD.replace(was, becomes))
    assert "codes.toml" in caught.value.line()


def test_two_files_that_disagree_whether_names_are_read_are_an_error(tmp_path: Path) -> None:
    other = 'system = "Ward book"\nsource = "x"\nnames_are_read = false\n'
    with pytest.raises(DefinitionError, match="names_are_read of Ward book"):
        vocabulary_with(tmp_path, WARD, other)


def test_every_shipped_file_of_codes_lies_beside_a_reader() -> None:
    assert code_files()
    assert {path.parent.parent.name for path in code_files()} == {"records"}
    assert all((path.parent / "__init__.py").is_file() for path in code_files())


def test_which_file_a_drug_is_in_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All files of drugs as one, in another order, are the same drugs in the same order."""
    folder = shutil.copytree(FOLDER, tmp_path / "vocabulary")
    texts = [path.read_text("utf-8") for path in sorted((folder / "drugs").glob("*.toml"))]
    assert len(texts) > 1
    shutil.rmtree(folder / "drugs")
    (folder / "drugs").mkdir()
    (folder / "drugs" / "all.toml").write_text("\n".join(reversed(texts)), encoding="utf-8")
    monkeypatch.setattr(loading, "FOLDER", folder)
    assert read.__wrapped__().drugs == read().drugs


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ('name = "anakinra"', "has 'anakinra' twice"),
        ('name = "other"\nnames = ["Kineret"]', "'kineret' is both anakinra and other"),
        ('name = "other"\nrxnorm = ["72435"]', "RxNorm 72435 is both anakinra and other"),
    ],
)
def test_two_drugs_of_one_name_or_code_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str, complaint: str
) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "vocabulary")
    text = f'[[drug]]\n{entry}\nclass = "another"\n'
    (folder / "drugs" / "zz.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(loading, "FOLDER", folder)
    with pytest.raises(DefinitionError, match=complaint):
        read.__wrapped__()
