"""Two-stage tables over code points, expanded from the runs in ``unicode-15.1.txt``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

UNICODE_VERSION = "15.1.0"
TABLE_FILE = Path(__file__).with_name("unicode-15.1.txt")

# The class of a code point. A code point has one class: SOLO wins over WORD, and no
# white space is either.
OTHER, WORD, SOLO, SPACE = 0, 1, 2, 3

BLOCK = 256
NUM_BLOCKS = 0x110000 // BLOCK
CASED_BLOCKS = 0x20000 // BLOCK  # no code point above the first two planes has a case


@dataclass(frozen=True, slots=True)
class UnicodeTables:
    """Look-up tables of Unicode 15.1; all read-only.

    ``stage2[stage1[c >> 8] * 256 + (c & 255)]`` is the entry of code point ``c``.

    Attributes:
        class_stage1: uint16 of length 4352.
        class_stage2: uint8; ``OTHER``, ``WORD`` (General_Category L* or N*, or ``_``:
            what Python's ``\\w`` matches), ``SOLO`` (a letter, number or mark of a
            script written without spaces: a word of its own) or ``SPACE`` (White_Space).
        normal_stage1: uint16 of length 4352.
        normal_stage2: uint32; what to add to the code point (mod 2^32) to get its
            Simple_Lowercase_Mapping, or U+0020 if it is white space. So a code point is white space if and
            only if it is taken to U+0020.
    """

    class_stage1: npt.NDArray[np.uint16]
    class_stage2: npt.NDArray[np.uint8]
    normal_stage1: npt.NDArray[np.uint16]
    normal_stage2: npt.NDArray[np.uint32]

    def class_of(self, code_point: int) -> int:
        """``OTHER``, ``WORD``, ``SOLO`` or ``SPACE``."""
        block = int(self.class_stage1[code_point // BLOCK])
        return int(self.class_stage2[block * BLOCK + code_point % BLOCK])

    def normal_of(self, code_point: int) -> int:
        """U+0020 for white space, else the Simple_Lowercase_Mapping."""
        block = int(self.normal_stage1[code_point // BLOCK])
        return (code_point + int(self.normal_stage2[block * BLOCK + code_point % BLOCK])) % 2**32


@cache
def unicode_tables() -> UnicodeTables:
    """The tables, expanded once a process (a few ms)."""
    classes = np.zeros(NUM_BLOCKS * BLOCK, np.uint8)
    deltas = np.zeros(CASED_BLOCKS * BLOCK, np.int32)
    kinds = {"word": WORD, "solo": SOLO, "space": SPACE}
    for line in TABLE_FILE.read_text("ascii").splitlines():
        kind, *fields = line.split()
        if kind == "#":
            continue
        run = slice(int(fields[0], 16), int(fields[1], 16) + 1)
        if kind == "lower":
            deltas[run.start : run.stop : int(fields[2])] = int(fields[3])
            continue
        classes[run] = kinds[kind]
        if kind == "space":
            deltas[run] = 0x20 - np.arange(run.start, run.stop)
    return UnicodeTables(*_two_stages(classes), *_two_stages(deltas.view(np.uint32)))


def _two_stages(flat: npt.NDArray[Any]) -> tuple[npt.NDArray[np.uint16], npt.NDArray[Any]]:
    """Equal blocks of 256 entries stored once; blocks after the last are of zeros."""
    numbers: dict[bytes, int] = {bytes(BLOCK * flat.itemsize): 0}
    stage1 = np.zeros(NUM_BLOCKS, np.uint16)
    for i, block in enumerate(flat.reshape(-1, BLOCK)):
        stage1[i] = numbers.setdefault(block.tobytes(), len(numbers))
    stage2 = np.frombuffer(b"".join(numbers), flat.dtype)
    stage1.flags.writeable = False
    return stage1, stage2
