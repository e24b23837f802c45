"""CUDA C++ to machine code by NVRTC, as CuPy does it, without a device or a driver."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

VERSIONS = {"12.9": "nvidia/cuda_nvrtc/lib/libnvrtc.so.12", "13.0": "nvidia/cu13/lib/libnvrtc.so.13"}
"""The versions kernels are compiled with, and where their wheels put the library."""

CUPY_OPTIONS = ("--device-as-default-execution-space", "-ftz=true")
"""What CuPy 14 adds to every compilation."""


class CompilationError(Exception):
    """The source does not compile; the compiler's words."""


@dataclass(frozen=True)
class Usage:
    """What a kernel takes of a thread: registers, bytes spilled from them, bytes of stack."""

    registers: int
    spilled: int
    stack: int


def library(version: str) -> Path | None:
    """Where the library of a version is installed, or None."""
    places = (Path(folder) / VERSIONS[version] for folder in sys.path)
    return next((place for place in places if place.exists()), None)


class Nvrtc:
    """One version of the compiler; what it said of a source is kept in ``cache``, by content."""

    def __init__(self, version: str, cache: Path) -> None:
        path = library(version)
        assert path is not None, f"NVRTC {version} is not installed"
        for builtins in path.parent.glob(f"libnvrtc-builtins.so.{version}"):
            ctypes.CDLL(str(builtins), ctypes.RTLD_GLOBAL)
        self._library = ctypes.CDLL(str(path))
        self._cache, installed = cache, path.stat()
        self._build = version, installed.st_size, installed.st_mtime_ns

    def version(self) -> str:
        """What the library says it is."""
        major, minor = ctypes.c_int(), ctypes.c_int()
        self._library.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
        return f"{major.value}.{minor.value}"

    def compile(self, source: str, options: tuple[str, ...]) -> dict[str, Usage]:
        """Compile to machine code (``-arch=sm_90``), each source once; what each kernel takes.

        Raises:
            CompilationError: the source does not compile.
        """
        digest = hashlib.sha256(repr((self._build, source, options)).encode()).hexdigest()
        kept = self._cache / f"{digest[:24]}.json"
        if not kept.exists():
            found = {kernel: asdict(usage) for kernel, usage in self._compile(source, options).items()}
            unfinished = kept.with_suffix(f".{os.getpid()}")
            unfinished.write_text(json.dumps(found))
            unfinished.replace(kept)
        return {kernel: Usage(**usage) for kernel, usage in json.loads(kept.read_text()).items()}

    def _compile(self, source: str, options: tuple[str, ...]) -> dict[str, Usage]:
        program = ctypes.c_void_p()
        self._library.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"kernel.cu", 0, None, None)
        words = [option.encode() for option in (*options, "--ptxas-options=-v")]
        failed = self._library.nvrtcCompileProgram(
            program, len(words), (ctypes.c_char_p * len(words))(*words)
        )
        log = self._log(program)
        self._library.nvrtcDestroyProgram(ctypes.byref(program))
        if failed:
            raise CompilationError(log)
        return usage_by_kernel(log)

    def _log(self, program: Any) -> str:
        size = ctypes.c_size_t()
        self._library.nvrtcGetProgramLogSize(program, ctypes.byref(size))
        text = ctypes.create_string_buffer(size.value)
        self._library.nvrtcGetProgramLog(program, text)
        return text.value.decode()


_KERNEL = re.compile(r"Compiling entry function '(\w+)'")
_STACK = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
_REGISTERS = re.compile(r"Used (\d+) registers")


def usage_by_kernel(log: str) -> dict[str, Usage]:
    """What ptxas says of each kernel (``-v``)."""
    found = {}
    for part in log.split("Compiling entry function")[1:]:
        name, stack, registers = (
            pattern.search(f"Compiling entry function{part}") for pattern in (_KERNEL, _STACK, _REGISTERS)
        )
        assert name and stack and registers, part
        spilled = int(stack[2]) + int(stack[3])
        found[name[1]] = Usage(int(registers[1]), spilled, int(stack[1]))
    return found
