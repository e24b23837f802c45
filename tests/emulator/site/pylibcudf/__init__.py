"""pylibcudf's names (26.10) over the memory of the emulated device, as far as the project uses them.

A stand-in for a library that cannot run without a GPU, not a mock of the project's own: columns have
libcudf's layout (offsets of 32 bits below 2^31 characters, masks of bits padded to 64 bytes, slices by an
offset), Parquet is decoded by pyarrow, and memory is taken of RMM's. That names and arguments are those of
the real one is held by ``tests/rapids``, which reads the stubs it ships.
"""

from pylibcudf import io, null_mask
from pylibcudf.column import Column
from pylibcudf.gpumemoryview import gpumemoryview
from pylibcudf.table import Table
from pylibcudf.types import DataType, TypeId

__all__ = ["Column", "DataType", "Table", "TypeId", "gpumemoryview", "io", "null_mask"]
