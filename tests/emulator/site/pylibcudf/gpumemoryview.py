"""A view of memory of the device."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np


class gpumemoryview:
    """Of any object with the CUDA array interface, which it keeps alive."""

    def __init__(self, data: Any) -> None:
        try:
            self.cai = data.__cuda_array_interface__
        except AttributeError:
            raise ValueError(
                "gpumemoryview must be constructed from an object supporting the CUDA array interface"
            ) from None
        self.obj, self.ptr = data, self.cai["data"][0]
        self.nbytes = prod(self.cai["shape"]) * np.dtype(self.cai["typestr"]).itemsize

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return self.cai

    @property
    def size(self) -> int:
        """Bytes."""
        return self.nbytes

    def __len__(self) -> int:
        return int(self.cai["shape"][0])
