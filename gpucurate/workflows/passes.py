"""The passes over the text that a deduplication makes: which stages each consists of."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from gpucurate.backends.chain import Stage
from gpucurate.dedup.sketch import Sketch
from gpucurate.io.listing import Listing
from gpucurate.planning.planner import make_plan
from gpucurate.spec.bytesize import MIB
from gpucurate.spec.plan import Plan
from gpucurate.stages.deduplication.keys import DocumentKeys
from gpucurate.stages.deduplication.removal import DuplicateAnnotation, DuplicateRemoval
from gpucurate.stages.specification import specify
from gpucurate.stages.text.io.reader import DocumentReader
from gpucurate.stages.text.io.writer import DocumentWriter
from gpucurate.workflows.options import DedupOptions

PIECE_BYTES = 16 * MIB
"""Documents pass through in pieces of so much input, whatever the size of a unit."""


class Passes:
    """Makes the stages of each pass.

    Args:
        inputs: paths, as they were given.
        listing: the files that they stand for.
        output: folder of the output.
        options: of the deduplication.
    """

    def __init__(
        self,
        inputs: Sequence[str | PathLike[str]],
        listing: Listing,
        output: Path,
        options: DedupOptions,
    ) -> None:
        self.inputs = inputs
        self.listing = listing
        self.output = output
        self.options = options

    def keys(self, sketch: Sketch) -> list[Any]:
        """From text to keys on disk."""
        # Rows of Parquet that cannot be read whole must be known before survivors are chosen.
        whole = self.options.writes and any(file.format == "parquet" for file in self.listing.files)
        reader = self.reader(fields=[self.options.text_field], keep_original=whole)
        return [reader, DocumentKeys(sketch, self.options.text_field)]

    def write(self, marks: Path) -> list[Any]:
        """From text and marks to the output."""
        converts = any(self.options.format not in (None, file.format) for file in self.listing.files)
        reader = self.reader(fields=None if converts else (), keep_original=not converts)
        mark = DuplicateAnnotation if self.options.annotate else DuplicateRemoval
        writer = DocumentWriter(self.output, format=self.options.format, compression=self.options.compression)
        return [reader, mark(marks), writer]

    def reader(self, fields: Sequence[str] | None, keep_original: bool) -> DocumentReader:
        """The reader of a pass; ``fields`` as its argument of that name."""
        reader = DocumentReader(
            self.inputs,
            blocksize=self.options.input_blocksize,
            fields=fields,
            text_fields=(self.options.text_field,) if fields != () else (),
            read_kwargs=self.options.read_kwargs(),
            keep_original=keep_original,
            piece_bytes=PIECE_BYTES,
        )
        reader.use_listing(self.listing)
        return reader


def plan_of(phase: str, stages: Sequence[Stage]) -> Plan:
    """The plan of a pass."""
    return make_plan(phase, [specify(stage) for stage in stages])
