"""How operations are compiled for the CPU: once per machine and user, then loaded."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core.caching import FunctionCache
from numba.core.types import unliteral

OPS_FOLDER = Path(__file__).parent

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile a function over arrays: without the GIL, cached on disk beside the source.

    The function creates no arrays (slices are fine): it runs without numba's reference counts, whose
    atomic operations cost more than a short document. Whoever calls brings the memory.

    Where the package is installed read-only, numba's cache in the user's home takes its
    place; where there is none either, a private folder under the temporary one.
    """
    dispatcher = numba.njit(nogil=True, error_model="numpy", _nrt=False)(function)
    dispatcher._cache = _cache_of(function)
    _forget_literals(dispatcher)
    return cast(F, dispatcher)


def _forget_literals(dispatcher: Any) -> None:
    """Have calls with a constant use the version for any number, instead of one of their own.

    numba would compile a kernel a second time for ``fill = 0`` before a loop.
    """
    template_for = dispatcher.get_call_template

    def template(args: Any, kws: Any) -> Any:
        return template_for([*map(unliteral, args)], {name: unliteral(kws[name]) for name in kws})

    dispatcher.get_call_template = template


def is_cached(kernel_function: Callable[..., Any]) -> bool:
    """Whether a kernel lies compiled on disk, for this processor and these sources."""
    cache_on_disk = cast(Any, kernel_function)._cache
    target = numba.core.registry.cpu_target.target_context.codegen().magic_tuple()
    digest = source_digest(cache_on_disk.folder)
    index = cache_on_disk._cache_file._load_index()
    return any(key[1] == target and key[-1] == digest for key in index)


@cache
def source_digest(folder: Path) -> str:
    """Digest of the Python sources under ``folder`` and under ``ops``.

    numba looks only at the file of the compiled function itself, and would go on using a
    result into which an older version of a function of another file has been inlined.
    """
    digest = blake2b(digest_size=16)
    for source in sorted({*OPS_FOLDER.rglob("*.py"), *folder.glob("*.py")}):
        digest.update(source.read_bytes())
    return digest.hexdigest()


class _SourceAwareCache(FunctionCache):  # type: ignore[misc]
    """numba's cache on disk, its key extended by the digest of the sources."""

    @property
    def folder(self) -> Path:
        """Where the source of the function lies."""
        return Path(self._py_func.__code__.co_filename).parent

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What is cached, without ``target_context.refresh()``, which numba puts before it.

        That imports everything numba knows how to compile (0.3 s, SciPy and cffi with it), and only a
        compilation needs it, which begins with a refresh of its own.
        """
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        return (*super()._index_key(sig, codegen), source_digest(self.folder))


def _cache_of(function: Callable[..., Any]) -> FunctionCache:
    try:
        return _SourceAwareCache(function)
    except RuntimeError:  # numba: "no locator available": neither place can be written
        configured = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = str(_private_temporary_folder())
        try:
            return _SourceAwareCache(function)
        finally:
            numba.config.CACHE_DIR = configured


@cache
def _private_temporary_folder() -> Path:
    """A folder that only this user can write: what lies there is loaded as machine code."""
    folder = Path(tempfile.gettempdir()) / f"gpucurate-numba-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid == os.getuid() and stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o022:
        return folder
    return Path(tempfile.mkdtemp(prefix="gpucurate-numba-"))
