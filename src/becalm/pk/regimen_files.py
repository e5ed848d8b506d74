"""Several regimens at once, as texts or from a TOML file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from becalm.core import toml
from becalm.core.errors import DefinitionError, UsageError, did_you_mean
from becalm.core.files import LARGEST_TOML, read_text
from becalm.core.toml_position import TomlMistake
from becalm.pk.regimen import Regimen


def read_regimens(given: Sequence[str]) -> tuple[Regimen, ...]:
    """Read regimens: a text, `name = text`, or a file `regimens.toml` (`#name` for one of it).

    A file has a table `[regimen.NAME]` for each, with `steps`, a list of clauses, and perhaps `drug`.

    Raises
    ------
    UsageError
        For a text that is not understood, with its column; for two regimens of one name.
    DefinitionError
        For a file with mistakes, with row and key.

    >>> [each.name for each in read_regimens(["skin = 100 mg SC daily", "vein = 4 mg/h"])]
    ['skin', 'vein']
    """
    if not given:
        raise UsageError("no regimen", hint="For example '100 mg SC daily'")
    found: list[Regimen] = []
    for number, each in enumerate(given, 1):
        path, _, only = each.partition("#")
        if path.endswith(".toml"):
            found += _from_file(Path(path), only)
            continue
        named = re.match(r"\s*([A-Za-z][\w -]*?)\s*=(.*)$", each, re.DOTALL)
        name = named.group(1) if named else "regimen" if len(given) == 1 else f"regimen {number}"
        found.append(Regimen.of(named.group(2) if named else each, name))
    for at, each_found in enumerate(found):
        if each_found.name in [other.name for other in found[:at]]:
            raise UsageError(
                f"two regimens are called {each_found.name!r}", hint="Write name = regimen"
            )
    return tuple(found)


def _from_file(path: Path, only: str) -> list[Regimen]:
    text = read_text(path, most=LARGEST_TOML)
    document = toml.document(text, path.name)
    mistakes: list[TomlMistake] = []
    tables = document.get("regimen")
    if not isinstance(tables, dict) or not tables:
        raise DefinitionError("has no table [regimen.NAME]", where=path.name)
    mistakes += [TomlMistake(key, f"unknown key {key!r}", "Known: regimen") for key in document if key != "regimen"]  # fmt: skip
    if only and only not in tables:
        raise UsageError(
            f"no regimen is called {only!r}", where=path.name, hint=did_you_mean(only, tables)
        )
    found = []
    for name, table in tables.items():
        regimen = _from_table(name, table, mistakes)
        if regimen is not None and only in {"", name}:
            found.append(regimen)
    if mistakes:
        ordered = sorted(mistakes, key=lambda each: each.row(text))
        raise DefinitionError.of([each.error(text, path.name) for each in ordered])
    return found


def _from_table(name: str, table: Any, mistakes: list[TomlMistake]) -> Regimen | None:
    """Read one table of a file; its mistakes are added to the others."""
    at = f"regimen.{name}"
    if not isinstance(table, Mapping):
        mistakes.append(TomlMistake(at, "is no table", f"Write [{at}]"))
        return None
    for key in table:
        if key not in {"steps", "drug"}:
            hint = did_you_mean(key, ("steps", "drug"))
            mistakes.append(TomlMistake(f"{at}.{key}", f"unknown key {key!r}", hint))
    steps, drug = table.get("steps"), table.get("drug", "")
    if not isinstance(steps, list) or not steps or not all(isinstance(s, str) for s in steps):
        mistakes.append(TomlMistake(f"{at}.steps", "needs a list of texts", 'steps = ["4 mg/h"]'))
        return None
    if not isinstance(drug, str):
        mistakes.append(TomlMistake(f"{at}.drug", "needs a text in quotes"))
        return None
    try:
        return Regimen.of(f"{drug} {'; '.join(steps)}" if drug else "; ".join(steps), name)
    except UsageError as error:
        what = f"{error.where}: {error.what}" if error.where else error.what
        mistakes.append(TomlMistake(f"{at}.steps", what, error.hint or ""))
        return None
