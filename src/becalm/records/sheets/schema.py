"""The sheets and columns of a chart review, and the closed lists of their cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from becalm.records.review.questions import CONFIDENCE, every_answer, questions
from becalm.vocabulary import row_statuses, sexes, vital_status

CellKind = Literal["text", "time", "end", "number", "positive", "choice", "choices"]
Blank = Literal["kept", "refused", "mistake"]


@dataclass(frozen=True)
class SheetColumn:
    """One column of a sheet.

    `end` is a time whose date-only form means the end of that day. `day` is a time that is a date whenever
    its clock is 00:00, whatever stands beside it. `positive` is a number above
    zero, `number` one of at least zero. `choices` is several of a closed list joined by `|`.
    `numeric` is a text that may be a number, such as `>15000`. `partial` is a time that may be a month or a year.
    `top_coded` is a whole number that may be known only as a lower limit: an age of `>89`.
    `spelled` are further words of the closed list, each with the word of the list that it means; `reads`
    returns that word for any text, '' for unknown and None for a text that is not understood. A word
    outside the list is a mistake, or only the cell is counted as not understood, with the words of the list
    (`known`) as a hint; it stays as written, so that it can be listed. `meant`
    are words of this column that stand for a blank in others.
    A blank cell is kept as unknown, or its row is refused and counted, or it is a mistake.
    """

    kind: CellKind = "text"
    numeric: bool = False
    partial: bool = False
    top_coded: bool = False
    required: bool = False
    blank: Blank = "kept"
    among: tuple[str, ...] = ()
    spelled: Mapping[str, str] = field(default_factory=dict)
    reads: Callable[[str], str | None] | None = None
    outside: Literal["mistake", "listed"] = "mistake"
    known: str = ""
    meant: tuple[str, ...] = ()
    day: bool = False

    @property
    def has_numbers(self) -> bool:
        """Whether its cells are numbers."""
        return self.numeric or self.kind in {"number", "positive"}


@dataclass(frozen=True)
class SheetSchema:
    """The columns of a sheet, the groups of which one must exist, and the consequence if it is missing.

    `either` lists alternatives: each is a set of columns, and one complete set must exist.
    `pairs` names numbers and the unit that each needs.
    `spans` names starts and the ends that must not be before them.
    `unused` names a column and the words in it that say that the row is not used.
    `silent` names a column, a word in it, and the columns whose cells then say nothing, whatever is in them.
    """

    columns: Mapping[str, SheetColumn]
    either: tuple[tuple[str, ...], ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    spans: tuple[tuple[str, str], ...] = ()
    unused: tuple[str, frozenset[str]] | None = None
    silent: tuple[str, str, frozenset[str]] | None = None
    consequence: str = ""

    def times(self) -> tuple[str, ...]:
        """Return the columns that hold times."""
        return tuple(n for n, column in self.columns.items() if column.kind in {"time", "end"})

    def required(self) -> tuple[str, ...]:
        """Return the columns without which the sheet cannot be understood."""
        return tuple(name for name, column in self.columns.items() if column.required)


def _vital_status(text: str) -> str | None:
    """Return what a text says about dead or alive; None if it is not understood."""
    return vital_status.status_of(text)


def _destination(text: str) -> str | None:
    """Return where a stay ended, '' if that is not known, None if the text is not understood."""
    status = vital_status.status_of(text)
    return "" if status in {"unknown", "died or alive"} else status


def _row_status(
    column: str, outside: Literal["mistake", "listed"], meant: tuple[str, ...] = ()
) -> SheetColumn:
    """Return a column with a closed list of `vocabulary.row_statuses`."""
    among = row_statuses.names(column)
    return SheetColumn(
        "choice",
        among=among,
        spelled=row_statuses.spelled(column),
        outside=outside,
        known=", ".join(among),
        meant=meant,
    )


_PERSON: Final = SheetColumn(required=True, blank="mistake")
_TEXT: Final = SheetColumn()
_NUMERIC: Final = SheetColumn(numeric=True)
_TIME: Final = SheetColumn("time")
_DAY: Final = SheetColumn("time", day=True)
_END: Final = SheetColumn("end")
_NUMBER: Final = SheetColumn("number")
_POSITIVE: Final = SheetColumn("positive")
_SYSTEMS: Final[Mapping[str, str]] = {
    "icd 9 cm": "ICD9CM", "icd9": "ICD9CM", "icd 9": "ICD9CM", "icd 10 cm": "ICD10CM", "icd 10 gm": "ICD10GM",
    "icd 10": "ICD10", "icd 10 who": "ICD10", "snomed ct": "SNOMED", "snomedct": "SNOMED",
}  # fmt: skip
"""Other ways to write the system of a diagnosis code."""
_STAYS: Final[Mapping[str, str]] = {
    **dict.fromkeys(["hospital", "inpatient", "in patient", "admission", "general ward", "normal ward", "floor"], "ward"),
    **dict.fromkeys(["itu", "ccu", "micu", "sicu", "intensive care", "intensive care unit", "critical care"], "ICU"),
    **dict.fromkeys(["er", "a e", "emergency", "emergency department", "emergency room"], "ED"),
    **dict.fromkeys(["out patient", "clinic", "outpatient clinic", "ambulatory", "day clinic"], "outpatient"),
}  # fmt: skip
"""Other words for the kind of a stay."""
CAUSES_OF_DEATH: Final = ("storm", "infection", "multi-organ failure", "other", "unknown")

SHEETS: Final[Mapping[str, SheetSchema]] = {
    "persons": SheetSchema(
        {
            "person_id": _PERSON,
            "sex": SheetColumn("choice", among=("F", "M"), spelled=sexes()),
            "age": SheetColumn("number", top_coded=True),
            "age_at": _DAY,
            "birth_date": _DAY,
            "weight_kg": _POSITIVE,
            "height_cm": _POSITIVE,
            "died": SheetColumn(
                "choice", among=("yes", "no", "unknown"), spelled=vital_status.yes_or_no()
            ),
            "death_time": _DAY,
            "cause_of_death": SheetColumn("choices", among=CAUSES_OF_DEATH),
            "last_contact": _DAY,
            "last_contact_status": SheetColumn(
                reads=_vital_status, outside="listed", known=vital_status.known_words()
            ),
        },
        spans=(("birth_date", "death_time"), ("birth_date", "last_contact")),
    ),
    "stays": SheetSchema(
        {
            "person_id": _PERSON,
            "stay_id": _TEXT,
            "start": SheetColumn("time", required=True, blank="mistake"),
            "end": _END,
            "kind": SheetColumn(
                "choice", among=("ED", "ward", "ICU", "outpatient"), spelled=_STAYS
            ),
            "hospital": _TEXT,
            "from": SheetColumn("choice", among=("home", "transfer")),
            "to": SheetColumn(
                "choice",
                among=("home", "transfer", "alive", "died"),
                reads=_destination,
                outside="listed",
                known=vital_status.known_words(),
            ),
        },
        spans=(("start", "end"),),
        consequence="no stay recorded: admission, transfer in, discharge and stay in intensive care unknown",
    ),
    "labs": SheetSchema(
        {
            "person_id": _PERSON,
            "time": SheetColumn("time", required=True, blank="refused"),
            "start": _TIME,
            "name": SheetColumn(meant=("Na",)),
            "loinc": _TEXT,
            "code": _TEXT,
            "system": _TEXT,
            "value": SheetColumn(numeric=True, required=True, blank="refused"),
            "unit": SheetColumn(required=True),
            "available": _END,
            "ref_low": _NUMERIC,
            "ref_high": _NUMERIC,
            "specimen": _TEXT,
            "status": _TEXT,
            "comment": _TEXT,
        },
        either=(("name",), ("loinc",), ("code", "system")),
        spans=(("start", "time"),),
        consequence="no laboratory value, temperature or weight recorded: every item that needs one is "
        "not assessed",
    ),
    "doses": SheetSchema(
        {
            "person_id": _PERSON,
            "drug": SheetColumn(required=True, blank="mistake"),
            "code": _TEXT,
            "system": _TEXT,
            "route": _TEXT,
            "start": SheetColumn("time", required=True),
            "end": _END,
            "amount": _NUMBER,
            "amount_unit": _TEXT,
            "rate": _NUMBER,
            "rate_unit": _TEXT,
            "concentration": _NUMBER,
            "concentration_unit": _TEXT,
            "weight_kg": _POSITIVE,
            "status": _row_status("doses.status", "mistake", meant=("not done",)),
            "indication": _TEXT,
            "reason_for_change": _TEXT,
        },
        either=(("amount", "amount_unit"), ("rate", "rate_unit")),
        pairs=(
            ("amount", "amount_unit"),
            ("rate", "rate_unit"),
            ("concentration", "concentration_unit"),
        ),
        spans=(("start", "end"),),
        unused=("status", frozenset({"not given", "ordered"})),
        silent=(
            "status",
            "stopped",
            frozenset(
                {
                    "amount",
                    "amount_unit",
                    "rate",
                    "rate_unit",
                    "concentration",
                    "concentration_unit",
                }
            ),
        ),
        consequence="no drug administration recorded: exposure, earlier lines, confounders and look-alikes by drugs "
        "not assessed",
    ),
    "findings": SheetSchema(
        {
            "person_id": _PERSON,
            "time": SheetColumn("time", required=True, blank="refused"),
            "end": _END,
            "finding": SheetColumn(required=True, blank="refused"),
            "present": SheetColumn("choice", required=True, among=("yes", "no", "unknown")),
            "method": SheetColumn(
                "choice", among=("exam", "US", "CT", "marrow", "biopsy", "flow", "gene")
            ),
            "value": _NUMERIC,
            "unit": _TEXT,
        },
        spans=(("time", "end"),),
        consequence="no examination, imaging, marrow or gene finding recorded: enlarged organs, "
        "haemophagocytosis and noted immunosuppression not assessed",
    ),
    "conditions": SheetSchema(
        {
            "person_id": _PERSON,
            "stay_id": _TEXT,
            "onset": SheetColumn("time", partial=True),
            "system": SheetColumn(
                "choice",
                among=("ICD9CM", "ICD10CM", "ICD10GM", "ICD10", "SNOMED"),
                spelled=_SYSTEMS,
            ),
            "code": _TEXT,
            "name": _TEXT,
            "status": _row_status("conditions.status", "listed"),
        },
        either=(("code",), ("name",)),
        consequence="no diagnosis recorded: underlying disease and exclusions not assessed",
    ),
    "procedures": SheetSchema(
        {
            "person_id": _PERSON,
            "start": _TIME,
            "end": _END,
            "code": _TEXT,
            "system": _TEXT,
            "name": _TEXT,
            "amount": _NUMBER,
            "amount_unit": _TEXT,
        },
        either=(("name",), ("code",)),
        pairs=(("amount", "amount_unit"),),
        spans=(("start", "end"),),
        consequence="no procedure recorded: renal replacement, ventilation, plasma exchange and "
        "transfusion not assessed",
    ),
    "cultures": SheetSchema(
        {
            "person_id": _PERSON,
            "collected": _TIME,
            "available": _END,
            "specimen": _TEXT,
            "test": _TEXT,
            "result": _row_status("cultures.result", "listed"),
            "organism": _TEXT,
            "judged": SheetColumn("choice", among=("infection", "contaminant", "colonisation")),
        },
        consequence="no microbiology recorded: infection not assessed",
    ),
    "judgements": SheetSchema(
        {
            "person_id": _PERSON,
            "reviewer": SheetColumn(required=True, blank="mistake"),
            "question": SheetColumn(
                "choice", required=True, blank="mistake", among=tuple(questions())
            ),
            "answer": SheetColumn("choice", required=True, among=every_answer()),
            "confidence": SheetColumn("choice", among=CONFIDENCE),
            "time": _TEXT,
            "comment": _TEXT,
        },
        consequence="no judgement of a reviewer recorded: the definitions have no predictive values, and nothing "
        "stands beside what is computed",
    ),
}
