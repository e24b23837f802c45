"""Two-stage tables over code points, expanded from the runs in ``unicode-15.1.txt``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

UNICODE_VERSION = "15.1.0"

# The class of a code point. A code point has one class: SOLO wins over WORD, and no
# white space is either.
OTHER, WORD, SOLO, SPACE = 0, 1, 2, 3

BLOCK = 256
NUM_BLOCKS = 0x110000 // BLOCK


@dataclass(frozen=True, slots=True)
class UnicodeTables:
    """Look-up tables of Unicode 15.1; all read-only.

    ``stage2[stage1[c >> 8] * 256 + (c & 255)]`` is the entry of code point ``c``.

    Attributes:
        class_stage1: uint16 of length 4352.
        class_stage2: uint8; ``OTHER``, ``WORD`` (General_Category L* or N*, or ``_``:
            what Python's ``\\w`` matches), ``SOLO`` (a letter, number or mark of a
            script written without spaces: a word of its own) or ``SPACE`` (White_Space).
        lower_stage1: uint16 of length 4352.
        lower_stage2: uint32; what to add to the code point (mod 2^32) to get its
            Simple_Lowercase_Mapping.
    """

    class_stage1: npt.NDArray[np.uint16]
    class_stage2: npt.NDArray[np.uint8]
    lower_stage1: npt.NDArray[np.uint16]
    lower_stage2: npt.NDArray[np.uint32]

    def class_of(self, code_point: int) -> int:
        """``OTHER``, ``WORD``, ``SOLO`` or ``SPACE``."""
        block = int(self.class_stage1[code_point // BLOCK])
        return int(self.class_stage2[block * BLOCK + code_point % BLOCK])

    def lower_of(self, code_point: int) -> int:
        """Simple_Lowercase_Mapping of a code point."""
        block = int(self.lower_stage1[code_point // BLOCK])
        return (code_point + int(self.lower_stage2[block * BLOCK + code_point % BLOCK])) % 2**32


@cache
def unicode_tables() -> UnicodeTables:
    """The tables, expanded once a process (2-3 ms)."""
    classes = np.zeros(NUM_BLOCKS * BLOCK, np.uint8)
    deltas = np.zeros(NUM_BLOCKS * BLOCK, np.uint32)
    kinds = {"word": WORD, "solo": SOLO, "space": SPACE}
    for line in files(__package__).joinpath("unicode-15.1.txt").read_text("ascii").splitlines():
        kind, *fields = line.split()
        if kind == "#":
            continue
        first, last = int(fields[0], 16), int(fields[1], 16)
        if kind == "lower":
            deltas[first : last + 1 : int(fields[2])] = int(fields[3]) % 2**32
        else:
            classes[first : last + 1] = kinds[kind]
    return UnicodeTables(*_two_stages(classes), *_two_stages(deltas))


def _two_stages(flat: npt.NDArray[Any]) -> tuple[npt.NDArray[np.uint16], npt.NDArray[Any]]:
    """Equal blocks of 256 entries stored once."""
    blocks = flat.reshape(NUM_BLOCKS, BLOCK)
    numbers: dict[bytes, int] = {}
    stage1 = np.empty(NUM_BLOCKS, np.uint16)
    for i, block in enumerate(blocks):
        stage1[i] = numbers.setdefault(block.tobytes(), len(numbers))
    stage2 = np.frombuffer(b"".join(numbers), flat.dtype)
    stage1.flags.writeable = False
    return stage1, stage2
