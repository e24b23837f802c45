"""What an error says of memory: out of it, or the device lost."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

from gpucurate.spec.errors import GpucurateError

_OUT = (
    "out_of_memory",  # RMM, under cuDF and pylibcudf, and as torch's allocator
    "out of memory",
    "std::bad_alloc",
    "cudaErrorMemoryAllocation",
    "CUDA_ERROR_OUT_OF_MEMORY",
    "STATUS_ALLOC_FAILED",  # cuBLAS, cuDNN
)

_LOST = (
    "cudaErrorIllegalAddress",
    "CUDA_ERROR_ILLEGAL_ADDRESS",
    "illegal memory access",
    "cudaErrorLaunchFailure",
    "CUDA_ERROR_LAUNCH_FAILED",
    "unspecified launch failure",
    "cudaErrorLaunchTimeout",
    "CUDA_ERROR_LAUNCH_TIMEOUT",
    "launch timed out",
    "cudaErrorAssert",
    "CUDA_ERROR_ASSERT",
    "device-side assert",
    "cudaErrorHardwareStackError",
    "CUDA_ERROR_HARDWARE_STACK_ERROR",
    "hardware stack error",
    "cudaErrorIllegalInstruction",
    "CUDA_ERROR_ILLEGAL_INSTRUCTION",
    "illegal instruction was encountered",
    "cudaErrorMisalignedAddress",
    "CUDA_ERROR_MISALIGNED_ADDRESS",
    "misaligned address",
    "cudaErrorInvalidAddressSpace",
    "CUDA_ERROR_INVALID_ADDRESS_SPACE",
    "cudaErrorInvalidPc",
    "CUDA_ERROR_INVALID_PC",
    "cudaErrorECCUncorrectable",
    "CUDA_ERROR_ECC_UNCORRECTABLE",
    "uncorrectable ECC error",
    "cudaErrorNvlinkUncorrectable",
    "CUDA_ERROR_NVLINK_UNCORRECTABLE",
    "cudaErrorContained",
    "CUDA_ERROR_CONTAINED",
)
"""After these each further call of the process fails too (CUDA Runtime API, ``cudaError_t``)."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory, of the host or of a device, did not suffice.

    Recognises MemoryError (Python's, NumPy's, Arrow's, RMM's, CuPy's), torch's OutOfMemoryError of
    either name, and the errors of CUDA libraries that say so, by names and words: no library is
    imported. An error of ours counts by what it was raised from, too.

    >>> is_out_of_memory(RuntimeError("std::bad_alloc: out_of_memory: RMM failure"))
    True
    """
    return any(_says_out(each) for each in _of_ours(error))


def device_is_lost(error: BaseException) -> bool:
    """Whether an error leaves the process's CUDA context unusable: it must end, not try again.

    Such errors are reported by whichever call comes next, so the whole chain of causes counts,
    whoever raised it.

    >>> device_is_lost(RuntimeError("cudaErrorIllegalAddress: an illegal memory access"))
    True
    """
    return any(_of_cuda(each) and _has(each, _LOST) for each in _chain(error))


def forget(error: BaseException) -> None:
    """Clear the tracebacks of an error and of all that led to it: their frames hold arrays."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        each = waiting.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            traceback.clear_frames(each.__traceback__)
            each.__traceback__ = None
            waiting += [each.__cause__, each.__context__]  # a suppressed one holds frames, too


def _says_out(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return _of_cuda(error) and _has(error, _OUT)


def _of_cuda(error: BaseException) -> bool:
    """Whether a library of CUDA may have raised it; those that are no RuntimeErrors carry the name."""
    return isinstance(error, RuntimeError) or "cuda" in type(error).__name__.lower()


def _has(error: BaseException, words: tuple[str, ...]) -> bool:
    message = str(error)
    return any(word in message for word in words)


def _of_ours(error: BaseException) -> Iterator[BaseException]:
    """The error, and as long as it is one of ours, what it was raised from."""
    for each in _chain(error):
        yield each
        if not isinstance(each, GpucurateError):
            return


def _chain(error: BaseException) -> Iterator[BaseException]:
    following: BaseException | None = error
    seen: set[int] = set()
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        context = None if following.__suppress_context__ else following.__context__
        following = following.__cause__ or context
