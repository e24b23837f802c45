"""The passes over the text that a deduplication of segments makes."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from gpucurate.dedup.segmentation import Segmentation
from gpucurate.dedup.sketch import Sketch
from gpucurate.io.listing import Listing
from gpucurate.spec.place import Place
from gpucurate.stages.deduplication.keys import DocumentKeys
from gpucurate.stages.deduplication.segment_removal import SegmentAnnotation, SegmentRemoval
from gpucurate.stages.deduplication.segments import SegmentKeys
from gpucurate.stages.text.io.writer import DocumentWriter
from gpucurate.workflows.passes import Passes
from gpucurate.workflows.segment_options import SegmentSettings


class SegmentPasses(Passes):
    """Makes the stages of each pass.

    Both passes read the text, by the same pieces, so that segments have the same numbers in both.

    Args:
        inputs: paths, as they were given.
        listing: the files that they stand for.
        output: folder of the output.
        segmentation: what is compared.
        settings: of the deduplication.
    """

    def __init__(
        self,
        inputs: Sequence[str | PathLike[str]],
        listing: Listing,
        output: Place,
        segmentation: Segmentation,
        settings: SegmentSettings,
    ) -> None:
        super().__init__(inputs, listing, output, settings.options)
        self.segmentation = segmentation
        self.settings = settings

    def keys(self, sketch: Sketch, kind: type[DocumentKeys] = DocumentKeys) -> list[Any]:
        """From text to keys of its segments on disk; ``sketch`` is the segmentation."""
        text = self.options.text_field
        fields = [text] if self.ids is None else [text, self.ids.field]
        reader = self.reader(fields, self._whole, is_first=True)
        return [reader, *self.id_stages, SegmentKeys(self.segmentation, text)]

    def write(self, marks: Path) -> list[Any]:
        """From text and marks to the output."""
        field, list_cuts = self.options.text_field, self.settings.list_cuts
        converts = any(self.options.format not in (None, file.format) for file in self.listing.files)
        reader = self.reader(fields=None if converts else [field], keep_original=not converts)
        cut: SegmentAnnotation | SegmentRemoval
        if self.options.annotate:
            cut = SegmentAnnotation(self.segmentation, marks, field, list_cuts=list_cuts)
        else:
            drop_empty = self.settings.drop_empty
            cut = SegmentRemoval(self.segmentation, marks, field, list_cuts=list_cuts, drop_empty=drop_empty)
        writer = DocumentWriter(self.output, format=self.options.format, compression=self.options.compression)
        return [reader, cut, writer]
