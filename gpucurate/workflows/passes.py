"""The passes over the text that a deduplication makes: which stages each consists of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

from gpucurate.backends.chain import Stage
from gpucurate.checkpoint.phase import AFTER
from gpucurate.dedup.sketch import MinHashSketch, Sketch
from gpucurate.io.limits import ReadLimits
from gpucurate.io.listing import Listing
from gpucurate.pipeline.devices import devices_for
from gpucurate.planning.planner import make_plan
from gpucurate.spec.bytesize import MIB
from gpucurate.spec.place import Place
from gpucurate.spec.plan import Plan
from gpucurate.spec.resources import Resources
from gpucurate.stages.deduplication.column_path import ColumnPath
from gpucurate.stages.deduplication.document_ids import DocumentIds
from gpucurate.stages.deduplication.keys import DocumentKeys
from gpucurate.stages.deduplication.removal import DuplicateAnnotation, DuplicateRemoval
from gpucurate.stages.deduplication.sample import DocumentSample
from gpucurate.stages.deduplication.texts import CandidateTexts
from gpucurate.stages.specification import specify
from gpucurate.stages.text.io.reader import DocumentReader
from gpucurate.stages.text.io.writer import DocumentWriter
from gpucurate.workflows.columns import find_column
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
        output: Place,
        options: DedupOptions,
    ) -> None:
        self.inputs = inputs
        self.listing = listing
        self.output = output
        self.options = options

    def keys(self, sketch: Sketch, kind: type[DocumentKeys] = DocumentKeys) -> list[Any]:
        """From text to keys on disk, by this stage."""
        text, within, policy_column = self.options.text_field, self.within, self.policy_column
        others = [path.field for path in (within, policy_column, self.ids) if path is not None]
        stages: list[Any] = [self.reader([text, *others], self._whole, is_first=True), *self.id_stages]
        if self.options.sample is not None:
            stages.append(DocumentSample(self.options.sample, text))
        policy = self.options.policy if self.options.policy.is_ranked else None
        stages.append(kind(sketch, text, within=within, policy=policy, policy_column=policy_column))
        return self._on_device(stages)

    def _on_device(self, stages: list[Any]) -> list[Any]:
        """The stages, asking for a GPU if that is what they are to run on."""
        if self.options.device == "cpu":
            return stages
        return [stage.with_(resources=Resources(gpus=1)) for stage in stages]

    @property
    def _whole(self) -> bool:
        """Rows of Parquet that cannot be read whole must be known before survivors are chosen."""
        return self.options.writes and any(file.format == "parquet" for file in self.listing.files)

    def texts(self, sketch: MinHashSketch, candidates: Path) -> list[Any]:
        """From text to the texts of candidates on disk."""
        reader = self.reader(fields=[self.options.text_field], keep_original=self._whole)
        return [reader, CandidateTexts(sketch, self.options.text_field, candidates)]

    @cached_property
    def within(self) -> ColumnPath | None:
        """The column within which duplicates are looked for."""
        return self._column(self.options.within)

    @cached_property
    def ids(self) -> ColumnPath | None:
        """The field of ids that must not come twice."""
        return self._column(self.options.unique_field)

    @property
    def id_stages(self) -> list[Any]:
        """What notes the ids, if they are to be compared."""
        return [] if self.ids is None else [DocumentIds(self.ids)]

    @cached_property
    def policy_column(self) -> ColumnPath | None:
        """The column that decides what survives."""
        return self._column(self.options.policy.column)

    def _column(self, name: str | None) -> ColumnPath | None:
        limits = ReadLimits(**self.options.read_kwargs())
        return find_column(self.listing, name, limits) if name else None

    def write(self, marks: Path) -> list[Any]:
        """From text and marks to the output."""
        converts = any(self.options.format not in (None, file.format) for file in self.listing.files)
        reader = self.reader(fields=None if converts else (), keep_original=not converts)
        mark = DuplicateAnnotation if self.options.annotate else DuplicateRemoval
        writer = DocumentWriter(self.output, format=self.options.format, compression=self.options.compression)
        return [reader, mark(marks), writer]

    def reader(
        self, fields: Sequence[str] | None, keep_original: bool, *, is_first: bool = False
    ) -> DocumentReader:
        """The reader of a pass; ``fields`` as its argument of that name."""
        reader = DocumentReader(
            self.inputs,
            blocksize=self.options.input_blocksize,
            fields=fields,
            text_fields=(self.options.text_field,) if fields != () else (),
            read_kwargs=self.options.read_kwargs(),
            keep_original=keep_original,
            piece_bytes=PIECE_BYTES,
            with_fingerprint=is_first,
        )
        reader.use_listing(self.listing)
        return reader


def plan_of(phase: str, stages: Sequence[Stage], after: str | None = None) -> Plan:
    """The plan of a pass.

    Args:
        phase: its name.
        stages: what it consists of.
        after: digest of what passes before it found, if its results follow from that: where it is another
            one, nothing of the pass is done yet.
    """
    decides = None if after is None else {AFTER: after}
    return make_plan(
        phase, [specify(stage) for stage in stages], available=devices_for(stages), decides=decides
    )
