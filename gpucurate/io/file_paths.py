"""Files under a path, by the ends of their names: for scripts that compare folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from os import PathLike
from pathlib import Path

from gpucurate.io.urls import is_url, open_filesystem, redact, scheme_of
from gpucurate.spec.errors import InputError

RUN_FOLDER = "_gpucurate"


def get_all_file_paths_under(
    path: str | PathLike[str],
    recurse_subdirectories: bool = False,
    keep_extensions: str | Sequence[str] | None = None,
) -> list[str]:
    """The files under a folder or an fsspec URL, sorted, as paths that begin with ``path``.

    Name and arguments are those of NeMo Curator 1.x, where scripts compare the names in the input with
    those in the output to find what is left to do. Here that is the default: a run that is started again
    goes on. The comparison still works, since outputs are named after their inputs: a file that was read
    whole gives a file of its name, and one that was read in ranges ``NAME.00000.jsonl`` and so on.

    A file that is given gives itself. What is written under a temporary name is never seen; the run
    folder ``_gpucurate`` of an output is passed over.

    Args:
        path: a folder, a file, a URL.
        recurse_subdirectories: also what lies in folders below it.
        keep_extensions: only names that end so, with or without the dot, in any case; compressed files
            count as what they hold, so ``jsonl`` keeps ``a.jsonl.gz``. None keeps all.

    Raises:
        InputError: a folder that cannot be read. A path that is not there has no files.
        ConfigurationError: a URL that is not allowed.

    >>> get_all_file_paths_under("in/", recurse_subdirectories=True, keep_extensions="jsonl")
    ['in/de/a.jsonl', 'in/en/a.jsonl']
    """
    given = os.fspath(path)
    is_remote = is_url(given) and not os.path.lexists(given) and scheme_of(given) != "file"
    local = given.removeprefix("file://") if is_url(given) else given
    found = _remote(given, recurse_subdirectories) if is_remote else _local(local, recurse_subdirectories)
    return sorted(found if keep_extensions is None else filter_files_by_extension(found, keep_extensions))


def filter_files_by_extension(files_list: Iterable[str], keep_extensions: str | Sequence[str]) -> list[str]:
    """The names that end with one of the extensions, compressed or not, in the order given."""
    wanted = [keep_extensions] if isinstance(keep_extensions, str) else keep_extensions
    ends = tuple(
        f".{end.casefold().lstrip('.')}{packed}" for end in wanted for packed in ("", ".gz", ".zst", ".zstd")
    )
    return [name for name in files_list if name.casefold().endswith(ends)]


def _local(given: str, recurse: bool) -> Iterator[str]:
    if not Path(given).is_dir():
        if Path(given).exists():
            yield given
        return
    for folder, below, names in os.walk(given, onerror=_refuse):
        below[:] = [name for name in below if recurse and name != RUN_FOLDER]
        yield from (os.path.join(folder, name) for name in names)  # noqa: PTH118 - keeps the path as given


def _refuse(error: OSError) -> None:
    raise InputError(f"{error.filename} cannot be listed: {error.strerror}") from error


def _remote(given: str, recurse: bool) -> Iterator[str]:
    filesystem, root = open_filesystem(given)
    try:
        names = filesystem.find(root, maxdepth=None if recurse else 1)
    except OSError as error:
        raise InputError(
            f"{redact(given)} cannot be listed: {error.strerror or redact(str(error))}"
        ) from error
    for name in names:
        if RUN_FOLDER not in name[len(root) :].split("/"):
            yield filesystem.unstrip_protocol(name)
