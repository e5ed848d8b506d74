"""Records in the words that becalm knows: what a site says of its own units, specimens, organisms and statuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

import numpy as np

from becalm.core.frame import Frame
from becalm.records import Records
from becalm.vocabulary import Vocabulary

_COLUMNS: Final = (
    ("persons", "last_contact_status", "status"),
    ("stays", "destination", "status"),
    ("conditions", "status", "status"),
    ("cultures", "result", "status"),
    ("cultures", "specimen", "specimen"),
    ("cultures", "organism", "organism"),
    ("administrations", "amount_unit", "unit"),
    ("administrations", "rate_unit", "unit"),
    ("administrations", "concentration_unit", "unit"),
)
"""Table, column, and the kind of its words. The unit of a measurement is read with its variable."""


def restated(records: Records, vocabulary: Vocabulary) -> Records:
    """Return records in which each word that a site explains stands as what it means.

    Names, routes and the units of measurements are not replaced: the vocabulary reads them as written.
    """
    if not vocabulary.row_words.states():
        return records
    tables: dict[str, Any] = {}
    for table, column, kind in _COLUMNS:
        frame: Frame = tables.get(table, getattr(records, table))
        tables[table] = _replaced(frame, column, partial(vocabulary.row_words.stated, kind))
    return replace(records, **tables)


def _replaced(frame: Frame, column: str, stated: Callable[[str], str]) -> Frame:
    texts = frame[column].tolist()
    meaning = {text: stated(text) for text in set(texts)}
    if all(text == said for text, said in meaning.items()):
        return frame
    new = np.empty(len(texts), object)
    new[:] = [meaning[text] for text in texts]
    return frame.replace(**{column: new})
