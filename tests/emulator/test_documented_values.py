"""The kernel ``nvtext`` gives the values that cuDF documents, with seeds and permutations of its own."""

import numpy as np
import pytest

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.cuda import device_text
from tests.emulator.backend import text_on, to_host
from tests.ops import documented

WIDTH = 5


@pytest.mark.parametrize("oracle", documented.PERMUTED.values(), ids=documented.PERMUTED)
def test_the_values_that_cudf_documents_and_tests(device, oracle):
    dtype, permutations = np.dtype(f"u{oracle.bits // 8}").type, len(oracle.a)
    documents = documented.DOCUMENTS[: len(oracle.values)]
    text = device_text(text_on(device, TextBuffers.from_strings(documents)), device)
    values = device.xp.full((len(documents), permutations), np.iinfo(dtype).max, dtype)
    arguments = (
        *text.arguments,
        np.int32(WIDTH),
        dtype(0),
        *(device.xp.asarray(np.array(factors, dtype)) for factors in (oracle.a, oracle.b)),
        *map(np.int32, (permutations, 1, permutations)),
        values,
        device.xp.zeros(len(documents), np.uint32),
        None,
    )
    options = (f"-DVALUE_BITS={oracle.bits}", "-DLANE_PERMUTATIONS=1")
    device.launch("nvtext", "nvtext", text.chunks.total, arguments, options=options)
    with_text = [bool(document) for document in documents]
    found = to_host(values)[with_text].tolist()
    assert found == [row for row, has_text in zip(oracle.values, with_text, strict=True) if has_text]
