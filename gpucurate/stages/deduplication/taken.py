"""What was taken of the documents of a batch, on its way to the key file."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.key_file import Signatures
from gpucurate.frame.transfers import array_module, download, is_on_device

Keys = npt.NDArray[np.uint64]


class Taken(NamedTuple):
    """Of the documents that have keys, in order, on the host.

    Attributes:
        keys: uint64[m, bands]; of a device they come band by band, as they are written.
        has_keys: bool[n], of all documents.
        signatures: of shape (m, values), if the layout has them.
    """

    keys: Keys
    has_keys: npt.NDArray[np.bool_]
    signatures: Signatures | None


def to_host(keys: Any, has_keys: Any, signatures: Any) -> Taken:
    """Keys and signatures of the documents that have any, from where they are.

    Args:
        keys: uint64[n, bands].
        has_keys: bool[n].
        signatures: of shape (n, values), or None.
    """
    values = None if signatures is None else download(signatures[has_keys])
    if not is_on_device(keys):
        return Taken(keys[has_keys], has_keys, values)
    by_band = array_module().ascontiguousarray(keys[has_keys].T)
    return Taken(download(by_band).T, download(has_keys), values)
