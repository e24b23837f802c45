# ruff: noqa: PLR0917 - compiled functions take their arrays by position
"""Hashes of the words of a piece of text.

The polynomial of a word is a difference of two prefix sums: with t_i = v_i * B^-i (mod 2^32, B is
odd) and 0 where no word is, the word that ends at e has (T_e - T_previous end) * B^e. The
running sum costs one addition a character where the direct recurrence waits for a product.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.ops.compiled import kernel
from gpucurate.ops.minhash.params import SHINGLE_BASE
from gpucurate.ops.mixing.cpu import fmix32
from gpucurate.ops.unicode import SOLO, WORD

_BASE = np.uint32(SHINGLE_BASE)
_ZERO = np.uint32(0)
_WORD, _SOLO = np.uint8(WORD), np.uint8(SOLO)


def powers(count: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """B^0 .. B^(count-1) and B^0 .. B^-(count-1), modulo 2^32."""
    inverse = pow(SHINGLE_BASE, -1, 2**32)
    rising, falling = [1], [1]
    for _ in range(count - 1):
        rising.append(rising[-1] * SHINGLE_BASE % 2**32)
        falling.append(falling[-1] * inverse % 2**32)
    return np.array(rising, np.uint32), np.array(falling, np.uint32)


@kernel
def classify_ascii(
    piece: npt.NDArray[np.uint8], count: int, points: npt.NDArray[np.uint32], classes: npt.NDArray[np.uint8]
) -> None:
    """Code points and classes (``WORD`` or 0) of ASCII."""
    for i in range(count):
        byte = piece[i]
        letter = np.uint8(byte | 0x20)
        is_word = ((letter >= 97) & (letter <= 122)) | ((byte >= 48) & (byte <= 57)) | (byte == 95)
        classes[i] = _WORD if is_word else np.uint8(0)
        points[i] = np.uint32(byte)


@kernel
def classify(
    points: npt.NDArray[np.uint32],
    count: int,
    stage1: npt.NDArray[np.uint16],
    stage2: npt.NDArray[np.uint8],
    classes: npt.NDArray[np.uint8],
) -> None:
    """Classes of code points: ``WORD``, ``SOLO`` or others."""
    for i in range(count):
        point = points[i]
        classes[i] = stage2[(np.int64(stage1[point >> np.uint32(8)]) << 8) | np.int64(point & np.uint32(255))]


@kernel
def append_words(
    points: npt.NDArray[np.uint32],
    classes: npt.NDArray[np.uint8],
    marks: npt.NDArray[np.uint8],
    count: int,
    open_word: int,
    rising: npt.NDArray[np.uint32],
    falling: npt.NDArray[np.uint32],
    sums: npt.NDArray[np.uint32],
    ends: npt.NDArray[np.uint32],
    words: npt.NDArray[np.uint32],
    at: int,
) -> tuple[int, int]:
    """Append the hashes of the words that end in a piece, or ended with the piece before.

    Args:
        points: code points of the piece; overwritten.
        classes: their classes; the entry after the last is overwritten.
        marks: scratch of at least ``count``.
        count: how many, at least 1.
        open_word: polynomial of the word that runs on from the piece before, or -1.
        rising, falling: ``powers`` of at least ``count + 1``.
        sums, ends: scratch of at least ``count + 1``.
        words: receives the hashes from index ``at`` on; at most ``count + 1`` are added.
        at: see ``words``.

    Returns:
        The new ``at``, and the polynomial of the word that runs on, or -1.
    """
    running = _ZERO
    if open_word >= 0:
        if classes[0] == _WORD:
            running = np.uint32(np.uint32(open_word) * _BASE)
        else:
            words[at] = fmix32(np.uint32(open_word))
            at += 1
    runs_on = classes[count - 1] == _WORD
    classes[count] = _WORD  # whether a word ends at the end of the piece is not known: it runs on
    following = classes[1:]
    for i in range(count):
        here = classes[i]
        is_word = (here == _WORD) | (here == _SOLO)
        points[i] = np.uint32(points[i] * falling[i]) if is_word else _ZERO
        marks[i] = (here == _SOLO) | ((here == _WORD) & (following[i] != _WORD))
    unsigned = np.uint64(0)  # numba checks a signed index for being negative
    for i in range(count):
        running = np.uint32(running + points[i])
        sums[unsigned] = running
        ends[unsigned] = np.uint32(i)
        unsigned += np.uint64(marks[i])
    found: int = np.int64(unsigned)  # type: ignore[assignment]
    previous = _ZERO
    target = words[at:]
    for i in range(found):
        target[i] = fmix32(np.uint32(np.uint32(sums[i] - previous) * rising[ends[i]]))
        previous = sums[i]
    if runs_on:
        return at + found, int(np.uint32(np.uint32(running - previous) * rising[count - 1]))
    return at + found, -1
