"""What was taken of the documents of a batch, on its way to the key file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.key_file import Signatures
from gpucurate.frame.transfers import array_module, download, is_on_device

Keys = npt.NDArray[np.uint64]


class Taken(NamedTuple):
    """Of n documents, m of which have keys, on the host.

    Attributes:
        keys: uint64[m, bands], of those that have any, in order.
        has_keys: bool[n].
        lengths: int64[n], characters.
        signatures: of shape (m, values), if the layout has them.
        on_device: uint64[bands, m] each, the keys once more, where they were taken on a GPU.
    """

    keys: Keys
    has_keys: npt.NDArray[np.bool_]
    lengths: npt.NDArray[np.int64]
    signatures: Signatures | None
    on_device: tuple[Any, ...] = ()


def taken_to_host(keys: Any, has_keys: Any, lengths: Any, signatures: Any) -> Taken:
    """What was taken, from where it is.

    Args:
        keys: uint64[n, bands]; of a device they come band by band, as they are written.
        has_keys: bool[n].
        lengths: int64[n].
        signatures: of shape (n, values), or None.
    """
    kept, values = keys[has_keys], None if signatures is None else signatures[has_keys]
    if not is_on_device(keys):
        return Taken(kept, has_keys, download(lengths), values)  # no keys are taken of the device's text
    by_band = array_module().ascontiguousarray(kept.T)
    values = None if values is None else download(values)
    return Taken(download(by_band).T, download(has_keys), download(lengths), values, (by_band,))


def joined(parts: Sequence[Taken]) -> Taken:
    """What was taken of consecutive documents."""
    keys, has_keys, lengths = (np.concatenate(column) for column in list(zip(*parts, strict=True))[:3])
    values: list[Any] = [part.signatures for part in parts if part.signatures is not None]
    on_device = tuple(one for part in parts for one in part.on_device)
    return Taken(keys, has_keys, lengths, np.concatenate(values) if values else None, on_device)
