"""Row groups of Parquet, decoded on the device by libcudf.

Footers are pyarrow's business: reading one by libcudf starts CUDA, and pyarrow checks what a length in it
promises before it allocates. libcudf does not look at checksums of pages: the reader has to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from gpucurate.frame.cudf_columns import buffers_of
from gpucurate.frame.device_table import DeviceTable

if TYPE_CHECKING:  # so that mypy reads the stubs of pylibcudf (tests/rapids)
    import pylibcudf as plc

_RAISED = (RuntimeError, ValueError, TypeError, LookupError, ArithmeticError, OSError)
"""What pylibcudf makes of libcudf's exceptions, but for MemoryError."""


class RefusedError(Exception):
    """libcudf cannot read it; raised from what it raised."""


def is_available() -> bool:
    """Whether pylibcudf is installed."""
    return find_spec("pylibcudf") is not None


def read_row_group(path: str, group: int, columns: Sequence[str]) -> DeviceTable:
    """One row group, at once.

    Args:
        path: of a local file.
        group: number of the row group.
        columns: names of columns that are there, without dots, which would name a part of a struct.

    Returns:
        The columns in that order, over the memory that libcudf decoded them to.

    Raises:
        RefusedError: libcudf cannot read it.
        MemoryError: it does not fit.
    """
    import pylibcudf as plc

    with _refusing():
        found = plc.io.parquet.read_parquet(_options(path, group, columns))
    return _table(found, columns)


def read_in_chunks(
    path: str, group: int, columns: Sequence[str], *, chunk_bytes: int, pass_bytes: int
) -> Iterator[DeviceTable]:
    """One row group in tables of consecutive rows, of which one lies on the device at a time.

    Args:
        path: as for :func:`read_row_group`, and so ``group`` and ``columns``.
        chunk_bytes: what a table takes, about: libcudf cuts at pages.
        pass_bytes: what is taken meanwhile for bytes that are decompressed and not decoded, about.

    Raises:
        RefusedError: libcudf cannot read it.
        MemoryError: it does not fit.
    """
    import pylibcudf as plc

    with _refusing():
        reader = plc.io.parquet.ChunkedParquetReader(
            _options(path, group, columns), chunk_read_limit=chunk_bytes, pass_read_limit=pass_bytes
        )
    while True:
        with _refusing():
            found = reader.read_chunk() if reader.has_next() else None
        if found is None:
            return
        table = _table(found, columns)
        del found
        yield table
        del table  # before the next one is decoded


def _options(path: str, group: int, columns: Sequence[str]) -> plc.io.parquet.ParquetReaderOptions:
    import pylibcudf as plc

    builder = plc.io.parquet.ParquetReaderOptions.builder(plc.io.types.SourceInfo([path]))
    options = builder.column_names(list(columns)).build()
    options.set_row_groups([[group]])
    return options


def _table(found: plc.io.types.TableWithMetadata, columns: Sequence[str]) -> DeviceTable:
    """The columns asked for, whatever their order."""
    names: list[Any] = found.column_names(include_children=False)
    by_name = dict(zip(names, found.tbl.columns(), strict=True))
    return DeviceTable({name: buffers_of(by_name[name]) for name in columns}, found.tbl.num_rows())


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except _RAISED as error:
        raise RefusedError(f"libcudf: {error}") from error
