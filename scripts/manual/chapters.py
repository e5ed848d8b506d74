"""A chapter of `tests/spec` as a page: its rules are the tests' sentences, its tables theirs."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from definitions import table

Constants: TypeAlias = Mapping[str, ast.expr]

WRITTEN: Final = {
    "mg dl": "mg/dL", "mmol l": "mmol/L", "mg per dl": "mg/dL", "mg per l": "mg/L", "g per l": "g/L",
    "pg per ml": "pg/mL", "mmol per l": "mmol/L", "mg per kg": "mg/kg", "hscore": "HScore", "hscores": "HScore's",
    "egfr": "eGFR", "ckd epi": "CKD-EPI", "cockcroft gault": "Cockcroft-Gault", "ml per min": "mL/min", "cov hi": "COV-HI", "hlh 2004": "HLH-2004", "celsius": "Celsius", "fahrenheit": "Fahrenheit",
    "calculators error": "calculator's error", "reprints error": "reprint's error", "packages error": "package's error",
    "web tools": "web tool's", "news pages": "news page's", "case reports": "case report's", "maps error": "map's error",
    "manuals error": "manual's error", "abstracts error": "abstract's error", "databases error": "database's error",
    "database codes": "database code's", "shiny apps": "Shiny app's", "38 0": "38.0", "37 9": "37.9", "1 5 times": "1.5 times",
    "0 3 within": "0.3 within",
}  # fmt: skip
"""How words of a test's name are written; a name can hold neither a slash nor an apostrophe."""
ACRONYMS: Final = {"alt", "aosd", "ast", "crp", "crs", "ctcae", "ddu", "esr", "feu", "hlh", "iv", "kdigo", "ldh", "mas", "mdrd", "nk", "sc", "sjia"}  # fmt: skip


def files(root: Path) -> list[Path]:
    """Return the chapters, in the order of their names."""
    return sorted((root / "tests" / "spec").glob("test_*.py"))


def title(path: Path) -> str:
    """Return the first sentence of a chapter."""
    return _intro(path).split("\n")[0].rstrip(".")


def page(path: Path) -> str:
    """Return a chapter that is no definition's own."""
    intro = _intro(path).split("\n", 1)
    rest = intro[1].strip() if len(intro) > 1 else ""
    return f"# {title(path)}\n\n" + (f"{rest}\n\n" if rest else "") + rules(path)


def without_sentence(path: Path) -> list[str]:
    """Return the tests of a chapter that do not say their rule."""
    return [test.name for _, test in _tests(_tree(path)) if not ast.get_docstring(test)]


def rules(path: Path) -> str:
    """Return every rule of a chapter: its name, its sentence, its cases."""
    tree = _tree(path)
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    said: list[str] = []
    part: ast.ClassDef | None = None
    for group, test in _tests(tree):
        if group is not part and group is not None:
            said.append(f"## {_words(group.name)}")
            if intro := ast.get_docstring(group):
                said.append(_unwrapped(intro))
        part = group
        said.append(f"### {sentence(test.name)}")
        if rule := ast.get_docstring(test):
            said.append(_unwrapped(rule))
        said += _cases(test, constants)
        said += _pictures(test, constants)
    return "\n\n".join(said) + "\n"


def sentence(name: str) -> str:
    """Return a test's name as a sentence.

    >>> sentence("test_one_low_lineage_scores_nothing")
    'One low lineage scores nothing'
    """
    words = " ".join(
        word.upper() if word in ACRONYMS else word for word in name.removeprefix("test_").split("_")
    )
    for said, written in WRITTEN.items():
        words = re.sub(rf"\b{said}\b", written, words, flags=re.IGNORECASE)
    return words[:1].upper() + words[1:]


def _words(name: str) -> str:
    spaced = "".join(f" {c.lower()}" if c.isupper() else c for c in name.removeprefix("Test"))
    return spaced.strip().capitalize()


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _intro(path: Path) -> str:
    return ast.get_docstring(_tree(path)) or sentence(path.stem)


def _unwrapped(text: str) -> str:
    paragraphs = text.split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _tests(tree: ast.Module) -> Iterator[tuple[ast.ClassDef | None, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            yield None, node
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and inner.name.startswith("test"):
                    yield node, inner


def _cases(test: ast.FunctionDef, constants: Constants) -> list[str]:
    """Return the cases that a test runs through as tables; cases given by code are told as such."""
    found = []
    for decorator in test.decorator_list:
        if not (isinstance(decorator, ast.Call) and _name(decorator.func) == "parametrize"):
            continue
        names, values = decorator.args[0], decorator.args[1]
        columns = (
            names.value.split(",")
            if isinstance(names, ast.Constant) and isinstance(names.value, str)
            else [_said(each) for each in getattr(names, "elts", [])]
        )
        if isinstance(values, ast.Name):
            values = constants.get(values.id, values)
        picture = next((t for t in _texts(values, constants)), None)
        if picture is not None:
            found.append(picture)
        elif isinstance(values, ast.List | ast.Tuple):
            rows = [
                [_said(cell) for cell in each.elts]
                if len(columns) > 1 and isinstance(each, ast.Tuple | ast.List)
                else [_said(each)]
                for each in values.elts
            ]
            if all(len(row) == len(columns) for row in rows):
                found.append(table([c.strip().replace("_", " ") for c in columns], rows))
    return found


def _pictures(test: ast.FunctionDef, constants: Constants) -> list[str]:
    """Return the small tables of a test's body and what is expected at which hour."""
    found: list[str] = []
    for statement in test.body:
        for picture in _texts(statement, constants):
            if picture not in found:
                found.append(picture)
        found += [_by_hour(each) for each in ast.walk(statement) if isinstance(each, ast.Call)]
        found += [f"- {line}" for line in _asserted(statement)]
    return _joined([each for each in found if each])


def _by_hour(call: ast.Call) -> str:
    """Return what `spec` or `check` expects at which hour; '' for any other call."""
    if _name(call.func) not in {"spec", "check"}:
        return ""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    hours = next((each for each in given if isinstance(each, ast.Dict) and each.keys), None)
    if hours is None or not all(map(_is_number, hours.keys)):
        return ""
    rows = [
        (_said(key), _expected(value))
        for key, value in zip(hours.keys, hours.values, strict=True)
        if key is not None
    ]
    return table(("at hour", "expected"), rows)


def _joined(parts: list[str]) -> list[str]:
    """Join list items that follow each other into one list."""
    joined: list[str] = []
    for part in parts:
        if joined and part.startswith("- ") and joined[-1].startswith("- "):
            joined[-1] += f"\n{part}"
        else:
            joined.append(part)
    return joined


def _asserted(statement: ast.stmt) -> list[str]:
    """Return an equation whose both sides are written out: known values on the left, result right.

    Only `f(..., variable=value)[item] == result` is told; anything else stays with the sentence.
    """
    if not (
        isinstance(statement, ast.Assert)
        and isinstance(statement.test, ast.Compare)
        and len(statement.test.ops) == 1
        and isinstance(statement.test.ops[0], ast.Eq)
    ):
        return []
    left, right = statement.test.left, statement.test.comparators[0]
    item = ""
    if isinstance(left, ast.Subscript):
        item, left = _said(left.slice), left.value
    if not (
        isinstance(left, ast.Call) and left.keywords and _name(left.func) in {"points", "worth"}
    ):
        return []
    if not item and left.args:
        item = _said(left.args[0])
    if any(k.arg is None or not _is_written_out(k.value) for k in left.keywords):
        return []
    if not _is_written_out(right):
        return []
    known = "; ".join(f"{k.arg} {_said(k.value)}" for k in left.keywords)
    return [f"{known} → {item} {_expected(right)}".replace("_", " ")]


def _is_written_out(node: ast.expr) -> bool:
    """Whether a value is there to be read, and not under the name of a test's own variable."""
    return not any(isinstance(each, ast.Name | ast.Call) for each in ast.walk(node))


def _texts(node: ast.AST, constants: Constants) -> Iterator[str]:
    for each in ast.walk(node):
        value = constants.get(each.id) if isinstance(each, ast.Name) else each
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            text = textwrap.dedent(value.value).strip("\n")
            lines = [line for line in text.splitlines() if line.strip()]
            if len(lines) > 1 and all("|" in line for line in lines):
                rows = [[cell.strip() for cell in line.split("|")] for line in lines]
                width = len(rows[0])
                body = [(row + [""] * width)[:width] for row in rows[1:]]
                yield table([cell.replace("_", " ") for cell in rows[0]], body)


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _is_number(node: ast.expr | None) -> bool:
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def _said(node: ast.expr) -> str:
    """Return a value as it is read aloud; what is no value, as it is written."""
    try:
        value = ast.literal_eval(node)
    except ValueError:
        written = ast.unparse(node)
        return written if _is_written_out(node) else f"`{written}`"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "not known"
    if isinstance(value, str):
        return value.replace("\n", " / ") or "blank"
    if isinstance(value, list | tuple) and len(value) > 0:
        return ", ".join(str(each) for each in value)
    return str(value)


def _expected(node: ast.expr) -> str:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return _said(node)
    if (
        isinstance(value, tuple)
        and len(value) == 2
        and all(isinstance(v, int | float) for v in value)
    ):
        return f"{value[0]}" if value[0] == value[1] else f"{value[0]} to {value[1]}"
    return _said(node).replace("..", " to ") if isinstance(value, str) else _said(node)
