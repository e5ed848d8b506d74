"""Mutations of TOML files: keys dropped, types changed, values extreme, bytes cut or flipped."""

from __future__ import annotations

import json
import random
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final

_TYPES: Final = (
    "1", "-1", "0", "true", '""', "[]", "{}", "1.5", "[1, 2]", '["a"]', '{ a = 1 }', "2021-02-08", "2021-02-08T10:00:00Z",
    "10:00:00", '[["a"], 1]', '{ column = "x" }',
)  # fmt: skip
_EXTREME: Final = (
    "1e308", "-1e308", "nan", "inf", "-inf", "9223372036854775807", "-9223372036854775808", "99999999999999999999", "1e999",
    '"\u60a3\u8005"', '"a\\nb"', '"a\\u0000b"', f'"{"x" * 5_000}"', '"9999999d"', '"-1d"', '"0h"', '"1e9d"', '"inf"', "'../../etc/passwd'",
    '"/"', '"."', '"anakinra"', '"zzqx"', "9999-12-31", "0001-01-01", f'"{"9" * 30}d"', '"=1+1"', '"{{ 7 * 7 }}"', '"<script>"',
)  # fmt: skip
_KEYS: Final = (
    "zzqx = 1",
    '"\u60a3" = "a"',
    "= 1",
    "a.b.c = 1",
    "[zzqx]",
    "[[zzqx]]",
    "[persons]",
    "[study]",
    "[drug]",
    "x",
)
_VALUE: Final = re.compile(r"^(\s*[\w\".-]+\s*=\s*)(.+)$")


def mutated(text: str, rng: random.Random) -> tuple[str, bytes]:
    """Return what was done to a TOML file, and its bytes."""
    how = rng.choice((*_OF_LINES, *_OF_LINES, _inner, _inner, *_OF_BYTES))
    return how(text, rng)


def _drop(text: str, rng: random.Random) -> tuple[str, bytes]:
    lines = text.split("\n")
    i = rng.choice([i for i, line in enumerate(lines) if line.strip()])
    gone = lines.pop(i)
    return f"line {i + 1} dropped: {gone[:60]}", "\n".join(lines).encode()


def _valued(lines: list[str], rng: random.Random) -> tuple[int, str, str]:
    """Choose a line with a value; return its position, the part before the value, and the value."""
    i = rng.choice([i for i, line in enumerate(lines) if _VALUE.match(line)])
    found = _VALUE.match(lines[i])
    assert found is not None
    return i, found[1], found[2]


def _other_value(text: str, rng: random.Random) -> tuple[str, bytes]:
    lines = text.split("\n")
    i, before, _ = _valued(lines, rng)
    lines[i] = before + rng.choice((*_TYPES, *_EXTREME))
    return f"line {i + 1}: {lines[i][:90]}", "\n".join(lines).encode()


def _again(text: str, rng: random.Random) -> tuple[str, bytes]:
    lines = text.split("\n")
    i, _, _ = _valued(lines, rng)
    lines.insert(i, lines[i])
    return f"line {i + 1} twice", "\n".join(lines).encode()


def _more(text: str, rng: random.Random) -> tuple[str, bytes]:
    lines = text.split("\n")
    i = rng.randrange(len(lines))
    lines.insert(i, rng.choice(_KEYS))
    return f"line {i + 1} inserted: {lines[i]}", "\n".join(lines).encode()


def _swap(text: str, rng: random.Random) -> tuple[str, bytes]:
    lines = text.split("\n")
    (one, a, x), (two, b, y) = _valued(lines, rng), _valued(lines, rng)
    lines[one], lines[two] = a + y, b + x
    return f"values of lines {one + 1} and {two + 1} swapped", "\n".join(lines).encode()


def _other_table(text: str, rng: random.Random) -> tuple[str, bytes]:
    lines = text.split("\n")
    tables = [i for i, line in enumerate(lines) if line.startswith("[")]
    if not tables:
        return _swap(text, rng)
    i = rng.choice(tables)
    name = lines[i].strip("[]")
    lines[i] = rng.choice((f"[[{name}]]", f"[{name}]", f"[{name}s]", f"[x.{name}]", f"[{name}.x]"))
    return f"line {i + 1}: {lines[i]}", "\n".join(lines).encode()


def _cut(text: str, rng: random.Random) -> tuple[str, bytes]:
    raw = text.encode()
    upto = rng.choice((0, rng.randrange(len(raw))))
    return f"cut after {upto} bytes", raw[:upto]


def _flip(text: str, rng: random.Random) -> tuple[str, bytes]:
    raw = bytearray(text.encode())
    places = [rng.randrange(len(raw)) for _ in range(rng.choice((1, 3)))]
    for at in places:
        raw[at] = rng.randrange(256)
    return f"bytes {places} flipped", bytes(raw)


def _encoded(text: str, rng: random.Random) -> tuple[str, bytes]:
    code = rng.choice(("utf-16", "latin-1", "utf-8-sig"))
    return f"as {code}", text.encode(code, errors="replace")


def _deep(text: str, rng: random.Random) -> tuple[str, bytes]:
    depth = rng.choice((50, 500, 3_000))
    value = rng.choice(("[" * depth + "]" * depth, "{a=" * depth + "1" + "}" * depth))
    return f"{depth} levels deep", f"deep = {value}\n{text}".encode()


def _inner(text: str, rng: random.Random) -> tuple[str, bytes]:
    """Change one value anywhere in the document, however deep, and write it again as TOML."""
    document = tomllib.loads(text)
    inside, key = rng.choice(list(_places(document)))
    was = inside[key]
    how = rng.choice(("drop", "value", "value", "key"))
    if how == "drop":
        del inside[key]
    elif how == "key" and isinstance(inside, dict):
        inside[rng.choice(("zzqx", f"{key}s", ""))] = inside.pop(key)
    else:
        values: tuple[object, ...] = (
            -1,
            0,
            1e308,
            -1e308,
            "",
            "zzqx",
            [],
            {},
            True,
            10**18,
            "1d",
            "99999999d",
            float("nan"),
            [1],
            ["a"],
            {"a": 1},
            0.5,
        )
        inside[key] = rng.choice(values)
    return f"{key!r}: {str(was)[:60]!r}, {how}", _as_toml(document).encode()


def _places(inside: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every key and position of a document, with what it is in."""
    pairs = inside.items() if isinstance(inside, dict) else enumerate(inside)
    for key, value in list(pairs):
        yield inside, key
        if isinstance(value, dict | list):
            yield from _places(value)


def _as_toml(document: Mapping[str, Any]) -> str:
    return "\n".join(f"{_quoted(key)} = {_value(value)}" for key, value in document.items())


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_quoted(str(k))} = {_value(v)}" for k, v in value.items()) + " }"
    return repr(value) if isinstance(value, int | float) else str(value)


_OF_LINES: Final = (
    _drop,
    _other_value,
    _other_value,
    _other_value,
    _again,
    _more,
    _swap,
    _other_table,
)
_OF_BYTES: Final = (_cut, _flip, _encoded, _deep)
