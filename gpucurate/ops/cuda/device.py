"""Where kernels run, and how they are launched."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from gpucurate.frame.transfers import array_module, download, upload
from gpucurate.ops.cuda.source import OPTIONS, complete_source
from gpucurate.spec.errors import DeviceError

THREADS = 256
"""Threads in a block of every kernel: what their ``__launch_bounds__`` promise."""

BLOCKS_PER_MULTIPROCESSOR = 4

Kernel = Callable[[tuple[int, ...], tuple[int, ...], tuple[Any, ...]], None]
"""Called with grid, block and arguments, as CuPy's ``RawKernel``."""


class Device(ABC):
    """Arrays, kernels and the size of a grid: all that the ``cuda.py`` of an operation asks for.

    The same host code runs on a GPU (``CUDA``, arrays of CuPy) and in the tests' emulator of
    CUDA C++ (arrays of NumPy).

    Attributes:
        chunk_bytes: text is cut into chunks of so many bytes, a warp each.
        null: what a kernel is given for a null pointer.
    """

    chunk_bytes = 2048
    null: Any = None

    @property
    @abstractmethod
    def xp(self) -> Any:
        """The module of its arrays: ``cupy`` or ``numpy``."""

    @property
    @abstractmethod
    def multiprocessors(self) -> int:
        """How many multiprocessors share the blocks of a grid."""

    @abstractmethod
    def kernel(self, source: str, function: str, options: tuple[str, ...] = ()) -> Kernel:
        """The compiled kernel ``function`` of ``kernels/<source>.cu``; compiled once.

        Raises:
            DeviceError: the source does not compile, or has no such kernel.
        """

    def launch(
        self,
        source: str,
        function: str,
        items: int,
        arguments: tuple[Any, ...],
        *,
        threads_per_item: int = 32,
        options: tuple[str, ...] = (),
    ) -> None:
        """Run a kernel over ``items`` items of work, each for a warp, or for one thread.

        Args:
            source: kernel source without suffix.
            function: name of the kernel.
            items: how many; nothing is run for none.
            arguments: arrays of ``xp``, NumPy scalars of the parameters' types, or None for a null pointer.
            threads_per_item: 32, or 1.
            options: for the compiler, ``-DNAME=VALUE``.

        Raises:
            DeviceError: as ``kernel``.
            ValueError: an array is not contiguous: kernels go by pointers.
        """
        for place, argument in enumerate(arguments):
            if getattr(argument, "ndim", 0) and not argument.flags.c_contiguous:
                raise ValueError(f"kernel {function}: the array at place {place} is not contiguous: copy it")
        if items:
            blocks = -(-items * threads_per_item // THREADS)
            grid = min(blocks, BLOCKS_PER_MULTIPROCESSOR * self.multiprocessors)
            passed = tuple(self.null if argument is None else argument for argument in arguments)
            self.kernel(source, function, options)((grid,), (THREADS,), passed)

    def table(self, values: npt.NDArray[Any]) -> Any:
        """A read-only table as an array of the device, kept for the rest of the process."""
        return self.xp.asarray(values)

    def to_device(self, array: npt.NDArray[Any]) -> Any:
        """A copy of a host array on the device."""
        return self.xp.array(array)

    def to_host(self, array: Any) -> npt.NDArray[Any]:
        """An array of the device as one of NumPy: a copy, unless it is one already."""
        return np.asarray(array)


class CudaDevice(Device):
    """The process's current CUDA device, through CuPy; found when first used."""

    # CuPy does not pass None as a null pointer: the kernel sees another address (cupy/cupy issue 9046).
    null = np.uint64(0)

    def __init__(self) -> None:
        self._tables: dict[tuple[Any, int, int], tuple[Any, Any]] = {}

    @property
    def xp(self) -> Any:
        """CuPy.

        Raises:
            DeviceError: it is not installed.
        """
        return array_module()

    @property
    def number(self) -> int:
        """The number of the current device."""
        return int(self.xp.cuda.runtime.getDevice())

    @property
    def multiprocessors(self) -> int:
        """See ``Device``."""
        return _multiprocessors(self.xp, self.number)

    def kernel(self, source: str, function: str, options: tuple[str, ...] = ()) -> Kernel:
        """See ``Device``."""
        return _compiled(self.xp, source, function, options)

    def table(self, values: npt.NDArray[Any]) -> Any:
        """See ``Device``; copied once for each device."""
        key = self.xp, self.number, id(values)
        if key not in self._tables:  # the original stays alive, and its id its own
            self._tables[key] = values, self.xp.asarray(values)
        return self._tables[key][1]

    def forget_tables(self) -> None:
        """Give the memory of the tables back, before a pool is closed; they are copied again when needed."""
        self._tables.clear()

    def to_device(self, array: npt.NDArray[Any]) -> Any:
        """See ``Device``; counted."""
        return upload(array)

    def to_host(self, array: Any) -> npt.NDArray[Any]:
        """See ``Device``; waits for what is under way, and is counted."""
        return download(array)


@cache
def _multiprocessors(cupy: Any, number: int) -> int:
    return int(cupy.cuda.runtime.getDeviceProperties(number)["multiProcessorCount"])


@cache
def _compiled(cupy: Any, source: str, function: str, options: tuple[str, ...]) -> Kernel:
    module = cupy.RawModule(code=complete_source(source), options=(*OPTIONS, *options))
    try:
        kernel: Kernel = module.get_function(function)
    except cupy.cuda.compiler.CompileException as error:
        raise DeviceError(f"kernel {function} of {source}.cu does not compile:\n{error}") from error
    return kernel


CUDA = CudaDevice()
"""What operations run on unless told otherwise."""
