from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpucurate.frame.text import TextBuffers

documents = st.lists(st.none() | st.text(max_size=12), max_size=12)
KINDS = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]


def column(texts, kind):
    if pa.types.is_dictionary(kind):
        return pa.array(texts, pa.string()).dictionary_encode()
    return pa.array(texts, kind)


def read(buffers: TextBuffers) -> list[str | None]:
    valid = np.ones(len(buffers), bool) if buffers.valid is None else buffers.valid
    lengths = np.diff(buffers.offsets)
    assert buffers.offsets.dtype == np.int64
    assert buffers.data.dtype == np.uint8
    assert not lengths[~valid].any(), "a null has length 0"
    return [buffers.document(i).decode() if valid[i] else None for i in range(len(buffers))]


@pytest.mark.parametrize("kind", KINDS, ids=str)
@given(texts=documents, start=st.integers(0, 4), stop=st.integers(0, 12))
def test_buffers_say_what_the_column_does_slices_included(kind, texts, start, stop):
    array = (
        column(texts, kind).slice(start, max(0, stop - start)) if start <= len(texts) else column([], kind)
    )
    assert read(TextBuffers.from_arrow(array)) == array.to_pylist()


@pytest.mark.parametrize("kind", KINDS, ids=str)
@given(chunks=st.lists(documents, max_size=4))
def test_chunked_columns_are_read_as_one(kind, chunks):
    chunked = pa.chunked_array([column(texts, kind) for texts in chunks], type=column([], kind).type)
    assert read(TextBuffers.from_arrow(chunked)) == chunked.to_pylist()


def test_bytes_under_a_null_are_not_read():
    under = pa.array(["aa", "hidden", "b"])
    array = pa.Array.from_buffers(pa.string(), 3, [pa.py_buffer(b"\x05"), *under.buffers()[1:]])
    assert array.to_pylist() == ["aa", None, "b"]
    assert read(TextBuffers.from_arrow(array)) == ["aa", None, "b"]
    assert read(TextBuffers.from_arrow(array.slice(1, 2))) == [None, "b"]


@given(documents)
def test_buffers_become_arrow_and_come_back(texts):
    buffers = TextBuffers.from_strings(texts)
    array = buffers.to_arrow()
    array.validate(full=True)
    assert array.to_pylist() == texts
    assert read(TextBuffers.from_arrow(array)) == texts


def test_one_chunk_of_text_is_not_copied():
    array = pa.array(["some", "text"], pa.large_string())
    address = TextBuffers.from_arrow(pa.chunked_array([array])).data.ctypes.data
    assert address == array.buffers()[2].address


def test_a_column_of_nothing_is_null_text():
    assert read(TextBuffers.from_arrow(pa.nulls(3))) == [None] * 3


@pytest.mark.parametrize("array", [pa.array([1]), pa.array([b"x"]), pa.array([["x"]])])
def test_what_is_not_text_is_refused(array):
    with pytest.raises(TypeError, match="not text"):
        TextBuffers.from_arrow(array)
