"""What operations do with arrays of a device: which implementation runs, and how kernels are launched."""

from functools import partial
from importlib.util import find_spec

import numpy as np
import pytest

from gpucurate.frame.text import TextBuffers
from gpucurate.frame.transfers import upload
from gpucurate.ops.cuda import CudaDevice, Device, device_text
from gpucurate.ops.cuda.source import complete_source
from gpucurate.ops.dispatch import implementation
from gpucurate.ops.document_hash import document_hash as document_hash_on_cpu
from gpucurate.ops.document_hash.cuda import document_hash
from gpucurate.ops.kernels import kernel_names
from gpucurate.spec.errors import DeviceError, NotOnDeviceError


class Recorder(Device):
    """Keeps what would be launched."""

    xp = np
    multiprocessors = 10

    def __init__(self):
        self.launched = []

    def kernel(self, source, function, options=()):
        return partial(self.record, source, function)

    def record(self, *launch):
        self.launched.append(launch)


@pytest.fixture
def device():
    return Recorder()


def test_an_array_of_a_device_takes_the_operation_there(cuda):
    assert implementation("gpucurate.ops.minhash", np.zeros(1)).__name__ == "gpucurate.ops.minhash.cpu"
    assert implementation("gpucurate.ops.minhash", cuda.zeros(1)).__name__ == "gpucurate.ops.minhash.cuda"


def test_an_operation_without_a_cuda_implementation_says_so(cuda):
    with pytest.raises(
        NotOnDeviceError, match=r"segments has no CUDA implementation.*type ndarray: pass NumPy arrays"
    ):
        implementation("gpucurate.ops.segments", cuda.zeros(1))


@pytest.mark.parametrize(
    ("items", "threads", "blocks"), [(1, 32, 1), (9, 32, 2), (257, 1, 2), (10**9, 1, 40)]
)
def test_the_grid_covers_the_work_up_to_what_the_device_holds(device, items, threads, blocks):
    device.launch("union_find", "flatten", items, (), threads_per_item=threads)
    assert device.launched == [("union_find", "flatten", (blocks,), (256,), ())]


def test_nothing_is_launched_for_no_work(device):
    device.launch("union_find", "flatten", 0, ())
    assert device.launched == []


def test_a_null_pointer_is_a_number_to_cupy_which_does_not_take_none_for_one(cuda):
    device, text = CudaDevice(), TextBuffers.from_strings(["a", "b"])
    on_device = TextBuffers(cuda.asarray(text.data), cuda.asarray(text.offsets), None)
    hashes = document_hash(on_device, device)  # without a mask of valid documents
    assert hashes.get().tolist() == document_hash_on_cpu(text).tolist()


def test_the_emulated_device_takes_no_none_where_cupy_passes_another_address(cuda):
    if not hasattr(cuda.cuda, "set_limit"):
        pytest.skip("CuPy does not refuse None: it would be an address to write to")
    with pytest.raises(TypeError, match="None"):
        CudaDevice().kernel("union_find", "flatten")((1,), (256,), (np.int64(0), None))


def test_arrays_with_gaps_are_refused(device):
    with pytest.raises(ValueError, match="kernel flatten: the array at place 1 is not contiguous"):
        device.launch("union_find", "flatten", 1, (np.int64(1), np.zeros((4, 4))[:, 1]))


def test_a_table_is_copied_once_until_it_is_forgotten(cuda):
    device, values = CudaDevice(), np.arange(4)
    table = device.table(values)
    assert device.table(values) is table
    device.forget_tables()
    again = device.table(values)
    assert again is not table
    assert again.tolist() == [0, 1, 2, 3]


def test_every_document_has_a_chunk_and_long_ones_have_more(device):
    device.chunk_bytes = 4
    chunks = device_text(TextBuffers.from_strings(["", "1234", "12345", None, "123456789"]), device).chunks
    assert chunks.total == 8
    assert chunks.first.tolist() == [0, 1, 2, 4, 5, 8]
    assert chunks.document.tolist() == [0, 1, 2, 2, 3, 4, 4, 4]


@pytest.mark.parametrize("offsets", [[0, 5], [-1, 2], [], [[0, 1]]])
def test_offsets_that_are_not_those_of_the_text_are_refused(device, offsets):
    text = TextBuffers(np.zeros(4, np.uint8), np.array(offsets, np.int64))
    with pytest.raises(ValueError, match="offsets"):
        device_text(text, device)


@pytest.mark.parametrize("name", kernel_names())
def test_a_kernel_goes_to_the_compiler_in_one_piece(name):
    source = complete_source(name)
    assert '#include "warp.cuh"' not in source
    assert source.count('#line 1 "portable.cuh"') == 1
    assert source.startswith(f'#line 1 "{name}.cu"\n')


def test_lines_keep_their_numbers(repository):
    lines = complete_source("minhash").splitlines()
    marker = max(i for i, line in enumerate(lines) if line.startswith("#line") and "minhash.cu" in line)
    number = int(lines[marker].split()[1])
    expected = (repository / "kernels" / "minhash.cu").read_text().splitlines()[number - 1 :]
    assert lines[marker + 1 :] == expected


@pytest.mark.skipif(find_spec("cupy") is not None, reason="CuPy is installed")
def test_a_missing_cupy_is_told_with_what_to_install():
    with pytest.raises(DeviceError, match=r"pip install 'gpucurate\[cu13\]'"):
        upload(np.zeros(1))
