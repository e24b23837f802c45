"""A sample of the documents, by what they say: nested, and the same whoever takes it."""

from __future__ import annotations

import re
from contextlib import suppress
from fractions import Fraction

import numpy as np

from gpucurate.ops.document_hash import document_hash
from gpucurate.spec.errors import ConfigurationError
from gpucurate.stages.base import ProcessingStage, StageIO
from gpucurate.tasks.document import DocumentBatch


class DocumentSample(ProcessingStage[DocumentBatch, DocumentBatch]):
    """Keeps the documents whose hash lies below a share of its range.

    The first word of the document hash of the raw text (docs/algorithms.md) is compared with
    ``share * 2^64``. So equal texts are in or out together, a smaller sample is part of a larger
    one, and neither files, their order nor workers have a part in it.

    Args:
        share: of all distinct texts, as :func:`parse_share` reads it.
        text_field: the column of text.

    Raises:
        ConfigurationError: a share that is none.
    """

    name = "not sampled"  # what the books call the documents that it drops

    def __init__(self, share: float | str, text_field: str = "text") -> None:
        self.share = str(parse_share(share))
        self.text_field = text_field

    def inputs(self) -> StageIO:
        """The column of text."""
        return ["data"], [self.text_field]

    def process(self, task: DocumentBatch) -> DocumentBatch:
        """The documents of the sample."""
        if not task.num_items:
            return task
        below = np.uint64(int(Fraction(self.share) * 2**64) - 1)
        return task.select(document_hash(task.text(self.text_field))[:, 0] <= below)


_SHARE = re.compile(r"[0-9./]+(e[+-]?[0-9]{1,3})? ?%?", re.IGNORECASE | re.ASCII)
"""An exponent of many digits would take for ever, and more memory than there is."""


def parse_share(given: float | str) -> Fraction:
    """A share of more than nothing and at most everything: ``1%``, ``0.01``.

    Raises:
        ConfigurationError: it is none.
    """
    text, share = str(given).strip(), Fraction(-1)
    if _SHARE.fullmatch(text):
        with suppress(ValueError, ZeroDivisionError):
            share = Fraction(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    if not Fraction(1, 2**64) <= share <= 1:
        raise ConfigurationError(f"sample is {given!r}: give a share above 0 and up to 1, such as 1% or 0.01")
    return share
