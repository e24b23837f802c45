"""``gpucurate index``: what --save-index has written; and the options of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from gpucurate.dedup.index import Index

index = typer.Typer(help="Look at and change indexes of kept documents.", no_args_is_help=True)

_INDEX = "Index"
_Folder = Annotated[Path, typer.Argument(help="Folder that --save-index has written.", show_default=False)]
_Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")]


@dataclass(frozen=True, kw_only=True)
class IndexOptions:
    """What new documents are held against, and what is left for later ones."""

    against: Annotated[
        list[Path] | None,
        typer.Option(
            help="Index of documents that are there already: what it holds is dropped. Can be repeated.",
            rich_help_panel=_INDEX,
        ),
    ] = None
    save_index: Annotated[
        Path | None,
        typer.Option(help="New folder for an index of the documents that are kept.", rich_help_panel=_INDEX),
    ] = None

    def settings(self) -> dict[str, Any]:
        """Arguments of a workflow."""
        return {"against": tuple(self.against or ()), "save_index": self.save_index}


@index.command()
def info(
    folder: _Folder,
    paths: Annotated[
        bool, typer.Option("--paths", help="List the input files, with their documents.")
    ] = False,
    debug: _Debug = False,
) -> None:
    """Say what an index holds, once all of its files have been read and held against their digests."""
    from gpucurate.dedup.index import read_index
    from gpucurate.dedup.index_digest import check_content

    found = read_index(folder)
    check_content(found)
    for line in (*_described(found), *(_paths(found) if paths else ())):
        typer.echo(line)


@index.command()
def merge(
    folders: Annotated[
        list[Path], typer.Argument(help="Folders that --save-index has written.", show_default=False)
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="New folder for the index of all.", show_default=False)
    ],
    debug: _Debug = False,
) -> None:
    """Make one index of several."""
    from gpucurate.workflows.index_merge import merge_indexes

    _print_short(merge_indexes(folders, output))


@index.command()
def delete(
    folder: _Folder,
    path: Annotated[
        list[str] | None,
        typer.Option(help="Glob over paths of input files; * takes slashes too. Can be repeated."),
    ] = None,
    rows: Annotated[
        Path | None,
        typer.Option(help="List of documents: Parquet with path and row, or JSON lines of such objects."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="New folder for what stays; in place if not given."),
    ] = None,
    debug: _Debug = False,
) -> None:
    """Take documents out of an index, so that later ones are no longer dropped for them."""
    from gpucurate.spec.errors import UsageError
    from gpucurate.workflows.index_delete import Unwanted, delete_from_index
    from gpucurate.workflows.index_rows import read_rows

    if not path and rows is None:
        raise UsageError("give --path or --rows, to say which documents are to go")
    unwanted = Unwanted(tuple(path or ()), {} if rows is None else read_rows(rows))
    after, gone = delete_from_index(folder, unwanted, output)
    typer.echo(f"deleted    {gone:,} documents")
    _print_short(after)


def _print_short(found: Index) -> None:
    from gpucurate.spec.names import encode_name

    typer.echo(f"index      {encode_name(str(found.folder))}: {found.documents:,} documents")


def _described(found: Index) -> Iterator[str]:
    from gpucurate.spec.bytesize import format_bytes
    from gpucurate.spec.names import encode_name

    size = sum(file.bytes for file in found.files)
    yield f"index      {encode_name(str(found.folder))}"
    yield f"documents  {found.documents:,} in {len(found.files):,} files, {format_bytes(size)} of keys"
    for part in found.parts:
        yield f"part       {part.name}: {part.documents:,} documents"
    for line in _settings(found.sketch, ""):
        yield f"sketch     {line}"
    yield f"signatures {'yes' if found.has_signatures else 'no'}"
    yield f"content    {found.fingerprint}"


def _settings(values: dict[str, Any], prefix: str) -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _settings(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name} {value}"


def _paths(found: Index) -> Iterator[str]:
    from gpucurate.dedup.index_origins import count_by_path

    for path, count in count_by_path(map(found.origins_path, found.files)):
        yield f"path       {path}: {count:,} documents"
