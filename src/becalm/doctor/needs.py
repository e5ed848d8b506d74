"""The variables that the shipped definitions and protocols read, and their use."""

from __future__ import annotations

from becalm import definitions
from becalm import protocol as protocols
from becalm.measures.ctcae import events as graded_events


def needs() -> dict[str, list[str]]:
    """Return, for each variable, the items of definitions and the uses of protocols that read it.

    Definitions first, as `hlh2004: Fever`; then protocols, as `hyperinflammation: entry`.
    """
    uses_of: dict[str, dict[str, None]] = {}

    def need(variable: str, use: str) -> None:
        uses_of.setdefault(variable, {})[use] = None

    for name in definitions.shipped():
        for item in definitions.load(name).items:
            for leaf in item.leaves():
                need(leaf.variable, f"{name}: {item.title or item.key}")
    graded = {event.event: event.variable for event in graded_events()}
    for name in protocols.shipped():
        protocol = protocols.load(name)
        if protocol.entry_test:
            need(protocol.entry_test.variable, f"{name}: entry")
        if protocol.index:
            for variable in (
                protocol.index.variable,
                *(q.variable for q in protocol.index.qualifying),
            ):
                need(variable, f"{name}: entry")
        for variable in protocol.response.variables:
            need(variable, f"{name}: course")
        for event in protocol.safety.events:
            need(graded.get(event, "creatinine" if event == "aki" else event), f"{name}: {event}")
    return {variable: list(uses) for variable, uses in uses_of.items()}


def consequence(variable: str, uses: list[str]) -> str:
    """Return a text: what is not assessed if a variable was never measured."""
    items: dict[str, list[str]] = {}
    for use in uses:
        by, _, what = use.partition(": ")
        items.setdefault(what, []).append(by)
    texts = "; ".join(f"{what} not assessed ({', '.join(by)})" for what, by in items.items())
    return f"{variable} absent: {texts}"
