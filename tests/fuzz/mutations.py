"""Mutations of tables and files: what can go wrong in somebody's export, one at a time, from a seed.

A mutation says whom it touches and what becalm must make of it:

same      : it says the same in another way, so every result is the same, and the run goes well.
equal     : the same, or the run stops with its reason.
unreadable: a cell that says something nobody can read: the run stops, or one more thing is reported.
changed   : another value: the person's data are others, or one more thing is reported, or the run stops.
any       : nothing besides what holds for all: rows are accounted for, and other persons are untouched.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tests.fuzz.small import Form, Table, as_csv

EVERYBODY: Final = None


@dataclass
class Mutated:
    """Records after a mutation. touched : ids of the persons it touches, None for everybody.

    files : bytes of files that are otherwise than the tables of `form` say, None for a missing one.
    whole : whether the tables of `form` say what is in the files, so that rows can be counted there.
    """

    form: Form
    what: str
    touched: set[str] | None = EVERYBODY
    must: str = "any"
    files: dict[str, bytes | None] = field(default_factory=dict)
    whole: bool = True


Mutation = Callable[[Form, random.Random], Mutated]

# ------------------------------------------------------------ cells

BLANKS: Final = ("", " ", "NA", "n/a", "-99", "\u00a0", ".", "NULL", "nan", "None")
NO_NUMBERS: Final = (
    "inf", "-inf", "1e999", "see comment", "=1+1", "#REF!", "12,3,4", "1.2.3", "9 o'clock", "--5", "5-10-15",
    "\u60a3\u8005", "\u202e0589", "four", "haemolysed", "12;5", "'9", "0x1F", "ng/mL", "1e", "+-3", "½", "NaN%", "<>5",
    "a\nb", 'a"b', "a\0b", "x" * 3_000,
)  # fmt: skip
NO_TIMES: Final = (
    "08.02.2021 11:00", "02/08/2021", "2021-02-30", "2021-02-08T25:00", "44235.5", "20210208", "yesterday", "11:00",
    "2021-13-01", "0021-02-08", "-2021-02-08", "2021-02-08T11", "2021-2-8", "2021-02-08T11:00+99:00", "99999-01-01",
    "2021-02-08 11:00 Uhr", "\u60a3", "inf", "a\nb", 'a"b', "a\0b", "2021-02-29T10:00", "1021-02-08T10:00", "x" * 3_000,
)  # fmt: skip
NO_WORDS: Final = (
    "furlong", "\u60a3\u8005", "zzqx", "=cmd()", "a\nb", 'a"b', "a\0b", "qwertzuiop", "x" * 3_000, "\ud83d\ude00", "\U0001f600",
)  # fmt: skip
OTHER_TIMES: Final = (
    "1901-01-01T00:00", "2261-12-31T23:59", "9998-12-31T23:59", "2262-04-12T00:00", "1900-01-01", "2021-02-08T11:00Z",
    "2021-02-08T11:00+01:00", "2021-03-28T02:30", "2021-10-31T02:30", "2021-02-08T24:00", "9999-12-31",
)  # fmt: skip
OTHER_NUMBERS: Final = (
    "-5", "0", "-0", "1e15", "1e300", "999999999999", "1e-300", "0.0000001", "3.7e3", "9" * 40, ">15000", "<0.1",
    "9.000,5", "9,000.5", "9'000", "９０００", "𝟗𝟎", "4711",
)  # fmt: skip
AROUND: Final = (" {} ", "{}\t", "\u00a0{}", "{}\u200b", "\ufeff{}")

_TIMES: Final = frozenset(
    [
        "time",
        "start",
        "end",
        "available",
        "collected",
        "onset",
        "birth_date",
        "age_at",
        "death_time",
        "last_contact",
        "drawn",
        "begun",
        "ended",
        "admitted",
        "left",
        "charttime",
        "storetime",
        "admittime",
        "dischtime",
        "deathtime",
        "starttime",
        "endtime",
        "intime",
        "outtime",
        "dod",
        "chartdate",
        "storedate",
    ]
)
_NUMBERS: Final = frozenset(
    [
        "value",
        "amount",
        "rate",
        "concentration",
        "weight_kg",
        "height_cm",
        "age",
        "result",
        "speed",
        "valuenum",
        "amountuom_",
        "patientweight",
        "dose_given",
        "anchor_age",
        "anchor_year",
    ]
)
_WORDS: Final = frozenset(
    [
        "name",
        "drug",
        "finding",
        "unit",
        "amount_unit",
        "rate_unit",
        "system",
        "code",
        "kind",
        "sex",
        "died",
        "present",
        "status",
        "to",
        "from",
        "route",
        "given",
        "went",
        "gender",
        "label",
        "medication",
    ]
)


def kind_of(form: Form, column: str) -> str:
    """Return what a column holds: times, numbers, words or anything.

    MIMIC-IV has each number a second time as text (`value`), which counts only where it says more, and the label of
    an item beside its number, by which it is known.
    """
    if (form.name, column) in {("mimic4", "value"), ("mimic4", "label")}:
        return "text"
    for kind, names in (("time", _TIMES), ("number", _NUMBERS), ("word", _WORDS)):
        if column in names:
            return kind
    return "text"


def _cell(given: Form, rng: random.Random, *, filled: bool) -> tuple[str, int, int]:
    """Choose a table, a row of it (from 1) and a column."""
    for _ in range(1_000):
        name = rng.choice(sorted(name for name, table in given.tables.items() if len(table) > 1))
        table = given.tables[name]
        row, column = rng.randrange(1, len(table)), rng.randrange(len(table[0]))
        if table[row][column] or not filled:
            return name, row, column
    raise ValueError("no cell with a value")


def _touched(given: Form, name: str, row: list[str]) -> set[str] | None:
    whose = given.person_of(name, row)
    return EVERYBODY if whose is None else {whose}


def _put(given: Form, at: tuple[str, int, int], text: str, must: str, why: str) -> Mutated:
    name, row, column = at
    table = given.tables[name]
    touched = _touched(given, name, table[row])
    title, was = table[0][column], table[row][column]
    if title == given.whose:
        touched = EVERYBODY  # the row is somebody else's now
    table[row][column] = text
    what = f"{name}, row {row + 1}, column {title}: {was!r} becomes {text[:60]!r} ({why})"
    return Mutated(given, what, touched, must)


def blank_cell(given: Form, rng: random.Random) -> Mutated:
    """A cell is blanked, or says so in words."""
    return _put(given, _cell(given, rng, filled=True), rng.choice(BLANKS), "any", "blank")


def unreadable_cell(given: Form, rng: random.Random) -> Mutated:
    """A cell says something that is no time, no number or no word."""
    at = _cell(given, rng, filled=True)
    kind = kind_of(given, given.tables[at[0]][0][at[2]])
    texts = {"time": NO_TIMES, "number": NO_NUMBERS}.get(kind, NO_WORDS)
    return _put(
        given, at, rng.choice(texts), "any" if kind == "text" else "unreadable", "unreadable"
    )


def other_cell(given: Form, rng: random.Random) -> Mutated:
    """A cell has another value: negative, huge, tiny, in another notation, of another cell."""
    at = _cell(given, rng, filled=True)
    table = given.tables[at[0]]
    kind = kind_of(given, table[0][at[2]])
    texts = {"time": OTHER_TIMES, "number": OTHER_NUMBERS}.get(kind, ())
    was = table[at[1]][at[2]]
    others = sorted({row[at[2]] for row in table[1:]} - {was}) or ["zzqx"]
    text = rng.choice(texts or others)
    must = "changed" if kind in {"time", "number"} and text != was else "any"
    return _put(given, at, text, must, "another value")


def spaced_cell(given: Form, rng: random.Random) -> Mutated:
    """A cell has blanks or invisible characters around it."""
    at = _cell(given, rng, filled=True)
    name, row, column = at
    text = rng.choice(AROUND).format(given.tables[name][row][column])
    return _put(given, at, text, "equal", "blanks around it")


def filled_cell(given: Form, rng: random.Random) -> Mutated:
    """A cell that was blank has something in it."""
    at = _cell(given, rng, filled=False)
    texts = rng.choice((NO_NUMBERS, NO_TIMES, NO_WORDS, OTHER_NUMBERS, OTHER_TIMES, BLANKS))
    return _put(given, at, rng.choice(texts), "any", "filled")


# ------------------------------------------------------------ rows


def _row(given: Form, rng: random.Random) -> tuple[str, int]:
    name, row, _ = _cell(given, rng, filled=False)
    return name, row


def drop_row(given: Form, rng: random.Random) -> Mutated:
    """A row is missing."""
    name, row = _row(given, rng)
    gone = given.tables[name].pop(row)
    return Mutated(given, f"{name}: row {row + 1} dropped", _touched(given, name, gone))


def drop_rows(given: Form, rng: random.Random) -> Mutated:
    """The last rows are missing, up to all of them."""
    name, row = _row(given, rng)
    gone = given.tables[name][row:]
    del given.tables[name][row:]
    whose = [_touched(given, name, each) for each in gone]
    touched: set[str] | None = {one for some in whose if some for one in some}
    if None in whose or row == 1:  # a table without any row says that nobody looked
        touched = EVERYBODY
    return Mutated(given, f"{name}: all rows from row {row + 1} on dropped", touched)


def repeat_row(given: Form, rng: random.Random) -> Mutated:
    """A row stands twice."""
    name, row = _row(given, rng)
    table = given.tables[name]
    table.insert(rng.randrange(row, len(table)) + 1, list(table[row]))
    return Mutated(given, f"{name}: row {row + 1} repeated", _touched(given, name, table[row]))


def shuffle_rows(given: Form, rng: random.Random) -> Mutated:
    """The rows of a table stand in another order."""
    name, _ = _row(given, rng)
    rows = given.tables[name][1:]
    rng.shuffle(rows)
    given.tables[name][1:] = rows
    return Mutated(given, f"{name}: rows shuffled", set(), "same")


def give_row_away(given: Form, rng: random.Random) -> Mutated:
    """A row is another person's."""
    names = sorted(n for n, t in given.tables.items() if len(t) > 1 and given.whose in t[0])
    name = rng.choice(names)
    table = given.tables[name]
    row, at = rng.randrange(1, len(table)), table[0].index(given.whose)
    everyone = sorted({each[at] for t in [table] for each in t[1:]} | {"stranger", "p1", "P1 ", ""})
    was, table[row][at] = table[row][at], rng.choice(everyone)
    now = table[row][at].strip()
    return Mutated(given, f"{name}: row {row + 1} of {was} is now of {now!r}", {was, now})


def blank_row(given: Form, rng: random.Random) -> Mutated:
    """A row of nothing but blanks stands between the others."""
    name, row = _row(given, rng)
    table = given.tables[name]
    table.insert(row, [""] * len(table[0]))
    must = "same" if given.name in {"sheets", "workbook"} else "any"
    return Mutated(given, f"{name}: a blank row before row {row + 1}", set(), must)


def header_again(given: Form, rng: random.Random) -> Mutated:
    """The header stands among the rows, as where two files were joined."""
    name, row = _row(given, rng)
    table = given.tables[name]
    table.insert(row, list(table[0]))
    return Mutated(given, f"{name}: the header again as row {row + 1}", {given.whose, ""})


# ------------------------------------------------------------ columns


def _column(given: Form, rng: random.Random) -> tuple[str, int]:
    name, _, column = _cell(given, rng, filled=False)
    return name, column


def drop_column(given: Form, rng: random.Random) -> Mutated:
    """A column is missing."""
    name, column = _column(given, rng)
    title = given.tables[name][0][column]
    given.tables[name] = [row[:column] + row[column + 1 :] for row in given.tables[name]]
    return Mutated(given, f"{name}: column {title} dropped")


def repeat_column(given: Form, rng: random.Random) -> Mutated:
    """A column stands twice."""
    name, column = _column(given, rng)
    title = given.tables[name][0][column]
    given.tables[name] = [[*row, row[column]] for row in given.tables[name]]
    return Mutated(given, f"{name}: column {title} twice")


def swap_titles(given: Form, rng: random.Random) -> Mutated:
    """Two columns have each other's titles."""
    name, one = _column(given, rng)
    header = given.tables[name][0]
    other = rng.randrange(len(header))
    header[one], header[other] = header[other], header[one]
    what = f"{name}: titles {header[one]} and {header[other]} swapped"
    return Mutated(given, what, set() if one == other else EVERYBODY)


def rename_column(given: Form, rng: random.Random) -> Mutated:
    """A column has another title: misspelt, blank, or one nobody knows."""
    name, column = _column(given, rng)
    header = given.tables[name][0]
    was = header[column]
    header[column] = rng.choice(
        (was[:-1], f"{was}s", "", "zzqx", f"{was}_1", was.replace("_", " "))
    )
    return Mutated(given, f"{name}: column {was} renamed to {header[column]!r}")


def insert_column(given: Form, rng: random.Random) -> Mutated:
    """There is a column more, of no concern."""
    name, column = _column(given, rng)
    title = rng.choice(("ward round", "x1", "\u60a3\u8005", "note to self"))
    for i, row in enumerate(given.tables[name]):
        row.insert(column, title if i == 0 else rng.choice(("", "7", "a, b", 'said "no"')))
    return Mutated(given, f"{name}: a column {title!r} inserted", set(), "same")


def other_case(given: Form, rng: random.Random) -> Mutated:
    """The titles are written in capitals, or with blanks around them."""
    name, _ = _column(given, rng)
    header = given.tables[name][0]
    how = rng.choice((str.upper, str.title, lambda title: f" {title} "))
    given.tables[name][0] = [how(title) for title in header]
    must = "same" if given.name in {"sheets", "workbook"} else "equal"
    return Mutated(given, f"{name}: titles {given.tables[name][0][:2]} ...", set(), must)


def move_columns(given: Form, rng: random.Random) -> Mutated:
    """The columns stand in another order."""
    name, _ = _column(given, rng)
    order = list(range(len(given.tables[name][0])))
    rng.shuffle(order)
    given.tables[name] = [[row[i] for i in order] for row in given.tables[name]]
    return Mutated(given, f"{name}: columns in another order", set(), "same")


# ------------------------------------------------------------ files


def _file(given: Form, rng: random.Random) -> tuple[str, bytes]:
    """Choose a file and return its name and content, unpacked."""
    if given.name == "workbook":
        from tests.fuzz.small import as_workbook

        return "review.xlsx", as_workbook(given.tables)
    name = rng.choice(sorted(given.tables))
    return name, as_csv(given.tables[name])


def _with(given: Form, name: str, content: bytes | None, what: str, must: str = "any") -> Mutated:
    """Return records with one file of other content; a file that is packed is packed again."""
    import gzip

    if content is not None and name.endswith(".gz"):
        content = gzip.compress(content, mtime=0)
    touched: set[str] | None = set() if must in {"same", "equal"} else EVERYBODY
    return Mutated(given, f"{name}: {what}", touched, must, {name: content}, whole=False)


def _table(given: Form, rng: random.Random) -> tuple[str, Table]:
    name = rng.choice(sorted(given.tables))
    return name, given.tables[name]


def other_separator(given: Form, rng: random.Random) -> Mutated:
    """The cells are separated by another character."""
    name, table = _table(given, rng)
    separator = rng.choice(";\t| ")
    must = "same" if separator == ";" and given.name in {"sheets", "mapped"} else "any"
    return _with(
        given, name, as_csv(table, separator=separator), f"separated by {separator!r}", must
    )


def other_lines(given: Form, rng: random.Random) -> Mutated:
    """Lines end as on Windows, cells are quoted, or the last line has no end."""
    name, table = _table(given, rng)
    how, content = rng.choice(
        (
            ("CRLF", as_csv(table, end="\r\n")),
            ("all cells quoted", as_csv(table, quoted=True)),
            ("no end of the last line", as_csv(table).rstrip(b"\n")),
            ("a byte-order mark", b"\xef\xbb\xbf" + as_csv(table)),
            ("blank lines at the end", as_csv(table) + b"\n\n"),
        )
    )
    return _with(given, name, content, how, "same")


def other_encoding(given: Form, rng: random.Random) -> Mutated:
    """The file is UTF-16, or Latin-1 with an accent, or lines end as on an old Mac."""
    name, table = _table(given, rng)
    if len(table) > 1:
        table[1][-1] = table[1][-1] or "Jos\u00e9"
    how = rng.choice(("utf-16", "utf-16-le", "latin-1", "cp1252", "utf-32", "CR"))
    text = as_csv(table).decode()
    content = (
        text.replace("\n", "\r").encode() if how == "CR" else text.encode(how, errors="replace")
    )
    return _with(given, name, content, f"as {how}")


def cut_file(given: Form, rng: random.Random) -> Mutated:
    """The file ends early, or is empty."""
    name, content = _file(given, rng)
    upto = rng.choice((0, 1, rng.randrange(len(content)), len(content) - 2))
    return _with(given, name, content[:upto], f"cut after {upto} of {len(content)} bytes")


def flip_bytes(given: Form, rng: random.Random) -> Mutated:
    """Some bytes are others."""
    name, content = _file(given, rng)
    raw = bytearray(content)
    places = [rng.randrange(len(raw)) for _ in range(rng.choice((1, 1, 2, 5)))]
    for at in places:
        raw[at] = rng.randrange(256)
    return _with(given, name, bytes(raw), f"bytes {places} flipped")


def flip_packed(given: Form, rng: random.Random) -> Mutated:
    """A packed file is damaged: cut, with other bytes, with something behind it, or not packed at all."""
    import gzip

    name = rng.choice(sorted(given.tables))
    plain = as_csv(given.tables[name])
    raw = bytearray(gzip.compress(plain, mtime=0))
    how = rng.choice(("cut", "flipped", "with a tail", "plain", "in two members"))
    if how == "cut":
        del raw[rng.randrange(len(raw)) :]
    elif how == "flipped":
        raw[rng.randrange(len(raw))] ^= rng.randrange(1, 256)
    elif how == "with a tail":
        raw += rng.choice((b"\0\0\0", b"tail", b"\x1f\x8b"))
    elif how == "plain":
        raw = bytearray(plain)
    else:
        half = len(plain) // 2
        raw = bytearray(gzip.compress(plain[:half]) + gzip.compress(plain[half:]))
    must = "same" if how == "in two members" and name.endswith(".gz") else "any"
    touched: set[str] | None = set() if must == "same" else EVERYBODY
    return Mutated(given, f"{name}: packed, {how}", touched, must, {name: bytes(raw)}, whole=False)


def more_files(given: Form, rng: random.Random) -> Mutated:
    """There is a file more, of no concern."""
    name = rng.choice(
        (".DS_Store", "Thumbs.db", "README.txt", "notes.docx", "~$review.xlsx", "old/readme.md")
    )
    given.others[name] = rng.choice((b"", b"\0\1\2", b"a,b\n1,2\n"))
    return Mutated(given, f"a file {name}", set(), "same")


def lost_file(given: Form, rng: random.Random) -> Mutated:
    """A file is missing, has another name, or is a copy of another one."""
    if given.name == "workbook":
        name = rng.choice(sorted(given.tables))
        table = given.tables.pop(name)
        if rng.random() < 0.5:
            given.tables[rng.choice((f"{name}s", "Sheet1", name.upper(), f"{name} (2)"))] = table
        return Mutated(given, f"tab {name} lost or renamed", whole=False)
    name, table = _table(given, rng)
    how = rng.choice(("missing", "renamed", "another"))
    if how == "another":
        other = rng.choice(sorted(given.tables))
        return _with(given, name, as_csv(given.tables[other]), f"has the content of {other}")
    lost = _with(given, name, None, how)
    if how == "renamed":
        stem, dot, suffix = name.partition(".")
        new = rng.choice((f"{stem}s{dot}{suffix}", f"{stem} (1){dot}{suffix}", f"{name}.txt", stem))
        lost.files[new] = as_csv(table)
    return lost


def shuffled_book(given: Form, rng: random.Random) -> Mutated:
    """The tabs of a workbook stand in another order; the files of a folder have none."""
    names = list(given.tables)
    rng.shuffle(names)
    given.tables = {name: given.tables[name] for name in names}
    return Mutated(given, "tabs in another order", set(), "same")


_OF_TABLES: Final[tuple[Mutation, ...]] = (
    *[unreadable_cell] * 10, *[other_cell] * 8, *[spaced_cell] * 2, *[blank_cell] * 2, *[shuffle_rows] * 2,
    filled_cell, drop_row, drop_rows, repeat_row, give_row_away, blank_row, header_again,
    drop_column, repeat_column, swap_titles, rename_column, insert_column, other_case, move_columns,
)  # fmt: skip
_OF_FOLDERS: Final[tuple[Mutation, ...]] = (
    other_separator, other_lines, other_encoding, cut_file, flip_bytes, flip_bytes, more_files, lost_file,
)  # fmt: skip
MUTATIONS: Final[dict[str, tuple[Mutation, ...]]] = {
    "sheets": (*_OF_TABLES, *_OF_FOLDERS),
    "workbook": (
        *_OF_TABLES,
        cut_file,
        flip_bytes,
        flip_bytes,
        lost_file,
        shuffled_book,
        more_files,
    ),
    "mimic4": (*_OF_TABLES, *_OF_FOLDERS, flip_packed, flip_packed),
    "mapped": (*_OF_TABLES, *_OF_FOLDERS),
}
