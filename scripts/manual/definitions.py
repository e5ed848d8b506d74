"""A definition as a physician checks it against the paper: items, points, sources, worked cases."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from math import inf, isfinite

from becalm import vocabulary
from becalm.core.citations import bibliography, text
from becalm.definitions import Definition, Item, failed_examples, load, score_of
from becalm.definitions.model import Band, Example, Grade, ItemGroup

UNCHECKED = "**not yet checked**"


def heading(name: str) -> tuple[str, str]:
    """Return a definition's title and its population."""
    definition = load(name)
    return definition.title, definition.population


def page(name: str) -> str:
    """Return the page of one definition; a worked case that does not come out is an error."""
    definition = load(name)
    if wrong := failed_examples(definition):
        raise ValueError("; ".join(wrong))
    parts = [f"# {definition.title}", _about(definition), "## Items", _items(definition)]
    if definition.rule:
        parts += ["## When it is met", f"{_sentence(definition.rule, definition)}."]
    if definition.grades:
        parts += ["## Grades", _grades(definition)]
    if definition.notes:
        parts += ["## To be known", "\n".join(f"- {note}" for note in definition.notes)]
    if definition.probability:
        source = f" ({definition.probability_source})" if definition.probability_source else ""
        first, *middle, last = definition.probability
        printed = [(f"up to {first.total:g}", first.percent)]
        printed += [(f"{row.total:g}", row.percent) for row in middle]
        printed += [(f"{last.total:g} or more", last.percent)]
        parts += [f"## Probability{source}", table(("total", "%"), printed)]
    if definition.variants:
        rows = [
            (v.title, f"{v.cut_off:g}", v.cut_off_source, _mark(v.cut_off_verified))
            for v in definition.variants
        ]
        head = ("variant", "cut-off", "source", "checked")
        parts += ["## The same items with another cut-off", table(head, rows)]
    if definition.examples:
        parts += ["## Worked cases", _examples(definition)]
    return "\n\n".join(parts) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    return "\n".join([line(head), "|" + "---|" * len(head), *(line(row) for row in rows)])


def _about(definition: Definition) -> str:
    keys = [key for key, each in bibliography().items() if each.doi == definition.cite]
    source = text(keys[0]) if keys else f"doi:{definition.cite}"
    total = f"{definition.minimum:g} to {definition.maximum:g}"
    derived = definition.derivation
    limits = [f"{derived.min_age} years or older"] if derived.min_age is not None else []
    if derived.below_age is not None:
        limits.append(f"younger than {derived.below_age} years")
    if derived.underlying:
        limits.append(" or ".join(each.replace("_", " ") for each in derived.underlying))
    lines = [
        f"- Source: {source}",
        f"- Population: {definition.population}",
        f"- Derived in: {', '.join(limits) or 'no limit given'}"
        + (f" ({derived.source})" if derived.source else ""),
        f"- Total: {total}" if isfinite(definition.maximum) else "- Total: no upper limit",
        f"- Cut-off: {definition.cut_off:g} or more. {definition.cut_off_source}. "
        f"Checked: {_mark(definition.cut_off_verified)}",
    ]
    if not definition.verified:
        lines.append("- Something on this page was not yet checked against its source; see there.")
    return "\n".join(lines)


def variable_title(name: str) -> str:
    """Return what a physician calls a variable."""
    named = {each.name: each.title for each in vocabulary.load().variables}
    return named.get(name) or name.replace("_", " ")


def _mark(verified: bool) -> str:
    return "yes" if verified else UNCHECKED


def _items(definition: Definition) -> str:
    """Return a row for every item and band, as papers print them."""
    rows = []
    for item in definition.items:
        title, *rest = _title(item), _where(item), item.source, _mark(item.verified)
        for value, points in _bands(item):
            rows.append((title, value, points, *rest))
            title, rest = "", ["", "", ""]
    head = ("item", "value", "points", "looked for", "source", "checked")
    return table(head, rows)


def _title(item: Item) -> str:
    title = item.title or item.key.replace("_", " ")
    return f"**{title}**" + (f", {item.value_unit}" if item.value_unit else "")


def _where(item: Item) -> str:
    """Say in which look-back, and which value of it; the parts of a count say it themselves."""
    if item.count:
        return ""
    if not item.within:
        return "as long as it is known" if item.variable else ""
    word = {"max": "highest", "min": "lowest", "last": "last"}.get(item.take or "last", "")
    clock = f", by the time it was {item.clock}" if item.clock else ""
    within = re.sub(r"(?<=\d)(?=[a-z])", " ", item.within)
    return f"{word} of {within}{clock}"


def _bands(item: Item) -> list[tuple[str, str]]:
    """Return each value or range with what it is worth."""
    if item.coefficient is not None:
        return [(f"value × {item.coefficient:g}{_relation(item)}", "as computed")]
    if item.count:
        return _counted(item)
    if item.referred is not None:
        what = f"total of {item.referred.title}"
        return [(f"{what} {value}", points) for value, points in _ranges(item.scale, False)]
    finding = not item.unit and item.at_least == 1 and item.over is None and item.change is None
    said = [(f"{value}{_relation(item)}", points) for value, points in _ranges(item.scale, finding)]
    for other in item.in_other_units:
        value, points = next(each for each in _ranges(other.scale, False) if each[1] != "0")
        said = [
            (f"{own} {item.unit}, or {value} {other.unit}" if worth == points else own, worth)
            for own, worth in said
        ]
    return said


def _relation(item: Item) -> str:
    said = ""
    if item.over is not None:
        said += f" ({item.key.replace('_', ' ')} divided by {item.over.variable.replace('_', ' ')}"
        said += f" in {item.over.unit})" if item.over.unit else ")"
    if item.change is not None:
        how = {
            "lowest": "the lowest",
            "highest": "the highest",
            "then": "the value in force at the beginning",
        }[item.change.against]
        said += f" times {how} of the {item.change.within.strip('<=')} before"
        if item.change.from_above is not None:
            said += f", counting only values above {item.change.from_above:g}"
    return said


def _ranges(bands: Sequence[Band], finding: bool) -> list[tuple[str, str]]:
    if finding:
        return [
            ("no", f"{bands[0].points:g}"),
            ("yes", f"{bands[-1].points:g}"),
        ]
    rows, since, many = [], "", len(bands) > 1
    for band in bands:
        up_to = f"up to {band.up_to:g}" if band.up_to is not None else ""
        up_to = f"below {band.below:g}" if band.below is not None else up_to
        value = f"{since} {up_to}".strip() or ("any" if not many else "")
        if since.startswith("from") and not up_to:
            value = f"{since.removeprefix('from ')} or more"
        rows.append((value, f"{band.points:g}"))
        if band.below is not None:
            since = f"from {band.below:g}"
        elif band.up_to is not None:
            since = f"above {band.up_to:g}"
    return rows


def _counted(item: Item) -> list[tuple[str, str]]:
    """Return what each number of fulfilled parts is worth, then the parts."""
    worth: dict[str, list[str]] = {}
    for number in range(len(item.count) + 1):
        band = next(b for b in item.scale if number < b.edge or b.edge == inf)
        worth.setdefault(f"{band.points:g}", []).append(str(number))
    rows = [(f"{' or '.join(numbers)} of these", points) for points, numbers in worth.items()]
    for part in item.count:
        rows += [(f"· {value}", points) for value, points in _part(part)]
    return rows


def _part(part: Item) -> list[tuple[str, str]]:
    """Return what fulfils a part of a count, with the parts of its own below it."""
    if part.count:
        name = (part.title or part.key).replace("_", " ")
        needed = next(value for value, points in _counted(part) if points not in {"", "0"})
        inner = [each for deeper in part.count for each in _part(deeper)]
        return [(f"{name}: {needed}", ""), *((f"· {value}", "") for value, _ in inner)]
    value = next((value for value, points in _bands(part) if points != "0"), "")
    unit = f" {part.value_unit}" if part.value_unit and not part.also else ""
    name = part.title or (variable_title(part.variable) if part.variable else part.key)
    look = _where(part)
    return [(f"{name}: {value}{unit}" + (f" ({look})" if look else ""), "")]


def _sentence(group: ItemGroup | str, definition: Definition) -> str:
    """Say a rule in words."""
    if isinstance(group, str):
        named = {item.key: item.title or item.key.replace("_", " ") for item in definition.items}
        return f"*{named.get(group, group)}*"
    terms = [_sentence(term, definition) for term in group.terms]
    if len(terms) == 1:
        return terms[0]
    if group.all:
        return "(" + " and ".join(terms) + ")"
    if group.any:
        return "(" + " or ".join(terms) + ")"
    return f"at least {group.needed} of (" + ", ".join(terms) + ")"


def _grades(definition: Definition) -> str:
    def row(grade: Grade) -> tuple[str, ...]:
        rule = _sentence(grade, definition)
        return f"{grade.grade:g}", grade.title, rule, grade.source, _mark(grade.verified)

    return table(
        ("grade", "", "when", "source", "checked"), [row(each) for each in definition.grades]
    )


def _examples(definition: Definition) -> str:
    leaves = {leaf.variable: leaf for item in definition.items for leaf in item.leaves()}
    titles = {item.key: item.title or item.key.replace("_", " ") for item in definition.items}

    def given(example: Example) -> str:
        said = []
        for name, value in example.given.items():
            unit = f" {leaves[name].unit}" if name in leaves and leaves[name].unit else ""
            if isinstance(value, tuple | list):
                course = ", ".join(f"{_said(each)} at {hour:g} h" for hour, each in value)
                said.append(f"{variable_title(name)}{unit}: {course}")
            else:
                said.append(f"{variable_title(name)} {_said(value)}{unit}")
        return "; ".join(said) or "nothing"

    def expected(example: Example) -> str:
        parts = [
            f"{titles[name]} {points:g}"
            for name, points in example.expect.items()
            if name in titles
        ]
        return "; ".join(parts)

    def total(example: Example) -> str:
        low, high = score_of(definition, example.given)["total"]
        return f"**{low:g}**" if low == high else f"**{low:g} to {high:g}**"

    rows = [
        (str(number), each.source, given(each), expected(each), total(each))
        for number, each in enumerate(definition.examples, 1)
    ]
    return table(("", "case", "known", "points", "total"), rows)


def _said(value: bool | float | str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (
        value
        if isinstance(value, str)
        else f"{round(value, 3):g}"
        if value < 1e5
        else f"{value:,.0f}"
    )
