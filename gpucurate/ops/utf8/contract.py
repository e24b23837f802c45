"""Documents that are not well-formed UTF-8 (RFC 3629; table 3-7 of the Unicode Standard)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.dispatch import implementation


def invalid_utf8(text: TextBuffers) -> npt.NDArray[np.bool_]:
    """Which documents are not well-formed UTF-8: bool[n]; a null one is.

    Every other operation takes text that is: a reader of columns whose writer promised it asks this first.

    Example:
        >>> invalid_utf8(TextBuffers.from_strings(["né", b"n\\xe9", None])).tolist()
        [False, True, False]
    """
    invalid: npt.NDArray[np.bool_] = implementation(__package__, text.data).invalid_utf8(text)
    return invalid
