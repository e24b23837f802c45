"""The work of the pipelines that schedulers are compared by: three stages of next to nothing.

A task is a number. The first stage makes a table of it, as a reader would, the second adds a column, and
the third adds one and keeps a line of figures, as a writer would. What is left to measure is how tables
get from one stage to the next, and who waits for whom. It needs pyarrow only, as the peers have it.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

DOCUMENT = 4096
"""Bytes of a document."""


class Make:
    """Tables of documents.

    Args:
        nbytes: of text in each.
    """

    def __init__(self, nbytes: int) -> None:
        words = "the quick brown fox jumps over the lazy dog "
        self.text = (words * (DOCUMENT // len(words) + 1))[:DOCUMENT]
        self.documents = max(1, nbytes // DOCUMENT)

    def __call__(self, number: int) -> pa.Table:
        """The table of a task."""
        first = number * self.documents
        ids = pa.array(range(first, first + self.documents), pa.int64())
        return pa.table({"id": ids, "text": pa.repeat(pa.scalar(self.text), self.documents)})


class Measure:
    """Adds the length of each document, in characters."""

    def __call__(self, table: pa.Table) -> pa.Table:
        """The table with a column more."""
        return table.append_column("length", pc.utf8_length(table["text"]))


class Count:
    """Adds the words of each document, and sums up."""

    def __call__(self, table: pa.Table) -> pa.Table:
        """The table with a column more."""
        return table.append_column("words", pc.count_substring(table["text"], " "))

    @staticmethod
    def sums(table: pa.Table) -> dict[str, int]:
        """What is left of a table: documents, characters and words."""
        return {
            "documents": table.num_rows,
            "characters": pc.sum(table["length"]).as_py(),
            "words": pc.sum(table["words"]).as_py(),
        }
