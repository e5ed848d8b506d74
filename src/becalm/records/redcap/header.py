"""The columns of an export: which field, box or part of REDCap's own each one is.

A raw header has the names of the fields, a labelled one their labels, which may be equal for several fields.
An export has its columns in the order of the dictionary, so equal labels are told apart by their order; where
that leaves two possibilities the export is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from becalm.core.errors import RecordsError, did_you_mean, place
from becalm.records.redcap.dictionary import RedcapDictionary, RedcapField, box, plain

Role = Literal[
    "record", "event", "instrument", "instance", "group", "survey", "status", "value", "box"
]
EVENT: Final = "redcap_event_name"
INSTRUMENT: Final = "redcap_repeat_instrument"
INSTANCE: Final = "redcap_repeat_instance"
GROUP: Final = "redcap_data_access_group"
_OWN: Final[Sequence[tuple[str, str, Role]]] = (
    (EVENT, "Event Name", "event"),
    (INSTRUMENT, "Repeat Instrument", "instrument"),
    (INSTANCE, "Repeat Instance", "instance"),
    (GROUP, "Data Access Group", "group"),
    ("redcap_survey_identifier", "Survey Identifier", "survey"),
)
COMPLETE: Final = "_complete"


@dataclass(frozen=True)
class ExportColumn:
    """A column that an export may have: its raw name, its title in a labelled export, and what it is.

    `form` is '' for a column that every row has. `code` is that of a box, `missing` whether it is a missing data code.
    """

    name: str
    title: str
    role: Role
    form: str = ""
    field: RedcapField | None = None
    code: str = ""
    missing: bool = False

    @property
    def holds_data(self) -> bool:
        """Whether its cells are what somebody entered into a field."""
        return self.role in {"value", "box"}


def possible(dictionary: RedcapDictionary, missing: Mapping[str, str]) -> Iterator[ExportColumn]:
    """Yield every column that an export with this dictionary may have, in their order.

    missing : the missing data codes of the project: each checkbox field has a box for each of them.
    """
    record = dictionary.record_id
    yield ExportColumn(record.name, record.label, "record", field=record)
    for name, title, role in _OWN:
        yield ExportColumn(name, title, role)
    for form in dictionary.forms:
        yield ExportColumn(f"{form}_timestamp", "Survey Timestamp", "survey", form)
        for one in dictionary.of_form(form):
            if one.kind != "checkbox":
                yield ExportColumn(one.name, one.label, "value", form, one)
                continue
            codes = {choice.code: choice.label for choice in one.choices}
            known = {box(one.name, code) for code in codes}
            more = {c: text for c, text in missing.items() if box(one.name, c) not in known}
            for code, label in {**codes, **more}.items():
                title = plain(f"{one.label} (choice={label})")
                absent = code in missing and code not in codes
                yield ExportColumn(
                    box(one.name, code), title, "box", form, one, code, missing=absent
                )
        yield ExportColumn(f"{form}{COMPLETE}", "Complete?", "status", form)


def columns_of(
    file: str,
    header: Sequence[str],
    dictionary: RedcapDictionary,
    missing: Mapping[str, str],
) -> tuple[ExportColumn, ...]:
    """Return what each column of an export is.

    Raises `RecordsError` where the dictionary does not fit: a column that it does not have, no id of the
    record, a column twice, or a label that two fields have and the order does not tell apart.
    """
    expected = list(possible(dictionary, missing))
    by_name = {column.name.casefold(): column for column in expected}
    titles = {plain(column.title).casefold() for column in expected}
    shown = [plain(title) for title in header]
    raw = sum(title.casefold() in by_name for title in shown)
    labelled = sum(title.casefold() in titles for title in shown)
    if raw >= labelled:
        found = _by_names(file, shown, by_name, dictionary)
    else:
        found = _by_titles(file, shown, expected, dictionary)
    if all(column.role != "record" for column in found):
        record = dictionary.record_id
        raise RecordsError(
            f"has no column {record.name!r} ({record.label}), the id of the record in {dictionary.file}",
            where=file,
            hint="Export the record id too; if it is there, the dictionary is of another project",
        )
    return tuple(found)


def _by_names(
    file: str,
    header: Sequence[str],
    by_name: Mapping[str, ExportColumn],
    dictionary: RedcapDictionary,
) -> list[ExportColumn]:
    unknown = [title for title in header if title.casefold() not in by_name]
    if unknown:
        raise _misfit(file, header, unknown, dictionary, [c.name for c in by_name.values()])
    counted = Counter(title.casefold() for title in header)
    if twice := [title for title in header if counted[title.casefold()] > 1]:
        raise RecordsError(
            f"the column {twice[0]} exists twice", where=place(file, 1), hint="Remove one"
        )
    return [by_name[title.casefold()] for title in header]


def _by_titles(
    file: str,
    header: Sequence[str],
    expected: Sequence[ExportColumn],
    dictionary: RedcapDictionary,
) -> list[ExportColumn]:
    """Match labels in their order; the first and the last possible way must be the same."""
    titles = [plain(column.title).casefold() for column in expected]
    if unknown := [title for title in header if title.casefold() not in titles]:
        raise _misfit(file, header, unknown, dictionary, [c.title for c in expected])
    first = _matched(header, titles)
    last = _matched(header[::-1], titles[::-1])
    if first is None or last is None:
        raise RecordsError(
            f"its columns do not stand in the order of {dictionary.file}",
            where=place(file, 1),
            hint="Export it again, or export it with the names of the fields as header (raw)",
        )
    last = [len(titles) - 1 - at for at in last[::-1]]
    for position, (one, other) in enumerate(zip(first, last, strict=True)):
        if one != other and expected[one].role != "survey":
            names = f"{expected[one].name} or {expected[other].name}"
            raise RecordsError(
                f"column {position + 1} {header[position]!r} may be {names}: they have one label",
                where=place(file, 1),
                hint="Export all fields, or export with the names of the fields as header (raw)",
            )
    return [expected[at] for at in first]


def _matched(header: Sequence[str], titles: Sequence[str]) -> list[int] | None:
    """Return the earliest position of each label that keeps their order; None if there is none."""
    found: list[int] = []
    at = 0
    for title in header:
        try:
            at = titles.index(title.casefold(), at) + 1
        except ValueError:
            return None
        found.append(at - 1)
    return found


def _misfit(
    file: str,
    header: Sequence[str],
    unknown: Sequence[str],
    dictionary: RedcapDictionary,
    known: Sequence[str],
) -> RecordsError:
    """Return the error of columns that the dictionary does not have."""
    first = unknown[0]
    what = f"{dictionary.file} has no field for the column {first!r}"
    if len(unknown) > 1:
        others = ", ".join(repr(title) for title in unknown[1:4])
        more = " ..." if len(unknown) > 4 else ""
        what += f", nor for {len(unknown) - 1} more: {others}{more}"
    name, _, code = first.partition("___")
    hint = "Download the dictionary and the export on the same day. " + did_you_mean(first, known)
    of_field = dictionary.by_name.get(name)
    if code and of_field is not None and of_field.kind == "checkbox":
        codes = ", ".join(choice.code for choice in of_field.choices)
        hint = (
            f"The field {name} has the choices {codes}. If it is a missing data code of the project, "
            f"write it under [redcap]: missing = {{ {_as_code(code)!r} = '...' }}"
        )
    column = header.index(first) + 1
    return RecordsError(what, where=place(file, 1, str(column)), hint=hint)


def _as_code(end: str) -> str:
    """Return the code that the end of a box's column probably stands for."""
    return f"-{end[1:]}" if end.startswith("_") else end
