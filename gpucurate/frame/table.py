"""Verbs over a table whichever engine holds it: Arrow, pandas, cuDF or the columns of a device.

Nothing outside this layer needs to know which. An Arrow table is the form in which
readers hand over documents, on a GPU a :class:`~gpucurate.frame.device_table.DeviceTable`; pandas and cuDF
are what user stages are written against.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gpucurate.frame.arrays import array_of
from gpucurate.frame.device_table import DeviceTable, concatenate_tables
from gpucurate.frame.text import TextBuffers
from gpucurate.frame.transfers import download, is_on_device, upload
from gpucurate.spec.device import Device

if TYPE_CHECKING:
    import pandas as pd

Table: TypeAlias = Any
"""``pyarrow.Table``, ``pandas.DataFrame``, ``cudf.DataFrame`` or ``DeviceTable``."""


def is_table(value: object) -> bool:
    """Whether ``value`` is a table of a known engine."""
    return isinstance(value, pa.Table | DeviceTable) or is_pandas(value) or is_cudf(value)


def is_pandas(value: object) -> bool:
    """Whether ``value`` is a pandas frame; does not import pandas."""
    module = sys.modules.get("pandas")
    return module is not None and isinstance(value, module.DataFrame)


def is_cudf(value: object) -> bool:
    """Whether ``value`` is a cuDF frame; does not import cuDF."""
    module = sys.modules.get("cudf")
    return module is not None and isinstance(value, module.DataFrame)


def cuda_is_available() -> bool:
    """Whether kernels can run: a GPU, a driver, and CuPy."""
    if find_spec("cupy") is None:
        return False
    import cupy

    return bool(cupy.cuda.is_available())


def device_of(table: Table) -> Device:
    """The device that holds the table."""
    return "cuda" if isinstance(table, DeviceTable) or is_cudf(table) else "cpu"


def num_rows(table: Table) -> int:
    """Rows of the table."""
    return int(table.num_rows) if isinstance(table, pa.Table) else len(table)


def column_names(table: Table) -> list[str]:
    """Names of the columns, in order."""
    if isinstance(table, pa.Table):
        return list(table.column_names)
    if isinstance(table, DeviceTable):
        return list(table.columns)
    return [str(name) for name in table.columns]


def schema_of(table: Table) -> object:
    """What is the same for tables whose rows can be joined without a change of any type."""
    if isinstance(table, pa.Table):
        return "arrow", table.schema.remove_metadata()
    if isinstance(table, DeviceTable):
        return "device", [(name, type(column)) for name, column in table.columns.items()]
    return type(table), list(table.dtypes.items())


def nbytes(table: Table) -> int:
    """Bytes that the table's columns hold."""
    if isinstance(table, pa.Table | DeviceTable):
        return int(table.nbytes)
    usage = table.memory_usage(index=False, deep=True)
    return int(usage.sum())


def to_arrow(table: Table) -> pa.Table:
    """The table as Arrow, downloaded if need be; a pandas or cuDF index is not kept."""
    if isinstance(table, pa.Table):
        return table
    if isinstance(table, DeviceTable) or is_cudf(table):
        return to_device_table(table).to_arrow()
    return pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)


def to_pandas(table: Table) -> pd.DataFrame:
    """The table as pandas with Arrow-backed strings; a frame is handed on as it is."""
    if is_pandas(table):
        return cast("pd.DataFrame", table)
    import pandas as pd

    return cast("pd.DataFrame", to_arrow(table).to_pandas(types_mapper=_arrow_strings(pd).get))


def _arrow_strings(pd: Any) -> Mapping[Any, Any]:
    text = pd.StringDtype("pyarrow", na_value=np.nan)
    return dict.fromkeys((pa.string(), pa.large_string(), pa.string_view()), text)


def to_cudf(table: Table) -> Any:
    """The table as cuDF on the current device, uploaded if need be, else over the same memory.

    Raises:
        ImportError: cuDF is not installed.
        DeviceError: CuPy is not.
    """
    if is_cudf(table):
        return table
    from gpucurate.frame.cudf_columns import frame_of

    return frame_of(to_device_table(table))


def to_device_table(table: Table) -> DeviceTable:
    """The table as columns of the current device: uploaded, or of cuDF over the same memory.

    Raises:
        DeviceError: CuPy is not installed.
    """
    if isinstance(table, DeviceTable):
        return table
    if not is_cudf(table):
        return DeviceTable.from_arrow(to_arrow(table))
    from gpucurate.frame.cudf_columns import table_of

    return table_of(table)


def text_of(table: Table, name: str) -> TextBuffers:
    """The buffers of a text column, where the table lies, without a copy of the text where there is none.

    Raises:
        TypeError: the column does not hold text.
    """
    if device_of(table) == "cpu":
        return TextBuffers.from_arrow(column_as_arrow(table, name))
    column = to_device_table(select_columns(table, [name])).columns[name]
    if isinstance(column, TextBuffers):
        return column
    kind = column.type if isinstance(column, pa.Array | pa.ChunkedArray) else column.values.dtype
    raise TypeError(f"a column of {kind} is not text")


def as_mask(values: Any, rows: int) -> npt.NDArray[np.bool_]:
    """``values`` as a bool mask of ``rows`` entries, on the host.

    Args:
        values: of NumPy, pandas, cuDF, Arrow or a device, or a list.
        rows: entries that there must be.

    Raises:
        TypeError: not bool, or with nulls; positions of rows are not a mask.
        ValueError: not one entry a row.
    """
    if isinstance(values, pa.Array | pa.ChunkedArray):
        values = values.to_numpy(zero_copy_only=False) if isinstance(values, pa.Array) else values.to_numpy()
    on_device = device_mask(values)
    mask = np.asarray(values if on_device is None else download(on_device))
    if mask.shape != (rows,):
        raise ValueError(f"a mask of shape {mask.shape} for {rows} rows: one entry a row is needed")
    if mask.dtype == object and all(isinstance(value, bool | np.bool_) for value in mask):
        mask = mask.astype(bool)
    if mask.dtype != bool and len(mask):
        raise TypeError(
            f"a mask of {mask.dtype} is not one of bool without nulls: compare, or fill nulls, first"
        )
    return mask.astype(bool, copy=False)


def device_mask(values: Any) -> Any:
    """A mask that lies on a device as an array of CuPy; None for one of the host.

    Raises:
        TypeError: a cuDF column with nulls.
    """
    if not is_on_device(values):
        return None
    module = sys.modules.get("cudf")
    if module is None or not isinstance(values, module.Series):
        return values
    if values.null_count:
        raise TypeError(f"a mask with {values.null_count} nulls is not one of bool: fill them first")
    return values.values


def take_mask(table: Table, mask: npt.NDArray[np.bool_]) -> Table:
    """Rows where ``mask`` (bool, one entry a row, of a device too) is true, in order, by the same engine."""
    if len(mask) != num_rows(table):
        raise ValueError(f"a mask of {len(mask)} entries for {num_rows(table)} rows")
    if isinstance(table, DeviceTable):
        return table.take_mask(mask)
    if isinstance(table, pa.Table):
        if not table.num_columns:
            return empty_columns(int(np.count_nonzero(mask)))
        return table.filter(array_of(mask))
    if is_cudf(table) and not is_on_device(mask):
        mask = upload(mask)
    return table[mask].reset_index(drop=True)


def slice_rows(table: Table, first: int, stop: int) -> Table:
    """Rows ``first`` to ``stop``, by the same engine; over the same memory where that can be."""
    if isinstance(table, DeviceTable):
        return table.slice(first, stop)
    if not isinstance(table, pa.Table):
        return table.iloc[first:stop].reset_index(drop=True)
    return table.slice(first, stop - first) if table.num_columns else empty_columns(stop - first)


def with_columns(table: Table, columns: Mapping[str, Any]) -> Table:
    """A copy of the table with columns added or replaced, by the same engine."""
    if isinstance(table, DeviceTable):
        return table.assign({name: _without_cudf(values) for name, values in columns.items()})
    if not isinstance(table, pa.Table):
        return table.assign(**columns)
    for name, values in columns.items():
        array = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
        at = table.schema.get_field_index(name)
        table = table.append_column(name, array) if at < 0 else table.set_column(at, name, array)
    return table


def _without_cudf(values: Any) -> Any:
    """A series of cuDF as the column that it holds; anything else as it is."""
    module = sys.modules.get("cudf")
    if module is None or not isinstance(values, module.Series):
        return values
    from gpucurate.frame.cudf_columns import column_of_series

    return column_of_series(values)


def replace_column(table: Table, name: str, values: pa.Array) -> Table:
    """The table with Arrow values, one a row, in place of those of a column, whose type stays."""
    if isinstance(table, pa.Table):
        return with_columns(table, {name: values})
    if isinstance(table, DeviceTable):
        return table.assign({name: values})
    column = pa.Table.from_arrays([values], [name])
    made = to_cudf(column)[name] if is_cudf(table) else to_pandas(column)[name]
    return table.assign(**{name: made.astype(table[name].dtype)})


def with_columns_of(table: Table, source: Table) -> Table:
    """The table with the columns of another one of as many rows, row by row, by the same engine.

    Labels of rows (an index) have no part in it, and are not kept.
    """
    names = column_names(source)
    if isinstance(table, pa.Table):
        return with_columns(table, {name: column_as_arrow(source, name) for name in names})
    if isinstance(table, DeviceTable):
        return table.assign(to_device_table(source).columns)
    given = (to_cudf(source) if is_cudf(table) else to_pandas(source)).reset_index(drop=True)
    return table.reset_index(drop=True).assign(**{name: given[name] for name in names})


def select_columns(table: Table, names: Sequence[str]) -> Table:
    """The table with only these columns, in this order."""
    return table.select(list(names)) if isinstance(table, pa.Table | DeviceTable) else table[list(names)]


def concatenate(tables: Sequence[Table]) -> Table:
    """The rows of all tables in order; columns absent from some become null."""
    if all(isinstance(table, pa.Table) for table in tables):
        return pa.concat_tables(tables, promote_options="permissive")
    if all(isinstance(table, DeviceTable) for table in tables):
        return concatenate_tables(tables)
    module = sys.modules["cudf" if is_cudf(tables[0]) else "pandas"]
    return module.concat([to_pandas(t) if isinstance(t, pa.Table) else t for t in tables], ignore_index=True)


def pack(table: Table) -> Table | bytes:
    """What to pickle for a table: of an Arrow slice, the rows and not the buffers behind them.

    What lies on a device comes to the host.
    """
    if isinstance(table, DeviceTable):
        table = table.to_arrow()
    if not isinstance(table, pa.Table):
        return table
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    raw: bytes = sink.getvalue().to_pybytes()
    return raw


def unpack(packed: Table | bytes) -> Table:
    """The table that :func:`pack` was given."""
    return pa.ipc.open_stream(packed).read_all() if isinstance(packed, bytes) else packed


def column_as_arrow(table: Table, name: str) -> pa.ChunkedArray:
    """One column as Arrow, downloaded if need be."""
    if isinstance(table, DeviceTable):
        column = table.on_host(name)
        return column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
    return to_arrow(select_columns(table, [name])).column(0)


def empty_columns(rows: int) -> pa.Table:
    """An Arrow table of ``rows`` rows and no columns."""
    return pa.Table.from_arrays([pa.nulls(rows)], ["_"]).select([])  # pa.table would load pandas
