"""Names of fields as the scan compares them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def joined_keys(fields: Sequence[str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The names in UTF-8 one after the other, uint8 and never empty; and their ``f + 1`` offsets, int64.

    Example:
        >>> [each.tolist() for each in joined_keys(["a", "é"])]
        [[97, 195, 169], [0, 1, 3]]
    """
    names = [name.encode() for name in fields]
    offsets = np.zeros(len(fields) + 1, np.int64)
    np.cumsum([len(name) for name in names], out=offsets[1:])
    return np.frombuffer(b"".join(names) or b"\0", np.uint8), offsets
