"""Runs CUDA C++ sources on the CPU, called as ``cupy.RawModule`` is, with NumPy arrays.

    module = RawModule(path=kernel_path("minhash"), cache=folder)
    module.get_function("minhash")((blocks,), (256,), (array, np.int32(3)))

The source is compiled by g++ against ``cuda_emu.h`` in this folder, and kept by its content. With
``GPUCURATE_EMULATOR_SANITIZE=1``, and the run-time libraries of ``sanitizers()`` loaded first, it is compiled
for the address and undefined-behaviour sanitizers: they stop the process and name file and line.

What it notices beyond wrong results: barriers that not all threads reach; arguments whose
type is not the parameter's; writes beside an array (the bytes around each are watched);
and, if a test runs two orders, missing barriers and reads beside an array (the bytes around
it differ with the order).
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

HERE = Path(__file__).resolve().parent
COMPILER = "g++"
FLAGS = (
    "-std=c++20",
    "-O2",
    "-g1",
    "-shared",
    "-fPIC",
    "-fno-strict-aliasing",
    "-U_FORTIFY_SOURCE",
    "-Wall",
    "-Wno-unknown-pragmas",
)
SANITIZE = os.environ.get("GPUCURATE_EMULATOR_SANITIZE") == "1"
SANITIZERS = (
    "-fsanitize=address,undefined",
    "-fno-sanitize=null,vptr,object-size,pointer-overflow",  # what the address sanitizer sees anyway
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
    "-O1",
)
MARGIN = 256
LARGEST_COPY = 1 << 28
"""Larger arrays are passed where they lie; what is around them is not watched."""

_KERNEL = re.compile(r'extern\s+"C"\s+__global__\s+void\s+(?:__launch_bounds__\s*\([^)]*\)\s*)?(\w+)\s*\(')


class EmulatorError(RuntimeError):
    """The source does not compile, or a launch went wrong."""


def missing_compiler() -> str | None:
    """Why nothing can be emulated here, or None."""
    return None if shutil.which(COMPILER) else f"no emulator: {COMPILER} is not installed"


def sanitizers() -> list[str]:
    """The libraries to be loaded first (``LD_PRELOAD``) by a process that runs sanitized kernels."""
    asked = [[COMPILER, f"-print-file-name={name}"] for name in ("libasan.so", "libubsan.so")]
    return [subprocess.run(a, check=True, capture_output=True, text=True).stdout.strip() for a in asked]


class RawModule:
    """The kernels of one source file."""

    def __init__(self, *, path: Path, cache: Path, options: tuple[str, ...] = ()) -> None:
        source = path.read_text()
        self.names = _KERNEL.findall(source)
        exports = "".join(f"EMU_EXPORT({name})\n" for name in self.names)
        self._library = ctypes.CDLL(str(_compile(path, exports, cache, options)))

    def get_function(self, name: str) -> Kernel:
        """The kernel of that name.

        Raises:
            AttributeError: the source has no kernel of that name.
        """
        return Kernel(name, getattr(self._library, f"emu_launch_{name}"))


def _compile(path: Path, exports: str, cache: Path, options: tuple[str, ...]) -> Path:
    flags = (*FLAGS, *SANITIZERS) if SANITIZE else FLAGS
    command = [
        COMPILER,
        *flags,
        "-DGPUCURATE_EMULATOR",
        *options,
        f"-I{HERE}",
        f"-I{path.parent}",
        "-x",
        "c++",
    ]
    digest = hashlib.sha256(repr((path, exports, command)).encode())
    for source in [path, *sorted([*HERE.glob("*.h"), *path.parent.glob("*.cuh")])]:
        digest.update(source.read_bytes())
    library = cache / f"{digest.hexdigest()[:24]}.so"
    if not library.exists():
        unfinished = cache / f"{library.stem}.{os.getpid()}"
        done = subprocess.run(
            [*command, "-o", unfinished, "-"],
            input=f'#include "{path.name}"\n{exports}',
            capture_output=True,
            text=True,
            check=False,
            env={name: value for name, value in os.environ.items() if name != "LD_PRELOAD"},
        )
        if done.returncode:
            raise EmulatorError(done.stderr)
        unfinished.replace(library)
    return library


class _Argument(ctypes.Structure):
    _fields_ = [("value", ctypes.c_void_p), ("item_bytes", ctypes.c_size_t), ("is_pointer", ctypes.c_int)]


class Kernel:
    """One kernel. ``order`` is the order of threads: 0 forward, 1 backward, others shuffled."""

    def __init__(self, name: str, function: Any) -> None:
        self.name, self.order = name, 0
        self._function = function
        self._function.restype = ctypes.c_char_p

    def __call__(self, grid: tuple[int, ...], block: tuple[int, ...], args: tuple[Any, ...]) -> None:
        """Run to the end; arrays that can be written hold the results.

        Raises:
            EmulatorError: wrong arguments, a barrier that not all reach, a write beside an array.
            TypeError: an argument that is neither an array, a NumPy scalar nor None.
        """
        passed = [_Passed(argument, self.order) for argument in args]
        table = (_Argument * len(passed))(*(p.argument for p in passed))
        error = self._function(
            _dim3(grid), _dim3(block), table, ctypes.c_size_t(len(passed)), ctypes.c_uint(self.order)
        )
        if error:
            raise EmulatorError(error.decode())
        for number, p in enumerate(passed):
            if not p.hand_back():
                raise EmulatorError(f"kernel {self.name} wrote beside the array of argument {number}")


def _dim3(sizes: tuple[int, ...]) -> Any:
    return (ctypes.c_uint * 3)(*(*sizes, 1, 1)[:3])


class _Passed:
    """An argument, moved to where its surroundings are known."""

    def __init__(self, argument: Any, order: int) -> None:
        self.array = argument if isinstance(argument, np.ndarray) else None
        self.room: npt.NDArray[np.uint8] | None = None
        if self.array is not None:
            is_large = self.array.nbytes > LARGEST_COPY
            value = self.array.ctypes.data if is_large else self._surrounded(self.array, order)
            self.cell: Any = ctypes.c_void_p(value)
            self.argument = _Argument(ctypes.addressof(self.cell), self.array.itemsize, 1)
        elif isinstance(argument, np.generic):
            self.cell = np.array(argument)
            self.argument = _Argument(self.cell.ctypes.data, self.cell.itemsize, 0)
        elif argument is None:
            self.cell = ctypes.c_void_p(0)
            self.argument = _Argument(ctypes.addressof(self.cell), 0, 1)
        else:
            raise TypeError(f"a kernel takes arrays, NumPy scalars or None, not {type(argument).__name__}")

    def _surrounded(self, array: npt.NDArray[Any], order: int) -> int:
        if not array.flags.c_contiguous:
            raise TypeError("a kernel takes contiguous arrays")
        self.room = np.full(array.nbytes + 2 * MARGIN + 64, 0x5A + 37 * order & 0xFF, np.uint8)
        start = MARGIN + (array.ctypes.data - self.room.ctypes.data - MARGIN) % 64  # aligned as it was
        self.inside = slice(start, start + array.nbytes)
        self.room[self.inside] = np.frombuffer(array, np.uint8) if array.nbytes else 0
        self.before = self.room.copy()
        self._forbid("poison")
        return self.room.ctypes.data + start

    def _forbid(self, what: str) -> None:
        """Tell the address sanitizer, where there is one, that nothing may touch the surroundings."""
        if SANITIZE:
            change = getattr(ctypes.CDLL(None), f"__asan_{what}_memory_region")
            begin, inside = self.room.ctypes.data, self.inside
            change(ctypes.c_void_p(begin), ctypes.c_size_t(inside.start))
            change(ctypes.c_void_p(begin + inside.stop), ctypes.c_size_t(len(self.room) - inside.stop))

    def hand_back(self) -> bool:
        """Write results back; whether the bytes around the array are as they were."""
        if self.room is None:
            return True
        self._forbid("unpoison")
        assert self.array is not None
        if self.array.flags.writeable and self.array.nbytes:
            np.frombuffer(self.array, np.uint8)[:] = self.room[self.inside]
        self.before[self.inside] = self.room[self.inside]
        return np.array_equal(self.before, self.room)
