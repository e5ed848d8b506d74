"""What people said in the page that a name means: `NAME.becalm/words.toml`, a file of words like any other.

Every line keeps who wrote it and when. A statement that is replaced stays in the file as a comment.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import msgspec

from becalm.core.errors import OutputError
from becalm.core.files import exists
from becalm.core.locks import held
from becalm.records.files import read_text
from becalm.records.review.log import LOCK, keep_name
from becalm.vocabulary import Vocabulary, site_words

FILE: Final = "words.toml"
_HEAD: Final = (
    "# What the names in these records mean, as written in the page: each line with who and when. Every command reads this\n"
    "# file with the records. A line that was replaced stays as a comment.\n"
)


def add_word(
    folder: Path, statement: tuple[str, str, str], who: str, when: str, vocabulary: Vocabulary
) -> None:
    """Write what a label means, and bring it to the disk.

    statement : the kind (`drug`), the label as the records write it, and the entry that it means or "not needed".

    Raises
    ------
    DefinitionError
        Where no entry has that name. Then the file is as before.
    OutputError
        Where the file cannot be written.
    """
    kind, label, means = statement
    site_words.checked(kind, label, means, vocabulary)
    file = folder / FILE
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        with held(folder / LOCK):
            text = read_text(file) if exists(file) else _HEAD
            line = f"{_quoted(label)} = {_quoted(means.strip())}  # {_plain(who)}, {when}"
            new = file.with_name(f"{FILE}.new")
            new.write_text(_with(text, kind, label, line), encoding="utf-8")
            try:
                site_words.read(new, vocabulary)
            except BaseException:
                new.unlink()
                raise
            with new.open("r+b") as stream:
                os.fsync(stream.fileno())
            new.replace(file)
            keep_name(folder)
    except OSError as error:
        raise OutputError(
            f"cannot be written ({error.strerror or error}); nothing was saved", where=str(file)
        ) from error


def _with(text: str, kind: str, label: str, line: str) -> str:
    """Return a file of words with one more line in the table of its kind, an earlier one of the label commented out."""
    lines = text.splitlines()
    head = next(
        (i for i, each in enumerate(lines) if re.fullmatch(rf"\s*\[{kind}\]\s*(#.*)?", each)), None
    )
    if head is None:
        return "\n".join([*lines, "", f"[{kind}]", line]) + "\n"
    end = next(
        (i for i in range(head + 1, len(lines)) if lines[i].lstrip().startswith("[")), len(lines)
    )
    mine = re.compile(
        rf"\s*(?:{re.escape(_quoted(label))}|'{re.escape(label)}'|{re.escape(label)})\s*="
    )
    for i in range(head + 1, end):
        if mine.match(lines[i]):
            lines[i] = f"# replaced: {lines[i]}"
    return "\n".join([*lines[: head + 1], line, *lines[head + 1 :]]) + "\n"


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _plain(text: str) -> str:
    """Return a text that ends with its line."""
    return " ".join("".join(c for c in text if c.isprintable()).split())
