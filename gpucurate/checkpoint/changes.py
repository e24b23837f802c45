"""What is not as it was when a run began, as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile
from typing import Any

import orjson

from gpucurate.checkpoint.listing_file import Facts

SHOWN = 3
"""Files of each kind of change that are named."""

MOST = 8
"""Values that are named."""

LONGEST = 60
"""Characters of a value that are shown."""

BEFORE = 20
"""Of these, before the place where it differs."""

_FACTS = ("path", "size", "mtime_ns", "etag")


def differences(before: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> list[str]:
    """The values in which two nested mappings differ, as sentences, at most eight."""
    found: list[str] = []
    for key in sorted({*before, *now}):
        found += _between(f"{prefix}{key}", before.get(key), now.get(key))
    return found[:MOST]


def _between(name: str, old: Any, new: Any) -> list[str]:
    if old == new:
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        return differences(old, new, f"{name}.")
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True), 1)
        return [told for number, pair in pairs for told in _between(f"{name}[{number}]", *pair)]
    return [f"{name}: {' then, '.join(_apart(old, new))} now"]


def input_changes(before: Mapping[str, Facts], now: Mapping[str, Facts]) -> list[str]:
    """What was added to an input, removed from it and changed: counts, with a few names each."""
    added = [name for name in now if name not in before]
    removed = [name for name in before if name not in now]
    changed = [name for name, facts in now.items() if name in before and before[name] != facts]
    told = [_counted("added", added), _counted("removed", removed)]
    told.append(_counted("changed", [f"{name}: {_change(before[name], now[name])}" for name in changed]))
    return [sentence for sentence in told if sentence] or ["the files come in another order"]


def _counted(what: str, names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return f"{len(names):,} {what} ({', '.join(sorted(names)[:SHOWN])}{more})"


def _change(before: Facts, now: Facts) -> str:
    if len(before) != len(_FACTS) or len(now) != len(_FACTS):
        return "its content is another"
    told = zip(_FACTS, before, now, strict=True)
    differing = ((fact, _apart(old, new)) for fact, old, new in told if old != new)
    return ", ".join(f"{fact} {' then, '.join(texts)} now" for fact, texts in differing)


def _apart(old: Any, new: Any) -> tuple[str, str]:
    """Two values as JSON; of long ones, what stands where they begin to differ."""
    then, now = (orjson.dumps(value).decode() for value in (old, new))
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(then, now, strict=False)))
    first = max(0, same - BEFORE)
    return _cut(then, first), _cut(now, first)


def _cut(text: str, first: int) -> str:
    if len(text) <= LONGEST:
        return text
    first = min(first, len(text) - LONGEST)
    cut = text[first : first + LONGEST]
    return f"{'...' if first else ''}{cut}{'...' if first + LONGEST < len(text) else ''}"
