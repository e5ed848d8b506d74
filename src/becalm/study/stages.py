"""The stages of a study in their order, read from the files that declare them.

A module of `becalm.measures`, or `study.figure_data`, declares its stages in `STAGES`, and the tables that
are made once from those of all batches in `POOLED`; a new file is found without any further entry. A
stage comes after the stages whose tables it needs, otherwise in the order of the names of the tables.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from types import ModuleType

from becalm import measures
from becalm.measures.stage import Pooled, Stage
from becalm.study import figure_data


@cache
def stages() -> tuple[Stage, ...]:
    """Return all stages; each comes after the stages that it needs."""
    return ordered(stage for module in _modules() for stage in getattr(module, "STAGES", ()))


@cache
def pooled() -> tuple[Pooled, ...]:
    """Return what is made from the tables of all batches; each comes after those that it needs.

    Raises
    ------
    ValueError
        If two fill one table, or one needs a table that nobody fills before it.
    """
    declared = [one for module in _modules() for one in getattr(module, "POOLED", ())]
    filled = {stage.table.name for stage in stages()}
    in_order: list[Pooled] = []
    while declared:
        ready = [one for one in declared if filled.issuperset(one.needs)]
        if not ready or any(one.table.name in filled for one in ready):
            named = ", ".join(sorted(one.table.name for one in ready or declared))
            raise ValueError(f"filled twice, or from a table that nobody fills: {named}")
        in_order += ready
        filled.update(one.table.name for one in ready)
        declared = [one for one in declared if one not in ready]
    return tuple(in_order)


def _modules() -> Iterator[ModuleType]:
    inside = pkgutil.walk_packages(measures.__path__, f"{measures.__name__}.")
    for name in sorted(each.name for each in inside):
        yield importlib.import_module(name)
    yield figure_data


def ordered(declared: Iterable[Stage]) -> tuple[Stage, ...]:
    """Put stages in order.

    Raises
    ------
    ValueError
        If two stages fill one table, a stage needs a table that no stage fills, or stages need each other.
    """
    by_table: dict[str, Stage] = {}
    for stage in declared:
        if by_table.setdefault(stage.table.name, stage) is not stage:
            raise ValueError(f"two stages fill the table {stage.table.name!r}")
    for stage in by_table.values():
        for name in stage.needs:
            if name not in by_table:
                raise ValueError(
                    f"the stage of {stage.table.name!r} needs {name!r}: no stage fills it"
                )
    graph = {name: by_table[name].needs for name in sorted(by_table)}
    try:
        sorter = TopologicalSorter(graph)
        sorter.prepare()
    except CycleError as error:
        circle = " needs ".join(reversed(error.args[1]))
        raise ValueError(f"stages need each other: {circle}") from error
    in_order: list[Stage] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        in_order += [by_table[name] for name in ready]
        sorter.done(*ready)
    return tuple(in_order)
