"""What is not as it was when a run began, as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from gpucurate.checkpoint.listing_file import Facts

SHOWN = 3
"""Files of each kind of change that are named."""

MOST = 8
"""Values that are named."""

_FACTS = ("path", "size", "mtime_ns", "etag")


def differences(before: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> list[str]:
    """The values in which two nested mappings differ, as sentences, at most eight."""
    found: list[str] = []
    for key in sorted({*before, *now}):
        old, new = before.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found += differences(old, new, f"{prefix}{key}.")
        elif old != new:
            found.append(f"{prefix}{key}: {_short(old)} then, {_short(new)} now")
    return found[:MOST]


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
    return ", ".join(f"{fact} {_short(old)} then, {_short(new)} now" for fact, old, new in told if old != new)


def _short(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= 60 else f"{text[:20]}...{text[-37:]}"
