"""What pyarrow raises on a file that cannot be read, as one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from gpucurate.spec.errors import GpucurateError, StorageError, one_line


@contextmanager
def parquet_errors(path: Path, remedy: str, kind: type[GpucurateError] = StorageError) -> Iterator[None]:
    """Name the file, what is wrong with it and what to do.

    Args:
        path: of the Parquet that is read.
        remedy: what to do about a file that is damaged.
        kind: of the error that is raised for such a file.

    Raises:
        StorageError: the operating system cannot read the file.
        kind: it is no Parquet, or damaged.
    """
    try:
        yield
    except GpucurateError:
        raise
    except (OSError, pa.ArrowException, ValueError, KeyError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise StorageError(f"cannot read {path}: {error.strerror}") from error
        # pyarrow raises an OSError without a number for what it cannot decode
        raise kind(f"{path} is damaged, or no Parquet of this kind ({one_line(error)}): {remedy}") from error
