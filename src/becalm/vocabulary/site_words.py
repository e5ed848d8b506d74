"""A file of words: what a site says its own labels mean. Its statements stand above becalm's.

    [drug]
    "dex" = "dexamethasone"
    "study medication" = "not needed"

    [diagnosis]
    "haemophag. syndr." = "hlh"
    "lymphoproliferation, old" = "history: lymphoma"

A value is the name of an entry of the vocabulary, a name that becalm understands, or "not needed". In a
diagnosis or a procedure, `suspected:`, `denied:` or `history:` may stand before it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from becalm.core import toml
from becalm.core.errors import DefinitionError, did_you_mean, place
from becalm.core.files import LARGEST_TOML, decoded, read_bytes
from becalm.core.frame import Frame
from becalm.vocabulary.labels import Meaning, fate_of
from becalm.vocabulary.lookup import Vocabulary
from becalm.vocabulary.statements import State
from becalm.vocabulary.text import words

KINDS: Final = (
    "drug", "route", "diagnosis", "procedure", "finding", "test", "unit", "specimen", "organism",
    "status",
)  # fmt: skip
NOT_NEEDED: Final = "not needed"
STATES: Final[Mapping[str, State]] = {
    "suspected": "suspected", "denied": "excluded", "history": "history",
}  # fmt: skip


@dataclass(frozen=True)
class SiteWord:
    """One statement: a label of the records, its kind, and what the site says that it means."""

    kind: str
    label: str
    means: str
    meaning: Meaning


@dataclass(frozen=True)
class SiteWords:
    """A file of words as read. name, bytes and sha256 : of the file, for the manifest."""

    name: str
    bytes: int
    sha256: str
    words: tuple[SiteWord, ...]

    def applied(self, vocabulary: Vocabulary) -> Vocabulary:
        """Return a vocabulary in which the site's statements stand above the others."""
        return vocabulary.with_words({(each.kind, each.label): each.meaning for each in self.words})


def joined(above: SiteWords | None, below: SiteWords | None) -> SiteWords | None:
    """Return the statements of two files; those of `above` replace those of `below` about the same label.

    The name and the hash are those of `above`.
    """
    if above is None or below is None:
        return above or below
    stated = {(each.kind, words(each.label)) for each in above.words}
    others = (each for each in below.words if (each.kind, words(each.label)) not in stated)
    return replace(above, words=(*above.words, *others))


def read(path: Path, vocabulary: Vocabulary) -> SiteWords:
    """Read and check a file of words.

    Raises
    ------
    UnreadableFileError
        Where the file is not there, or is not UTF-8 text.
    DefinitionError
        With one line for every mistake in it.
    """
    hint = f"becalm doctor RECORDS --words {path.name} writes one to be filled in"
    content = read_bytes(path, most=LARGEST_TOML, hint=hint)
    text = decoded(content, str(path), "Save it as UTF-8")
    document = toml.document(text, path.name)
    mistakes: list[DefinitionError] = []
    statements: list[SiteWord] = []
    rows = _rows(text)
    for kind, table in document.items():
        if kind not in KINDS or not isinstance(table, dict):
            hint = f"{did_you_mean(kind, KINDS).rstrip('.')}. Each is a table, such as [drug]"
            mistakes.append(_mistake(path, rows, kind, f"unknown table {kind!r}", hint))
            continue
        for label, means in table.items():
            word = _word(kind, label, means, vocabulary)
            if isinstance(word, SiteWord):
                statements.append(word)
            else:
                mistakes.append(_mistake(path, rows, label, *word))
    if mistakes:
        raise DefinitionError.of(mistakes)
    return SiteWords(
        path.name, len(content), hashlib.sha256(content).hexdigest(), tuple(statements)
    )


def checked(kind: str, label: str, means: str, vocabulary: Vocabulary) -> SiteWord:
    """Return one statement, checked as those of a file.

    Raises `DefinitionError` with the mistake in it.
    """
    if kind not in KINDS:
        raise DefinitionError(f"unknown table {kind!r}", hint=did_you_mean(kind, KINDS))
    word = _word(kind, label, means, vocabulary)
    if isinstance(word, SiteWord):
        return word
    what, hint = word
    raise DefinitionError(what, hint=hint)


def _mistake(
    path: Path, rows: Mapping[str, int], word: str, what: str, hint: str
) -> DefinitionError:
    return DefinitionError(what, where=place(path.name, rows.get(word)), hint=hint)


def _rows(text: str) -> dict[str, int]:
    """Return the first row of each label and table; a label with an escaped letter has none."""
    key = re.compile(r"""\s*\[?\s*(?:"([^"]*)"|'([^']*)'|([^\s"'\]=]+))\s*[\]=]""")
    found: dict[str, int] = {}
    for row, line in enumerate(text.splitlines(), 1):
        if match := key.match(line):
            found.setdefault(next(each for each in match.groups() if each is not None), row)
    return found


def _word(kind: str, label: str, means: Any, vocabulary: Vocabulary) -> SiteWord | tuple[str, str]:
    """Return a checked statement, or what is wrong with it and how to mend it."""
    if not isinstance(means, str) or not means.strip():
        return (f"{label!r} needs a text in quotes", 'Write an entry, or "not needed"')
    if means.strip().casefold() == NOT_NEEDED:
        return SiteWord(kind, label, means, Meaning((), "not needed"))
    before, colon, name = means.partition(":")
    state = STATES.get(before.strip().casefold()) if colon else "confirmed"
    if state is None:
        return (f"{before!r} cannot stand here", f"Known: {', '.join(STATES)}")
    if colon and kind not in ("diagnosis", "procedure"):
        return (f"a {kind} is not {before.strip()}", "Write the entry alone")
    names = vocabulary.entries_of(kind, name if colon else means)
    if not names:
        plain = (name if colon else means).strip()
        return (f"no {kind} is called {plain!r}", did_you_mean(plain, vocabulary.names_of(kind)))
    said = tuple((each, state) for each in names)
    return SiteWord(kind, label, means, Meaning(said, fate_of([state])))


def written(found: Frame) -> str:
    """Return a file of words to be filled in: labels that are not understood, the most frequent first.

    found : the table `not_understood`. Every line is commented out: a guess is never a statement.
    """
    lines = [
        "# Names of your records that becalm does not know, the most frequent first. For each one that matters,",
        '# take the # away and write what it means: a name that becalm knows, or "not needed". Where a name is',
        "# similar, it stands there as a guess. Give the file to becalm with --words.",
    ]
    for kind in KINDS:
        rows = _each_label(row for row in found.rows() if row["what"] == kind and row["written"])
        if not rows:
            continue
        lines += ["", f"[{kind}]"]
        width = max(len(_quoted(row["written"])) for row in rows)
        for row in sorted(rows, key=lambda each: (-each["rows"], each["written"])):
            statement = f"{_quoted(row['written']):<{width}} = {_quoted(row['nearest'])}"
            count = f"{row['rows']:,} rows of {row['persons_with']:,} persons, {row['first_row']}"
            lines.append(f"# {statement}  # {count}")
    return "\n".join(lines) + "\n"


def _each_label(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one row for each label: a key stands once in a file, whatever codes and variables it is of."""
    labels: dict[str, dict[str, Any]] = {}
    for row in rows:
        before = labels.setdefault(row["written"], {**row, "rows": 0, "persons_with": 0})
        before["rows"] += row["rows"]
        before["persons_with"] = max(before["persons_with"], row["persons_with"])
    return list(labels.values())


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


def new_words(found: Frame, known: Iterable[SiteWord]) -> Frame:
    """Return the labels that a file of words has no statement for."""
    have = {(each.kind, each.label) for each in known}
    pairs = zip(found["what"].tolist(), found["written"].tolist(), strict=True)
    kept = [at for at, pair in enumerate(pairs) if pair not in have]
    return found.take(np.array(kept, np.intp))
