"""Sizes in bytes, as people write and read them."""

from __future__ import annotations

import re

from gpucurate.spec.errors import ConfigurationError

_UNITS = {
    "": 1, "b": 1,
    "k": 10**3, "kb": 10**3, "kib": 2**10,
    "m": 10**6, "mb": 10**6, "mib": 2**20,
    "g": 10**9, "gb": 10**9, "gib": 2**30,
    "t": 10**12, "tb": 10**12, "tib": 2**40,
}  # fmt: skip
_PATTERN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", re.IGNORECASE | re.ASCII)

_MOST = 2**63

KIB, MIB, GIB = 2**10, 2**20, 2**30


def parse_bytes(size: int | float | str) -> int:
    """Bytes of a size such as ``64MiB``, ``1.5 GB`` or ``1000``.

    ``MB`` is 10**6 and ``MiB`` is 2**20 bytes.

    Raises:
        ConfigurationError: not a size, or not from 1 byte to 2**63.

    >>> parse_bytes("64MiB")
    67108864
    """
    if isinstance(size, int | float) and not isinstance(size, bool):
        value: float = size
    else:
        match = _PATTERN.fullmatch(str(size))
        if match is None or match[2].lower() not in _UNITS:
            raise ConfigurationError(
                f"{str(size)[:80]!r} is not a size: write a number with a unit, such as 64MiB or 2GB"
            )
        value = float(match[1]) * _UNITS[match[2].lower()]
    if not 1 <= value < _MOST:
        shown = str(size)[:80] if value < _MOST else "2**63 bytes or more"
        raise ConfigurationError(
            f"a size of {shown!r} is not possible: it must be more than zero bytes, and fewer than 2**63"
        )
    return int(value)


def format_bytes(count: float) -> str:
    """``count`` bytes in the largest decimal unit that leaves at least one, with three digits.

    >>> format_bytes(1_234_567)
    '1.23 MB'
    """
    value = float(count)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(value) < 999.5 or unit == "TB":
            break
        value /= 1000
    if unit == "B":
        return f"{value:.0f} B"
    return f"{value:.{2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0}f} {unit}"
