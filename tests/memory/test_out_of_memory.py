"""What counts as out of memory, and what as a lost device."""

import gc
import weakref

import numpy as np
import pytest

from gpucurate.memory.out_of_memory import device_is_lost, forget, is_out_of_memory
from gpucurate.spec.errors import OverBudgetError, StageError


class CudaAPIError(Exception):
    """Named as numba's, which is no RuntimeError."""


def error_of(name, module, base=RuntimeError, text=""):
    return type(name, (base,), {"__module__": module})(text)


OUT = {
    "python": MemoryError(),
    "rmm": MemoryError("std::bad_alloc: out_of_memory: RMM failure at: limiting_resource_adaptor_impl.cpp"),
    "rmm in a RuntimeError": RuntimeError("std::bad_alloc: out_of_memory: CUDA error"),
    "cupy": error_of("OutOfMemoryError", "cupy.cuda.memory", MemoryError, "Out of memory allocating 1 bytes"),
    "cuda runtime": error_of(
        "CUDARuntimeError", "cupy_backends", text="cudaErrorMemoryAllocation: out of memory"
    ),
    "cuda driver": CudaAPIError("[2] Call to cuMemAlloc results in CUDA_ERROR_OUT_OF_MEMORY"),
    "torch": error_of("OutOfMemoryError", "torch", text="CUDA out of memory. Tried to allocate 2 GiB"),
    "torch before 2.5": error_of("OutOfMemoryError", "torch.cuda"),
    "torch in RMM's pool": RuntimeError("std::bad_alloc: out_of_memory: RMM failure"),
    "cublas": RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"),
    "budget": OverBudgetError("no room"),
}

NOT_OUT = {
    "any runtime error": RuntimeError("the model has no weights"),
    "a value": ValueError("out of memory"),
    "a key": KeyError("out_of_memory"),
    "illegal address": RuntimeError("cudaErrorIllegalAddress: an illegal memory access was encountered"),
}


@pytest.mark.parametrize("name", OUT)
def test_errors_of_every_library_are_recognised(name):
    assert is_out_of_memory(OUT[name])
    assert not device_is_lost(OUT[name])


@pytest.mark.parametrize("name", NOT_OUT)
def test_other_errors_are_not(name):
    assert not is_out_of_memory(NOT_OUT[name])


def test_what_numpy_raises_is_recognised():
    with pytest.raises(MemoryError) as raised:
        np.empty(1 << 60, np.uint8)
    assert is_out_of_memory(raised.value)


def raised_from(outer, inner):
    try:
        try:
            raise inner
        except Exception as error:
            raise outer from error
    except Exception as error:
        return error


def test_an_error_of_ours_counts_by_its_cause_and_any_other_does_not():
    assert is_out_of_memory(raised_from(StageError("stage failed", "s"), OUT["cupy"]))
    assert not is_out_of_memory(raised_from(KeyError("user's own"), MemoryError()))
    assert not is_out_of_memory(raised_from(StageError("stage failed", "s"), ValueError("bad")))


def test_an_error_raised_while_another_was_handled_counts_by_it_unless_that_was_suppressed():
    def handled(outer, **chain):
        try:
            try:
                raise MemoryError
            except MemoryError:
                if chain:
                    raise outer from chain["cause"]
                raise outer  # noqa: B904 - what is tested
        except StageError as error:
            return error

    assert is_out_of_memory(handled(StageError("unlucky", "s")))
    assert not is_out_of_memory(handled(StageError("deliberate", "s"), cause=None))


@pytest.mark.parametrize(
    "text",
    [
        "cudaErrorIllegalAddress: an illegal memory access was encountered",
        "CUDA error: an illegal memory access was encountered",
        "cudaErrorLaunchFailure: unspecified launch failure",
        "CUDA_ERROR_LAUNCH_FAILED: unspecified launch failure",
        "CUDA error: device-side assert triggered",
        "Fatal CUDA error encountered at: x.cu:1: 716 cudaErrorMisalignedAddress misaligned address",
    ],
)
def test_a_lost_device_is_recognised_whoever_wraps_it(text):
    assert device_is_lost(RuntimeError(text))
    assert device_is_lost(raised_from(ValueError("user's own"), RuntimeError(text)))
    assert not is_out_of_memory(RuntimeError(text))


def test_a_device_is_not_lost_by_errors_that_pass():
    assert not device_is_lost(RuntimeError("cudaErrorInsufficientDriver: the driver is too old"))
    assert not device_is_lost(ValueError("misaligned address in the user's file"))


def test_the_words_are_those_of_the_cuda_runtime():
    runtime = pytest.importorskip("cuda.bindings.runtime", reason="the CUDA bindings are not installed")

    def told(name):
        error = getattr(runtime.cudaError_t, name)
        return runtime.cudaGetErrorName(error)[1].decode(), runtime.cudaGetErrorString(error)[1].decode()

    for part in told("cudaErrorMemoryAllocation"):
        assert is_out_of_memory(RuntimeError(part))
    for name in ("IllegalAddress", "LaunchFailure", "LaunchTimeout", "Assert", "HardwareStackError"):
        for part in told(f"cudaError{name}"):
            assert device_is_lost(RuntimeError(part)), part
    for name in ("IllegalInstruction", "MisalignedAddress", "ECCUncorrectable", "InvalidPc", "Contained"):
        assert device_is_lost(RuntimeError(told(f"cudaError{name}")[0]))


class Held:
    pass


def test_a_forgotten_error_holds_no_local_of_its_frames_nor_of_those_before():
    def work():
        held = Held()
        gone.append(weakref.ref(held))
        raise MemoryError

    def suppressing():
        try:
            work()
        except MemoryError:
            raise KeyError from None

    gone = []
    try:
        suppressing()
    except KeyError as error:
        kept = raised_from(StageError("stage failed", "s"), error)
    assert gone[0]() is not None
    forget(kept)
    gc.collect()
    assert gone[0]() is None
    assert kept.__traceback__ is None
