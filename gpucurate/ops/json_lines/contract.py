"""Lines of JSON: where they are, the values of named fields, and strings without escapes.

What passes the scan is a JSON object in UTF-8 (RFC 8259, RFC 3629) that orjson reads in the same way,
so that it needs no second look. A line that does not pass is not wrong but unusual: deep, with
an escape in a key, a wanted key twice, a number of many digits, damage. A full parser decides.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gpucurate.ops.dispatch import implementation

MISSING, PLAIN, ESCAPED, NULL, OTHER = 0, 1, 2, 3, 4
"""Kinds of values: none, a string without escapes, a string with escapes, null, anything else."""

KIND, BEGIN, END, SIZE = 0, 1, 2, 3
"""What is found of a value: its kind, where it lies, and a string's bytes without escapes."""

MOST_FIELDS = 16
"""Each key of a line is compared with each field."""

DEEPEST = 60
"""Levels of a line that the scan can keep in mind, whatever ``max_depth`` allows."""

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def find_lines(data: Bytes) -> tuple[Places, Places, Mask]:
    """Start and end of each line of ``data``, and which are blank.

    Only LF ends a line (U+2028, VT, FF and a lone CR do not). Ends exclude the LF and
    include a CR before it. Blank is what holds spaces, tabs and CRs only. A last line
    without LF counts.

    Args:
        data: uint8, any bytes.

    Returns:
        starts int64[n], stops int64[n], blank bool[n].

    Example:
        >>> [each.tolist() for each in find_lines(np.frombuffer(b"{}\\n \\r\\n1", np.uint8))]
        [[0, 3, 6], [2, 5, 7], [False, True, False]]
    """
    lines: tuple[Places, Places, Mask] = implementation(__package__, data).find_lines(data)
    return lines


def scan_fields(
    data: Bytes, starts: Places, stops: Places, fields: Sequence[str], *, max_depth: int, only: bool = False
) -> tuple[Places, Mask]:
    """Validate each line, and find the values of ``f`` fields of its object.

    Args:
        data: uint8, the bytes.
        starts: int64[n], first byte of each line.
        stops: int64[n], end of each line, at most ``len(data)``.
        fields: names, 1 to ``MOST_FIELDS``; of equal ones the first counts.
        max_depth: deeper lines do not pass, nor those of more than ``DEEPEST`` levels.
        only: whether a line with another field does not pass.

    Returns:
        found int64[n, f, 4], and passed bool[n]. Of each value ``found`` has KIND, that is MISSING,
        PLAIN (a string without escapes), ESCAPED (a string with), NULL or OTHER; BEGIN and END of
        the value, of a string without its quotes; and of a string SIZE, its bytes once the
        escapes are resolved. All of it is 0 where a field is missing or a line did not pass.

    Raises:
        ValueError: no fields, or too many.

    Example:
        >>> data = np.frombuffer(b'{"id": 7, "text": "a\\\\nb"}', np.uint8)
        >>> found, passed = scan_fields(data, *find_lines(data)[:2], ["text"], max_depth=9)
        >>> found.tolist(), passed.tolist()
        ([[[2, 19, 23, 3]]], [True])
    """
    if not 0 < len(fields) <= MOST_FIELDS:
        raise ValueError(f"{len(fields)} fields were asked for: a scan takes 1 to {MOST_FIELDS}")
    scanned: tuple[Places, Mask] = implementation(__package__, data).scan_fields(
        data, starts, stops, fields, max_depth=max_depth, only=only
    )
    return scanned


def copy_strings(data: Bytes, found: Places) -> tuple[Bytes, Places, Mask]:
    """The strings of one field, without escapes, one after the other.

    Args:
        data: uint8, the bytes that were scanned.
        found: int64[n, 4], what ``scan_fields`` found of the field; ``found[:, f]`` will do.

    Returns:
        data uint8, offsets int64[n+1], and valid bool[n], whether the value is a string; what is
        none is empty.

    Example:
        >>> data = np.frombuffer(b'{"text": "a\\\\nb"}', np.uint8)
        >>> found, _ = scan_fields(data, *find_lines(data)[:2], ["text", "id"], max_depth=9)
        >>> strings, offsets, valid = copy_strings(data, found[:, 0])
        >>> strings.tobytes(), offsets.tolist(), valid.tolist()
        (b'a\\nb', [0, 3], [True])
    """
    strings: tuple[Bytes, Places, Mask] = implementation(__package__, data).copy_strings(data, found)
    return strings
